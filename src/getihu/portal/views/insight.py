"""Monitoring: the plan's targets, every indicator with its definition, the board of the measures."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from getihu.accounts.contracts import Role
from getihu.cases import selectors as cases
from getihu.insight import selectors, services
from getihu.insight.contracts import FigureView, TargetView
from getihu.portal.views import Refused, page
from getihu.portal.views.casework import actor_of
from getihu.reference import selectors as reference

_KINDS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@require_GET
@page
def board(request: HttpRequest) -> HttpResponse:
    """The plan's targets and all indicators by level."""
    latest = selectors.list_latest()
    roles = actor_of(request).roles
    levels = [
        (level, [(each, figure, selectors.said(each.unit, figure)) for each, figure in rows])
        for level, rows in groupby(latest, key=lambda row: row[0].path[0])
    ]
    context = {
        "targets": [(each, target_words(each)) for each in selectors.list_targets()],
        "levels": levels,
        "as_of": max((figure.as_of for _, figure in latest if figure), default=None),
        "leads": bool(roles & {Role.SUPERVISOR, Role.COCKPIT_VIEWER}),
        "asks": bool(roles & {*services.STATISTICIANS}),
    }
    return render(request, "portal/insight/board.html", context)


@require_GET
@page
def indicator(request: HttpRequest, indicator_id: str) -> HttpResponse:
    """One indicator: its definition, its months, what may be compared, how to make it again."""
    shown = selectors.get_indicator(indicator_id)
    counties = reference.list_counties()
    asked = request.GET.get("county", "")
    if asked and asked not in {county.code for county in counties}:
        raise Refused(
            404, "没有这个地区", "地区要用六位行政区划代码。", ("从列表里选一个县（市、区）。",)
        )
    division = asked or selectors.CITY
    figures = selectors.list_figures(indicator_id, division)
    words = [selectors.said(shown.unit, figure) for figure in figures]
    names = {county.code: county.name for county in counties}
    by_county = [] if shown.watch_only else selectors.list_by_county(indicator_id)
    context: dict[str, Any] = {
        "indicator": shown,
        "figures": list(zip(figures, words, strict=True))[::-1],
        "chart": selectors.draw_lines(figures, words),
        "now": figures[-1] if figures else None,
        "now_words": words[-1] if words else "",
        "counties": counties,
        "division": division,
        "place": names.get(division, "全市"),
        "by_county": [(names[f.division], f, selectors.said(shown.unit, f)) for f in by_county],
        "revisions": [
            (
                each,
                selectors.said_value(shown.unit, each.before),
                selectors.said_value(shown.unit, each.after),
            )
            for each in selectors.list_revisions(indicator_id, division)[:12]
        ],
        "fewest": selectors.FEWEST,
        "is_unofficial": selectors.UNOFFICIAL in shown.source,
    }
    return render(request, "portal/insight/indicator.html", context)


@require_GET
@page
def export(request: HttpRequest, indicator_id: str, kind: str) -> HttpResponse:
    """One place's months as a file, every line with its definition's version and digest."""
    shown = selectors.get_indicator(indicator_id)
    division = request.GET.get("county", "") or selectors.CITY
    write, media = services.WRITERS[kind]
    rows = services.rows_of(shown, selectors.list_figures(indicator_id, division))
    answer = HttpResponse(write(rows), content_type=media)
    answer["Content-Disposition"] = f'attachment; filename="{shown.id}-{division}.{kind}"'
    return answer


@require_GET
@page
def open_data(request: HttpRequest) -> HttpResponse:
    """What others' programs can fetch, and in which forms."""
    context = {"indicators": selectors.list_indicators(), "kinds": list(services.WRITERS)}
    return render(request, "portal/insight/open.html", context)


@require_GET
@page
def open_file(request: HttpRequest, name: str) -> HttpResponse:
    """The structure and all figures as SDMX, the catalogue as DCAT."""
    if name == "structure.xml":
        written = services.sdmx_structure(datetime.now(UTC))
        return HttpResponse(
            written, content_type="application/vnd.sdmx.structure+xml;version=3.0.0"
        )
    if name == "figures.csv":
        return HttpResponse(
            services.sdmx_csv(), content_type="application/vnd.sdmx.data+csv;version=2.0.0"
        )
    base = request.build_absolute_uri(reverse("portal:insight"))
    return JsonResponse(
        services.dcat(base), content_type="application/ld+json",
        json_dumps_params={"ensure_ascii": False, "indent": 1},
    )  # fmt: skip


@require_GET
@page
def measures(request: HttpRequest) -> HttpResponse:
    """The 26 measures: who leads, which services run, which indicators watch them."""
    catalogue = cases.matter_catalogue().values()
    watched = selectors.list_latest()
    running = cases.count_by_matter(datetime.now(UTC).date())
    rows = []
    for measure in selectors.list_measures():
        mine = [matter for matter in catalogue if matter.measure == measure.number]
        figures = [
            (each, selectors.said(each.unit, figure))
            for each, figure in watched
            if measure.number in each.measures and figure is not None
        ]
        counts = [running.get(matter.id, (0, 0)) for matter in mine]
        load = (sum(many for many, _ in counts), sum(late for _, late in counts))
        rows.append((measure, sorted(mine, key=lambda matter: matter.title), figures, load))
    systems = [(name, list(mine)) for name, mine in groupby(rows, key=lambda row: row[0].system)]
    return render(request, "portal/insight/measures.html", {"systems": systems})


@require_GET
@page
def reports(request: HttpRequest) -> HttpResponse:
    """The quarterly reports, the newest first."""
    return render(request, "portal/insight/reports.html", {"reports": selectors.list_reports()})


@require_GET
@page
def report(request: HttpRequest, quarter: str) -> HttpResponse:
    """One report to read; each figure leads to its indicator."""
    shown = selectors.get_report(quarter)
    charts = selectors.charts_of(shown)
    sections = [(part, charts.get(n)) for n, part in enumerate(shown.content["sections"])]
    context = {"report": shown, "content": shown.content, "sections": sections}
    return render(request, "portal/insight/report.html", context)


@require_GET
@page
def report_file(request: HttpRequest, quarter: str, kind: str) -> HttpResponse:
    """The report as PDF/A or as a Word file."""
    shown = selectors.get_report(quarter)
    content = services.as_pdf(shown) if kind == "pdf" else services.as_word(shown)
    answer = HttpResponse(content, content_type=_KINDS[kind])
    answer["Content-Disposition"] = f'attachment; filename="report-{shown.quarter}.{kind}"'
    return answer


def target_words(target: TargetView) -> dict[str, Any]:
    """A target's numbers in words, and how much of it there is, for a bar."""
    then, now = target.at_deadline, target.now
    return {
        "aim": f"{selectors.DIRECTIONS[target.direction]} {selectors.said_value(target.unit, target.target)}",
        "then": selectors.said(target.unit, then),
        "now": selectors.said(target.unit, now),
        "range": _range(target.unit, now),
        "trend": selectors.said_value(target.unit, target.trend.value) if target.trend else "",
        "trend_range": _ends(target.unit, target.trend.low, target.trend.high)
        if target.trend
        else "",
        "share": _progress(target),
    }


def _range(unit: str, figure: FigureView | None) -> str:
    if figure is None or figure.low is None or figure.high is None:
        return ""
    return _ends(unit, figure.low, figure.high)


def _ends(unit: str, low: float, high: float) -> str:
    return f"{selectors.said_value(unit, low)} 到 {selectors.said_value(unit, high)}"


def _progress(target: TargetView) -> float:
    """How much of the target there is now, in per cent of it, at most 100: for the bar."""
    value = target.now.value if target.now else None
    if value is None or not target.target:
        return 0.0
    return round(min(100.0, 100 * value / float(target.target)), 1)
