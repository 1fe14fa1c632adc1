"""Exact numbers as scaled integers, and the bounds that keep them inside 38 digits.

A numeric expression is ``integer x factor`` with a constant positive fraction as factor. Adding
brings both sides to a common factor, comparing too (cross-multiplication), and rounding works on
the integer. The bound of the integer is known when a rule is loaded, so an engine can never
overflow on any facts.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from getihu.rulebook.model.expressions import (
    NUMBERS,
    Arithmetic,
    AsOf,
    Case,
    Compare,
    Constant,
    Divide,
    Expression,
    Extract,
    Fact,
    Negate,
    OneOf,
    ValueType,
    walk,
)

INT64_MAX = 2**63 - 1
# 38 digits: what DuckDB's HUGEINT and Spark's DECIMAL(38,0) both hold.
LARGEST = 10**38 - 1

# Stored types of the facts table: BIGINT, DECIMAL(18,2), DECIMAL(18,4).
FACT_PLACES = {ValueType.INTEGER: 0, ValueType.MONEY: 2, ValueType.DECIMAL: 4}
FACT_BOUND = {
    ValueType.INTEGER: 2**63,
    ValueType.MONEY: 10**18 - 1,
    ValueType.DECIMAL: 10**18 - 1,
}

# name in rule files → (places kept, half away from zero or cut off)
ROUNDINGS = {
    "half_up_2": (2, True),
    "half_up_0": (0, True),
    "down_2": (2, False),
    "down_0": (0, False),
}


class TooLarge(Exception):
    """The numbers of an expression may not fit 38 digits for some facts."""


@dataclass(frozen=True)
class Scale:
    """Numbers of the form ``i * factor`` with ``|i| <= bound``."""

    factor: Fraction
    bound: int


def common_factor(a: Fraction, b: Fraction) -> Fraction:
    """The largest fraction of which both are whole multiples."""
    return Fraction(
        gcd(a.numerator * b.denominator, b.numerator * a.denominator),
        a.denominator * b.denominator,
    )


def times(factor: Fraction, unit: Fraction) -> int:
    """How many ``unit`` make one ``factor`` (``unit`` comes from ``common_factor``)."""
    return (factor / unit).numerator


def as_fraction(constant: Constant) -> Fraction:
    value = constant.value
    assert isinstance(value, int | Fraction) and not isinstance(value, bool)
    return Fraction(value)


def scale_of(node: Expression) -> Scale:
    """Factor and bound of a numeric expression. Raises TooLarge."""
    match node:
        case Constant(None):
            return Scale(Fraction(1), 0)
        case Constant():
            value = as_fraction(node)
            return _checked(Fraction(1, value.denominator), abs(value.numerator))
        case Fact(_, kind):
            return Scale(Fraction(1, 10 ** FACT_PLACES[kind]), FACT_BOUND[kind])
        case Extract():
            return Scale(Fraction(1), 9999)
        case Negate(x):
            return scale_of(x)
        case Arithmetic("*", left, right):
            a, b = scale_of(left), scale_of(right)
            return _checked(a.factor * b.factor, a.bound * b.bound)
        case Arithmetic(_, left, right):
            a, b = scale_of(left), scale_of(right)
            unit = common_factor(a.factor, b.factor)
            return _checked(unit, a.bound * times(a.factor, unit) + b.bound * times(b.factor, unit))
        case Divide(dividend, divisor):
            assert isinstance(divisor, Constant)
            scale = scale_of(dividend)
            return _checked(scale.factor / as_fraction(divisor), scale.bound)
        case Case(branches, otherwise, _):
            parts = [then for _, then in branches] + ([otherwise] if otherwise else [])
            return _joined([scale_of(part) for part in parts])
    raise AssertionError(f"not a number: {node}")


def _joined(scales: list[Scale]) -> Scale:
    unit = scales[0].factor
    for scale in scales[1:]:
        unit = common_factor(unit, scale.factor)
    return _checked(unit, max(s.bound * times(s.factor, unit) for s in scales))


def _checked(factor: Fraction, bound: int) -> Scale:
    if bound > LARGEST:
        raise TooLarge
    return Scale(factor, bound)


def check_size(node: Expression) -> None:
    """Raises TooLarge when any number inside a resolved expression may not fit 38 digits."""
    for part in walk(node):
        match part:
            case Compare(_, left, right) if left.type in NUMBERS:
                _joined([scale_of(left), scale_of(right)])
            case OneOf(needle, values) if needle.type in NUMBERS:
                for value in values:
                    _joined([scale_of(needle), scale_of(value)])
            case Arithmetic() | Divide() | Negate():
                scale_of(part)
            case Case() if part.type in NUMBERS:
                scale_of(part)


def check_amount_size(node: Expression, rounding: str) -> None:
    """Raises TooLarge when rounding the amount may not fit 38 digits."""
    check_size(node)
    scale = scale_of(node)
    places, _ = ROUNDINGS[rounding]
    per_unit = scale.factor * 10**places
    _checked(per_unit, 2 * scale.bound * per_unit.numerator + per_unit.denominator)
    # The result is stored as DECIMAL(38,2), by way of whole cents in DECIMAL(36,0).
    if scale.bound * scale.factor >= 10**33:
        raise TooLarge


def round_amount(value: Fraction, rounding: str) -> Fraction:
    """Round to the places the rule names; half goes away from zero."""
    places, half_up = ROUNDINGS[rounding]
    scaled = abs(value) * 10**places
    n, d = scaled.numerator, scaled.denominator
    whole = (2 * n + d) // (2 * d) if half_up else n // d
    return Fraction(whole if value >= 0 else -whole, 10**places)


def is_constant(node: Expression) -> bool:
    """True when only constants and parameters are inside."""
    return all(not isinstance(n, Fact | AsOf) for n in walk(node))
