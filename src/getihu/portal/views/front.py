"""The first page: for an owner her shop, for an officer the search, for anybody the ways in."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from getihu.access import selectors as access
from getihu.accounts.contracts import Actor, Duty
from getihu.cases import selectors as cases
from getihu.cases.contracts import CaseView, State
from getihu.dataplane import selectors as dataplane
from getihu.entry import selectors as entry
from getihu.kernel.errors import GetihuError
from getihu.policies import selectors as policies
from getihu.policies.contracts import AwardState
from getihu.portal import selectors
from getihu.portal.contracts import ToDo
from getihu.portal.forms import SearchForm
from getihu.portal.views import page
from getihu.portal.views.casework import bar, casework, today, trader_name
from getihu.portal.views.mine import own_runs, traders_of
from getihu.registry import selectors as registry
from getihu.ui.templatetags.ui import day

TODO_SHOWN = 3
# A food permit is extended 90 to 15 working days before it ends (《食品经营许可和备案管理办法》
# 令78号): four months of days hold the 90 working days.
PERMIT_AHEAD = timedelta(days=125)
PERMIT_FACT = "next_permit_expires_on"


@require_http_methods(["GET", "POST"])
@page
def home(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if request.method == "POST":
        return _search(request)
    if actor.duty == Duty.PERSON and not actor.is_anonymous:
        return _shop(request, actor)
    if actor.is_anonymous:
        return render(request, "portal/welcome.html", {"snapshot": _published()})
    return render(request, "portal/home.html", {"snapshot": _published(), "form": SearchForm()})


@require_GET
@casework("portal:home")
def me(request: HttpRequest) -> HttpResponse:
    """What is hers besides cases: register, code, rights, who looked, how she is told."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return render(request, "portal/mine/me.html", {"traders": _names(actor)})


def _search(request: HttpRequest) -> HttpResponse:
    """Names are personal, so they travel in the body and never in an address."""
    form = SearchForm(request.POST)
    context: dict[str, Any] = {"snapshot": _published(), "form": form}
    if form.is_valid():
        within = access.within(request.actor, "portal:home", "POST")  # type: ignore[attr-defined]
        text = form.cleaned_data["text"]
        context["found"] = registry.search_traders(text, limit=20, within=within)
    fragment = getattr(request, "htmx", False)
    return render(request, "portal/_results.html" if fragment else "portal/home.html", context)


def _published() -> Any:
    return dataplane.get_published_snapshot()


def _shop(request: HttpRequest, actor: Actor) -> HttpResponse:
    """One shop at a time, most useful first: what waits for her, what she gets, what runs."""
    traders, asked = _names(actor), request.GET.get("shop", "")
    codes = [code for code, _ in traders]
    code = asked if asked in codes else next(iter(codes), "")
    open_cases = [
        view
        for view in cases.list_cases(actor, on=today())
        if view.trader_code == code or entry.is_provisional(view.trader_code)
    ]
    parts = cases.cases_in_bundles(view.id for view in open_cases)
    todos = sorted(_todos(open_cases, code), key=lambda todo: todo.due_on or date.max)
    context = {
        "traders": traders,
        "code": code,
        "name": trader_name(code) if code else "",
        "shop": _decided(request, code),
        "todos": todos[:TODO_SHOWN],
        "todos_more": max(len(todos) - TODO_SHOWN, 0),
        "running": [
            (view, bar(view))
            for view in open_cases
            if view.state in (State.SUBMITTED, State.ACCEPTED) and view.id not in parts
        ],
        "runs": [
            run for run in own_runs(actor) if run.state == "running" and run.trader_code == code
        ],
    }
    return render(request, "portal/shop.html", context)


def _names(actor: Actor) -> list[tuple[str, str]]:
    """Her own shops; one that only asks to be registered is none yet. What she may see for
    others stays on the pages that note who looked."""
    return [(code, trader_name(code)) for code in traders_of(actor) if code in actor.own]


def _decided(request: HttpRequest, code: str) -> Any:
    """Her type and policies; None where the departments' data do not know the shop yet."""
    if not code:
        return None
    hidden = access.hidden_classes(request.actor, code)  # type: ignore[attr-defined]
    try:
        return selectors.get_trader_page(code, hidden=hidden)
    except (dataplane.UnknownTrader, dataplane.NothingPublished, dataplane.FactsNotBuilt):
        return None


def _todos(open_cases: list[CaseView], code: str) -> Iterator[ToDo]:
    for view in open_cases:
        if view.state is State.CORRECTION:
            href = reverse("portal:mine-case", args=[view.id])
            yield ToDo(view.title, "等您补材料", "补材料", href, None)
    for award in policies.list_awards_of([code]) if code else ():
        if award.state in (AwardState.ENTITLED, AwardState.RETURNED):
            href = reverse("portal:mine-award", args=[award.id])
            until = f"{day(award.confirm_until)}以前确认收款账户"
            yield ToDo(award.title, until, "确认", href, award.confirm_until)
    yield from _permit_ending(code)
    for view in open_cases:
        if view.state is State.DRAFT:
            href = reverse("portal:mine-draft", args=[view.id])
            yield ToDo(view.title, "草稿还没有提交", "接着填", href, None)


def _permit_ending(code: str) -> Iterator[ToDo]:
    """The next permit to end, by the departments' data; nothing where nobody has said."""
    try:
        until = dataplane.get_published_snapshot().data_until
        fact = dataplane.get_trader_facts(code, until).values.get(PERMIT_FACT)
    except GetihuError:
        return
    ends_on = fact.value if fact else None
    if isinstance(ends_on, date) and today() <= ends_on <= today() + PERMIT_AHEAD:
        left = (ends_on - today()).days
        text = f"{day(ends_on)}到期，还有 {left} 天"
        href = reverse("portal:mine-code", args=[code])
        yield ToDo("有许可证快到期", text, "看是哪张", href, ends_on)
