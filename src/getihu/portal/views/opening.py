"""我能开这个店吗: for somebody who is on no register; nothing she answers is kept."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from getihu.entry import selectors
from getihu.kernel.errors import InvalidInput
from getihu.portal.forms import OpeningForm
from getihu.portal.views import page
from getihu.portal.views.casework import today
from getihu.reference import selectors as reference
from getihu.rulebook import selectors as rulebook

ASKED = ("text", "trade", "county")
LONGEST = 60


@require_GET
@page
def opening(request: HttpRequest) -> HttpResponse:
    """Describe it, choose the trade and the county, answer what is left, see what it takes."""
    form = OpeningForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    text, trade, county = (str(asked.get(name, "")) for name in ASKED)
    if county not in {each.code for each in reference.list_counties()}:
        county = ""
    written = _written(request)
    context: dict[str, Any] = {
        "text": text,
        "counties": [(each.code, each.name) for each in reference.list_counties()],
        "county": county,
        "trade": selectors.describe(trade) if trade else None,
        "guesses": selectors.guess_trades(text) if text and not trade else [],
        "state": [("text", text), ("trade", trade), ("county", county), *written.items()],
        "problem": "",
    }
    if context["trade"] and county:
        context |= _answered(trade, county, written)
    status = 422 if context["problem"] else 200
    return render(request, "portal/opening.html", context, status=status)


@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """Completions of a place while it is typed, for the list under the box."""
    typed = request.GET.get("premises", "")[:LONGEST]
    county = request.GET.get("county", "") or None
    options = reference.complete_place(typed, county)
    return render(request, "portal/_places.html", {"options": options})


def _written(request: HttpRequest) -> dict[str, str]:
    """Answers so far stand in the address: about a shop that is not there yet, so nobody's."""
    found = {
        name.removeprefix("a."): str(value).strip()[:LONGEST]
        for name, value in request.GET.items()
        if name.startswith("a.")
    }
    if "skip" in request.GET:
        found[request.GET["skip"]] = ""
    return found


def _answered(trade: str, county: str, written: dict[str, str]) -> dict[str, Any]:
    problem = ""
    try:
        answer = selectors.answer_opening(trade, county, written, today())
    except InvalidInput as error:
        problem = error.problems[0].message
        wrong = next(reversed(written))
        written = {name: value for name, value in written.items() if name != wrong}
        answer = selectors.answer_opening(trade, county, written, today())
    base = {"text": "", "trade": trade, "county": county}
    state = [*base.items(), *((f"a.{name}", value) for name, value in written.items())]
    return {
        "answer": answer,
        "state": state,
        "verdict_label": selectors.VERDICTS[answer.verdict],
        "needed": [p for p in answer.permits if p.verdict not in ("open", "unknown")],
        "open": [p for p in answer.permits if p.verdict == "open"],
        "unknown": [p for p in answer.permits if p.verdict == "unknown"],
        "problem": problem,
        "back": [
            (name, value, urlencode([pair for pair in state if pair[0] != f"a.{name}"]))
            for name, value in written.items()
        ],
        "labels": _labels(),
    }


def _labels() -> dict[str, str]:
    return {
        each.name: each.label
        for entry in selectors.catalogue()
        for each in rulebook.get_rule(str(entry["rule"])).inputs
    }
