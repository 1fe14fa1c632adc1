"""Leniency: what was found, what the rule says of it, how comparable cases ended, and the decision;
and the owner's own record of what was not punished."""

import uuid
from collections.abc import Callable
from datetime import date, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from getihu.accounts.contracts import Actor
from getihu.portal.views import Refused
from getihu.portal.views.casework import (
    act_once,
    actor_of,
    casework,
    fresh_key,
    now,
    place_of,
    shows,
    today,
    trader_name,
)
from getihu.reference import selectors as reference
from getihu.supervision import selectors, services
from getihu.supervision.contracts import OUTCOME_LABELS, Outcome

breaches_page = casework("portal:desk-breaches")
TONES = {"yes": "good", "no": "late"}


@require_GET
@breaches_page
def breaches(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, what was decided, and how consistent this office is."""
    actor = actor_of(request)
    waiting = selectors.list_breaches(actor, is_decided=False)
    decided = selectors.list_breaches(actor, is_decided=True, limit=30)
    shows(request, *(each.trader_code for each in (*waiting, *decided)))
    context = {
        "waiting": waiting,
        "decided": decided,
        "items": _items(actor),
        "consistency": [
            (each, reference.department_name(each.agency), reference.division_name(each.place))
            for each in selectors.consistency_of(actor)
        ],
        "since": selectors.memory_since(),
    }
    return render(request, "portal/supervision/breaches.html", context)


@require_GET
@breaches_page
def new_breach(request: HttpRequest) -> HttpResponse:
    """The form for one item: what the memory says, and what the rule asks."""
    actor, sent = actor_of(request), request.GET
    item = selectors.get_item(sent.get("item", ""))
    code, visit_id = sent.get("code", "").strip().upper(), sent.get("visit", "")
    found_on = today()
    if visit_id:
        visit = selectors.get_visit(visit_id, actor=actor)
        code, found_on = visit.trader_code, visit.done_on or today()
    place = place_of(code) or ""
    if not _tends(actor, item.agency, place):
        raise services.NotAllowed("这户不在您的辖区，或者这一项不归您的机关。")
    shows(request, code)
    memory = selectors.memory_of(code, item, found_on)
    context = {
        "item": item,
        "code": code,
        "name": trader_name(code),
        "visit": visit_id,
        "found_on": found_on,
        "today": today(),
        "memory": memory,
        "needs_memory": selectors.remembers(item),
        "remembers": selectors.looked_up(item, memory),
        "asked": selectors.asked_of(item),
        "once": fresh_key(),
    }
    return render(request, "portal/supervision/breach_new.html", context)


@require_GET
@breaches_page
def breach(request: HttpRequest, breach_id: uuid.UUID) -> HttpResponse:
    """One breach: the rule's answer with every condition, comparable cases, then the decision."""
    actor = actor_of(request)
    row = selectors.find_breach(breach_id, actor)
    if not _tends(actor, row.agency, row.place):
        raise services.UnknownBreach("没有找到这件违法记录。")
    shows(request, row.trader_code)
    shown = selectors.get_breach(breach_id, actor=actor)
    item = selectors.get_item(row.item)
    answer, memory = selectors.answer_of(row)
    comparable = selectors.comparable_to(row.item, row.band)
    context = {
        "breach": shown,
        "name": trader_name(row.trader_code),
        "item": item,
        "answer": answer,
        "tone": "good" if answer.outcome in item.lenient else TONES.get(answer.outcome, "unknown"),
        "memory": memory,
        "needs_memory": selectors.remembers(item),
        "remembers": selectors.looked_up(item, memory, shown),
        "asked": selectors.asked_of(item, shown),
        "comparable": comparable,
        "seen": selectors.seen_digest(answer, comparable),
        "outcomes": [(outcome.value, label) for outcome, label in OUTCOME_LABELS.items()],
        "is_late": shown.correct_until is not None and today() > shown.correct_until,
        "today": today(),
        "once": fresh_key(),
    }
    return render(request, "portal/supervision/breach.html", context)


@require_POST
@breaches_page
def act(request: HttpRequest) -> HttpResponse:
    """One step on a breach; sent again it acts once."""
    actor, asked = actor_of(request), request.POST.get("do", "")
    if asked not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的办理动作。")
    return act_once(request, lambda: ACTIONS[asked](request, actor, now()))


def _note(request: HttpRequest, by: Actor, at: datetime) -> str:
    sent = request.POST
    code = sent.get("code", "").strip().upper()
    made = services.note_breach(
        code,
        sent.get("item", ""),
        place=place_of(code) or "",
        found_on=_day(sent.get("found_on", "")) or today(),
        what=sent.get("what", ""),
        facts=_facts(request),
        checked_where=sent.get("checked_where", ""),
        correct_until=_day(sent.get("correct_until", "")),
        corrected_on=_day(sent.get("corrected_on", "")),
        visit_id=sent.get("visit") or None,
        by=by,
        at=at,
    )
    return reverse("portal:desk-breach", args=[made])


def _answer(request: HttpRequest, by: Actor, at: datetime) -> str:
    where = request.POST.get("checked_where", "")
    services.answer_breach(_id(request), facts=_facts(request), checked_where=where, by=by, at=at)
    return _back(request)


def _recheck(request: HttpRequest, by: Actor, at: datetime) -> str:
    sent = request.POST
    is_corrected = sent.get("corrected") == "yes"
    day = _day(sent.get("corrected_on", "")) if is_corrected else None
    if is_corrected and day is None:
        raise Refused(422, "没有写哪天改正的", "改正了要写哪一天。")
    services.record_correction(_id(request), corrected_on=day, by=by, at=at)
    return _back(request)


def _decide(request: HttpRequest, by: Actor, at: datetime) -> str:
    sent = request.POST
    try:
        outcome = Outcome(sent.get("outcome", ""))
    except ValueError:
        raise Refused(422, "没有选处理结果", "从列表里选一项。") from None
    services.decide_breach(
        _id(request),
        outcome=outcome,
        education=sent.get("education", ""),
        departure=sent.get("departure", ""),
        seen=sent.get("seen", ""),
        by=by,
        at=at,
    )
    return _back(request)


ACTIONS: dict[str, Callable[[HttpRequest, Actor, datetime], str]] = {
    "note": _note,
    "answer": _answer,
    "recheck": _recheck,
    "decide": _decide,
}


def _items(actor: Actor) -> list[object]:
    agencies = {grant.agency for grant in actor.grants}
    return [item for item in selectors.list_items() if item.agency in agencies]


def _facts(request: HttpRequest) -> dict[str, str]:
    """Fields named ``fact-…`` as written."""
    return {
        name.removeprefix("fact-"): value
        for name, value in request.POST.items()
        if name.startswith("fact-") and isinstance(value, str)
    }


def _tends(actor: Actor, agency: str, place: str) -> bool:
    return any(g.agency == agency and g.scope.covers(place) for g in actor.grants)


def _id(request: HttpRequest) -> str:
    return request.POST.get("id", "")


def _back(request: HttpRequest) -> str:
    return reverse("portal:desk-breach", args=[_id(request)])


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Refused(422, "日期看不懂", "写成 2027-02-01 这样。") from None
