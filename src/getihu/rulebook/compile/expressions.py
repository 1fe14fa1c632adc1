"""Expressions as DuckDB SQL. Numbers are whole numbers with a constant factor; no DOUBLE."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction

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
from getihu.rulebook.model.numbers import (
    FACT_PLACES,
    INT64_MAX,
    ROUNDINGS,
    Scale,
    as_fraction,
    common_factor,
    scale_of,
    times,
)

_SQL_TYPES = {"boolean": "BOOLEAN", "date": "DATE", "text": "VARCHAR"}


def quote(name: str) -> str:
    """A column name."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal."""
    return "'" + text.replace("'", "''") + "'"


def condition_sql(node: Expression, as_of: date) -> str:
    """A boolean expression: TRUE, FALSE or NULL for unknown."""
    return _Writer(as_of).value(node)


def whole_sql(node: Expression, as_of: date) -> str:
    """The whole number (HUGEINT) behind a numeric expression; ``rounded_sql`` gives it its unit."""
    return _huge(_Writer(as_of).whole(node)[0])


def rounded_sql(column: str, node: Expression, rounding: str) -> str:
    """The amount of ``node`` from its whole number in ``column``: DECIMAL(38,2) yuan, rounded as
    the rule says by whole-number arithmetic, NULL for unknown."""
    places, half_up = ROUNDINGS[rounding]
    per_unit = scale_of(node).factor * 10**places
    n, d = per_unit.numerator, per_unit.denominator
    size = f"abs({column})"
    if half_up:
        rounded = f"({size} * {_int(2 * n)} + {_int(d)}) // {_int(2 * d)}"
    else:
        rounded = f"({size} * {_int(n)}) // {_int(d)}"
    cents = f"({rounded}) * {10 ** (2 - places)} * sign({column})"
    return f"CAST({cents} AS DECIMAL(36,0)) * CAST('0.01' AS DECIMAL(2,2))"


def _int(value: int) -> str:
    """A whole-number literal of 128 bits."""
    return f"CAST({value} AS HUGEINT)" if abs(value) <= INT64_MAX else f"{value}::HUGEINT"


def _huge(sql: str) -> str:
    return f"CAST({sql} AS HUGEINT)"


class _Writer:
    """Writes the SQL of one expression for one date."""

    def __init__(self, as_of: date) -> None:
        self.as_of = as_of

    def value(self, node: Expression) -> str:
        """SQL of a boolean, date or text expression."""
        match node:
            case Constant(None):
                return f"CAST(NULL AS {_SQL_TYPES[node.type]})"
            case Constant(bool() as value):
                return "TRUE" if value else "FALSE"
            case Constant(date() as value):
                return f"DATE '{value.isoformat()}'"
            case Constant(str() as value):
                return literal(value)
            case AsOf():
                return f"DATE '{self.as_of.isoformat()}'"
            case Fact(name):
                return quote(name)
            case Not(x):
                return f"(NOT {self.value(x)})"
            case And(operands):
                return "(" + " AND ".join(map(self.value, operands)) + ")"
            case Or(operands):
                return "(" + " OR ".join(map(self.value, operands)) + ")"
            case Compare(operator, left, right):
                return self._compare(operator, left, right)
            case OneOf(needle, values):
                return self._one_of(needle, values)
            case IsKnown(x):
                return f"(CASE WHEN {self.any(x)} IS NOT NULL THEN TRUE END)"
            case Shift(start, amount, unit):
                return self._shift(start, amount, unit)
            case Case(branches, otherwise):
                return self._case([(w, self.value(t)) for w, t in branches], otherwise, self.value)
        raise AssertionError(f"not resolved: {node}")

    def any(self, node: Expression) -> str:
        return self.whole(node)[0] if node.type in NUMBERS else self.value(node)

    def whole(self, node: Expression) -> tuple[str, Scale]:
        """SQL of the whole number of a numeric expression, and what it counts."""
        scale = scale_of(node)
        match node:
            case Constant(None):
                return "CAST(NULL AS HUGEINT)", scale
            case Constant():
                return self._sized(str(as_fraction(node).numerator), scale.bound), scale
            case Fact(name, kind):
                places = FACT_PLACES[kind]
                if not places:
                    return quote(name), scale
                # Wide first: DECIMAL(18,2) times 100 would stay DECIMAL(18,2).
                column = f"CAST({quote(name)} AS DECIMAL(38,{places}))"
                return f"CAST({column} * {10**places} AS BIGINT)", scale
            case Extract(part, x):
                return f"EXTRACT({part.upper()} FROM {self.value(x)})", scale
            case Negate(x):
                return f"(-{_huge(self.whole(x)[0])})", scale
            case Arithmetic("*", left, right):
                a, b = self.whole(left)[0], self.whole(right)[0]
                a, b = self._widened(scale.bound, a, b)
                return f"({a} * {b})", scale
            case Arithmetic(operator, left, right):
                a, b = self._in_units(left, scale), self._in_units(right, scale)
                return f"({a} {operator} {b})", scale
            case Divide(dividend, _):
                return self.whole(dividend)[0], scale
            case Case(branches, otherwise):
                pairs = [(w, self._in_units(t, scale)) for w, t in branches]
                return self._case(pairs, otherwise, lambda x: self._in_units(x, scale)), scale
        raise AssertionError(f"not a number: {node}")

    def _in_units(self, node: Expression, scale: Scale) -> str:
        """The whole number of ``node`` counted in the unit of ``scale``."""
        sql, own = self.whole(node)
        factor = times(own.factor, scale.factor)
        (sql,) = self._widened(scale.bound, sql)
        return sql if factor == 1 else f"({sql} * {self._sized(str(factor), scale.bound)})"

    def _widened(self, bound: int, *parts: str) -> tuple[str, ...]:
        return parts if bound <= INT64_MAX else tuple(_huge(part) for part in parts)

    def _sized(self, digits: str, bound: int) -> str:
        return f"CAST({digits} AS {'BIGINT' if bound <= INT64_MAX else 'HUGEINT'})"

    def _compare(self, operator: str, left: Expression, right: Expression) -> str:
        if left.type not in NUMBERS:
            return f"({self.value(left)} {operator} {self.value(right)})"
        plain = _plain_compare(operator, left, right)
        if plain is not None:
            return plain
        a, b = scale_of(left), scale_of(right)
        unit = common_factor(a.factor, b.factor)
        bound = max(a.bound * times(a.factor, unit), b.bound * times(b.factor, unit))
        joint = Scale(unit, bound)
        return f"({self._in_units(left, joint)} {operator} {self._in_units(right, joint)})"

    def _one_of(self, needle: Expression, values: tuple[Constant, ...]) -> str:
        if needle.type in NUMBERS:
            tests = [
                "CAST(NULL AS BOOLEAN)" if v.value is None else self._compare("=", needle, v)
                for v in values
            ]
            # An unknown needle is unknown whatever the list, as each comparison already says.
            return "(" + " OR ".join(tests) + ")" if tests else "FALSE"
        listed = ", ".join("NULL" if v.value is None else self.value(v) for v in values)
        return f"({self.value(needle)} IN ({listed}))"

    def _shift(self, start: Expression, amount: Expression, unit: str) -> str:
        assert isinstance(amount, Constant)
        moved = f"({self.value(start)} + INTERVAL ({amount.value}) {unit.upper()})"
        inside = f"{moved} BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31'"
        return f"(CASE WHEN {inside} THEN CAST({moved} AS DATE) END)"

    def _case(
        self,
        pairs: list[tuple[Expression, str]],
        otherwise: Expression | None,
        write: Callable[[Expression], str],
    ) -> str:
        parts = []
        for when, then in pairs:
            asked = self.value(when)
            parts.append(f"WHEN {asked} THEN {then} WHEN ({asked}) IS NULL THEN NULL")
        last = "" if otherwise is None else f" ELSE {write(otherwise)}"
        return f"(CASE {' '.join(parts)}{last} END)"


_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _plain_compare(operator: str, left: Expression, right: Expression) -> str | None:
    """``column operator literal`` where the column's own type holds the constant exactly."""
    if isinstance(left, Constant) and isinstance(right, Fact):
        left, right, operator = right, left, _MIRROR.get(operator, operator)
    if not isinstance(left, Fact) or not isinstance(right, Constant) or right.value is None:
        return None
    places = FACT_PLACES[left.type]
    scaled = as_fraction(right) * 10**places
    if scaled.denominator != 1 or abs(scaled) >= 10**18:
        return None
    if not places:
        return f"({quote(left.name)} {operator} {scaled})"
    exact = f"CAST('{_decimal(scaled, places)}' AS DECIMAL(18,{places}))"
    return f"({quote(left.name)} {operator} {exact})"


def _decimal(scaled: Fraction, places: int) -> str:
    digits = f"{abs(scaled.numerator):0{places + 1}d}"
    sign = "-" if scaled < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"
