"""差一步 for the whole city: whom one clause keeps from a rule, from the clause bits of a sweep."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from getihu.rulebook.advise.knowledge import Knowledge
from getihu.rulebook.contracts import NearClause, NearRule
from getihu.rulebook.model.expressions import AsOf, walk
from getihu.rulebook.model.rules import (
    AllOf,
    AnyOf,
    AtLeast,
    Clause,
    ClauseRef,
    NoneOf,
    Rule,
    Tree,
)

Bools = npt.NDArray[np.bool_]
Answer = tuple[Bools, Bools]  # holds, unknown


SAMPLES = 3  # traders advised one by one before a clause is believed to be changeable


class Sweep(Protocol):
    """What is asked of a whole-city sweep."""

    def members(self, rule_id: str, outcome: str) -> Bools: ...

    def clause(self, rule_id: str, clause_id: str) -> Answer: ...


def near_members(
    sweep: Sweep, rule: Rule, knowledge: Knowledge, can_turn: Callable[[int, str], bool]
) -> dict[str, Bools]:
    """Clause id → the traders refused whom this clause alone keeps from the goal.

    Left out are clauses over facts nothing changes, and those of which ``can_turn`` (for the
    trader in one row) says no for every sample. A trader may stand under two clauses where
    either would do.
    """
    answers = {clause.id: sweep.clause(rule.id, clause.id) for clause in rule.clauses}
    found: dict[str, Bools] = {}
    for refused, reaches in _goals(sweep, rule, knowledge):
        for clause in rule.clauses:
            if _is_fixed(clause, knowledge):
                continue
            holds, unknown = answers[clause.id]
            flipped = {**answers, clause.id: (~holds & ~unknown, unknown)}
            near = refused & ~unknown & reaches(flipped)
            rows = np.flatnonzero(near)
            if any(can_turn(int(r), clause.id) for r in rows[:: max(1, len(rows) // SAMPLES)]):
                found[clause.id] = found.get(clause.id, np.zeros_like(near)) | near
    return found


def _is_fixed(clause: Clause, knowledge: Knowledge) -> bool:
    """True when the clause rests on a fact nothing changes and time does not pass in it."""
    if any(isinstance(node, AsOf) for node in walk(clause.resolved)):
        return False
    return any(name in knowledge.fixed and name not in knowledge.moves for name in clause.facts)


def _goals(sweep: Sweep, rule: Rule, knowledge: Knowledge) -> Iterator[tuple[Bools, "_Reaches"]]:
    """Those refused, and the test for what they might reach: yes, or the next rung."""
    if rule.incomplete or rule.id in knowledge.no_gain:
        return
    if rule.requires is not None:
        yield sweep.members(rule.id, "no"), _Reaches(rule, frozenset())
        return
    rungs = knowledge.ladders.get(rule.id, ())
    for value in dict(rule.values) if rungs else ():
        # Off the ladder any rung will do, but which one must be known: each is asked alone.
        next_rungs = rungs[rungs.index(value) + 1 :][:1] if value in rungs else rungs
        for rung in next_rungs:
            yield sweep.members(rule.id, value), _Reaches(rule, frozenset({rung}))


class _Reaches:
    """Who reaches a goal under given answers to the clauses."""

    def __init__(self, rule: Rule, values: frozenset[str]) -> None:
        self.rule = rule
        self.values = values

    def __call__(self, answers: Mapping[str, Answer]) -> Bools:
        if self.rule.requires is not None:
            return _known(self.rule.requires, answers)[0]
        nobody = np.zeros_like(next(iter(answers.values()))[0])
        reached, barred = nobody, nobody  # barred: an earlier row of another value may hold
        for row in self.rule.rows:
            holds, unknown = (~nobody, nobody) if row.when is None else _known(row.when, answers)
            if row.value in self.values:
                reached = reached | (holds & ~barred)
            else:
                barred = barred | ((holds | unknown) & ~reached)
        return reached


def _known(tree: Tree, answers: Mapping[str, Answer]) -> Answer:
    if isinstance(tree, ClauseRef):
        return answers[tree.id]
    parts = [_known(item, answers) for item in tree.items]
    yes = _counted([holds for holds, _ in parts])
    maybe = yes + _counted([unknown for _, unknown in parts])
    match tree:
        case AllOf():
            needed = len(parts)
        case AnyOf():
            needed = 1
        case AtLeast(n):
            needed = n
        case NoneOf():
            return maybe < 1, (maybe >= 1) & (yes < 1)
    return yes >= needed, (yes < needed) & (maybe >= needed)


def _counted(parts: list[Bools]) -> npt.NDArray[np.int16]:
    total: npt.NDArray[np.int16] = np.sum(parts, axis=0, dtype=np.int16)
    return total


def near_rule(rule: Rule, members: Mapping[str, Bools], knowledge: Knowledge) -> NearRule:
    """The counts of one rule, the clause that holds back most first."""
    everyone = np.any(list(members.values()), axis=0) if members else np.zeros(0, dtype=bool)
    clauses = [
        NearClause(
            id=name,
            label=rule.clause_by_id[name].label,
            traders=int(who.sum()),
            comes_by_itself=any(f in knowledge.moves for f in rule.clause_by_id[name].facts),
        )
        for name, who in members.items()
    ]
    return NearRule(
        rule_id=rule.id,
        title=rule.title,
        traders=int(everyone.sum()),
        clauses=tuple(sorted(clauses, key=lambda c: (-c.traders, c.id))),
    )
