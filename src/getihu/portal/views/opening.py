"""我能开这个店吗: for somebody who is on no register; nothing she answers is kept."""

from dataclasses import dataclass
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
from getihu.reference.contracts import AddressMatch
from getihu.rulebook import selectors as rulebook

LONGEST = 60
MOST_TRADES = 4  # one shop; more are a second look


@dataclass(frozen=True)
class _Asked:
    """What stands in the address of the page. It is about a shop that is not there yet."""

    text: str
    trades: tuple[str, ...]
    premises: str
    county: str
    place: str
    written: dict[str, str]

    def pairs(self, **changed: str) -> list[tuple[str, str]]:
        """All of it as the page's own fields, some changed; empty ones left out."""
        own = {"premises": self.premises, "county": self.county, "place": self.place, **changed}
        found = [(name, value) for name, value in own.items() if value]
        found += [("trade", code) for code in self.trades]
        return [*found, *((f"a.{name}", value) for name, value in self.written.items())]


@require_GET
@page
def opening(request: HttpRequest) -> HttpResponse:
    """Describe it, choose the trades, say where, answer what is left, see what it takes."""
    asked = _read(request)
    match = _match(asked)
    place = asked.place or (match.place_code if match and not match.options else "") or asked.county
    context: dict[str, Any] = {
        "asked": asked,
        "counties": [(each.code, each.name) for each in reference.list_counties()],
        "match": match,
        "place": place,
        "place_name": _place_name(place),
        "trades": [(selectors.describe(code), _without(asked, code)) for code in asked.trades],
        "can_add": len(asked.trades) < MOST_TRADES,
        "guesses": [
            (guess, urlencode([*asked.pairs(), ("trade", guess.code)]))
            for guess in (selectors.guess_trades(asked.text) if asked.text else [])
            if guess.code not in asked.trades
        ],
        "state": asked.pairs(),
        "problem": "",
    }
    if asked.trades and place:
        context |= _answered(asked, place)
    status = 422 if context["problem"] else 200
    return render(request, "portal/opening.html", context, status=status)


@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """Completions of a place while it is typed, for the list under the box."""
    typed = request.GET.get("premises", "")[:LONGEST]
    county = request.GET.get("county", "") or None
    options = reference.complete_address(typed, county)
    return render(request, "portal/_places.html", {"options": options})


def _read(request: HttpRequest) -> _Asked:
    form = OpeningForm(request.GET)
    form.is_valid()
    given = {name: str(form.cleaned_data.get(name, "")) for name in form.fields}
    known = {each.code for each in reference.list_counties()}
    place = given["place"] if reference.division_name(given["place"][:6] or "-") else ""
    codes = dict.fromkeys(c for c in request.GET.getlist("trade") if selectors.describe(c[:4]))
    return _Asked(
        given["text"],
        tuple(codes)[:MOST_TRADES],
        given["premises"],
        given["county"] if given["county"] in known else "",
        place if place[:6] in known else "",
        _written(request),
    )


def _written(request: HttpRequest) -> dict[str, str]:
    found = {
        name.removeprefix("a."): str(value).strip()[:LONGEST]
        for name, value in request.GET.items()
        if name.startswith("a.")
    }
    if "skip" in request.GET:
        found[request.GET["skip"]] = ""
    return found


def _match(asked: _Asked) -> AddressMatch | None:
    if not asked.premises:
        return None
    return reference.resolve_address(asked.premises, asked.county or None)


def _place_name(place: str) -> str:
    town = reference.get_town(place) if place else None
    county = reference.division_name(place[:6]) if place else ""
    return f"{county}{town.name}" if town else county or ""


def _without(asked: _Asked, code: str) -> str:
    return urlencode([pair for pair in asked.pairs() if pair != ("trade", code)])


def _answered(asked: _Asked, place: str) -> dict[str, Any]:
    problem, written = "", asked.written
    try:
        answer = selectors.answer_opening(asked.trades, place, written, today())
    except InvalidInput as error:
        problem = f"{error.problems[0].message} {error.problems[0].fix}".strip()
        wrong = next(reversed(written))
        written = {name: value for name, value in written.items() if name != wrong}
        answer = selectors.answer_opening(asked.trades, place, written, today())
    state = [pair for pair in asked.pairs() if not pair[0].startswith("a.")]
    state += [(f"a.{name}", value) for name, value in written.items()]
    closed = [p for p in answer.permits if p.level == "closed"]
    return {
        "answer": answer,
        "state": state,
        "number": len(written) + 1,
        "closed": closed,
        "can_bundle": any(code.startswith("62") for code in asked.trades),
        "barred": [e for e in answer.entries if e.verdict.at_least == "closed"],
        "partly": [e for e in answer.entries if e.only],
        "listed": [e for e in answer.entries if e.is_listed and not e.only],
        "needed": [
            (label, [p for p in answer.permits if p.step == step])
            for step, label in selectors.STEPS.items()
        ],
        "open": [p for p in answer.permits if p.level == "open"],
        "unknown": [p for p in answer.permits if p.level == "unknown"],
        "problem": problem,
        "back": [
            (name, _shown(name, value), urlencode([p for p in state if p[0] != f"a.{name}"]))
            for name, value in written.items()
        ],
        "onward": urlencode(
            [("premises", asked.premises), ("place", asked.place), ("county", asked.county)]
            + [("trade", code) for code in asked.trades]
        ),
    }


def _shown(name: str, value: str) -> tuple[str, str]:
    """An answer as it was asked: the label, and the choice in words."""
    each = _inputs().get(name)
    label, choices = each or (name, {})
    return label, choices.get(value, value) or "不知道"


def _inputs() -> dict[str, tuple[str, dict[str, str]]]:
    return {
        each.name: (each.label, dict(each.values))
        for entry in selectors.catalogue()
        for each in rulebook.get_rule(str(entry["rule"])).inputs
    }
