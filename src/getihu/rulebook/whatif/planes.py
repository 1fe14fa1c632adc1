"""Condition trees over everyone at once: what holds, what is open, which clause is in the way."""

from collections.abc import Mapping
from functools import reduce

import numpy as np

from getihu.rulebook.model.rules import AllOf, AnyOf, AtLeast, ClauseRef, NoneOf, Rule, Tree
from getihu.rulebook.whatif.city import Bools, Codes

Plane = tuple[Bools, Bools]  # (holds, unknown)
Planes = Mapping[str, Plane]


def tree_plane(tree: Tree, planes: Planes) -> Plane:
    """The answer of a tree for everyone, in three values."""
    if isinstance(tree, ClauseRef):
        return planes[tree.id]
    items = [tree_plane(item, planes) for item in tree.items]
    holds = [yes for yes, _ in items]
    possible = [yes | unknown for yes, unknown in items]
    match tree:
        case AllOf():
            yes, may = _all(holds), _all(possible)
        case AnyOf():
            yes, may = _any(holds), _any(possible)
        case NoneOf():
            yes, may = ~_any(possible), ~_any(holds)
        case AtLeast(n):
            yes, may = _count(holds) >= n, _count(possible) >= n
    return yes, may & ~yes


def _all(parts: list[Bools]) -> Bools:
    return reduce(np.logical_and, parts)


def _any(parts: list[Bools]) -> Bools:
    return reduce(np.logical_or, parts)


def _count(parts: list[Bools]) -> np.ndarray:
    return sum((part.astype(np.uint8) for part in parts[1:]), parts[0].astype(np.uint8))


def flipped(clause_id: str, planes: Planes) -> Planes:
    """The same answers with one clause turned round where it is known."""
    yes, unknown = planes[clause_id]
    return {**planes, clause_id: (~yes & ~unknown, unknown)}


def open_leaves(tree: Tree, planes: Planes, among: Bools) -> dict[str, Bools]:
    """Clause id → those of ``among`` whose answer waits for it."""
    found: dict[str, Bools] = {}
    _collect(tree, planes, among, found)
    return found


def _collect(tree: Tree, planes: Planes, among: Bools, found: dict[str, Bools]) -> None:
    waiting = among & tree_plane(tree, planes)[1]
    if isinstance(tree, ClauseRef):
        found[tree.id] = found[tree.id] | waiting if tree.id in found else waiting
        return
    for item in tree.items:
        _collect(item, planes, waiting, found)


def outcome_codes(rule: Rule, planes: Planes) -> Codes:
    """The outcome of a rule for everyone by its clauses alone, numbered as in ``outcomes_of``."""
    if rule.requires is not None:
        yes, unknown = tree_plane(rule.requires, planes)
        return np.where(yes, 0, np.where(unknown, 2, 1)).astype(np.uint8)
    values = [value for value, _ in rule.values]
    size = len(next(iter(planes.values()))[0])
    searching = np.ones(size, dtype=bool)
    code = np.full(size, len(values), dtype=np.uint8)  # of the one value still possible
    several = np.zeros(size, dtype=bool)
    for row in rule.rows:
        everyone = (np.ones(size, dtype=bool), np.zeros(size, dtype=bool))
        yes, unknown = tree_plane(row.when, planes) if row.when else everyone
        possible = searching & (yes | unknown)
        place = values.index(row.value)
        several |= possible & (code != len(values)) & (code != place)
        code[possible] = place
        searching &= ~yes
    code[several] = len(values)
    return code
