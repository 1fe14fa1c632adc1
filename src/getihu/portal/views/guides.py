"""办事指南: one page per matter, made from the matter; a list, a search, files for others."""

import csv
import io
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from getihu.cases import selectors as cases
from getihu.entry import selectors as entry
from getihu.entry.selectors import ServiceGuide
from getihu.kernel.errors import GetihuError
from getihu.portal.views import Refused, page
from getihu.portal.views.casework import actor_of, place_of
from getihu.reference import selectors as reference

LONGEST = 60
BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y = 196, 76, 40, 14
HEAD = ("事项", "承办机关", "地区", "要带的", "部门已有", "法定期限", "期限依据", "费用", "结果", "有效期（年）", "依据")  # fmt: skip


@require_GET
@page
def guides(request: HttpRequest) -> HttpResponse:
    """Every guide, found by a word; for one's own county where it is known."""
    context = _asked(request)
    context["counties"] = [(each.code, each.name) for each in reference.list_counties()]
    fragment = getattr(request, "htmx", False)
    template = "portal/guides/_list.html" if fragment else "portal/guides/list.html"
    return render(request, template, context)


@require_GET
@page
def guides_file(request: HttpRequest) -> HttpResponse:
    """The same list as a table for spreadsheets."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(HEAD)
    for guide in _asked(request)["guides"]:
        rows.writerow(_cells(guide))
    content = out.getvalue().encode("utf-8-sig")
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="guides.csv"'
    return response


@require_GET
@page
def guide(request: HttpRequest, matter_id: str) -> HttpResponse:
    """What to bring, who does what in how long, what comes out, where to appeal."""
    found = _guide(request, matter_id)
    context = {
        "guide": found,
        "drawing": _drawing(found),
        "counties": [(each.code, each.name) for each in reference.list_counties()],
        "is_city": found.place == reference.WENZHOU,
    }
    return render(request, "portal/guides/guide.html", context)


@require_GET
@page
def guide_file(request: HttpRequest, matter_id: str) -> HttpResponse:
    """One guide as JSON, for other systems."""
    data = _guide(request, matter_id).as_data()
    return JsonResponse(data, json_dumps_params={"ensure_ascii": False, "indent": 1})


def _asked(request: HttpRequest) -> dict[str, Any]:
    text, place = request.GET.get("text", "").strip()[:LONGEST], _place(request)
    return {"guides": entry.list_guides(text, place), "text": text, "place": place}


def _guide(request: HttpRequest, matter_id: str) -> ServiceGuide:
    try:
        matter = cases.get_matter(matter_id)
    except cases.UnknownMatter as error:
        raise Refused(404, "没有这份办事指南", str(error), ("从办事指南的列表里打开。",)) from None
    return entry.guide_of(matter, _place(request))


def _place(request: HttpRequest) -> str:
    """The county asked for; else where one's shop stands; else the whole city."""
    asked = request.GET.get("place", "")
    counties = {each.code for each in reference.list_counties()}
    if asked in counties:
        return asked
    own = sorted(code for code in actor_of(request).own if not entry.is_provisional(code))
    if asked or not own:
        return reference.WENZHOU
    try:
        return (place_of(own[0]) or reference.WENZHOU)[:6]
    except GetihuError:
        return reference.WENZHOU


def _cells(guide: ServiceGuide) -> tuple[object, ...]:
    term = guide.overall or guide.acceptance
    steps = [f"{step.title}（{step.agency}）{step.term.text}" for step in guide.steps]
    return (
        guide.title,
        guide.agency,
        guide.place_name,
        "、".join(d.title for d in guide.documents) or "什么都不用带",
        "、".join(held.title for held in guide.held),
        guide.overall.text if guide.overall else "；".join(steps),
        term.source,
        guide.fee,
        guide.result,
        guide.valid_years or "",
        "；".join(guide.legal_basis),
    )


def _drawing(guide: ServiceGuide) -> dict[str, Any]:
    """The steps as boxes and lines: columns by what comes before, sizes in the picture's units."""
    columns: dict[int, list[dict[str, Any]]] = {}
    first: dict[str, Any] = {
        "id": "",
        "title": "受理",
        "agency": guide.agency,
        "term": guide.acceptance.text,
    }
    columns[0] = [first]
    for step in guide.steps:
        box: dict[str, Any] = {
            "id": step.id,
            "title": step.title,
            "agency": step.agency,
            "term": step.term.text,
        }
        columns.setdefault(step.depth, []).append(box)
    overall = f"合计不超过 {guide.overall.text}" if guide.overall else ""
    last = max(columns) + 1
    columns[last] = [{"id": "=", "title": guide.result, "agency": overall, "term": ""}]
    tallest = max(map(len, columns.values()))
    height = tallest * (BOX_HEIGHT + GAP_Y) + GAP_Y
    for number, boxes in columns.items():
        top = (height - len(boxes) * (BOX_HEIGHT + GAP_Y) + GAP_Y) // 2
        for row, each in enumerate(boxes):
            each |= {"x": 4 + number * (BOX_WIDTH + GAP_X), "y": top + row * (BOX_HEIGHT + GAP_Y)}
            each |= {"lines": [each["title"][:13], each["title"][13:26]]}
            each |= {"who": each["agency"][:15]}
    at = {box["id"]: box for boxes in columns.values() for box in boxes}
    before = {step.id: step.after or ("",) for step in guide.steps}
    waited_for = {name for names in before.values() for name in names}
    before["="] = tuple(step.id for step in guide.steps if step.id not in waited_for)
    return {
        "boxes": list(at.values()),
        "lines": [_line(at[name], at[to]) for to, names in before.items() for name in names],
        "width": 8 + (last + 1) * BOX_WIDTH + last * GAP_X,
        "height": height,
        "box_width": BOX_WIDTH,
        "box_height": BOX_HEIGHT,
    }


def _line(before: dict[str, Any], after: dict[str, Any]) -> str:
    x1, y1 = before["x"] + BOX_WIDTH, before["y"] + BOX_HEIGHT // 2
    x2, y2 = after["x"], after["y"] + BOX_HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}H{middle}V{y2}H{x2}"
