"""Credit repair: an owner's records with both clocks and one form; an office notes what it knows."""

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
from getihu.supervision import selectors, services

trader_page = casework("portal:mine")
desk_page = casework("portal:desk-credit")


@require_GET
@trader_page
def mine_credit(request: HttpRequest, trader_code: str) -> HttpResponse:
    """Every penalty and mark of hers: when each can be repaired on which network, and one form."""
    records = selectors.list_credit_records(trader_code, on=today())
    context = {
        "code": trader_code,
        "name": trader_name(trader_code),
        "records": [(record, fresh_key()) for record in records],
        "is_owner": trader_code in actor_of(request).own,
        "today": today(),
    }
    return render(request, "portal/supervision/credit.html", context)


@require_POST
@trader_page
def mine_credit_say(request: HttpRequest, trader_code: str) -> HttpResponse:
    """Apply for repair, ask for restoration, or object to a record; sent again it acts once."""
    return act_once(request, lambda: _say(request, trader_code))


def _say(request: HttpRequest, code: str) -> str:
    sent, by, at = request.POST, actor_of(request), now()
    record, place = sent.get("record", ""), place_of(code) or ""
    match sent.get("do"):
        case "apply":
            case = services.apply_for_repair(
                code,
                record,
                obligations_met=sent.get("obligations_met") == "yes",
                harm_removed=sent.get("harm_removed") == "yes",
                commitment=sent.get("commitment") == "yes",
                place=place,
                by=by,
                at=at,
            )
        case "restore":
            mended = sent.get("mended") == "yes"
            case = services.ask_restoration(code, record, mended=mended, place=place, by=by, at=at)
        case "object":
            why = sent.get("why", "")
            case = services.object_to_record(code, record, why=why, place=place, by=by, at=at)
        case _:
            raise Refused(400, "这个请求看不懂", "没有这样的申请。")
    return reverse("portal:mine-case", args=[case])


@require_GET
@desk_page
def desk_credit(request: HttpRequest) -> HttpResponse:
    """Records this office has noted something of, and those of one trader with the form to note."""
    actor = actor_of(request)
    code = request.GET.get("code", "").strip().upper()[:18]
    noted = selectors.list_noted_records(actor)
    records = []
    if code:
        _check_place(actor, place_of(code) or "")
        for record in selectors.list_credit_records(code, on=today()):
            asked = selectors.asked_of_record(record, selectors.find_note(record.key))
            records.append((record, asked, fresh_key()))
    shows(request, *{code, *(each.trader_code for each in noted)} - {""})
    context = {
        "code": code,
        "name": trader_name(code) if code else "",
        "records": records,
        "noted": noted,
        "today": today(),
    }
    return render(request, "portal/supervision/desk_credit.html", context)


@require_POST
@desk_page
def desk_credit_note(request: HttpRequest) -> HttpResponse:
    """Note what the office knows of a record."""
    return act_once(request, lambda: _note(request))


def _note(request: HttpRequest) -> str:
    sent = request.POST
    code = sent.get("code", "").strip().upper()[:18]
    facts = {
        name.removeprefix("fact-"): str(value)
        for name, value in sent.items()
        if name.startswith("fact-")
    }
    services.note_record(
        code,
        sent.get("record", ""),
        place=place_of(code) or "",
        facts=facts,
        by=actor_of(request),
        at=now(),
    )
    return f"{reverse('portal:desk-credit')}?code={code}"


def _check_place(actor: Actor, place: str) -> None:
    if not any(grant.agency == "amr" and grant.scope.covers(place) for grant in actor.grants):
        raise services.NotAllowed("这户不在您的辖区，或者不归您的机关。")
