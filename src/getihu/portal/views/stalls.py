"""May I put up my stall here now? Asked on a phone, answered with the article and the next time."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from getihu.portal.views import Refused, page
from getihu.supervision import selectors

CITY_TIME = ZoneInfo("Asia/Shanghai")
_SCHOOL = {"yes": True, "no": False}


@require_GET
@page
def stalls(request: HttpRequest) -> HttpResponse:
    """The zones; with a choice of zone, time and goods, the answer."""
    asked = request.GET
    now = datetime.now(CITY_TIME)
    at = _time(asked.get("at", ""), now)
    zone_id, goods = asked.get("zone", ""), asked.get("goods", "")
    context: dict[str, Any] = {
        "zones": [(zone, _hours(zone)) for zone in selectors.list_zones()],
        "goods": selectors.GOODS.items(),
        "asked": asked,
        "at": at.strftime("%Y-%m-%dT%H:%M"),
    }
    if goods:
        if goods not in selectors.GOODS:
            raise Refused(404, "没有这一类货", "卖什么要从列表里选。", ("回到上一页再选一次。",))
        context["answer"] = selectors.may_stand(
            "" if zone_id == "none" else zone_id, goods, at,
            near_school=_SCHOOL.get(asked.get("school", "")),
        )  # fmt: skip
        context["shown_at"] = at
    return render(request, "portal/supervision/stalls.html", context)


def _time(text: str, now: datetime) -> datetime:
    if not text:
        return now
    try:
        return datetime.fromisoformat(text).replace(tzinfo=CITY_TIME)
    except ValueError as error:
        raise Refused(
            422, "时间没有看懂", "时间要写成 2026-05-01T18:30 的样子。", ("在时间框里重新选。",)
        ) from error


def _hours(zone: Any) -> list[str]:
    """The opening hours in words: 周五、周六、周日 18:00–次日 00:30."""
    found = []
    for hours in zone.hours:
        days = (
            "每天"
            if len(hours.days) == 7
            else "、".join(f"周{selectors.DAYS[day - 1]}" for day in hours.days)
        )
        after = "次日 " if hours.until < hours.since else ""
        found.append(f"{days} {hours.since:%H:%M}–{after}{hours.until:%H:%M}")
    return found
