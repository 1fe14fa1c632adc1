"""A trader's profile, her way to a company, and the office's work on both."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.access import selectors as access
from getihu.entry import selectors as entry
from getihu.growth import selectors, services
from getihu.portal.forms import BothSidesForm, ConsentForm, ObjectionForm
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
from getihu.registry import services as registry
from getihu.registry.contracts import Purpose

own_page = casework("portal:mine")
desk_page = casework("portal:desk")
SOON = timedelta(days=30)
HUMAN = "growth.human_profile"
BECOME_COMPANY = "entry.become_company"


@require_GET
@own_page
def profile(request: HttpRequest, trader_code: str) -> HttpResponse:
    """Everything held about her, what it is used for, who looked at it."""
    actor = actor_of(request)
    looks = [look for look in access.list_looks(actor) if look.trader_code == trader_code]
    context = {
        "profile": selectors.get_profile(trader_code, actor=actor),
        "neighbours": selectors.find_neighbours(trader_code),
        "looks": looks[:10],
        "look_count": len(looks),
        "is_owner": trader_code in actor.own,
        "form": ConsentForm(),
        "human": HUMAN,
        "once": fresh_key(),
    }
    return render(request, "portal/mine/profile.html", context)


@require_POST
@own_page
def profile_say(request: HttpRequest, trader_code: str) -> HttpResponse:
    """Consent, take it back, or take back that a person decides."""
    return act_once(request, lambda: _say(request, trader_code))


def _say(request: HttpRequest, trader_code: str) -> str:
    actor, asked = actor_of(request), request.POST.get("do", "")
    back = f"{reverse('portal:mine-profile', args=[trader_code])}#consents"
    if asked == "human":
        services.end_human_profile(trader_code, by=actor, at=now())
        return back
    known = {c.article for c in selectors.get_profile(trader_code, actor=actor).consents}
    article = request.POST.get("article", "")
    if article not in known:
        raise Refused(400, "这个请求看不懂", "没有这一项同意。")
    if asked == "withdraw":
        registry.withdraw_consent(trader_code, Purpose.PROFILE, article, by=actor, at=now())
        return back
    form = ConsentForm(request.POST)
    if asked != "give" or not form.is_valid():
        raise Refused(422, "日期看不懂", "到期的日子没有写对。", ("写以后的日子，或者不写。",))
    until = form.cleaned_data["expires_on"]
    registry.give_consent(
        trader_code, Purpose.PROFILE, article, by=actor, at=now(), expires_on=until
    )
    return back


@require_http_methods(["GET", "POST"])
@own_page
def objection(request: HttpRequest, trader_code: str, fact: str) -> HttpResponse:
    """One datum: what is written, what it should be."""
    actor = actor_of(request)
    shown = selectors.get_profile(trader_code, actor=actor)
    found = next(((g, f) for g in shown.groups for f in g.facts if f.name == fact), None)
    if found is None or trader_code not in actor.own:
        raise Refused(404, "没有这项数据", "画像里没有这一项，或者它不是您的。")
    form = ObjectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        return act_once(
            request, lambda: _object(request, trader_code, fact, said["claimed"], said["why"])
        )
    context = {
        "profile": shown,
        "group": found[0],
        "fact": found[1],
        "form": form,
        "once": fresh_key(),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/mine/objection.html", context, status=status)


def _object(request: HttpRequest, trader_code: str, fact: str, claimed: str, why: str) -> str:
    place = place_of(trader_code)
    if place is None:
        raise Refused(409, "还不知道您的店在哪里", "市场监管部门的登记里没有经营场所所在地。")
    case = services.object_to_fact(
        trader_code, fact, claimed=claimed, why=why, place=place, by=actor_of(request), at=now()
    )
    return reverse("portal:mine-case", args=[case])


@require_GET
@own_page
def objection_slip(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """The slip of the decision made with the contested datum; it replays byte for byte."""
    found = selectors.get_objection_slip(str(case_id), actor=actor_of(request))
    if found is None:
        raise Refused(404, "没有这张凭据", "它不是您的，或者没有提过这样的异议。")
    trader_code, slip = found
    shows(request, trader_code)
    response = HttpResponse(slip, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="slip-{case_id}.json"'
    return response


@require_GET
@own_page
def conversion(request: HttpRequest, trader_code: str) -> HttpResponse:
    """Both sides, what happens to everything; afterwards, what the city still owes."""
    actor = actor_of(request)
    if not actor.may_view(trader_code):
        raise Refused(404, "没有这一户", "只有经营者本人和她授权的人能看。")
    done = selectors.find_conversion(trader_code, on=today())
    form = BothSidesForm(request.GET or None)
    asked = form.asked() if form.is_bound and form.is_valid() else None
    context: dict[str, Any] = {
        "name": trader_name(trader_code),
        "code": trader_code,
        "done": done,
        "form": form,
        "sides": selectors.both_sides(asked) if asked else None,
        "is_owner": trader_code in actor.own,
        "bundle": BECOME_COMPANY,
        "once": fresh_key(),
    }
    if done is None:
        context |= {
            "happens": selectors.rehearse(trader_code),
            "effects": entry.rehearse("conversion", trader_code),
            "forced": selectors.forced_of(trader_code),
        }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "portal/mine/conversion.html", context, status=status)


@require_POST
@own_page
def duty_say(request: HttpRequest, trader_code: str) -> HttpResponse:
    """The owner says whether something was served to her."""

    def do() -> str:
        services.answer_duty(
            _number(request),
            was_served=request.POST.get("do") == "yes",
            by=actor_of(request),
            at=now(),
        )
        return reverse("portal:mine-conversion", args=[trader_code])

    return act_once(request, do)


@require_GET
@desk_page
def desk(request: HttpRequest) -> HttpResponse:
    """Links to look at, conflicts, transfers and what is owed: of her department and region."""
    actor = actor_of(request)
    context: dict[str, list[Any]] = {
        "links": selectors.list_links(actor),
        "linked": selectors.list_links(actor, state="linked", limit=20),
        "conflicts": selectors.list_conflicts(actor),
        "tasks": selectors.list_open_tasks(actor),
        "duties": selectors.list_due_duties(actor, by=today() + SOON, on=today()),
    }
    shows(request, *(each.trader_code for rows in context.values() for each in rows))
    return render(request, "portal/desk/growth.html", {**context, "once": fresh_key()})


@require_POST
@desk_page
def desk_act(request: HttpRequest) -> HttpResponse:
    asked = request.POST.get("do", "")
    act = ACTS.get(asked)
    if act is None:
        raise Refused(400, "这个请求看不懂", "没有这样的动作。")

    def do() -> str:
        act(request)
        return reverse("portal:desk-growth")

    return act_once(request, do)


def _text(request: HttpRequest) -> str:
    return request.POST.get("text", "").strip()


def _number(request: HttpRequest) -> int:
    try:
        return int(request.POST.get("id", ""))
    except ValueError:
        raise Refused(400, "这个请求看不懂", "没有说是哪一条。") from None


def _link(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("id", ""))
    except ValueError:
        raise Refused(400, "这个请求看不懂", "没有说是哪一条。") from None


def _decide(is_same: bool) -> Callable[[HttpRequest], None]:
    def do(request: HttpRequest) -> None:
        services.decide_link(
            _link(request), is_same=is_same, why=_text(request), by=actor_of(request), at=now()
        )

    return do


def _undo(request: HttpRequest) -> None:
    services.undo_link(_link(request), why=_text(request), by=actor_of(request), at=now())


def _take(request: HttpRequest) -> None:
    services.take_conflict(_number(request), by=actor_of(request), at=now())


def _answer(request: HttpRequest) -> None:
    services.answer_conflict(
        _number(request), answer=_text(request), by=actor_of(request), at=now()
    )


def _end_task(request: HttpRequest) -> None:
    services.end_transfer(
        _number(request),
        request.POST.get("state", ""),
        result=_text(request),
        by=actor_of(request),
        at=now(),
    )


def _serve(request: HttpRequest) -> None:
    services.serve_duty(_number(request), note=_text(request), by=actor_of(request), at=now())


ACTS: dict[str, Callable[[HttpRequest], None]] = {
    "same": _decide(True),
    "other": _decide(False),
    "undo": _undo,
    "take": _take,
    "answer": _answer,
    "task": _end_task,
    "serve": _serve,
}
