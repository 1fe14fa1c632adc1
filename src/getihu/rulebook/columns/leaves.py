"""Questions to facts: code sets for one fact, exact columns for several."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from getihu.rulebook.columns.circuit import (
    ALWAYS,
    NEVER,
    ONES,
    UNKNOWN,
    ZERO,
    Circuit,
    Plane3,
)
from getihu.rulebook.columns.coding import Codes, Column
from getihu.rulebook.columns.simple import Simplifier
from getihu.rulebook.columns.vectors import Bools, NotVectorised, Vector, evaluate, row_by_row
from getihu.rulebook.evaluate.expressions import closure
from getihu.rulebook.model.expressions import (
    NUMBERS,
    And,
    Case,
    Compare,
    Constant,
    Expression,
    Fact,
    IsKnown,
    Not,
    OneOf,
    Or,
    ValueType,
    facts_in,
)
from getihu.rulebook.model.numbers import scale_of

SMALL: Final = 2**12  # dictionaries up to here answer whole conditions by themselves
_MIRROR: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

CodeSet = tuple[int, int] | Bools
"""The codes that say yes: from (included) until (excluded), or one bool per code."""


class Columns(Protocol):
    """Coded facts of some traders."""

    traders: int

    def column(self, fact: str) -> Column | None:
        """None: nobody holds this fact."""


@dataclass(frozen=True, eq=False)
class RowsLeaf:
    """A condition over several facts, worked out trader by trader."""

    node: Expression
    yes: int
    possible: int


@dataclass
class CodeLeaves:
    """The leaves of one column: which codes say yes, and the plane each makes."""

    column: Column
    sets: list[tuple[CodeSet, int]] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)


class Leaves:
    """Turns simplified boolean expressions into planes of a circuit; each distinct one once."""

    def __init__(self, columns: Columns, as_of: date, circuit: Circuit) -> None:
        self.columns, self.as_of, self.circuit = columns, as_of, circuit
        self.simple = Simplifier(as_of, lambda name: columns.column(name) is not None)
        self.by_fact: dict[str, CodeLeaves] = {}
        self.of_rows: list[RowsLeaf] = []
        self.parts = Parts(columns, as_of)
        self._answers: dict[Expression, Plane3] = {}

    def answer(self, node: Expression) -> Plane3:
        """The planes of a resolved boolean expression."""
        return self._simple_answer(self.simple(node))

    def _simple_answer(self, node: Expression) -> Plane3:
        found = self._answers.get(node)
        if found is None:
            found = self._answers[node] = self._made(node)
        return found

    def _made(self, node: Expression) -> Plane3:
        if isinstance(node, Constant):
            return {True: ALWAYS, False: NEVER, None: UNKNOWN}[node.value]  # type: ignore[index]
        facts = facts_in(node)
        if len(facts) == 1:
            direct = self._of_one_fact(facts[0], node)
            if direct is not None:
                return direct
        composed = self._composed(node)
        return composed if composed is not None else self._of_rows(node)

    def _composed(self, node: Expression) -> Plane3 | None:
        circuit, inner = self.circuit, self._simple_answer
        match node:
            case Not(x):
                return circuit.not3(inner(x))
            case And(operands):
                return circuit.all3([inner(x) for x in operands])
            case Or(operands):
                return circuit.any3([inner(x) for x in operands])
            case IsKnown(x) if x.type is ValueType.BOOLEAN:
                return circuit.known3(inner(x))
            case Case(branches, otherwise):
                answer = UNKNOWN if otherwise is None else inner(otherwise)
                for when, then in reversed(branches):
                    answer = circuit.choose3(inner(when), inner(then), answer)
                return answer
        return None

    # one fact

    def _of_one_fact(self, name: str, node: Expression) -> Plane3 | None:
        leaves = self._leaves(name)
        column = leaves.column
        ranged = _compared(node, column)
        if ranged is not None:
            operator, codes = ranged
            answer = self._plain(leaves, codes)
            return self.circuit.not3(answer) if operator == "<>" else answer
        listed = _listed(node, column)
        if listed is not None:
            held, has_null = listed
            answer = self._plain(leaves, held)
            return Plane3(answer.yes, ONES) if has_null else answer
        if column.size > SMALL and isinstance(node, And | Or | Not | Case):
            return None
        return self._of_vector(leaves, self.parts.of_dictionary(name, node))

    def _of_vector(self, leaves: CodeLeaves, answers: Vector) -> Plane3:
        yes, possible = answers.yes, answers.possible
        plain = yes.copy()
        plain[0] = True
        if not yes[0] and np.array_equal(plain, possible):
            return self._plain(leaves, yes)
        return Plane3(self._plane(leaves, yes), self._plane(leaves, possible))

    def _plain(self, leaves: CodeLeaves, codes: CodeSet) -> Plane3:
        """Yes for some codes, no for the other ones, unknown where the fact is."""
        yes = self._plane(leaves, codes)
        if not leaves.column.has_unknown:
            return Plane3(yes, yes)
        return Plane3(yes, self.circuit.or_(yes, self._plane(leaves, (0, 1))))

    def _plane(self, leaves: CodeLeaves, codes: CodeSet) -> int:
        column = leaves.column
        if isinstance(codes, tuple):
            if codes[0] >= codes[1]:
                return ZERO
            if codes == (1, column.size):
                everyone = self.circuit.not_(self._plane(leaves, (0, 1)))
                return everyone if column.has_unknown else ONES
            key: Any = codes
        else:
            held = codes if column.has_unknown else codes[1:]
            if not held.any():
                return ZERO
            if held.all():
                return ONES
            key = codes.tobytes() if column.size <= 2**16 else id(codes)
        found = leaves.known.get(key)
        if found is None:
            found = leaves.known[key] = self.circuit.leaf()
            leaves.sets.append((codes, found))
        return found

    def _leaves(self, name: str) -> CodeLeaves:
        found = self.by_fact.get(name)
        if found is None:
            column = self.columns.column(name)
            assert column is not None
            found = self.by_fact[name] = CodeLeaves(column)
        return found

    def missing(self, name: str) -> int:
        """The plane of those of whom a fact is unknown."""
        column = self.columns.column(name)
        if column is None:
            return ONES
        return self._plane(self._leaves(name), (0, 1)) if column.has_unknown else ZERO

    # several facts

    def _of_rows(self, node: Expression) -> Plane3:
        leaf = RowsLeaf(node, self.circuit.leaf(), self.circuit.leaf())
        self.of_rows.append(leaf)
        return Plane3(leaf.yes, leaf.possible)


def _compared(node: Expression, column: Column) -> tuple[str, tuple[int, int]] | None:
    """A fact against a constant as a range of codes (of the equal ones for <>)."""
    if not isinstance(node, Compare):
        return None
    operator, fact, other = node.operator, node.left, node.right
    if isinstance(fact, Constant):
        operator, fact, other = _MIRROR.get(operator, operator), other, fact
    if not isinstance(fact, Fact) or not isinstance(other, Constant):
        return None
    if fact.type is ValueType.BOOLEAN:
        return None
    below = column.places_below(other.value) + 1
    above = column.places_below(other.value, including=True) + 1
    ranges = {
        "<": (1, below),
        "<=": (1, above),
        ">": (above, column.size),
        ">=": (below, column.size),
    }
    return operator, ranges.get(operator, (below, above))


def _listed(node: Expression, column: Column) -> tuple[Bools, bool] | None:
    if not isinstance(node, OneOf) or not isinstance(node.needle, Fact):
        return None
    codes = np.zeros(column.size, dtype=bool)
    for value in node.values:
        place = None if value.value is None else column.place(value.value)
        if place is not None:
            codes[place] = True
    return codes, any(value.value is None for value in node.values)


class Parts:
    """Parts of expressions that rest on one fact, worked out on its dictionary, each once."""

    def __init__(self, columns: Columns, as_of: date) -> None:
        self.columns, self.as_of = columns, as_of
        self._done: dict[tuple[str, Expression], Vector] = {}
        self._facts: dict[Expression, tuple[str, ...]] = {}

    def facts(self, node: Expression) -> tuple[str, ...]:
        found = self._facts.get(node)
        if found is None:
            found = self._facts[node] = facts_in(node)
        return found

    def of_dictionary(self, name: str, node: Expression) -> Vector:
        """A one-fact expression for every code of the fact."""
        found = self._done.get((name, node))
        if found is None:
            column = self.columns.column(name)
            assert column is not None
            found = self._done[name, node] = self._evaluated(name, node, column)
        return found

    def _evaluated(self, name: str, node: Expression, column: Column) -> Vector:
        try:
            return evaluate(node, _Dictionary(name, column))
        except NotVectorised:
            values = [None, *column.values]
            return self._slowly(node, lambda number: {name: values[number]}, column.size)

    def of_rows(self, node: Expression, codes: Callable[[str], Codes], length: int) -> Vector:
        """An expression for some traders, given the codes of each fact."""
        try:
            return evaluate(node, _Rows(self, codes, length))
        except NotVectorised:
            held = {name: self._held(name, codes(name)) for name in self.facts(node)}
            return self._slowly(
                node, lambda number: {n: values[number] for n, values in held.items()}, length
            )

    def _held(self, name: str, codes: Codes) -> list[Any]:
        column = self.columns.column(name)
        assert column is not None
        values = [None, *column.values]
        return [values[code] for code in codes]

    def _slowly(
        self, node: Expression, facts: Callable[[int], dict[str, Any]], length: int
    ) -> Vector:
        function = closure(node)
        factor = scale_of(node).factor if node.type in NUMBERS else None
        return row_by_row(lambda n: function(facts(n), self.as_of), length, node.type, factor)


class _Dictionary:
    """Every value of one fact, unknown first."""

    def __init__(self, name: str, column: Column) -> None:
        self.length, self._name, self._column = column.size, name, column

    def find(self, node: Expression) -> Vector | None:
        return self._column.vector if isinstance(node, Fact) else None


class _Rows:
    """Some traders."""

    def __init__(self, parts: Parts, codes: Callable[[str], Codes], length: int) -> None:
        self._parts, self._codes, self.length = parts, codes, length

    def find(self, node: Expression) -> Vector | None:
        facts = self._parts.facts(node)
        if len(facts) != 1:
            return None
        return self._parts.of_dictionary(facts[0], node).take(self._codes(facts[0]))


def pack(answers: Bools) -> npt.NDArray[np.uint64]:
    """Bools (whole 64s of them) as words of bits, the first the lowest."""
    return np.packbits(answers, bitorder="little").view(np.uint64)


def unpack(words: npt.NDArray[np.uint64], traders: int) -> Bools:
    """The first ``traders`` bits as bools."""
    return np.unpackbits(words.view(np.uint8), count=traders, bitorder="little").view(np.bool_)
