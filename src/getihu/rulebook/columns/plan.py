"""Rules as one circuit: each distinct clause once, then trees, then outcomes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from getihu.rulebook.columns.circuit import ZERO, Algebra, Answer, Circuit, P, Plane3, Program
from getihu.rulebook.columns.coding import Column
from getihu.rulebook.columns.leaves import CodeLeaves, CodeSet, Columns, Leaves
from getihu.rulebook.model.rules import (
    ELIGIBILITY,
    AllOf,
    AnyOf,
    AtLeast,
    ClauseRef,
    NoneOf,
    Rule,
    Tree,
)

_ANSWERS = 8  # answers in one table entry


@dataclass(frozen=True, eq=False)
class PlannedRule:
    """The planes of one rule. ``outcomes`` holds yes and no, or the values of a table; whoever
    the rule may apply to and has none of them is unknown."""

    rule: Rule
    applies: Answer
    clauses: dict[str, Answer]
    outcomes: dict[str, int]

    def answer_planes(self) -> Iterator[int]:
        """The planes that say the outcome of everyone."""
        yield self.applies.possible
        yield from self.outcomes.values()

    def planes(self) -> Iterator[int]:
        yield from self.applies
        for clause in self.clauses.values():
            yield from clause
        yield from self.outcomes.values()


@dataclass(frozen=True, eq=False)
class Table:
    """Up to eight answers per code of one column, and the registers of their planes."""

    column: Column
    answers: npt.NDArray[np.uint8]
    registers: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Copy:
    """A plane the column has ready, and the register it goes to."""

    plane: npt.NDArray[np.uint64]
    register: int


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything a sweep needs. ``rules`` are in the order given."""

    rules: dict[str, PlannedRule]
    leaves: Leaves
    program: Program
    tables: tuple[Table, ...]
    copies: tuple[Copy, ...]
    distinct_clauses: int
    distinct_leaves: int


def plan(columns: Columns, rules: Sequence[Rule], as_of: date) -> Plan:
    """Put the rules together. Two rules may not have one id."""
    circuit = Circuit()
    leaves = Leaves(columns, as_of, circuit)
    planned = {rule.id: plan_rule(leaves, rule, as_of) for rule in rules}
    assert len(planned) == len(rules), "two rules with one id"
    return finish(leaves, planned)


def finish(leaves: Leaves, planned: dict[str, PlannedRule]) -> Plan:
    program = leaves.circuit.program(p for rule in planned.values() for p in rule.planes())
    clauses = {plane for rule in planned.values() for plane in rule.clauses.values()}
    register = program.register
    tables = tuple(t for found in leaves.by_fact.values() for t in _tables(found, register))
    copies = tuple(
        Copy(found.column.planes[code], register[plane])
        for found in leaves.by_fact.values()
        for code, plane in found.ready.items()
        if plane in register
    )
    return Plan(planned, leaves, program, tables, copies, len(clauses), len(leaves.circuit.leaves))


def plan_rule(leaves: Leaves, rule: Rule, as_of: date) -> PlannedRule:
    scope = leaves.answer(rule.scope(as_of).whole)
    if scope.possible == ZERO:
        return PlannedRule(rule, scope, {}, {})
    clauses = {clause.id: leaves.answer(clause.resolved) for clause in rule.clauses}
    return PlannedRule(rule, scope, clauses, outcomes(leaves.circuit, rule, scope, clauses))


def outcomes(
    planes: Algebra[P], rule: Rule, scope: Plane3[P], clauses: Mapping[str, Plane3[P]]
) -> dict[str, P]:
    """The plane of each outcome but unknown."""
    if rule.incomplete:
        return {}
    if rule.kind == ELIGIBILITY:
        assert rule.requires is not None
        answer = tree_plane(planes, rule.requires, clauses)
        return {
            "yes": planes.and_(scope.yes, answer.yes),
            "no": planes.and_not(scope.yes, answer.possible),
        }
    return _table_outcomes(planes, rule, scope, clauses)


def tree_plane(planes: Algebra[P], tree: Tree, clauses: Mapping[str, Plane3[P]]) -> Plane3[P]:
    """The answer of a tree of clauses."""
    if isinstance(tree, ClauseRef):
        return clauses[tree.id]
    items = [tree_plane(planes, item, clauses) for item in tree.items]
    match tree:
        case AllOf():
            return planes.all3(items)
        case AnyOf():
            return planes.any3(items)
        case NoneOf():
            return planes.not3(planes.any3(items))
        case AtLeast(n):
            return planes.at_least3(n, items)


def _table_outcomes(
    planes: Algebra[P], rule: Rule, scope: Plane3[P], clauses: Mapping[str, Plane3[P]]
) -> dict[str, P]:
    """The one value all still possible rows share: a row that holds ends the search, an unknown
    row stays possible."""
    open_ = planes.ones
    possible = {value: planes.zero for value, _ in rule.values}
    for row in rule.rows:
        answer = (
            Plane3(planes.ones, planes.ones)
            if row.when is None
            else tree_plane(planes, row.when, clauses)
        )
        here = planes.and_(open_, answer.possible)
        possible[row.value] = planes.or_(possible[row.value], here)
        open_ = planes.and_not(open_, answer.yes)
    several = planes.at_least(2, list(possible.values()))
    one = planes.and_not(scope.yes, several)
    return {value: planes.and_(one, plane) for value, plane in possible.items()}


def _tables(leaves: CodeLeaves, register: dict[int, int]) -> Iterator[Table]:
    """The code sets of one column, eight to a table."""
    wanted = [(codes, register[plane]) for codes, plane in leaves.sets if plane in register]
    for start in range(0, len(wanted), _ANSWERS):
        some = wanted[start : start + _ANSWERS]
        registers = np.array([place for _, place in some], dtype=np.int64)
        answers = _answers([codes for codes, _ in some], leaves.column.size)
        yield Table(leaves.column, answers, registers)


def _answers(sets: Sequence[CodeSet], size: int) -> npt.NDArray[np.uint8]:
    table = np.zeros(size, dtype=np.uint8)
    for number, codes in enumerate(sets):
        bit = np.uint8(1 << number)
        if isinstance(codes, tuple):
            table[codes[0] : codes[1]] |= bit
        else:
            table |= codes.view(np.uint8) * bit
    return table
