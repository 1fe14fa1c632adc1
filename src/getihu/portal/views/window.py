"""Appointments on a phone, and rating a visit by its ticket or one's own account."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.accounts.contracts import Actor
from getihu.cases import selectors as cases
from getihu.entry import selectors, services
from getihu.evaluations import selectors as ratings
from getihu.evaluations import services as evaluations
from getihu.evaluations.contracts import BAD, GRADE_LABELS, Standing, VisitStanding
from getihu.kernel.errors import GetihuError
from getihu.portal.forms import RatingForm
from getihu.portal.views import Refused, page
from getihu.portal.views.casework import (
    CITY_TIME,
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

trader_page = casework("portal:appointments")


@require_GET
@trader_page
def appointments(request: HttpRequest) -> HttpResponse:
    """What is booked, what was; visits that can still be rated."""
    actor = actor_of(request)
    listed = selectors.list_appointments(actor)
    visits = [
        (visit, ratings.visit_standing(visit.id, on=today()))
        for visit in selectors.list_visits_of(actor)
        if visit.state != "left"
    ]
    seen = [*(each.trader_code for each in listed), *(visit.trader_code for visit, _ in visits)]
    shows(request, *filter(None, seen))  # an appointment need not be for a shop
    context = {
        "booked": [(each, each.on == today()) for each in listed if each.state == "booked"],
        "past": [each for each in listed if each.state != "booked"][:10],
        "visits": visits,
        "today": today(),
        "once": fresh_key(),
    }
    return render(request, "portal/window/appointments.html", context)


@require_http_methods(["GET", "POST"])
@trader_page
def book(request: HttpRequest) -> HttpResponse:
    """Where, when, what for: one page, each answer a link, the last one a button."""
    actor = actor_of(request)
    change = _own_appointment(actor, request.GET.get("change") or request.POST.get("change", ""))
    if request.method == "POST":
        return act_once(request, lambda: _book(request, actor, change))
    traders = bookable_traders(actor)
    office = _office(request, change, traders)
    context = slots_context(request, office) | {
        "change": change,
        "traders": [(code, trader_name(code)) for code in traders],
        "matters": bookable_matters(),
        "asked": request.GET.getlist("matter"),
        "once": fresh_key(),
        "at_counter": False,
    }
    return render(request, "portal/window/book.html", context)


@require_POST
@trader_page
def act(request: HttpRequest, appointment_id: uuid.UUID) -> HttpResponse:
    """Cancel, or say that one has come."""
    actor, asked = actor_of(request), request.POST.get("do", "")
    if asked not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的动作。")
    view = _own_appointment(actor, str(appointment_id))
    if view is None:
        raise Refused(404, "没有这个预约", "可能不是您的。", ("从“我的预约”里打开。",))

    def do() -> str:
        ACTIONS[asked](view, actor, now())
        return reverse("portal:appointments")

    return act_once(request, do)


def _cancel(view: Any, by: Actor, at: datetime) -> None:
    services.cancel_appointment(uuid.UUID(view.id), by=by, at=at)


def _arrive(view: Any, by: Actor, at: datetime) -> None:
    services.check_in(view.code, by=by, at=at)


ACTIONS: dict[str, Callable[[Any, Actor, datetime], None]] = {"cancel": _cancel, "arrive": _arrive}


@require_http_methods(["GET", "POST"])
@trader_page
def rate(request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
    """Rate one's own visit. Not kept by ``act_once``, as with cases."""
    mine = {visit.id for visit in selectors.list_visits_of(actor_of(request))}
    standing = ratings.visit_standing(visit_id, on=today()) if str(visit_id) in mine else None
    if standing is None:
        raise Refused(404, "没有这次接待", "窗口还没有答复，或者不是您的。")
    return _rated(request, standing, "", "portal:appointments")


@require_http_methods(["GET", "POST"])
@page
def rate_by_ticket(request: HttpRequest) -> HttpResponse:
    """Rate by the code on the slip, without signing in. The code never stands in an address that
    is sent: the picture on the slip carries it behind the #."""
    ticket = request.POST.get("ticket", "")[:60] if request.method == "POST" else ""
    context: dict[str, Any] = {"ticket": ticket, "problem": ""}
    if not ticket:
        return _no_store(render(request, "portal/window/ticket_form.html", context))
    try:
        standing = ratings.find_visit(ticket, on=today())
    except ratings.RatingNotFound as error:
        context["problem"] = str(error)
        return _no_store(render(request, "portal/window/ticket_form.html", context, status=404))
    return _no_store(_rated(request, standing, ticket, "portal:home"))


def _rated(request: HttpRequest, standing: VisitStanding, ticket: str, back: str) -> HttpResponse:
    context: dict[str, Any] = {
        "visit": standing,
        "ticket": ticket,
        "back": back,
        "fewest": ratings.FEWEST,
        "standing": standing.standing.value,
    }
    if request.method == "GET" or request.POST.get("do") != "rate":
        if standing.standing is not Standing.OPEN:
            return render(request, "portal/window/rated.html", context)
        context["form"] = RatingForm(initial={"code": ratings.fresh_code()})
        return render(request, "portal/window/rate.html", context)
    form = RatingForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/window/rate.html", {**context, "form": form}, status=422)
    given = form.cleaned_data
    try:
        kept = evaluations.rate_visit(
            uuid.UUID(standing.visit),
            grade=given["grade"],
            code=given["code"],
            comment=given["comment"],
            contact=given["contact"],
            at=now(),
        )
    except GetihuError as error:
        context["problem"] = str(error)
        return render(request, "portal/window/rated.html", context, status=409)
    context |= {
        "code": given["code"],
        "label": GRADE_LABELS[given["grade"]],
        "is_bad": given["grade"] in BAD,
        "contact_kept": kept,
    }
    return render(request, "portal/window/rated.html", context)


def _no_store(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


# shared with the counter


def slots_context(request: HttpRequest, office: Any) -> dict[str, Any]:
    """The days of an office and the slots of the one asked for, else of the first with a place."""
    days = selectors.list_days(office, now())
    asked = request.GET.get("on", "")
    chosen = next((day for day in days if day.on.isoformat() == asked), None)
    chosen = chosen or next((day for day in days if day.free), None)
    slots = selectors.list_slots(office, chosen.on, now()) if chosen else []
    return {
        "office": office,
        "offices": selectors.list_offices(),
        "days": days,
        "chosen": chosen,
        "morning": [slot for slot in slots if _hour(slot.starts_at) < 12],
        "afternoon": [slot for slot in slots if _hour(slot.starts_at) >= 12],
        "today": today(),
    }


def _hour(at: datetime) -> int:
    return at.astimezone(CITY_TIME).hour


def bookable_matters() -> list[tuple[str, str]]:
    """What one can come for: everything a trader can ask for, by title."""
    return [(guide.id, guide.title) for guide in selectors.list_guides()]


def bookable_traders(actor: Actor) -> list[str]:
    codes = actor.own | {code for code, _ in actor.authorised}
    return sorted(c for c in codes if actor.may_apply_for(c) and not selectors.is_provisional(c))


def asked_matters(request: HttpRequest) -> list[str]:
    return [name for name in request.POST.getlist("matter") if name in cases.matter_catalogue()]


def asked_slot(request: HttpRequest) -> datetime:
    found = selectors.read_moment(request.POST.get("slot", ""))
    if found is None:
        raise Refused(422, "还没有选时间", "要选一个时间才能约。", ("回到上一页选一个时间。",))
    return found


def _own_appointment(actor: Actor, appointment_id: str) -> Any:
    listed = {each.id: each for each in selectors.list_appointments(actor)}
    return listed.get(appointment_id)


def _office(request: HttpRequest, change: Any, traders: list[str]) -> Any:
    if change is not None:
        return selectors.get_office(change.office_id)
    asked = request.GET.get("office", "")
    offices = selectors.list_offices()
    found = next((office for office in offices if office.id == asked), None)
    return found or _nearest(traders) or offices[0]


def _nearest(traders: list[str]) -> Any:
    for code in traders[:1]:
        try:
            place = place_of(code) or ""
        except GetihuError:
            return None
        return next((o for o in selectors.list_offices() if place.startswith(o.division)), None)
    return None


def _book(request: HttpRequest, actor: Actor, change: Any) -> str:
    starts_at = asked_slot(request)
    if change is not None:
        services.move_appointment(uuid.UUID(change.id), starts_at, by=actor, at=now())
    else:
        services.book(
            request.POST.get("office", ""),
            starts_at,
            trader_code=request.POST.get("trader", ""),
            matters=asked_matters(request),
            question=request.POST.get("question", ""),
            by=actor,
            at=now(),
        )
    return reverse("portal:appointments")
