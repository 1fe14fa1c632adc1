"""Questions to the published datasets: chosen from lists, answered in groups, exported."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from getihu.dataplane import selectors as dataplane
from getihu.insight import services
from getihu.insight.contracts import Explored, Question
from getihu.portal.views import page
from getihu.portal.views.casework import actor_of
from getihu.portal.views.policies import csv_file


@require_GET
@page
def explore(request: HttpRequest) -> HttpResponse:
    """The form; with a question, its answer; as CSV when asked so."""
    asked = request.GET
    contracts = dataplane.dataset_contracts()
    dataset = asked.get("dataset", "")
    context: dict[str, Any] = {
        "datasets": [(each.id, each.title) for each in contracts.values()],
        "dataset": dataset,
        "asked": asked,
    }
    if dataset:
        context["choices"] = services.choices(dataset)
    if dataset and asked.get("measure"):
        groups = tuple(name for name in (asked.get("by", ""), asked.get("and", "")) if name)
        column, _, value = asked.get("where", "").partition("=")
        question = Question(dataset, groups, asked["measure"], column, value)
        try:
            found = services.explore(question, by=actor_of(request), at=datetime.now(UTC))
        except services.CannotExplore as error:
            context["problem"] = str(error)
            return render(request, "portal/insight/explore.html", context, status=422)
        if asked.get("as") == "csv":
            return csv_file(_rows(found), f"{dataset}.csv")
        context |= {"found": found, "query": _without_form(request)}
    return render(request, "portal/insight/explore.html", context)


def _rows(found: Explored) -> list[tuple[str, ...]]:
    head = (*found.head, "户数", found.measure)
    note = ("数据", found.snapshot_id, "摘要", found.digest)
    rows = [tuple("不单列" if cell is None else str(cell) for cell in row) for row in found.rows]
    return [head, *rows, note]


def _without_form(request: HttpRequest) -> str:
    query = request.GET.copy()
    query["as"] = "csv"
    return query.urlencode()
