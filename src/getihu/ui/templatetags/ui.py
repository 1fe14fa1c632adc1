"""Filters and tags every page may use: money, dates, truth marks, in the reader's words."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

ISO_DATE = re.compile(r" ?\b(\d{4})-(\d{2})-(\d{2})\b ?", re.ASCII)
WITH_UNIT = re.compile(r" ?(\d[\d,]*(?:\.\d+)?) (元|人|个月|天|年|平方米|级|次)")

WEEKDAYS = "一二三四五六日"
CITY_TIME = ZoneInfo("Asia/Shanghai")
CLAUSE_TRUTHS = {"yes": ("✓", "是"), "no": ("✗", "否"), "unknown": ("？", "未知")}
UNOFFICIAL = "本项目设定，非官方"
TRUTHS = {"yes": ("✓", "符合"), "no": ("✗", "不符合"), "unknown": ("？", "还不能判断")}


@register.filter
def for_office(text: str) -> str:
    """Words written to the applicant, as an office reads them.

    >>> for_office("等待：您补齐材料")
    '等待：申请人补齐材料'
    """
    return text.replace("您", "申请人")


@register.filter
def yuan(amount: Decimal | int | None) -> str:
    """Money as people write it: 3,600元; cents only when there are any. None shows nothing.

    >>> yuan(Decimal("3600.00")), yuan(Decimal("1234.5")), yuan(None)
    ('3,600元', '1,234.50元', '')
    """
    if amount is None:
        return ""
    cents = Decimal(amount).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return f"{cents:,.0f}元" if cents == cents.to_integral_value() else f"{cents:,.2f}元"


@register.filter
def number(count: int | None) -> str:
    """A count with separators: 1,100,000. None (unknown) shows as 未知, never as 0."""
    return "未知" if count is None else f"{count:,}"


@register.filter
def percent(share: Decimal) -> str:
    """A share as whole per cent.

    >>> percent(Decimal("0.02"))
    '2%'
    """
    return f"{share:.0%}"


@register.filter
def day(value: date | datetime | None, seen_from: date | None = None) -> str:
    """A date as 6月30日（周二）, with its year unless it is the year of ``seen_from``.

    >>> day(date(2026, 6, 30), date(2026, 10, 31)), day(date(2025, 6, 30), date(2026, 10, 31))
    ('6月30日（周二）', '2025年6月30日（周一）')
    """
    if value is None:
        return ""
    on = value.astimezone(CITY_TIME).date() if isinstance(value, datetime) else value
    year = "" if seen_from is not None and on.year == seen_from.year else f"{on.year}年"
    return f"{year}{on.month}月{on.day}日（周{WEEKDAYS[on.weekday()]}）"


@register.filter
def last_day(until: date | None) -> date | None:
    """The last day of a period whose end is exclusive."""
    return until - timedelta(days=1) if until else None


@register.filter
def moment(value: datetime | None) -> str:
    """A moment in the city's time: 2026年11月3日 14:05."""
    if value is None:
        return ""
    here = value.astimezone(CITY_TIME)
    return f"{here.year}年{here.month}月{here.day}日 {here:%H:%M}"


@register.filter
def prose(text: str) -> str:
    """A sentence as people write it: 2026-07-31 becomes 2026年7月31日, 7,200.00 元 becomes
    7,200元. Reasons keep the plain form, so that they replay to the same bytes.

    >>> prose("数据只到 2026-07-31，税额 7,200.00 元")
    '数据只到2026年7月31日，税额7,200元'
    """
    text = ISO_DATE.sub(lambda m: f"{m[1]}年{int(m[2])}月{int(m[3])}日", text)
    return WITH_UNIT.sub(lambda m: m[1].removesuffix(".00") + m[2], text)


@register.filter
def phrases(title: str) -> SafeString:
    """A heading that breaks before its brackets rather than inside them."""
    parts = re.split(r"(?=（)", title)
    return format_html_join("", '<span class="phrase">{}</span>', ((part,) for part in parts))


@register.filter
def unmarked(source: str) -> str:
    """A parameter's source without the words its mark already says."""
    return source.removeprefix(UNOFFICIAL).lstrip("；;，, ")


@register.simple_tag
def truth(result: str, label: str = "") -> SafeString:
    """A truth as mark and word: ✓ 符合, ✗ 不符合, ？ 还不能判断. The mark is silent for readers
    by ear; the word is not."""
    mark, word = TRUTHS[str(result)]
    return format_html(
        '<span class="truth truth-{}"><span aria-hidden="true">{}</span> {}</span>',
        str(result),
        mark,
        label or word,
    )


@register.simple_tag
def clause_truth(result: str, tone: str, decides: bool) -> SafeString:
    """A condition's answer: ✓ 是, ✗ 否, ？ 未知. A 否 is red only where it settled a refusal:
    否 to "已注销" is no bad news."""
    mark, word = CLAUSE_TRUTHS[str(result)]
    colour = tone if decides and str(result) != "unknown" else "unknown"
    return format_html(
        '<span class="truth tone-{}"><span aria-hidden="true">{}</span> {}</span>',
        "good" if str(result) == "yes" and tone != "late" else colour,
        mark,
        word,
    )


@register.simple_tag
def is_demo() -> bool:
    """Whether this installation holds a demo city; every page then says so."""
    return (settings.DATA_DIR / "demo.json").exists()


@register.simple_tag(takes_context=True)
def current(context: dict[str, Any], prefix: str, but: str = "") -> SafeString | str:
    """``aria-current`` for the navigation entry whose pages start with ``prefix``; pages that start
    with one of ``but`` (by commas) have an entry of their own."""
    request = context.get("request")
    path = request.path if request is not None else ""
    here = path == "/" or path.startswith("/traders/") if prefix == "/" else path.startswith(prefix)
    elsewhere = bool(but) and path.startswith(tuple(but.split(",")))
    return SafeString(' aria-current="page"') if here and not elsewhere else ""


@register.simple_tag
def as_of_query(as_of: date, usual: date) -> str:
    """The date one looks from, carried along a link; nothing when it is the usual one."""
    return "" if as_of == usual else f"?as_of={as_of.isoformat()}"


@register.filter
def plain(value: float) -> str:
    """A number for an SVG attribute: a point, never a comma, no trailing zeros."""
    return f"{value:g}"


@register.filter
def signed(change: int) -> str:
    """A change as people read it: +56, −3, 不变.

    >>> signed(1200), signed(-3), signed(0)
    ('+1,200', '−3', '不变')
    """
    if not change:
        return "不变"
    return f"{'+' if change > 0 else '−'}{abs(change):,}"


@register.filter
def looked_up(key: str, table: Mapping[str, str]) -> str:
    """What a table says of a key; empty where it says nothing."""
    return table.get(key, "")
