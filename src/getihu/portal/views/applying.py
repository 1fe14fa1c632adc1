"""快享快办: a trader applies for a policy; one question a page, and only what nobody knows."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.kernel.errors import InvalidInput
from getihu.policies import selectors, services
from getihu.portal.views import Refused
from getihu.portal.views.casework import (
    act_once,
    actor_of,
    casework,
    fresh_key,
    now,
    shows,
    today,
    trader_name,
)

trader_page = casework("portal:mine")


@require_http_methods(["GET", "POST"])
@trader_page
def start(request: HttpRequest, rule_id: str) -> HttpResponse:
    """What it gives, what is known already, how few questions are left; one button to begin."""
    actor = actor_of(request)
    if request.method == "POST":
        code = request.POST.get("trader", "")
        return act_once(request, lambda: _open(request, rule_id, code))
    reading = selectors.get_reading(rule_id, today())
    if not selectors.can_apply(reading):
        raise Refused(409, "这项政策不在这里申请", "看政策页上的“怎么办”。", ("回到政策页。",))
    codes = actor.own | {code for code, _ in actor.authorised}
    able = sorted(code for code in codes if actor.may_apply_for(code))
    context = {
        "reading": reading,
        "traders": [(code, trader_name(code)) for code in able],
        "once": fresh_key(),
    }
    return render(request, "portal/mine/apply.html", context)


def _open(request: HttpRequest, rule_id: str, code: str) -> str:
    made = services.open_application(rule_id, code, by=actor_of(request), on=today(), at=now())
    return reverse("portal:mine-application", args=[made])


@require_GET
@trader_page
def application(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """The next question, or what it comes to."""
    shown = selectors.get_application(case_id, actor=actor_of(request), on=today())
    if not shown.can_change:
        return redirect("portal:mine-case", case_id=case_id)
    return _page(request, shown)


def _page(
    request: HttpRequest, shown: selectors.Application, problem: str = "", said: str = ""
) -> HttpResponse:
    context = {
        "application": shown,
        "name": trader_name(shown.case.trader_code),
        "problem": problem,
        "said": said,
        "once": fresh_key(),
    }
    shows(request, shown.case.trader_code)
    return render(request, "portal/mine/application.html", context, status=422 if problem else 200)


@require_POST
@trader_page
def say(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """One answer, one taken back, or the whole handed in; sent again it acts no second time."""
    actor, asked = actor_of(request), request.POST.get("do", "")
    fact, text = request.POST.get("fact", ""), request.POST.get("value", "")
    here = redirect("portal:mine-application", case_id=case_id)
    if asked == "submit":
        return act_once(request, lambda: _hand_in(request, case_id))
    if asked == "back":
        services.take_back(case_id, fact, by=actor, on=today())
        return here
    if asked not in ("answer", "skip"):
        raise Refused(400, "这个请求看不懂", "没有这样的动作。")
    if asked == "answer" and not text.strip():
        shown = selectors.get_application(case_id, actor=actor, on=today())
        return _page(request, shown, "还没有回答。不知道的，按“不知道”。")
    try:
        services.answer(case_id, fact, text if asked == "answer" else "", by=actor, on=today())
    except InvalidInput as error:
        shown = selectors.get_application(case_id, actor=actor, on=today())
        return _page(request, shown, error.problems[0].message, text)
    return here


def _hand_in(request: HttpRequest, case_id: uuid.UUID) -> str:
    services.hand_in(case_id, by=actor_of(request), on=today(), at=now())
    return reverse("portal:mine-case", args=[case_id])
