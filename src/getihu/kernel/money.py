"""Money: yuan as Decimal with two places on the outside, integer cents where it is summed."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction

CENT = Decimal("0.01")


def parse_yuan(text: str) -> Decimal:
    """Return an amount in yuan written with digits, at most two decimals and an optional minus.

    Raises ValueError for anything else: thousands separators, units, exponents, three decimals.

    >>> parse_yuan("1200.5")
    Decimal('1200.50')
    """
    plain = text.strip()
    if not plain.removeprefix("-").replace(".", "", 1).isascii() or set(plain) - set(
        "-.0123456789"
    ):
        raise ValueError(f"“{text}”不是金额（只写数字，单位元，最多两位小数）")
    try:
        value = Decimal(plain)
        cents = value.quantize(CENT)
    except InvalidOperation:  # no number, or more digits than money has
        raise ValueError(f"“{text}”不是金额（只写数字，单位元，最多两位小数）") from None
    if value != cents:
        raise ValueError(f"“{text}”超过两位小数")
    return cents + 0  # no minus before a zero


def to_cents(yuan: Decimal) -> int:
    """Return whole cents (分). Raises ValueError when the amount has a fraction of a cent."""
    cents = yuan * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"{yuan} 元不是整分")
    return int(cents)


def from_cents(cents: int) -> Decimal:
    """Return yuan with two places."""
    return Decimal(cents).scaleb(-2)


def round_half_up(value: Decimal | Fraction, places: int = 2) -> Decimal:
    """Return the value rounded half away from zero, as tax amounts are (四舍五入)."""
    if isinstance(value, Fraction):
        scaled = abs(value) * 10**places
        whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
        return Decimal(whole if value >= 0 else -whole).scaleb(-places)
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
