"""Expressions over columns of values at once, with the meaning of ``evaluate.expressions``.

Numbers are whole numbers times a constant fraction. The largest number that can come up is known
from the data; while it fits 64 bits the machine's integers are used, else Python's. No floats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from getihu.rulebook.model.expressions import (
    NUMBERS,
    And,
    Arithmetic,
    Case,
    Compare,
    Constant,
    Divide,
    Expression,
    Extract,
    IsKnown,
    Negate,
    Not,
    OneOf,
    Or,
    Shift,
    ValueType,
)
from getihu.rulebook.model.numbers import INT64_MAX, common_factor, times

Bools = npt.NDArray[np.bool_]
EPOCH: Final = date(1970, 1, 1).toordinal()
_FIRST_DAY: Final = 1
_LAST_DAY: Final = date.max.toordinal()
_COMPARE: Final[dict[str, Any]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


class NotVectorised(Exception):
    """A form this module does not know; the single-trader evaluator does."""


@dataclass(frozen=True, eq=False)
class Vector:
    """Values and which of them are known; an unknown place holds 0, False or an empty text.

    Numbers are ``values * factor`` with ``|values| <= bound``; dates are ordinals; texts objects.
    """

    values: npt.NDArray[Any]
    known: Bools
    factor: Fraction | None = None
    bound: int = 0

    def take(self, places: npt.NDArray[Any]) -> Vector:
        return replace(self, values=self.values[places], known=self.known[places])

    @property
    def yes(self) -> Bools:
        return self.values & self.known

    @property
    def possible(self) -> Bools:
        return self.values | ~self.known


class Source(Protocol):
    """Where an expression finds its facts."""

    length: int

    def find(self, node: Expression) -> Vector | None:
        """A part worked out already (a fact always is)."""


def evaluate(node: Expression, source: Source) -> Vector:
    """The value of a simplified expression at every place. Raises NotVectorised."""
    ready = source.find(node)
    if ready is not None:
        return ready

    def inner(child: Expression) -> Vector:
        return evaluate(child, source)

    match node:
        case Constant():
            return _constant(node, source.length)
        case Not(x):
            return _not(inner(x))
        case And(operands):
            return _all([inner(x) for x in operands])
        case Or(operands):
            return _not(_all([_not(inner(x)) for x in operands]))
        case Compare(operator, left, right):
            return _compare(operator, inner(left), inner(right))
        case OneOf(needle, values):
            return _one_of(inner(needle), values)
        case IsKnown(x):
            known = inner(x).known
            return Vector(known.copy(), known)
        case Arithmetic(operator, left, right):
            return _arithmetic(operator, inner(left), inner(right))
        case Divide(dividend, divisor):
            return _divide(inner(dividend), divisor, source.length)
        case Negate(x):
            (found,) = _fitting(2 * inner(x).bound, inner(x))
            return replace(found, values=-found.values)
        case Extract(part, x):
            return _extract(part, inner(x))
        case Shift(start, amount, unit):
            return _shift(inner(start), amount, unit, source.length)
        case Case(branches, otherwise, kind):
            pairs = [(inner(when), inner(then)) for when, then in branches]
            rest = _constant(Constant(None, kind), source.length)
            return _case(pairs, rest if otherwise is None else inner(otherwise))
    raise NotVectorised(str(node))


def _constant(node: Constant, length: int) -> Vector:
    value, known = node.value, np.full(length, node.value is not None)
    if node.type in NUMBERS:
        number = Fraction(value) if isinstance(value, int | Fraction) else Fraction(0)
        size = abs(number.numerator)
        kind: Any = np.int64 if size <= INT64_MAX else object
        filled = np.full(length, number.numerator, dtype=kind)
        return Vector(filled, known, Fraction(1, number.denominator), size)
    if node.type is ValueType.DATE:
        day = value.toordinal() if isinstance(value, date) else 0
        return Vector(np.full(length, day, dtype=np.int64), known)
    if node.type is ValueType.TEXT:
        return Vector(np.full(length, value or "", dtype=object), known)
    return Vector(np.full(length, bool(value)), known)


def _not(x: Vector) -> Vector:
    return Vector(~x.values & x.known, x.known)


def _all(parts: list[Vector]) -> Vector:
    yes, possible = parts[0].yes, parts[0].possible
    for part in parts[1:]:
        yes, possible = yes & part.yes, possible & part.possible
    return Vector(yes, yes | ~possible)


def _both(a: Vector, b: Vector) -> Bools:
    return a.known & b.known


def _in_units(x: Vector, unit: Fraction) -> Vector:
    """The same numbers counted in ``unit``, a whole part of their own."""
    assert x.factor is not None
    by = times(x.factor, unit)
    bound = x.bound * by
    values = x.values
    if bound > INT64_MAX and values.dtype != object:
        values = values.astype(object)
    return Vector(values * by if by != 1 else values, x.known, unit, bound)


def aligned(a: Vector, b: Vector) -> tuple[Vector, Vector, Fraction]:
    """Both counted in one unit, and the unit."""
    assert a.factor is not None and b.factor is not None
    unit = common_factor(a.factor, b.factor)
    return _in_units(a, unit), _in_units(b, unit), unit


def _clean(values: npt.NDArray[Any], known: Bools, like: Vector | None = None) -> Vector:
    """Unknown places filled with nothing, so that bounds hold."""
    found = values if known.all() else np.where(known, values, _nothing(values))
    return Vector(found, known) if like is None else replace(like, values=found, known=known)


def _nothing(values: npt.NDArray[Any]) -> Any:
    return values.dtype.type(0) if values.dtype != object else 0


def _arithmetic(operator: str, a: Vector, b: Vector) -> Vector:
    known = _both(a, b)
    if operator == "*":
        assert a.factor is not None and b.factor is not None
        a, b = _fitting(a.bound * b.bound, a, b)
        product = Vector(a.values * b.values, known, a.factor * b.factor, a.bound * b.bound)  # type: ignore[operator]
        return _clean(product.values, known, product)
    a, b, unit = aligned(a, b)
    bound = a.bound + b.bound
    a, b = _fitting(bound, a, b)
    result = a.values + b.values if operator == "+" else a.values - b.values
    return _clean(result, known, Vector(result, known, unit, bound))


def _fitting(bound: int, *parts: Vector) -> tuple[Vector, ...]:
    """Python's integers where the machine's would run over."""
    if bound <= INT64_MAX:
        return parts
    return tuple(replace(part, values=part.values.astype(object)) for part in parts)


def _divide(dividend: Vector, divisor: Expression, length: int) -> Vector:
    if not isinstance(divisor, Constant):
        raise NotVectorised("divisor")
    assert dividend.factor is not None
    if not isinstance(divisor.value, int | Fraction):
        return replace(dividend, values=np.zeros(length, np.int64), known=np.zeros(length, bool))
    return replace(dividend, factor=dividend.factor / Fraction(divisor.value))


def _compare(operator: str, a: Vector, b: Vector) -> Vector:
    if a.factor is not None:
        a, b, _ = aligned(a, b)
    known = _both(a, b)
    return Vector(_COMPARE[operator](a.values, b.values).astype(bool) & known, known)


def _one_of(needle: Vector, values: tuple[Constant, ...]) -> Vector:
    found = np.zeros(len(needle.known), dtype=bool)
    for value in values:
        if value.value is not None:
            found |= _equals(needle, value.value)
    found &= needle.known
    has_null = any(value.value is None for value in values)
    return Vector(found, found if has_null else needle.known)


def _equals(needle: Vector, value: Any) -> Bools:
    if needle.factor is not None:
        scaled = Fraction(value) / needle.factor
        if scaled.denominator != 1 or abs(scaled) > needle.bound:
            return np.zeros(len(needle.known), dtype=bool)
        value = scaled.numerator
    elif isinstance(value, date):
        value = value.toordinal()
    found: Bools = np.equal(needle.values, value).astype(bool)
    return found


def _extract(part: str, day: Vector) -> Vector:
    days = np.where(day.known, day.values - EPOCH, 0).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    if part == "day":
        values = (days - months).astype(np.int64) + 1
    elif part == "month":
        values = months.astype(np.int64) % 12 + 1
    else:
        values = months.astype(np.int64) // 12 + 1970
    return _clean(values, day.known, Vector(values, day.known, Fraction(1), 9999))


def _shift(start: Vector, amount: Expression, unit: str, length: int) -> Vector:
    if not isinstance(amount, Constant) or isinstance(amount.value, bool):
        raise NotVectorised("amount")
    if not isinstance(amount.value, int):
        if amount.value is not None:
            raise NotVectorised("amount")
        return Vector(np.zeros(length, np.int64), np.zeros(length, bool))
    by = max(-(10**8), min(10**8, amount.value))  # farther is outside the calendar anyway
    moved = start.values + by if unit == "day" else _month_later(start.values, by)
    known = start.known & (moved >= _FIRST_DAY) & (moved <= _LAST_DAY)
    return _clean(moved, known)


def _month_later(days: npt.NDArray[np.int64], by: int) -> npt.NDArray[np.int64]:
    """Ordinals moved by months, the day held inside its month; outside the calendar it shows."""
    then = (days - EPOCH).astype("datetime64[D]")
    month = then.astype("datetime64[M]")
    number = (then - month).astype(np.int64)
    target = month + np.timedelta64(by, "M")
    first = target.astype("datetime64[D]")
    last = ((target + 1).astype("datetime64[D]") - first).astype(np.int64) - 1
    return first.astype(np.int64) + np.minimum(number, last) + EPOCH


def _case(pairs: list[tuple[Vector, Vector]], rest: Vector) -> Vector:
    """First branch that holds; an unknown condition before it leaves the place unknown."""
    pairs, rest = _one_unit(pairs, rest)
    undecided = np.ones(len(rest.known), dtype=bool)
    values, known = rest.values, np.zeros(len(rest.known), dtype=bool)
    for when, then in pairs:
        here = undecided & when.yes
        values, known = np.where(here, then.values, values), np.where(here, then.known, known)
        undecided = undecided & when.known & ~when.values
    known = known | (undecided & rest.known)
    return _clean(values, known, replace(rest, bound=_most(pairs, rest)))


def _one_unit(
    pairs: list[tuple[Vector, Vector]], rest: Vector
) -> tuple[list[tuple[Vector, Vector]], Vector]:
    if rest.factor is None:
        return pairs, rest
    unit = rest.factor
    for _, then in pairs:
        assert then.factor is not None
        unit = common_factor(unit, then.factor)
    return [(when, _in_units(then, unit)) for when, then in pairs], _in_units(rest, unit)


def _most(pairs: list[tuple[Vector, Vector]], rest: Vector) -> int:
    return max([rest.bound, *(then.bound for _, then in pairs)])


def row_by_row(
    function: Callable[[int], Any], length: int, kind: ValueType, factor: Fraction | None = None
) -> Vector:
    """The slow way, for forms ``evaluate`` does not know: one call per place."""
    found = [function(number) for number in range(length)]
    known = np.array([value is not None for value in found], dtype=bool)
    if kind in NUMBERS:
        assert factor is not None
        whole = [0 if v is None else (Fraction(v) / factor).numerator for v in found]
        bound = max(map(abs, whole), default=0)
        kind_: Any = np.int64 if bound <= INT64_MAX else object
        return Vector(np.array(whole, dtype=kind_), known, factor, bound)
    if kind is ValueType.DATE:
        return Vector(np.array([v.toordinal() if v else 0 for v in found], np.int64), known)
    if kind is ValueType.TEXT:
        return Vector(np.array([v or "" for v in found], dtype=object), known)
    return Vector(np.array([bool(v) for v in found], dtype=bool), known)
