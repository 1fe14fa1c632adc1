"""A quarter's report out of its text and the figures: every number with where it comes from."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from getihu.insight.catalogue.comparing import CITY, FEWEST, meets
from getihu.insight.catalogue.definitions import UNOFFICIAL, Indicator
from getihu.insight.catalogue.words import DIRECTIONS, said, said_change, said_value
from getihu.insight.contracts import FigureView
from getihu.insight.reports.texts import SLOT, ReportText, Section
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import add_months
from getihu.reference import selectors as reference

_QUARTER: Final = re.compile(r"(\d{4})Q([1-4])")
CHART_MONTHS: Final = 24


class BadQuarter(GetihuError):
    """What was written is no quarter, or not over in the data."""


@dataclass(frozen=True)
class Source:
    """One measurement: its indicator as it was then, and its figures by day and division."""

    indicator: Indicator
    digest: str
    figures: Mapping[tuple[date, str], FigureView]

    def at(self, day: date, division: str = CITY) -> FigureView | None:
        return self.figures.get((day, division))


def last_day(quarter: str) -> date:
    """The last day of a quarter written 2026Q3. Raises BadQuarter."""
    found = _QUARTER.fullmatch(quarter)
    if not found:
        raise BadQuarter(f"“{quarter}”不是季度。处理办法：写成 2026Q3 的样子。")
    return add_months(date(int(found[1]), 3 * int(found[2]) - 2, 1), 3) - timedelta(days=1)


def compose(
    text: ReportText, quarter: str, sources: Mapping[str, Source], indicators: Sequence[str]
) -> dict[str, Any]:
    """The whole report as JSON. The same sources give the same content, byte for byte.

    ``indicators``: the order of the method notes. A sentence one of whose figures was not measured
    is not written; what is missing is said in its place.
    """
    until = last_day(quarter)
    return {
        "title": text.title,
        "for": text.for_,
        "source": text.source,
        "quarter": quarter,
        "until": until.isoformat(),
        "sections": [_section(section, until, sources) for section in text.sections],
        "targets": _targets(until, sources, indicators),
        "counties": _counties(until, sources, indicators),
        "methods": [_method(sources[name]) for name in indicators if name in sources],
    }


def sha256_of(content: Mapping[str, Any]) -> str:
    """The digest of a report's content."""
    told = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode("utf-8")).hexdigest()


def _section(section: Section, until: date, sources: Mapping[str, Source]) -> dict[str, Any]:
    chart = sources.get(section.chart)
    series = [] if chart is None else _series(chart, until)
    return {
        "title": section.title,
        "sentences": [_sentence(each, until, sources) for each in section.sentences],
        "chart": {"indicator": section.chart, "title": chart.indicator.title, "points": series}
        if chart and len(series) > 1
        else None,
    }


def _series(source: Source, until: date) -> list[dict[str, Any]]:
    first = add_months(until, -CHART_MONTHS)
    days = sorted(day for day, place in source.figures if place == CITY and first < day <= until)
    return [
        {"day": day.isoformat(), "value": each.value, "low": each.low, "high": each.high}
        for day in days
        if (each := source.figures[day, CITY]).value is not None
    ]


def _sentence(text: str, until: date, sources: Mapping[str, Source]) -> list[dict[str, Any]]:
    """A sentence in pieces: plain text, and figures with what they rest on."""
    pieces: list[dict[str, Any]] = []
    missing: list[str] = []
    end = 0
    for match in SLOT.finditer(text):
        pieces.append({"text": text[end : match.start()]})
        end = match.end()
        name, what = match[1], match[2] or ""
        if name is None:
            pieces.append({"text": f"{until.year}年{until.month}月{until.day}日"})
            continue
        number = _number(sources.get(name), what, until)
        if number is None:
            source = sources.get(name)
            missing.append(source.indicator.title if source else name)
        else:
            pieces.append(number)
    if missing:
        named = "、".join(dict.fromkeys(missing))
        return [{"text": f"这一季没有测到：{named}。", "missing": True}]
    pieces.append({"text": text[end:]})
    return [piece for piece in pieces if piece["text"]]


def _number(source: Source | None, what: str, until: date) -> dict[str, Any] | None:
    now = source.at(until) if source else None
    if source is None or now is None or now.value is None:
        return None
    unit = source.indicator.unit
    base = {
        "indicator": source.indicator.id, "day": until.isoformat(), "value": now.value,
        "digest": source.digest,
    }  # fmt: skip
    if what == "range":
        if now.low is None or now.high is None:
            return None
        words = f"{said_value(unit, now.low)} 到 {said_value(unit, now.high)}"
        return {"text": words, **base, "low": now.low, "high": now.high}
    if what == "unknown":
        return {"text": f"{now.unknown or 0:,.0f} 户", **base, "unknown": float(now.unknown or 0)}
    if what in ("change", "year"):
        then = until.replace(day=1)
        back = _month_end(add_months(then, -3 if what == "change" else -12))
        before = source.at(back)
        if before is None or before.value is None:
            return {"text": "无法比较（那时没有数据）", **base}
        words = said_change(unit, before.value, now.value)
        return {"text": words, **base, "against": back.isoformat(), "before": before.value}
    return {"text": said(unit, now), **base}


def _month_end(day: date) -> date:
    return add_months(day.replace(day=1), 1) - timedelta(days=1)


def _targets(
    until: date, sources: Mapping[str, Source], indicators: Sequence[str]
) -> list[dict[str, Any]]:
    rows = []
    for name in indicators:
        source = sources.get(name)
        if source is None or source.indicator.target is None:
            continue
        target, unit, now = source.indicator.target, source.indicator.unit, source.at(until)
        met = meets(target.value, target.direction, now)
        rows.append(
            {
                "number": target.number,
                "title": source.indicator.title,
                "aim": f"{DIRECTIONS[target.direction]} {said_value(unit, target.value)}",
                "now": said(unit, now) or "没有数据",
                "met": {True: "达到", False: "没有达到", None: "说不准" if now else "没有数据"}[
                    met
                ],
                "digest": source.digest,
            }
        )
    return rows


def _counties(
    until: date, sources: Mapping[str, Source], indicators: Sequence[str]
) -> dict[str, Any]:
    """Shares by county, in the order of codes; nothing the law lets nobody compare by."""
    shown = [
        sources[name]
        for name in indicators
        if name in sources
        and sources[name].indicator.kind in ("share", "survival")
        and not sources[name].indicator.watch_only
    ]
    counties = reference.list_counties()
    columns = []
    for source in shown:
        views = [view for county in counties if (view := source.at(until, county.code)) is not None]
        if views:
            told = {view.division: view for view in views}
            columns.append((source.indicator, told))
    return {
        "fewest": FEWEST,
        "head": [each.title for each, _ in columns],
        "rows": [
            {
                "name": county.name,
                "cells": [
                    _cell(indicator.unit, told.get(county.code)) for indicator, told in columns
                ],
            }
            for county in counties
        ],
    }


def _cell(unit: str, view: FigureView | None) -> str:
    return "不单列" if view is None or view.value is None else said(unit, view)


def _method(source: Source) -> dict[str, Any]:
    indicator = source.indicator
    return {
        "id": indicator.id,
        "title": indicator.title,
        "unit": indicator.unit,
        "version": indicator.version,
        "definition": indicator.definition,
        "source": indicator.source,
        "unofficial": UNOFFICIAL in indicator.source,
        "not_for": indicator.not_for,
        "digest": source.digest,
    }
