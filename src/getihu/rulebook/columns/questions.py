"""What the kept planes answer beside outcomes: one step away, whose data is lacking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from getihu.rulebook.columns.circuit import Packed, Plane3, Words
from getihu.rulebook.columns.coding import pack
from getihu.rulebook.columns.leaves import unpack
from getihu.rulebook.columns.plan import tree_plane
from getihu.rulebook.columns.sweep import CitySweep
from getihu.rulebook.columns.vectors import Bools
from getihu.rulebook.model.expressions import facts_in
from getihu.rulebook.model.rules import UNKNOWN, ClauseRef, Rule, Tree

NOBODY: Final = 255
APPLICANT: Final = "applicant"

PackedPlane = Plane3[Words]


@dataclass(frozen=True, eq=False)
class Near:
    """Who is one clause away from a yes (``who``), and of each the first such clause as its place
    in ``clauses`` (255: nobody's)."""

    clauses: tuple[str, ...]
    first: npt.NDArray[np.uint8]
    counts: dict[str, int]

    @property
    def who(self) -> Bools:
        return self.first != NOBODY


def near(swept: CitySweep, rule_id: str) -> Near:
    """Refused because of one clause alone: known, and a yes if it came out the other way.

    Cost: a tree of planes per clause, some milliseconds at a million traders.
    """
    planned = swept.planned(rule_id)
    rule, names = planned.rule, tuple(planned.clauses)
    first = np.full(swept.traders, NOBODY, dtype=np.uint8)
    counts: dict[str, int] = {}
    if rule.requires is None or "no" not in planned.outcomes:
        return Near(names, first, counts)
    planes, clauses = packed_clauses(swept, rule_id)
    refused = swept.member_words(rule_id, "no")
    for number in range(len(names) - 1, -1, -1):
        name = names[number]
        turned = {**clauses, name: planes.not3(clauses[name])}
        known = clauses[name].yes | ~clauses[name].possible
        alone = refused & known & tree_plane(planes, rule.requires, turned).yes
        who = unpack(alone, swept.traders)
        counts[name] = int(who.sum())
        first[who] = number
    return Near(names, first, counts)


def packed_clauses(swept: CitySweep, rule_id: str) -> tuple[Packed, dict[str, PackedPlane]]:
    """The clauses of a rule as words of bits, and what puts them together."""
    clauses = {
        name: Plane3(swept.words(plane.yes), swept.words(plane.possible))
        for name, plane in swept.planned(rule_id).clauses.items()
    }
    return Packed(swept.size), clauses


def open_clauses(swept: CitySweep, rule_id: str) -> dict[str, Words]:
    """Clause → the undecided whose answer waits for it."""
    rule = swept.planned(rule_id).rule
    planes, clauses = packed_clauses(swept, rule_id)
    undecided = swept.member_words(rule_id, UNKNOWN)
    found: dict[str, Words] = {}
    trees = [rule.requires] if rule.requires else [row.when for row in rule.rows]
    for tree in trees:
        if tree is not None and clauses:
            _collect(planes, tree, clauses, undecided, found)
    return found


def _collect(
    planes: Packed,
    tree: Tree,
    clauses: Mapping[str, PackedPlane],
    among: Words,
    found: dict[str, Words],
) -> None:
    answer = tree_plane(planes, tree, clauses)
    waiting = among & answer.possible & ~answer.yes
    if isinstance(tree, ClauseRef):
        found[tree.id] = found[tree.id] | waiting if tree.id in found else waiting
        return
    for item in tree.items:
        _collect(planes, item, clauses, waiting, found)


def missing_by_department(
    swept: CitySweep, rule_id: str, departments: Mapping[str, str]
) -> dict[str, int]:
    """Department → the undecided its data alone would settle.

    ``departments`` says who delivers a fact; what nobody delivers is asked of the applicant (or
    of whom the rule names). Empty for a rule whose own text is open.
    """
    rule = swept.planned(rule_id).rule
    if rule.incomplete:
        return {}
    lacking = _lacking(swept, rule)
    owners = _owners(rule, lacking, departments)
    found = {}
    for department in dict.fromkeys(owners.values()):
        mine = _any([w for f, w in lacking.items() if owners[f] == department], swept)
        other = _any([w for f, w in lacking.items() if owners[f] != department], swept)
        many = int(unpack(mine & ~other, swept.traders).sum())
        if many:
            found[department] = many
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _lacking(swept: CitySweep, rule: Rule) -> dict[str, Words]:
    """Fact → the undecided who wait for it."""
    undecided = swept.member_words(rule.id, UNKNOWN)
    found: dict[str, Words] = {}

    def add(facts: tuple[str, ...], waiting: Words) -> None:
        for fact in facts:
            lacks = waiting & missing(swept, fact)
            found[fact] = found[fact] | lacks if fact in found else lacks

    for name, waiting in open_clauses(swept, rule.id).items():
        add(facts_in(rule.clause_by_id[name].resolved), waiting)
    scope = swept.planned(rule.id).applies
    unsure = undecided & swept.words(scope.possible) & ~swept.words(scope.yes)
    add(facts_in(rule.scope(swept.as_of).whole), unsure)
    return found


def missing(swept: CitySweep, fact: str) -> Words:
    """Those of whom a fact is unknown."""
    column = swept.columns.column(fact)
    if column is None:
        return ~np.zeros(swept.size, dtype=np.uint64)
    bits = np.zeros(swept.size, dtype=np.uint64)
    unknown = pack(column.codes == 0)
    bits[: len(unknown)] = unknown
    return bits


def _owners(
    rule: Rule, facts: Mapping[str, Words], departments: Mapping[str, str]
) -> dict[str, str]:
    asked = {each.name: each.asked_of for each in rule.inputs}
    return {fact: departments.get(fact) or asked.get(fact, APPLICANT) for fact in facts}


def _any(planes: list[Words], swept: CitySweep) -> Words:
    found = np.zeros(swept.size, dtype=np.uint64)
    for plane in planes:
        found |= plane
    return found
