"""Condition trees over everyone at once: what holds, what is open, which clause is in the way."""

from collections.abc import Mapping
from functools import reduce

import numpy as np

from getihu.rulebook.model.rules import AllOf, AnyOf, AtLeast, ClauseRef, NoneOf, Tree
from getihu.rulebook.whatif.city import Bools

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
