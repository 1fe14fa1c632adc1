"""Ratings: a trader rates her decided case, an office works bad ones, everybody sees the numbers."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.access import selectors as access
from getihu.accounts.contracts import Actor, Role
from getihu.cases import selectors as cases
from getihu.evaluations import selectors, services
from getihu.evaluations.contracts import (
    BAD,
    GRADE_LABELS,
    Grade,
    Outcome,
    RectificationState,
    Standing,
)
from getihu.kernel.errors import GetihuError
from getihu.portal.forms import FollowUpForm, RatingForm
from getihu.portal.views import Refused, page
from getihu.portal.views.casework import act_once, actor_of, casework, fresh_key, now, shows, today
from getihu.reference import selectors as reference

trader_page = casework("portal:mine")
desk_page = casework("portal:desk-ratings")


@require_http_methods(["GET", "POST"])
@trader_page
def rate(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """Five grades, a few words, a contact if she likes; then the code that is shown this once.

    Not kept by ``act_once``: what it keeps of a form would lead from the account to the grade.
    """
    actor = actor_of(request)
    view = cases.get_case(case_id, actor=actor, on=today())
    standing = selectors.standing_of(view, actor)
    if standing is Standing.CLOSED:
        raise Refused(409, "现在不能评", "办结以后，由经营者或者受托代办的人评。")
    context: dict[str, Any] = {"case": view, "fewest": selectors.FEWEST}
    if request.method == "GET":
        if standing is Standing.RATED:
            return render(request, "portal/mine/rated.html", context)
        form = RatingForm(initial={"code": selectors.fresh_code()})
        return render(request, "portal/mine/rate.html", {**context, "form": form})
    form = RatingForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/mine/rate.html", {**context, "form": form}, status=422)
    given = form.cleaned_data
    kept = services.rate(
        case_id,
        grade=given["grade"],
        code=given["code"],
        comment=given["comment"],
        contact=given["contact"],
        by=actor,
        at=now(),
    )
    context |= {
        "code": given["code"],
        "label": GRADE_LABELS[given["grade"]],
        "is_bad": given["grade"] in BAD,
        "contact_kept": kept,
        "contact_dropped": bool(given["contact"]) and not kept,
    }
    return render(request, "portal/mine/rated.html", context)


@require_http_methods(["GET", "POST"])
@page
def follow(request: HttpRequest) -> HttpResponse:
    """By the code: what the office did, and one more rating. The code never stands in an address."""
    context: dict[str, Any] = {"form": FollowUpForm(), "code": "", "problem": "", "status": 200}
    if request.method == "POST":
        context |= _followed(request)
        own = context.get("own")
        if own is not None and own.rectification is not None:
            context["looks"] = access.list_looks_at(f"rectification:{own.rectification.id}")
    response = render(request, "portal/ratings/follow.html", context, status=context["status"])
    response["Cache-Control"] = "no-store"
    return response


def _followed(request: HttpRequest) -> dict[str, Any]:
    code = request.POST.get("code", "")[:60]
    found: dict[str, Any] = {"code": code}
    try:
        found["own"] = selectors.find_own(code, on=today())
        if request.POST.get("do") == "follow-up":
            form = FollowUpForm(request.POST)
            if not form.is_valid():
                return {**found, "form": form, "status": 422}
            given = form.cleaned_data
            services.follow_up(code, grade=given["grade"], comment=given["comment"], at=now())
            found["own"] = selectors.find_own(code, on=today())
    except selectors.RatingNotFound as error:
        return {**found, "problem": str(error), "status": 404}
    except GetihuError as error:
        return {**found, "problem": str(error), "status": 409}
    return found


@require_GET
@page
def statistics(request: HttpRequest) -> HttpResponse:
    """The numbers anybody may see."""
    rows = [
        {
            "row": row,
            "counts": [(GRADE_LABELS[g], row.counts[g]) for g in Grade] if row.counts else [],
            "share": f"{row.good_share * 100:.1f}%" if row.good_share is not None else "",
        }
        for row in selectors.list_statistics(on=today())
    ]
    windows = [
        (
            reference.agency_name(row.agency, row.division),
            row,
            row.good_share and row.good_share * 100,
        )
        for row in selectors.list_window_statistics(on=today())
    ]
    context = {
        "rows": rows,
        "windows": windows,
        "grades": [GRADE_LABELS[grade] for grade in Grade],
        "fewest": selectors.FEWEST,
        "is_officer": bool(actor_of(request).roles & set(cases.DESK_ROLES)),
    }
    return render(request, "portal/ratings/statistics.html", context)


@require_GET
@desk_page
def desk(request: HttpRequest) -> HttpResponse:
    """What an office has to do about bad ratings, and what people wrote with the good ones."""
    actor = _officer(request)
    every = selectors.list_rectifications(actor, on=today())
    context = {
        "open": [view for view in every if view.state is not RectificationState.ENDED],
        "ended": [view for view in every if view.state is RectificationState.ENDED],
        "comments": selectors.list_comments(actor, on=today()),
        "fewest": selectors.FEWEST,
    }
    return render(request, "portal/desk/ratings.html", context)


@require_GET
@desk_page
def rectification(request: HttpRequest, rectification_id: uuid.UUID) -> HttpResponse:
    actor = _officer(request)
    view = selectors.get_rectification(rectification_id, actor=actor, on=today())
    shows(request, f"rectification:{view.id}")  # nobody knows whose; she reads it by her code
    context = {
        "item": view,
        "is_superior": Role.SUPERVISOR in actor.roles,
        "once": fresh_key(),
    }
    return render(request, "portal/desk/rectification.html", context)


@require_POST
@desk_page
def act(request: HttpRequest, rectification_id: uuid.UUID) -> HttpResponse:
    """Call back or report; sent again, it acts no second time."""
    actor, asked = _officer(request), request.POST.get("do", "")
    if asked not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的办理动作。")

    def do() -> str:
        ACTIONS[asked](rectification_id, request.POST.get("words", ""), actor, now())
        return reverse("portal:desk-rectification", args=[rectification_id])

    return act_once(request, do)


def _call_back(of: uuid.UUID, words: str, by: Actor, at: datetime) -> None:
    services.call_back(of, reply=words, by=by, at=at)


def _mended(of: uuid.UUID, words: str, by: Actor, at: datetime) -> None:
    services.report_result(of, outcome=Outcome.MENDED, result=words, by=by, at=at)


def _unfounded(of: uuid.UUID, words: str, by: Actor, at: datetime) -> None:
    services.report_result(of, outcome=Outcome.UNFOUNDED, result=words, by=by, at=at)


ACTIONS: dict[str, Callable[[uuid.UUID, str, Actor, datetime], None]] = {
    "call-back": _call_back,
    "mended": _mended,
    "unfounded": _unfounded,
}


def _officer(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if not actor.roles & set(cases.DESK_ROLES):
        ways = ("公开的数字在“评价”里。",)
        raise Refused(403, "这是办事人员的工作台", "您的账号没有窗口、经办或负责人的岗位。", ways)
    return actor
