"""A rule in the words of its page: conditions, standards, versions, where and when it holds."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from getihu.dataplane.contracts import FactDeclaration, FactScalar
from getihu.reference import selectors as reference

UNIT_LABELS: Final = {
    "yuan": "元",
    "m2": "平方米",
    "m": "米",
    "kw": "千瓦",
    "month": "个月",
    "day": "天",
    "year": "年",
    "person": "人",
    "count": "次",
    "level": "级",
    "ratio": "（1 即 100%）",
}
SUBJECT_LABELS: Final = {
    "individual": "个体工商户",
    "enterprise": "由个体工商户转型的企业",
    "employer": "用人的经营主体",
}
GROUP_WORDS: Final = {
    "AllOf": "以下全部满足",
    "AnyOf": "以下满足任意一项",
    "NoneOf": "以下一项都没有",
}


@dataclass(frozen=True)
class Branch:
    """How conditions are joined: a heading over items, or one condition (``anchor`` its id)."""

    text: str
    items: tuple["Branch", ...] = ()
    anchor: str = ""


@dataclass(frozen=True)
class ParameterRow:
    """One standard of a rule, and how to ask for another value of it."""

    name: str
    label: str
    shown: str
    typed: str
    unit: str
    kind: str  # number, date or text: the field to type in
    step: str
    source: str
    is_official: bool


def branch(tree: Any, labels: dict[str, str]) -> Branch:
    """A condition tree in words, whatever its depth."""
    if not hasattr(tree, "items"):
        return Branch(labels[tree.id], anchor=tree.id)
    text = GROUP_WORDS.get(type(tree).__name__) or f"以下至少满足 {tree.n} 项"
    return Branch(text, tuple(branch(item, labels) for item in tree.items))


def region_name(region: str) -> str:
    return "全国" if region == "CN" else reference.division_name(region)


def parameter_row(parameter: Any) -> ParameterRow:
    value = parameter.value
    is_number = not isinstance(value, bool | str | date)
    return ParameterRow(
        name=parameter.name,
        label=parameter.label,
        shown=shown(value, parameter.unit),
        typed=_typed(value),
        unit=UNIT_LABELS.get(parameter.unit or "", "") if is_number else "",
        kind="number" if is_number else "date" if isinstance(value, date) else "text",
        step="1" if isinstance(value, int) else "any",
        source=parameter.source,
        is_official=parameter.is_official,
    )


def _typed(value: FactScalar | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def shown(value: FactScalar | None, unit: str | None) -> str:
    """A parameter as people read it: 2,000,000元, 12个月, 50%, 2026年1月1日."""
    if value is None:
        return "未定"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    if isinstance(value, str):
        return value
    if unit == "ratio":
        return (
            f"{(value * 100).normalize():f}%" if not isinstance(value, int) else f"{value * 100}%"
        )
    return f"{value:,}{UNIT_LABELS.get(unit or '', '')}"


def fact_words(name: str, catalogue: dict[str, FactDeclaration]) -> str:
    """A fact with the department that delivers it."""
    fact = catalogue.get(name)
    return f"{fact.label}（{fact.department_name}）" if fact else f"{name}（申请时填写）"
