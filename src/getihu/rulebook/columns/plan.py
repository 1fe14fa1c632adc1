"""Rules as one circuit: each distinct clause once, then trees, then outcomes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from getihu.rulebook.columns.circuit import ALWAYS, ONES, ZERO, Circuit, Plane3, Program
from getihu.rulebook.columns.coding import Column
from getihu.rulebook.columns.leaves import CodeLeaves, CodeSet, Columns, Leaves
from getihu.rulebook.columns.scope import applies
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
    applies: Plane3
    clauses: dict[str, Plane3]
    outcomes: dict[str, int]

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
    scope = leaves.answer(applies(rule, as_of))
    if scope.possible == ZERO:
        return PlannedRule(rule, scope, {}, {})
    clauses = {clause.id: leaves.answer(clause.resolved) for clause in rule.clauses}
    return PlannedRule(rule, scope, clauses, outcomes(leaves.circuit, rule, scope, clauses))


def outcomes(
    circuit: Circuit, rule: Rule, scope: Plane3, clauses: dict[str, Plane3]
) -> dict[str, int]:
    """The plane of each outcome but unknown."""
    if rule.incomplete:
        return {}
    if rule.kind == ELIGIBILITY:
        assert rule.requires is not None
        answer = tree_plane(circuit, rule.requires, clauses)
        return {
            "yes": circuit.and_(scope.yes, answer.yes),
            "no": circuit.and_not(scope.yes, answer.possible),
        }
    return _table_outcomes(circuit, rule, scope, clauses)


def tree_plane(circuit: Circuit, tree: Tree, clauses: dict[str, Plane3]) -> Plane3:
    """The answer of a tree of clauses."""
    if isinstance(tree, ClauseRef):
        return clauses[tree.id]
    items = [tree_plane(circuit, item, clauses) for item in tree.items]
    match tree:
        case AllOf():
            return circuit.all3(items)
        case AnyOf():
            return circuit.any3(items)
        case NoneOf():
            return circuit.not3(circuit.any3(items))
        case AtLeast(n):
            return circuit.at_least3(n, items)


def _table_outcomes(
    circuit: Circuit, rule: Rule, scope: Plane3, clauses: dict[str, Plane3]
) -> dict[str, int]:
    """The one value all still possible rows share: a row that holds ends the search, an unknown
    row stays possible."""
    open_ = ONES
    possible = {value: ZERO for value, _ in rule.values}
    for row in rule.rows:
        answer = ALWAYS if row.when is None else tree_plane(circuit, row.when, clauses)
        here = circuit.and_(open_, answer.possible)
        possible[row.value] = circuit.or_(possible[row.value], here)
        open_ = circuit.and_not(open_, answer.yes)
    several = circuit.at_least(2, list(possible.values()))
    one = circuit.and_not(scope.yes, several)
    return {value: circuit.and_(one, plane) for value, plane in possible.items()}


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
