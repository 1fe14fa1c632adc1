"""Advice in the words people read. Dates stay 2026-12-31 here; pages write them out."""

from datetime import date
from decimal import Decimal

from getihu.dataplane.contracts import FactDeclaration, FactScalar, FactType
from getihu.kernel.periods import add_months, full_months_between
from getihu.rulebook.advise.knowledge import Act, Knowledge
from getihu.rulebook.explain import words

YOU = "您"
ANSWERED_BY = {"applicant": "申请人", "officer": "办案人员"}
_NUMBERS = (FactType.INTEGER, FactType.MONEY, FactType.DECIMAL)
_ASKED = {
    "yuan": "元",
    "person": "人",
    "month": "个月",
    "day": "天",
    "m2": "平方米",
    "m": "米",
    "kw": "千瓦",
}
_COUNTED = {"person": "人", "month": "个月", "day": "天", "year": "年", "count": "项"}


def span(start: date, end: date) -> str:
    """How long from one day to another: 2 个月 5 天.

    >>> span(date(2026, 10, 31), date(2027, 1, 5))
    '2 个月 5 天'
    """
    months = full_months_between(start, end)
    days = (end - add_months(start, months)).days
    if months >= 24 and not days:
        return f"{months // 12} 年" + (f" {months % 12} 个月" if months % 12 else "")
    parts = [f"{months} 个月"] if months else []
    return " ".join(parts + ([f"{days} 天"] if days or not months else []))


def gap(now: FactScalar, needed: FactScalar, fact: FactDeclaration) -> str:
    """The distance between two numbers with its unit: 12,300.00 元, 1 人, 2 个月."""
    assert not isinstance(now, date | str) and not isinstance(needed, date | str)
    exact = abs(Decimal(needed) - Decimal(now))
    apart = int(exact) if fact.type is FactType.INTEGER else exact
    if fact.type is FactType.MONEY:
        return f"{apart:,.2f} 元"
    if fact.unit == "ratio":
        return f"{(Decimal(apart) * 100).normalize():f} 个百分点"
    if fact.unit in _COUNTED:
        return f"{apart:,} {_COUNTED[fact.unit]}"
    return words.show_fact(apart, fact)


def show(value: FactScalar | None, fact: FactDeclaration) -> str:
    return words.show_fact(value, fact)


def needed_text(now: FactScalar | None, needed: FactScalar, fact: FactDeclaration) -> str:
    """The threshold: 至少 3 人, 不超过 5,000,000.00 元, 是."""
    shown = words.show_fact(needed, fact)
    if now is None or isinstance(needed, bool | str):
        return shown
    if isinstance(needed, date):
        assert isinstance(now, date)
        return f"{shown} 或以后" if needed > now else f"{shown} 或以前"
    assert not isinstance(now, date | str)
    return f"至少 {shown}" if needed > now else f"不超过 {shown}"


def change(
    now: FactScalar, needed: FactScalar, fact: FactDeclaration, knowledge: Knowledge
) -> tuple[str, str]:
    """What to do about one known fact, and the gap alone: (再招 1 人并参保, 还差 1 人)."""
    act = knowledge.acts.get(fact.name, Act())
    if isinstance(needed, bool):
        said = act.yes if needed else act.no
        return said or f"“{fact.label}”要变为{'是' if needed else '否'}", ""
    if isinstance(needed, str):
        shown = words.show_fact(needed, fact)
        return act.to.get(needed) or f"{fact.label}要变为{shown}", ""
    if isinstance(needed, date):
        return f"{fact.label}要在 {needed_text(now, needed, fact)}", ""
    assert not isinstance(now, date | str)
    apart = gap(now, needed, fact)
    more = needed > now
    pattern = act.more if more else act.less
    said = pattern.format(gap=apart) if pattern else _plain_change(fact, apart, more=more)
    return said, f"还差 {apart}" if more else f"多出 {apart}"


def _plain_change(fact: FactDeclaration, apart: str, *, more: bool) -> str:
    return f"{fact.label}再多 {apart}" if more else f"{fact.label}要减少 {apart}"


def who_acts(fact: FactDeclaration, knowledge: Knowledge) -> tuple[str, ...]:
    """Those who must act for a fact to change: 您, or a department."""
    names = {"trader": YOU, "department": fact.department_name}
    return tuple(names[who] for who in knowledge.acts.get(fact.name, Act()).who)


def answers(fact: FactDeclaration) -> str:
    """Who can say what an unknown fact is."""
    return ANSWERED_BY.get(fact.department, fact.department_name)


def question(fact: FactDeclaration) -> str:
    """The question to ask about a fact whose declaration brings none."""
    if fact.type is FactType.BOOLEAN:
        return f"“{fact.label}”：是还是否？"
    if fact.type is FactType.DATE:
        return f"“{fact.label}”是哪一天？"
    if fact.type in (FactType.ENUM, FactType.CODE, FactType.TEXT):
        return f"“{fact.label}”是哪一种？"
    return f"“{fact.label}”是多少{_ASKED.get(fact.unit or '', '')}？"
