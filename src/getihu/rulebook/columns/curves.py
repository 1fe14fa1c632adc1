"""Count and cost at every value of one parameter, from the planes a sweep left.

Where the parameter only meets one fact, traders fall into as many classes as the values tell
apart; one count per class and answer gives the whole curve. Otherwise a copy of the rule is
decided per value, all in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from getihu.rulebook.columns.circuit import Plane3, Words
from getihu.rulebook.columns.coding import Column
from getihu.rulebook.columns.leaves import code_answers, unpack
from getihu.rulebook.columns.plan import outcomes
from getihu.rulebook.columns.questions import PackedPlane, packed_clauses
from getihu.rulebook.columns.sweep import CitySweep, sweep_columns
from getihu.rulebook.model.expressions import Expression, facts_in
from getihu.rulebook.model.parameters import with_value
from getihu.rulebook.model.rules import Rule

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """At each of ``values``: how many have the outcome, what they get (whole yuan; empty when
    the rule pays nothing), and per fact and its value how many of them."""

    values: tuple[Any, ...]
    counts: tuple[int, ...]
    amounts_yuan: tuple[int, ...]
    parts: dict[str, dict[Any, tuple[int, ...]]]


def curve(
    swept: CitySweep,
    rule_id: str,
    parameter: str,
    values: Sequence[Any],
    *,
    outcome: str = "yes",
    by: Sequence[str] = (),
) -> Curve:
    """The curve of a parameter over ``values``; everything else stays as it is."""
    rule = swept.planned(rule_id).rule
    copies = [with_value(rule, parameter, value) for value in values]
    drawn = _Drawn(swept, by, tuple(values))
    fact = _only_fact(swept, rule, copies)
    pays_alike = all(_formula(copy) == _formula(rule) for copy in copies)
    if fact is not None and pays_alike and outcome in swept.planned(rule_id).outcomes:
        return _by_classes(swept, rule, copies, fact, outcome, drawn)
    return _by_copies(swept, copies, outcome, drawn)


def _formula(rule: Rule) -> Expression | None:
    return rule.amount.resolved if rule.amount else None


class _Drawn:
    """A curve while it is counted: one row of numbers per value."""

    def __init__(self, swept: CitySweep, by: Sequence[str], values: tuple[Any, ...]) -> None:
        self.values = values
        self.columns: dict[str, Column] = {}
        for fact in by:
            column = swept.columns.column(fact)
            if column is not None:
                self.columns[fact] = column

    def curve(
        self,
        counts: Sequence[int],
        cents: Sequence[int],
        parts: Mapping[str, npt.NDArray[np.int64]],
    ) -> Curve:
        found: dict[str, dict[Any, tuple[int, ...]]] = {}
        for fact, table in parts.items():
            column = self.columns[fact]
            found[fact] = {
                column.value(code - 1): tuple(table[:, code].tolist())
                for code in range(1, column.size)
                if table[:, code].any()
            }
        return Curve(self.values, tuple(counts), tuple(c // 100 for c in cents), found)


# one fact: classes


def _only_fact(swept: CitySweep, rule: Rule, copies: Sequence[Rule]) -> str | None:
    """The one fact the changed clauses look at, if there is one."""
    simple = swept.plan.leaves.simple
    facts: set[str] = set()
    for copy in copies:
        for mine, theirs in zip(copy.clauses, rule.clauses, strict=True):
            if mine is not theirs:
                facts |= set(facts_in(simple(mine.resolved)))
    return facts.pop() if len(facts) == 1 else None


@dataclass(frozen=True, eq=False)
class _Classes:
    """Codes of one fact put together where no value tells them apart.

    ``truths[value, class, clause]`` is 0 no, 1 unknown, 2 yes.
    """

    names: tuple[str, ...]
    of_code: npt.NDArray[np.uint16]
    truths: npt.NDArray[np.uint8]


def _classes(
    swept: CitySweep, rule: Rule, copies: Sequence[Rule], column: Column, fact: str
) -> _Classes:
    changed = [
        number
        for number, clause in enumerate(rule.clauses)
        if any(copy.clauses[number] is not clause for copy in copies)
    ]
    leaves = swept.plan.leaves
    starts = {0, 1}
    answers = []
    for copy in copies:
        for number in changed:
            node = leaves.simple(copy.clauses[number].resolved)
            found = code_answers(leaves, fact, node, column)
            answers.append(found)
            starts |= found.starts
    edges = np.array(sorted(starts))
    lengths = np.diff(np.append(edges, column.size))
    of_code = np.repeat(np.arange(len(edges), dtype=np.uint16), lengths)
    truths = np.stack([found.at(edges) for found in answers])
    names = tuple(rule.clauses[number].id for number in changed)
    shaped = truths.reshape(len(copies), len(changed), len(edges)).transpose(0, 2, 1)
    return _Classes(names, of_code, shaped)


def _by_classes(
    swept: CitySweep,
    rule: Rule,
    copies: Sequence[Rule],
    fact: str,
    outcome: str,
    drawn: _Drawn,
) -> Curve:
    column = swept.columns.column(fact)
    assert column is not None
    classes = _classes(swept, rule, copies, column, fact)
    several, place = np.unique(
        classes.truths.reshape(-1, len(classes.names)), axis=0, return_inverse=True
    )
    chosen = place.reshape(classes.truths.shape[:2])  # value x class → which answers
    size = classes.truths.shape[1]
    counts = np.zeros(len(copies), dtype=np.int64)
    cents = [0] * len(copies)
    parts = {
        name: np.zeros((len(copies), other.size), dtype=np.int64)
        for name, other in drawn.columns.items()
    }
    base = packed_clauses(swept, rule.id)
    pays = rule.amount is not None and outcome == "yes"
    for number, answers in enumerate(several):
        members = _members(swept, rule, base, classes.names, answers, outcome)
        rows = np.flatnonzero(unpack(members, swept.traders))
        mine = classes.of_code[column.codes[rows]]
        here = (chosen == number).astype(np.int64)
        counts += here @ np.bincount(mine, minlength=size)
        for name, other in drawn.columns.items():
            cells = mine.astype(np.int64) * other.size + other.codes[rows]
            table = np.bincount(cells, minlength=size * other.size)
            parts[name] += here @ table.reshape(size, other.size)
        if pays:
            for value, total in enumerate(_paid(swept, rule, rows, mine, here, size)):
                cents[value] += total
    return drawn.curve(counts.tolist(), cents if pays else (), parts)


def _members(
    swept: CitySweep,
    rule: Rule,
    base: tuple[Any, dict[str, PackedPlane]],
    names: tuple[str, ...],
    answers: npt.NDArray[np.uint8],
    outcome: str,
) -> Words:
    """Who has the outcome if the changed clauses answered so for everyone."""
    planes, clauses = base
    constants = {
        0: Plane3(planes.zero, planes.zero),
        1: Plane3(planes.zero, planes.ones),
        2: Plane3(planes.ones, planes.ones),
    }
    settled = {name: constants[int(a)] for name, a in zip(names, answers, strict=True)}
    scope = swept.planned(rule.id).applies
    applies = Plane3(swept.words(scope.yes), swept.words(scope.possible))
    found: Words = outcomes(planes, rule, applies, {**clauses, **settled})[outcome]
    return found


def _paid(
    swept: CitySweep,
    rule: Rule,
    rows: npt.NDArray[np.int64],
    mine: npt.NDArray[np.uint16],
    here: Counts,
    size: int,
) -> list[int]:
    """Cents per value, of the classes that count there."""
    assert rule.amount is not None
    used = np.asarray(here.any(axis=0))[mine]
    rows, mine = rows[used], mine[used]
    cents = swept.cents(rule.amount.resolved, rule.amount.rounding, rows)
    paid = np.where(cents.known, cents.values, 0)
    if paid.dtype != object and int(np.abs(paid).sum()) < 2**53:  # exact in a float's whole part
        sums = np.bincount(mine, weights=paid, minlength=size).astype(np.int64)
        return [int(total) for total in here @ sums]
    totals = [0] * size
    for number, value in zip(mine.tolist(), paid.tolist(), strict=True):
        totals[number] += value
    return [sum(t for t, on in zip(totals, row, strict=True) if on) for row in here.tolist()]


# anything else: copies


def _by_copies(swept: CitySweep, copies: Sequence[Rule], outcome: str, drawn: _Drawn) -> Curve:
    named = [replace(copy, id=f"{copy.id}#{number}") for number, copy in enumerate(copies)]
    each = sweep_columns(swept.columns, named, swept.as_of)
    counts, cents = [], []
    parts: dict[str, list[Counts]] = {name: [] for name in drawn.columns}
    for copy in named:
        who = each.members(copy.id, outcome)
        counts.append(int(who.sum()))
        for name, column in drawn.columns.items():
            codes = column.codes[: swept.traders][who]
            parts[name].append(np.bincount(codes, minlength=column.size))
        if copy.amount and outcome == "yes":
            paid = each.amount_of(copy.id).cents
            cents.append(sum(paid.values[paid.known].tolist()))
    return drawn.curve(counts, cents, {name: np.stack(rows) for name, rows in parts.items()})
