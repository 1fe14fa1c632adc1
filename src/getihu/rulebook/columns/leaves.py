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
    Answer,
    Circuit,
)
from getihu.rulebook.columns.coding import FEW, Codes, Column
from getihu.rulebook.columns.simple import Simplifier
from getihu.rulebook.columns.vectors import (
    Bools,
    NotVectorised,
    Vector,
    aligned,
    evaluate,
    row_by_row,
)
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
)
from getihu.rulebook.model.numbers import scale_of

_MIRROR: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

_MOST_PARTS: Final = 400
_NEVER: Final = 2**32 - 1
_MANY: Final = 2**16  # codes beyond this no longer fit the fast cache as a table
Needed = npt.NDArray[np.uint32]

CodeSet = tuple[int, int] | Bools
"""The codes that say yes: from (included) until (excluded), or one bool per code."""


class Columns(Protocol):
    """Coded facts of some traders."""

    traders: int

    def column(self, fact: str) -> Column | None:
        """None: nobody holds this fact."""

    def parts(self, as_of: date) -> "Parts":
        """What was worked out on the dictionaries so far."""


@dataclass(frozen=True, eq=False)
class RowsLeaf:
    """A condition over several facts, worked out trader by trader."""

    node: Expression
    yes: int
    possible: int


@dataclass(frozen=True, eq=False)
class PairLeaf:
    """One fact against another: yes where the first one's code (or its rank) has reached what
    the second one's code asks for. ``numbers``: both are compared as the numbers they are."""

    left: Column
    ranks: npt.NDArray[np.uint32] | None
    right: Column
    needed: npt.NDArray[np.uint32]
    yes: int
    numbers: bool
    strictly: bool


@dataclass
class CodeLeaves:
    """The leaves of one column: which codes say yes, and the plane each makes."""

    column: Column
    sets: list[tuple[CodeSet, int]] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)
    ready: dict[int, int] = field(default_factory=dict)  # code → its own plane, at hand


class Leaves:
    """Turns simplified boolean expressions into planes of a circuit; each distinct one once."""

    def __init__(self, columns: Columns, as_of: date, circuit: Circuit) -> None:
        self.columns, self.as_of, self.circuit = columns, as_of, circuit
        self.by_fact: dict[str, CodeLeaves] = {}
        self.of_pairs: list[PairLeaf] = []
        self.of_rows: list[RowsLeaf] = []
        self.parts = columns.parts(as_of)
        self.simple = self.parts.simple
        self._answers: dict[int, Answer] = {}  # by identity: the simplifier keeps one of each
        self._pairs: dict[Expression, Answer] = {}

    def answer(self, node: Expression) -> Answer:
        """The planes of a resolved boolean expression."""
        return self._simple_answer(self.simple(node))

    def _simple_answer(self, node: Expression) -> Answer:
        found = self._answers.get(id(node))
        if found is None:
            found = self._answers[id(node)] = self._made(node)
        return found

    def _made(self, node: Expression) -> Answer:
        if isinstance(node, Constant):
            return {True: ALWAYS, False: NEVER, None: UNKNOWN}[node.value]  # type: ignore[index]
        facts = self.simple.facts(node)
        if len(facts) == 1:
            direct = self._of_one_fact(facts[0], node)
            if direct is not None:
                return direct
        composed = self._composed(node)
        if composed is None and len(facts) == 2:
            composed = self._of_pair(node)
        return composed if composed is not None else self._of_rows(node)

    def _composed(self, node: Expression) -> Answer | None:
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

    def _of_one_fact(self, name: str, node: Expression) -> Answer | None:
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
            return Answer(answer.yes, ONES) if has_null else answer
        if isinstance(node, And | Or | Not):
            return None  # its parts are likely to be asked elsewhere too
        return self._of_vector(leaves, self.parts.of_dictionary(name, node))

    def _of_vector(self, leaves: CodeLeaves, answers: Vector) -> Answer:
        yes, possible = answers.yes, answers.possible
        plain = yes.copy()
        plain[0] = True
        if not yes[0] and np.array_equal(plain, possible):
            return self._plain(leaves, yes)
        return Answer(self._plane(leaves, yes), self._plane(leaves, possible))

    def _plain(self, leaves: CodeLeaves, codes: CodeSet) -> Answer:
        """Yes for some codes, no for the other ones, unknown where the fact is."""
        yes = self._plane(leaves, codes)
        if not leaves.column.has_unknown:
            return Answer(yes, yes)
        return Answer(yes, self.circuit.or_(yes, self._plane(leaves, (0, 1))))

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
            if column.size <= FEW:
                found = self._of_few(leaves, codes)
            else:
                found = self.circuit.leaf()
                leaves.sets.append((codes, found))
            leaves.known[key] = found
        return found

    def _of_few(self, leaves: CodeLeaves, codes: CodeSet) -> int:
        """Columns of few values have a plane per code ready."""
        inside = range(*codes) if isinstance(codes, tuple) else np.flatnonzero(codes).tolist()
        planes = []
        for code in inside:
            if code not in leaves.ready:
                leaves.ready[code] = self.circuit.leaf()
            planes.append(leaves.ready[code])
        return self.circuit.any_of(planes)

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

    def _of_pair(self, node: Expression) -> Answer | None:
        """A comparison with one fact on each side."""
        if not isinstance(node, Compare) or node.left.type is ValueType.TEXT:
            return None
        sides = self.parts.facts(node.left), self.parts.facts(node.right)
        if len(sides[0]) != 1 or len(sides[1]) != 1:
            return None
        match node.operator:
            case ">=" | ">":
                return self._reaches(node.left, node.right, node.operator)
            case "<":
                return self.circuit.not3(self._reaches(node.left, node.right, ">="))
            case "<=":
                return self.circuit.not3(self._reaches(node.left, node.right, ">"))
        above = self.circuit.not3(self._reaches(node.left, node.right, ">"))
        equal = self.circuit.all3([above, self._reaches(node.left, node.right, ">=")])
        return equal if node.operator == "=" else self.circuit.not3(equal)

    def _reaches(self, left: Expression, right: Expression, operator: str) -> Answer:
        key = Compare(operator, left, right)
        found = self._pairs.get(key)
        if found is None:
            found = self._pairs[key] = self._made_pair(left, right, operator)
        return found

    def _made_pair(self, left: Expression, right: Expression, operator: str) -> Answer:
        (a,), (b,) = self.parts.facts(left), self.parts.facts(right)
        ranks, needed = self.parts.reaching(Compare(operator, left, right))
        first, second = self._leaves(a), self._leaves(b)
        numbers = (
            isinstance(left, Fact)
            and isinstance(right, Fact)
            and first.column.known.type == second.column.known.type
            and second.column.size > _MANY
        )
        if numbers:
            _ = first.column.spread, second.column.spread  # before several cores ask for them
        leaf = PairLeaf(
            first.column,
            ranks,
            second.column,
            needed,
            self.circuit.leaf(),
            numbers,
            operator == ">",
        )
        self.of_pairs.append(leaf)
        unknown = self.circuit.or_(
            self._plane(first, ~self.parts.of_dictionary(a, left).known),
            self._plane(second, ~self.parts.of_dictionary(b, right).known),
        )
        return Answer(leaf.yes, self.circuit.or_(leaf.yes, unknown))

    def _of_rows(self, node: Expression) -> Answer:
        leaf = RowsLeaf(node, self.circuit.leaf(), self.circuit.leaf())
        self.of_rows.append(leaf)
        return Answer(leaf.yes, leaf.possible)


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


@dataclass(frozen=True, eq=False)
class CodeAnswers:
    """A one-fact condition code by code: from each of ``starts`` on it may answer differently."""

    starts: set[int]
    truths: npt.NDArray[np.uint8] | None  # per code: 0 no, 1 unknown, 2 yes
    range_: tuple[int, int] = (0, 0)  # where it says yes, if there is no table
    is_other: bool = False  # yes and no changed round

    def at(self, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        if self.truths is not None:
            return self.truths[codes]
        inside = (codes >= self.range_[0]) & (codes < self.range_[1])
        answers = np.where(inside != self.is_other, 2, 0).astype(np.uint8)
        answers[codes == 0] = 1
        return answers


def code_answers(leaves: Leaves, fact: str, node: Expression, column: Column) -> CodeAnswers:
    """The answers of a simplified condition over one fact, or over none."""
    ranged = None if isinstance(node, Constant) else _compared(node, column)
    if ranged is not None:
        operator, inside = ranged
        return CodeAnswers(
            {code for code in inside if code < column.size}, None, inside, operator == "<>"
        )
    if isinstance(node, Constant):
        truth = {True: 2, False: 0, None: 1}[node.value]  # type: ignore[index]
        return CodeAnswers(set(), np.full(column.size, truth, dtype=np.uint8))
    found = leaves.parts.of_dictionary(fact, node)
    truths = found.yes.view(np.uint8) + found.possible.view(np.uint8)
    edges = np.flatnonzero(truths[1:] != truths[:-1]) + 1
    return CodeAnswers(set(edges.tolist()), truths)


class Parts:
    """Parts of expressions that rest on one fact, worked out on its dictionary, each once."""

    def __init__(
        self,
        column: Callable[[str], Column | None],
        as_of: date,
        simple: Simplifier | None = None,
    ) -> None:
        self._column, self.as_of = column, as_of
        self.simple = simple or Simplifier(as_of, lambda name: column(name) is not None)
        self._done: dict[tuple[str, Expression], Vector] = {}
        self._reaching: dict[Expression, tuple[npt.NDArray[np.uint32] | None, Needed]] = {}

    def facts(self, node: Expression) -> tuple[str, ...]:
        return self.simple.facts(node)

    @property
    def is_full(self) -> bool:
        """Time to begin afresh: what many other rules needed is not kept for ever."""
        return len(self._done) + len(self._reaching) > _MOST_PARTS

    def of_dictionary(self, name: str, node: Expression) -> Vector:
        """A one-fact expression for every code of the fact."""
        found = self._done.get((name, node))
        if found is None:
            column = self._column(name)
            assert column is not None
            found = self._done[name, node] = self._evaluated(name, node, column)
        return found

    def _evaluated(self, name: str, node: Expression, column: Column) -> Vector:
        try:
            return evaluate(node, _Dictionary(name, column))
        except NotVectorised:
            values = [None, *column.values]
            return self._slowly(node, lambda number: {name: values[number]}, column.size)

    def reaching(self, node: Compare) -> tuple[npt.NDArray[np.uint32] | None, Needed]:
        """Of a comparison (>= or >) of two facts: the rank of each code of the left one (None: the
        code itself), and the rank each code of the right one asks for."""
        found = self._reaching.get(node)
        if found is None:
            (a,), (b,) = self.facts(node.left), self.facts(node.right)
            left, right = self.of_dictionary(a, node.left), self.of_dictionary(b, node.right)
            found = self._reaching[node] = _reaching(left, right, node.operator == ">")
        return found

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
        column = self._column(name)
        assert column is not None
        values = [None, *column.values]
        return [values[code] for code in codes]

    def _slowly(
        self, node: Expression, facts: Callable[[int], dict[str, Any]], length: int
    ) -> Vector:
        function = closure(node)
        factor = scale_of(node).factor if node.type in NUMBERS else None
        return row_by_row(lambda n: function(facts(n), self.as_of), length, node.type, factor)


def _reaching(
    left: Vector, right: Vector, is_more: bool
) -> tuple[npt.NDArray[np.uint32] | None, Needed]:
    if left.factor is not None:
        left, right, _ = aligned(left, right)
    values, ranks = left.values[1:], None
    if not left.known[1:].all() or not (values[1:] >= values[:-1]).all():
        values = np.unique(left.values[left.known])
        ranks = (np.searchsorted(values, left.values) + 1).astype(np.uint32)
        ranks[~left.known] = 0
    side: Any = "right" if is_more else "left"
    needed = (np.searchsorted(values, right.values, side) + 1).astype(np.uint32)
    needed[~right.known] = _NEVER
    return ranks, needed


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


def unpack(words: npt.NDArray[np.uint64], traders: int) -> Bools:
    """The first ``traders`` bits as bools."""
    return np.unpackbits(words.view(np.uint8), count=traders, bitorder="little").view(np.bool_)
