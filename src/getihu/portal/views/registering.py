"""Opening a shop, the register of one's own shop, and taking one over."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from getihu.cases import selectors as cases
from getihu.entry import selectors, services
from getihu.portal.forms import RegisterForm
from getihu.portal.views.casework import (
    act_once,
    actor_of,
    casework,
    fresh_key,
    now,
    today,
    trader_name,
)
from getihu.reference import selectors as reference

trader_page = casework("portal:mine")
LOWEST = 3  # candidates shown when an address leaves it open


@require_http_methods(["GET", "POST"])
@trader_page
def register_shop(request: HttpRequest) -> HttpResponse:
    """Where it will stand and what it will do; then the form of the registration, filled in."""
    given = request.POST if request.method == "POST" else request.GET
    form = RegisterForm(given if given else None)
    found = [selectors.describe(code[:4]) for code in dict.fromkeys(given.getlist("trade"))]
    trades = [trade for trade in found if trade]
    context: dict[str, Any] = {"form": form, "once": fresh_key(), "match": None, "trades": trades}
    if given and form.is_valid():
        asked = form.cleaned_data
        match = reference.resolve_address(asked["premises"], asked["county"] or None)
        place = asked["place"] or match.town_code or match.county_code
        context |= {"match": match, "place": place}
        if request.method == "POST" and place:
            trades = context["trades"]
            return act_once(request, lambda: _begin(request, asked, place, trades))
    status = 422 if form.errors else 200
    return render(request, "portal/mine/register_shop.html", context, status=status)


@require_GET
@trader_page
def register(request: HttpRequest, trader_code: str) -> HttpResponse:
    """What the register says of one's shop, everything filed for it, what can be filed."""
    entry = selectors.get_entry(trader_code)
    status = entry.status_on(today()) if entry else None
    context = {
        "code": trader_code,
        "name": trader_name(trader_code),
        "entry": entry,
        "status": entry.label_on(today()) if entry else "",
        "suspension": entry.suspension_on(today()) if entry else None,
        "owes_premises": entry.owes_premises_on(today()) if entry else False,
        "filings": selectors.list_filings(trader_code),
        "matters": [
            matter
            for matter in cases.matter_catalogue().values()
            if matter.filing
            and matter.started_by != "anybody"
            and (status is None or status in selectors.get_kind(matter.filing.kind).status)
        ],
    }
    return render(request, "portal/mine/register.html", context)


@require_http_methods(["GET", "POST"])
@trader_page
def take_over(request: HttpRequest) -> HttpResponse:
    """A code that says: I take that shop over. Shown once."""
    code = ""
    if request.method == "POST":
        code = services.make_take_over_code(by=actor_of(request), at=now())
    return render(request, "portal/mine/take_over.html", {"code": code})


@require_http_methods(["GET", "POST"])
@trader_page
def claim(request: HttpRequest) -> HttpResponse:
    """What a window opened for her becomes hers, by the code of her slip."""
    given = request.POST.get("code", "").strip()[:40]
    if request.method != "POST":
        return render(request, "portal/mine/claim.html", {})
    if services.claim_shop(given, by=actor_of(request), at=now()):
        return render(request, "portal/mine/claim.html", {"done": True})
    return render(request, "portal/mine/claim.html", {"given": given, "wrong": True}, status=422)


def _begin(
    request: HttpRequest, asked: dict[str, Any], place: str, trades: list[selectors.Guess]
) -> str:
    """The draft: the first trade is the main one, the scope names all of them."""
    answers = {
        "premises": asked["premises"],
        "industry_code": trades[0].code if trades else None,
        "scope": "、".join(trade.name for trade in trades),
        "name": None,
    }
    answers = {name: value for name, value in answers.items() if value}
    made = services.begin_opening(answers, place=place, by=actor_of(request), at=now())
    return reverse("portal:mine-draft", args=[made])
