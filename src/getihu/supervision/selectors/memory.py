"""First or not: what every department remembers of a trader's breaches of one kind, and honestly
nothing of the time before the memory began."""

from datetime import date
from typing import Any, Final

from django.conf import settings

from getihu.access.services import over_the_wall
from getihu.dataplane import selectors as dataplane
from getihu.kernel.errors import InvalidInput, Problem
from getihu.kernel.periods import add_months, full_months_between
from getihu.reference import selectors as reference
from getihu.rulebook import selectors as rulebook
from getihu.supervision.catalogue.items import Item
from getihu.supervision.contracts import Memory, Outcome
from getihu.supervision.models import Breach

EVER, MONTHS, FIRST = "ever_same_breach", "months_since_same_breach", "is_first_time"
REMEMBERED: Final = frozenset({EVER, MONTHS, FIRST})
WINDOW: Final = "window_months"


def memory_since() -> date | None:
    """The day from which every department's findings are kept here. Raises InvalidInput."""
    text = settings.BREACH_MEMORY_SINCE
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(
            [
                Problem(
                    f"“{text}”不是日期",
                    field="GETIHU_BREACH_MEMORY_SINCE",
                    fix="写成 2025-01-01 这样。",
                )
            ]
        ) from None


def memory_of(trader_code: str, item: Item, on: date) -> Memory:
    """What the memory says of breaches of this kind before a day, by whatever department.

    A fact it cannot tell is left out: unknown, for the officer to look up. Nothing within the
    window is told as the least number of months it can be.
    """
    with over_the_wall():
        earlier = list(
            Breach.objects.filter(trader_code=trader_code, kind=item.same_kind, found_on__lt=on)
            .exclude(outcome=Outcome.UNFOUNDED)
            .order_by("-found_on")
            .values_list("found_on", "agency", "outcome")
        )
    since, months = memory_since(), _window(item, on)
    if earlier:
        return _found(earlier, on, since)
    first = add_months(on, -months) if months else None
    seen = _penalties(trader_code, item.area, first, on)
    if seen:
        days = "、".join(day.isoformat() for day in seen)
        return _silent(
            f"没有记过同类违法，但部门数据里 {days} 有同一领域的处罚，是不是同类要查决定书。", since
        )
    if since is None:
        return _silent("还没有定从哪天起各部门的违法都记在这里，查不出是不是首次。", None)
    if first is None or since > first:
        return _silent(
            f"从 {since} 起各部门的记录里没有同类违法；更早的没有记，查不出是不是首次。", since
        )
    least = full_months_between(since, on)
    return Memory(
        {MONTHS: least},
        f"从 {since} 起各部门的记录里没有同类违法，至今至少 {least} 个月，已经超过回溯期。",
        None,
        "",
        since,
    )


def _found(earlier: list[tuple[date, str, str | None]], on: date, since: date | None) -> Memory:
    last_on, agency, outcome = earlier[0]
    who = reference.department_name(agency, short=True)
    if outcome is None:
        words = f"{who} {last_on} 发现的同类违法还没有定，定了才知道算不算。"
        return Memory({}, words, last_on, agency, since)
    months = full_months_between(last_on, on)
    words = f"{who} {last_on} 记过同类违法，到发现之日满 {months} 个月。"
    return Memory({EVER: True, MONTHS: months, FIRST: False}, words, last_on, agency, since)


def _silent(words: str, since: date | None) -> Memory:
    return Memory({}, words, None, "", since)


def _window(item: Item, on: date) -> int | None:
    """Months of the look-back window of an item's rule; None: it has none, "first" is ever."""
    found = rulebook.get_rule(item.rule, on).parameter_by_name.get(WINDOW)
    value: Any = found.value if found else None
    return None if value is None else int(value)


def _penalties(trader_code: str, area: str, first: date | None, on: date) -> list[date]:
    """Days of the penalties of the area that departments delivered, within the window. A breach
    noted here is not among them: it was asked for before."""
    try:
        rows = dataplane.list_records("penalties", trader_code, as_of=on)
    except dataplane.NothingPublished:
        return []
    return [
        row["decided_on"]
        for row in rows
        if row["field"] == area and (first is None or first < row["decided_on"] < on)
    ]
