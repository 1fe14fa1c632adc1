"""Expressions as closures: ``f(facts, as_of) -> value``, None for unknown. Exact, no floats."""

import operator
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from getihu.dataplane.contracts import FactScalar
from getihu.kernel.periods import add_months
from getihu.rulebook.model.expressions import (
    NUMBERS,
    And,
    Arithmetic,
    AsOf,
    Case,
    Compare,
    Constant,
    Divide,
    Expression,
    Extract,
    Fact,
    IsKnown,
    Negate,
    Not,
    OneOf,
    Or,
    Shift,
)

Facts = Mapping[str, FactScalar | None]
"""Fact name → value; None, or no entry, is unknown. Money and decimals are Decimal or int."""
Closure = Callable[[Facts, date], Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


class NotExact(TypeError):
    """A fact was given as a float; facts are Decimal, int, bool, date or text."""


@lru_cache(maxsize=20_000)
def closure(node: Expression) -> Closure:
    """The evaluator of a resolved expression."""
    match node:
        case Constant(value):
            return lambda facts, as_of: value
        case AsOf():
            return lambda facts, as_of: as_of
        case Fact(name, kind):
            return _number_fact(name) if kind in NUMBERS else _fact(name)
        case Not(x):
            return _not(closure(x))
        case And(operands):
            return _first(tuple(map(closure, operands)), settles=False)
        case Or(operands):
            return _first(tuple(map(closure, operands)), settles=True)
        case Compare(sign, Fact(name, kind), Constant(int() | Fraction() as limit)) if (
            kind in NUMBERS and (exact := _as_decimal(limit)) is not None
        ):
            return _number_against(_COMPARE[sign], name, exact)
        case Compare(sign, left, right):
            return _binary(_COMPARE[sign], closure(left), closure(right))
        case Arithmetic(sign, left, right):
            return _binary(_ARITHMETIC[sign], closure(left), closure(right))
        case OneOf(needle, values):
            return _one_of(closure(needle), [value.value for value in values])
        case IsKnown(x):
            return _is_known(closure(x))
        case Divide(dividend, divisor):
            return _binary(lambda a, b: Fraction(a) / b, closure(dividend), closure(divisor))
        case Negate(x):
            return _unary(operator.neg, closure(x))
        case Extract(part, x):
            return _unary(operator.attrgetter(part), closure(x))
        case Shift(start, amount, unit):
            return _binary(_shifts[unit], closure(start), closure(amount))
        case Case(branches, otherwise, _):
            pairs = tuple((closure(when), closure(then)) for when, then in branches)
            return _case(pairs, None if otherwise is None else closure(otherwise))
    raise AssertionError(f"not resolved: {node}")


def _fact(name: str) -> Closure:
    return lambda facts, as_of: facts.get(name)


def _number_fact(name: str) -> Closure:
    def read(facts: Facts, as_of: date) -> int | Fraction | None:
        value = facts.get(name)
        if value is None or type(value) is int:
            return value
        if isinstance(value, Decimal):
            return Fraction(value)
        raise NotExact(f"事实 {name} 应当是整数或 Decimal，不能是 {type(value).__name__}。")

    return read


def _as_decimal(value: int | Fraction) -> Decimal | None:
    """The same number as a decimal; None when it has no end, or more digits than are safe."""
    if isinstance(value, int):
        return Decimal(value)
    places = next((n for n in range(19) if 10**n % value.denominator == 0), None)
    if places is None:
        return None
    digits = value.numerator * (10**places // value.denominator)
    # Built from its digits: arithmetic on decimals would round to the context's precision.
    sign, shown = int(digits < 0), tuple(map(int, str(abs(digits))))
    return Decimal((sign, shown, -places))


def _number_against(function: Callable[[Any, Any], Any], name: str, limit: Decimal) -> Closure:
    """A fact against a number: compared as decimals, exact and far quicker than as fractions."""

    def compared(facts: Facts, as_of: date) -> bool | None:
        value = facts.get(name)
        if value is None:
            return None
        if isinstance(value, Decimal) or type(value) is int:
            return bool(function(value, limit))
        raise NotExact(f"事实 {name} 应当是整数或 Decimal，不能是 {type(value).__name__}。")

    return compared


def _not(x: Closure) -> Closure:
    def negated(facts: Facts, as_of: date) -> bool | None:
        value = x(facts, as_of)
        return None if value is None else not value

    return negated


def _first(operands: tuple[Closure, ...], *, settles: bool) -> Closure:
    """Kleene's and (settled by false) and or (settled by true)."""

    def joined(facts: Facts, as_of: date) -> bool | None:
        result: bool | None = not settles
        for operand in operands:
            value = operand(facts, as_of)
            if value is settles:
                return settles
            if value is None:
                result = None
        return result

    return joined


def _unary(function: Callable[[Any], Any], x: Closure) -> Closure:
    def applied(facts: Facts, as_of: date) -> Any:
        value = x(facts, as_of)
        return None if value is None else function(value)

    return applied


def _binary(function: Callable[[Any, Any], Any], left: Closure, right: Closure) -> Closure:
    def applied(facts: Facts, as_of: date) -> Any:
        a = left(facts, as_of)
        if a is None:
            return None
        b = right(facts, as_of)
        return None if b is None else function(a, b)

    return applied


def _one_of(needle: Closure, values: list[Any]) -> Closure:
    known = frozenset(value for value in values if value is not None)
    otherwise = False if len(known) == len(set(values)) else None

    def contains(facts: Facts, as_of: date) -> bool | None:
        value = needle(facts, as_of)
        if value is None:
            return None
        return True if value in known else otherwise

    return contains


def _is_known(x: Closure) -> Closure:
    return lambda facts, as_of: None if x(facts, as_of) is None else True


def _case(pairs: tuple[tuple[Closure, Closure], ...], otherwise: Closure | None) -> Closure:
    def chosen(facts: Facts, as_of: date) -> Any:
        for when, then in pairs:
            holds = when(facts, as_of)
            if holds is None:
                return None
            if holds:
                return then(facts, as_of)
        return None if otherwise is None else otherwise(facts, as_of)

    return chosen


def _shift_months(start: date, months: int) -> date | None:
    try:
        return add_months(start, months)
    except ValueError:  # outside the years 1 to 9999
        return None


def _shift_days(start: date, days: int) -> date | None:
    try:
        return start + timedelta(days=days)
    except OverflowError:
        return None


_shifts: dict[str, Callable[[Any, Any], Any]] = {"month": _shift_months, "day": _shift_days}
