"""The hall's one screen: the counties as tiles, the plan's targets around them, the day's work, what
needs somebody's eye."""

from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from getihu.insight import selectors
from getihu.insight.contracts import FigureView
from getihu.portal.policies.shapes import shade
from getihu.portal.views import Refused, page
from getihu.portal.views.insight import target_words
from getihu.reference import selectors as reference

FIRST: Final = "vitality.activity"
MONTHS: Final = 24
FLOWS: Final = (
    "vitality.entries", "vitality.exits", "credit.abnormal", "credit.reported",
    "service.clocks_kept",
)  # fmt: skip


@require_GET
@page
def cockpit(request: HttpRequest) -> HttpResponse:
    """The whole screen, or what of it changes when htmx asks each minute."""
    asked = request.GET.get("indicator", FIRST)
    comparable = [each for each in selectors.list_indicators() if not each.watch_only]
    chosen = next((each for each in comparable if each.id == asked), None)
    if chosen is None:
        raise Refused(
            404, "这个指标不按县（市、区）看", "没有这个指标，或者法律不许在地区之间比较。",
            ("从屏幕中间的列表里选一个。",),
        )  # fmt: skip
    targets = []
    for target in selectors.list_targets():
        figures = [each for each in selectors.list_figures(target.indicator_id) if each.value]
        targets.append((target, target_words(target), selectors.draw_spark(figures[-MONTHS:])))
    flows = []
    for indicator in map(selectors.get_indicator, FLOWS):
        figures = selectors.list_figures(indicator.id)[-MONTHS:]
        now = selectors.said(indicator.unit, figures[-1]) if figures else ""
        flows.append((indicator, now, selectors.draw_spark(figures)))
    half = (len(targets) + 1) // 2
    pulse = selectors.take_pulse(datetime.now(UTC))
    context: dict[str, Any] = {
        "pulse": pulse,
        "paid_words": selectors.said_value("元", pulse.paid_cents / 100),
        "left": targets[:half],
        "right": targets[half:],
        "flows": flows,
        "chosen": chosen,
        "comparable": comparable,
        "cells": _cells(chosen.unit, selectors.list_by_county(chosen.id)),
        "as_of": max((t.now.as_of for t, _, _ in targets if t.now), default=None),
    }
    whole = not getattr(request, "htmx", None)
    name = "portal/insight/cockpit.html" if whole else "portal/insight/_cockpit.html"
    return render(request, name, context)


def _cells(unit: str, figures: list[FigureView]) -> list[dict[str, Any]]:
    """Tiles in the order of codes; darker is more, and nobody is first."""
    names = {county.code: county.name for county in reference.list_counties()}
    known = [each.value for each in figures if each.value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    spread = (high - low) or 1.0
    return [
        {
            "code": each.division,
            "label": names[each.division],
            "words": "不单列" if each.value is None else selectors.said(unit, each),
            "shade": 0 if each.value is None else shade((each.value - low) / spread + 0.01),
        }
        for each in figures
    ]
