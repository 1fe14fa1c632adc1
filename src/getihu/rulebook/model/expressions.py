"""Typed expressions over facts: the small SQL subset of rule files after parsing.

Every node is frozen and hashable, so two clauses that ask the same are one key. Numbers are
exact: a constant holds an int or a Fraction, never a float.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def _node(cls: type[T]) -> type[T]:
    """A frozen dataclass that works its hash out once: trees are keys, and a tree's hash is all its
    nodes' hashes."""
    made = dataclass(frozen=True)(cls)
    by_fields = made.__hash__

    def kept(self: Any) -> int:
        held = self.__dict__
        if "_hash" not in held:
            held["_hash"] = by_fields(self)
        return int(held["_hash"])

    def without_hash(self: Any) -> dict[str, Any]:
        """For pickle: another process hashes texts differently."""
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}

    made.__hash__ = kept  # type: ignore[method-assign]
    made.__getstate__ = without_hash  # type: ignore[method-assign]
    return made


class ValueType(StrEnum):
    """Type of a value inside an expression (enum and code facts are text here)."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    MONEY = "money"
    DECIMAL = "decimal"
    DATE = "date"
    TEXT = "text"
    NULL = "null"  # the bare word null, before its neighbours give it a type


NUMBERS = frozenset({ValueType.INTEGER, ValueType.MONEY, ValueType.DECIMAL})

ConstantValue = bool | int | Fraction | date | str | None


@_node
class Constant:
    """A literal, or a parameter after ``resolve``. ``None`` is unknown."""

    value: ConstantValue
    type: ValueType


@_node
class Fact:
    """The value of one fact; unknown when nobody delivered it."""

    name: str
    type: ValueType


@_node
class ParameterUse:
    """A parameter of the rule, by name. ``resolve`` replaces it by its value."""

    name: str
    type: ValueType


@_node
class AsOf:
    """The date decided for."""

    type: ValueType = ValueType.DATE


@_node
class Not:
    operand: Expression
    type: ValueType = ValueType.BOOLEAN


@_node
class And:
    operands: tuple[Expression, ...]
    type: ValueType = ValueType.BOOLEAN


@_node
class Or:
    operands: tuple[Expression, ...]
    type: ValueType = ValueType.BOOLEAN


@_node
class Compare:
    """``operator`` is one of = <> < <= > >=; unknown when a side is unknown."""

    operator: str
    left: Expression
    right: Expression
    type: ValueType = ValueType.BOOLEAN


@_node
class OneOf:
    """``needle in (values)`` over constants. A null among the values turns no into unknown."""

    needle: Expression
    values: tuple[Constant, ...]
    type: ValueType = ValueType.BOOLEAN


@_node
class IsKnown:
    """``x is not null``: yes once a value is known, unknown before. It is never no.

    Not SQL's two-valued answer, which would make "nobody delivered it" a ground for yes or no
    and break the promise that filling an unknown never turns yes into no.
    """

    operand: Expression
    type: ValueType = ValueType.BOOLEAN


@_node
class Arithmetic:
    """``operator`` is one of + - *."""

    operator: str
    left: Expression
    right: Expression
    type: ValueType


@_node
class Divide:
    """Exact division; ``divisor`` holds only constants and parameters and is positive."""

    dividend: Expression
    divisor: Expression
    type: ValueType = ValueType.DECIMAL


@_node
class Negate:
    operand: Expression
    type: ValueType


@_node
class Shift:
    """A date moved by whole months or days; the end of a month is clamped (31 Jan + 1 → 28 Feb).

    ``amount`` holds only constants and parameters. Outside the years 1–9999 it is unknown.
    """

    start: Expression
    amount: Expression
    unit: str  # month or day
    type: ValueType = ValueType.DATE


@_node
class Extract:
    part: str  # year, month or day
    operand: Expression
    type: ValueType = ValueType.INTEGER


@_node
class Case:
    """First branch whose condition holds. An unknown condition makes the whole unknown.

    Not SQL's rule, which treats an unknown condition as false: that would let a missing fact
    choose the answer. ``otherwise`` None is an unknown answer.
    """

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None
    type: ValueType


Expression = (
    Constant
    | Fact
    | ParameterUse
    | AsOf
    | Not
    | And
    | Or
    | Compare
    | OneOf
    | IsKnown
    | Arithmetic
    | Divide
    | Negate
    | Shift
    | Extract
    | Case
)


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside ``node``, in the order they are read."""
    match node:
        case And(operands) | Or(operands):
            return operands
        case Not(x) | IsKnown(x) | Negate(x) | Extract(_, x):
            return (x,)
        case Compare(_, left, right) | Arithmetic(_, left, right, _):
            return (left, right)
        case Divide(left, right):
            return (left, right)
        case Shift(start, amount, _):
            return (start, amount)
        case OneOf(needle, values):
            return (needle, *values)
        case Case(branches, otherwise, _):
            inner = tuple(part for branch in branches for part in branch)
            return inner if otherwise is None else (*inner, otherwise)
    return ()


def walk(node: Expression) -> Iterator[Expression]:
    """``node`` and everything inside it, outermost first."""
    yield node
    for child in children(node):
        yield from walk(child)


def facts_in(node: Expression) -> tuple[str, ...]:
    """Names of the facts an expression looks at, in reading order, each once."""
    return tuple(dict.fromkeys(n.name for n in walk(node) if isinstance(n, Fact)))


def parameters_in(node: Expression) -> tuple[str, ...]:
    """Names of the parameters an expression uses, in reading order, each once."""
    return tuple(dict.fromkeys(n.name for n in walk(node) if isinstance(n, ParameterUse)))


def resolve(node: Expression, parameters: Mapping[str, Constant]) -> Expression:
    """The expression with every parameter replaced by its value and constants worked out."""

    def inner(child: Expression) -> Expression:
        return resolve(child, parameters)

    match node:
        case ParameterUse(name):
            return parameters[name]
        case Not(x):
            return Not(inner(x))
        case And(operands):
            return And(tuple(map(inner, operands)))
        case Or(operands):
            return Or(tuple(map(inner, operands)))
        case Compare(operator, left, right):
            return Compare(operator, inner(left), inner(right))
        case OneOf(needle, values):
            return OneOf(inner(needle), values)
        case IsKnown(x):
            return IsKnown(inner(x))
        case Arithmetic(operator, left, right, kind):
            return _fold(Arithmetic(operator, inner(left), inner(right), kind))
        case Divide(dividend, divisor):
            return _fold(Divide(inner(dividend), inner(divisor)))
        case Negate(x, kind):
            return _fold(Negate(inner(x), kind))
        case Shift(start, amount, unit):
            return Shift(inner(start), inner(amount), unit)
        case Extract(part, x):
            return Extract(part, inner(x))
        case Case(branches, otherwise, kind):
            done = tuple((inner(when), inner(then)) for when, then in branches)
            return Case(done, None if otherwise is None else inner(otherwise), kind)
    return node


def _fold(node: Arithmetic | Divide | Negate) -> Expression:
    """Arithmetic on two constants becomes one constant."""
    values: list[Fraction] = []
    for child in children(node):
        if not isinstance(child, Constant) or not isinstance(child.value, int | Fraction):
            return node
        values.append(Fraction(child.value))
    match node:
        case Negate():
            result = -values[0]
        case Divide():
            if not values[1]:
                return node
            result = values[0] / values[1]
        case Arithmetic(operator):
            a, b = values
            result = {"+": a + b, "-": a - b, "*": a * b}[operator]
    whole = result.numerator if result.denominator == 1 else result
    return Constant(whole, node.type)
