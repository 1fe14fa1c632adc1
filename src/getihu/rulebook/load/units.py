"""Finds quantities of different units put against each other: months and years, yuan and 万元."""

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.load.logic import Finding
from getihu.rulebook.model.expressions import (
    Arithmetic,
    Case,
    Compare,
    Constant,
    Expression,
    Fact,
    Negate,
    OneOf,
    ParameterUse,
    Shift,
    ValueType,
    children,
    walk,
)
from getihu.rulebook.model.rules import Rule

UNIT_LABELS = {
    "yuan": "元",
    "person": "人",
    "month": "月",
    "day": "天",
    "year": "年",
    "m2": "平方米",
    "m": "米",
    "kw": "千瓦",
    "count": "个数",
    "ratio": "比率",
    "level": "级",
}
_PURE = frozenset({"count", "ratio"})  # multiplying by these leaves a unit as it is
_TEN_THOUSAND = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*万")
_UnitOf = Callable[[Expression], str | None]


def mismatches(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> Iterator[Finding]:
    """Every pair of units of a rule that do not go together."""
    unit_of = _units(rule, rule.with_inputs(catalogue))
    for clause in rule.clauses:
        group = "exclusions" if clause.is_exclusion else "clauses"
        path = (group, clause.id, "when")
        yield from _in_expression(clause.expression, unit_of, path)
        yield from _ten_thousands(clause.expression, unit_of, clause.label, path)
    if rule.amount is not None:
        yield from _in_expression(rule.amount.expression, unit_of, ("amount",))
    for parameter in rule.parameters:
        values = [("value", parameter.value, f"{parameter.label} {parameter.source}")]
        values += [("by", row.value, row.source) for row in parameter.rows]
        for key, value, words in values:
            if parameter.unit == "yuan" and _says_ten_thousands(words, value):
                path = ("parameters", parameter.name, key)
                yield _wrong_size(value, path)


def _units(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> _UnitOf:
    def unit_of(node: Expression) -> str | None:
        """The unit of a number; None where it has none or it cannot be told."""
        match node:
            case Fact(name):
                return catalogue[name].unit or None
            case ParameterUse(name):
                unit = rule.parameter_by_name[name].unit
                return unit if unit in UNIT_LABELS else None
            case Negate(x):
                return unit_of(x)
            case Arithmetic("+" | "-", left, right):
                return unit_of(left) or unit_of(right)
            case Arithmetic("*", left, right):
                units = [unit_of(left), unit_of(right)]
                named = [u for u in units if u not in (None, *_PURE)]
                plain = all(u is None or u in _PURE for u in units)
                free = [side for side, u in zip((left, right), units, strict=True) if u is None]
                if plain or len(named) != 1 or any(not _is_number(side) for side in free):
                    return None
                # 12 * months says another unit; a written number may be such a change of unit.
                return None if free else named[0]
            case Case(branches, otherwise, _):
                results = [then for _, then in branches] + ([otherwise] if otherwise else [])
                found = {unit_of(result) for result in results} - {None}
                return found.pop() if len(found) == 1 else None
        return None

    return unit_of


def _is_number(node: Expression) -> bool:
    return isinstance(node, Constant)


def _in_expression(
    root: Expression, unit_of: _UnitOf, path: tuple[str | int, ...]
) -> Iterator[Finding]:
    for node in walk(root):
        match node:
            case Compare(_, left, right) | Arithmetic("+" | "-", left, right):
                yield from _pair(unit_of(left), unit_of(right), path)
            case Shift(_, amount, unit):
                yield from _length(amount, unit, unit_of, path)


def _pair(a: str | None, b: str | None, path: tuple[str | int, ...]) -> Iterator[Finding]:
    if a is not None and b is not None and a != b:
        first, second = UNIT_LABELS.get(a, a), UNIT_LABELS.get(b, b)
        yield Finding(path, f"单位不同：一边是{first}，一边是{second}", "换算成同一单位再比。")


def _length(
    amount: Expression, unit: str, unit_of: _UnitOf, path: tuple[str | int, ...]
) -> Iterator[Finding]:
    """A parameter in days moved by months. A year is written as twelve months."""
    twelve = any(isinstance(n, Constant) and n.value == 12 for n in walk(amount))
    wanted = "year" if unit == "month" and twelve else unit
    for node in walk(amount):
        given = unit_of(node) if isinstance(node, ParameterUse) else None
        if given in ("day", "month", "year") and given != wanted:
            yield from _pair(given, wanted, path)


def _ten_thousands(
    root: Expression, unit_of: _UnitOf, label: str, path: tuple[str | int, ...]
) -> Iterator[Finding]:
    """The label says 200 万元 and the expression compares yuan with 200."""
    for node in walk(root):
        if not isinstance(node, Compare | OneOf):
            continue
        sides = children(node)
        if not any(side.type is ValueType.MONEY or unit_of(side) == "yuan" for side in sides):
            continue
        for side in sides:
            if isinstance(side, Constant) and _says_ten_thousands(label, side.value):
                yield _wrong_size(side.value, path)


def _says_ten_thousands(words: str, value: object) -> bool:
    if isinstance(value, bool | str) or value is None or not value:
        return False
    try:
        number = Fraction(value)  # type: ignore[call-overload]
    except TypeError:
        return False
    return any(
        Fraction(m.group(1).replace(",", "")) == number for m in _TEN_THOUSAND.finditer(words)
    )


def _wrong_size(value: object, path: tuple[str | int, ...]) -> Finding:
    return Finding(
        path, f"文字写的是 {value} 万元，这里是 {value} 元", "以元为单位写：后面加四个零。"
    )
