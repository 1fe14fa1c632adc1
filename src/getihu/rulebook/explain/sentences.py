"""A condition written out in Chinese from what the engines decide by: never a second text."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from getihu.dataplane.contracts import FactDeclaration, FactScalar, FactType
from getihu.reference import selectors as reference
from getihu.rulebook.explain.words import show_parameter, show_value
from getihu.rulebook.model.expressions import (
    And,
    Arithmetic,
    AsOf,
    Case,
    Compare,
    Constant,
    ConstantValue,
    Divide,
    Expression,
    Extract,
    Fact,
    IsKnown,
    Negate,
    Not,
    OneOf,
    Or,
    ParameterUse,
    Shift,
    ValueType,
    walk,
)
from getihu.rulebook.model.rules import DECIDING_DATES, Rule

_NUMBERS = {"=": "等于", "<>": "不等于", "<": "少于", "<=": "不超过", ">": "多于", ">=": "不少于"}
_DATES = {"=": "就是", "<>": "不是", "<": "早于", "<=": "不晚于", ">": "晚于", ">=": "不早于"}
_TEXTS = {"=": "为", "<>": "不为"}
_SIGNS = {"+": "加", "-": "减", "*": "乘"}
_PARTS = {"year": "年份", "month": "月份", "day": "日"}
_UNITS = {"month": "个月", "day": "天"}
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def sentence(expression: Expression, rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> str:
    """An expression of a rule as a Chinese sentence without a full stop, parameters as their
    values with units. ``catalogue`` holds the facts and the rule's inputs."""
    return _Writer(rule, catalogue).write(expression)


class _Writer:
    def __init__(self, rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> None:
        self._catalogue = catalogue
        self._parameters = {parameter.name: parameter for parameter in rule.parameters}
        self._day = DECIDING_DATES[rule.decides_on.kind]

    def write(self, node: Expression) -> str:
        match node:
            case And(operands):
                return "，并且".join(map(self._part, operands))
            case Or(operands):
                return "，或者".join(map(self._part, operands))
            case Not(operand):
                return self._denied(operand)
            case Compare(operator, left, right):
                return self._compared(operator, left, right)
            case OneOf(needle, values):
                shown = "、".join(self._value(value, needle) for value in values)
                return f"{self.write(needle)}是{shown}之一"
            case IsKnown(operand):
                return f"知道{self.write(operand)}"
            case Case(branches, otherwise, _):
                return self._cases(branches, otherwise)
            case Fact(name, kind):
                label = self._catalogue[name].label
                return f"“{label}”为是" if kind is ValueType.BOOLEAN else label
        return self._number(node)

    def _number(self, node: Expression) -> str:
        match node:
            case ParameterUse(name):
                return show_parameter(self._parameters[name])
            case AsOf():
                return self._day
            case Arithmetic(operator, left, right, _):
                return f"{self._side(left)}{_SIGNS[operator]}{self._side(right)}"
            case Divide(dividend, divisor):
                return f"{self._side(dividend)}除以{self._side(divisor)}"
            case Negate(operand, _):
                return f"负的{self._side(operand)}"
            case Shift(start, amount, unit):
                return self._shifted(start, amount, unit)
            case Extract(part, operand):
                return f"{self.write(operand)}的{_PARTS[part]}"
            case Constant(value, _):
                return self._value(node, node) if value is not None else "未知"
        raise TypeError(type(node).__name__)

    def _part(self, node: Expression) -> str:
        """One of several joined conditions; a joined one inside stands in brackets."""
        return f"（{self.write(node)}）" if isinstance(node, And | Or | Case) else self.write(node)

    def _side(self, node: Expression) -> str:
        joined = isinstance(node, Arithmetic | Divide | Case)
        return f"（{self.write(node)}）" if joined else self.write(node)

    def _denied(self, node: Expression) -> str:
        match node:
            case Fact(name, _):
                return f"“{self._catalogue[name].label}”为否"
            case Compare(operator, left, right):
                return self._compared(_OPPOSITE[operator], left, right)
            case Not(operand):
                return self.write(operand)
        return f"不是（{self.write(node)}）"

    def _compared(self, operator: str, left: Expression, right: Expression) -> str:
        kinds = {left.type, right.type}
        if ValueType.DATE in kinds:
            words = _DATES
        elif kinds & {ValueType.TEXT, ValueType.BOOLEAN}:
            words = _TEXTS
        else:
            words = _NUMBERS
        first = self._value(left, right) if isinstance(left, Constant) else self._side(left)
        second = self._value(right, left) if isinstance(right, Constant) else self._side(right)
        return f"{first}{words[operator]}{second}"

    def _cases(
        self, branches: tuple[tuple[Expression, Expression], ...], otherwise: Expression | None
    ) -> str:
        said = [f"{self._part(when)}的，{self._answer(then)}" for when, then in branches]
        rest = self._answer(otherwise) if otherwise is not None else "不能判断，由人核实"
        return "；".join([*said, f"其余的，{rest}"])

    def _answer(self, node: Expression) -> str:
        if isinstance(node, Constant) and isinstance(node.value, bool):
            return "是" if node.value else "不是"
        if node.type is ValueType.BOOLEAN:
            return f"看{self.write(node)}"
        return f"按{self.write(node)}"

    def _shifted(self, start: Expression, amount: Expression, unit: str) -> str:
        back = isinstance(amount, Negate)
        moved = _times_one(amount.operand if isinstance(amount, Negate) else amount)
        many = self.write(moved)
        if isinstance(moved, Constant) and isinstance(moved.value, int):
            back, many = back or moved.value < 0, f"{abs(moved.value)} {_UNITS[unit]}"
        return f"{self.write(start)}{'以前' if back else '以后'} {many}"

    def _value(self, node: Expression, beside: Expression) -> str:
        """A literal with the unit, or the label, of what it is compared with."""
        if not isinstance(node, Constant):
            return self.write(node)
        if node.value is None:
            return "未知"
        fact = next(
            (self._catalogue[each.name] for each in walk(beside) if isinstance(each, Fact)), None
        )
        value = _scalar(node.value)
        if isinstance(value, str) and fact is not None:
            return f"“{_label(value, fact)}”"
        unit = fact.unit if fact is not None and not isinstance(value, bool | str | date) else ""
        return show_value(value, unit or "")


def _times_one(node: Expression) -> Expression:
    """``n * INTERVAL '1' MONTH`` is n months."""
    match node:
        case Arithmetic("*", left, Constant(1), _):
            return left
    return node


def _label(value: str, fact: FactDeclaration) -> str:
    if fact.values:
        return fact.values.get(value, value)
    if fact.name == "county_code":
        return reference.division_name(value)
    if fact.type is FactType.CODE and fact.name.startswith("industry"):
        found = reference.get_industry(value)
        return f"{found.name}（{value}）" if found else value
    return value


def _scalar(value: ConstantValue) -> FactScalar:
    assert value is not None
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return value
