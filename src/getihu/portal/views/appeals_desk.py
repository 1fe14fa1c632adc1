"""Appeals at the desk: taken down from a telephone or a counter, decided, answered, overseen."""

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.kernel.codes import InvalidCreditCode, normalise_credit_code
from getihu.portal.views import Refused
from getihu.portal.views.casework import act_once, actor_of, casework, fresh_key, now, shows, today
from getihu.reference import selectors as reference
from getihu.support import selectors, services
from getihu.support.contracts import CHANNEL_LABELS, AppealView, Channel, Standing

desk_page = casework("portal:desk-appeals")
TAKEN = (Channel.PHONE, Channel.WINDOW, Channel.VISIT, Channel.QUESTIONNAIRE, Channel.PARTY)


@require_GET
@desk_page
def desk(request: HttpRequest) -> HttpResponse:
    """What the offices have to do, by the day it is due."""
    actor = actor_of(request)
    subject, mine = request.GET.get("subject", "")[:40], request.GET.get("mine") == "1"
    rows = selectors.list_desk(actor, on=today(), subject=subject, mine=mine)
    context = {
        "rows": rows,
        "late": sum(row.days_late > 0 for row in rows),
        "subjects": selectors.list_subjects(),
        "subject": subject,
        "mine": mine,
        "leads": selectors.leads(actor),
    }
    return render(request, "portal/appeals/desk.html", context)


@require_http_methods(["GET", "POST"])
@desk_page
def take_down(request: HttpRequest) -> HttpResponse:
    """A problem somebody tells on the telephone or at the counter, in her words."""
    if request.method == "POST":
        return act_once(request, lambda: _take_down(request))
    context = {
        "channels": [(c.value, CHANNEL_LABELS[c]) for c in TAKEN],
        "departments": reference.list_departments(),
        "places": reference.list_counties(),
        "once": fresh_key(),
    }
    return render(request, "portal/appeals/desk_new.html", context)


def _take_down(request: HttpRequest) -> str:
    asked = request.POST
    channel = asked.get("channel", "")
    if channel not in {each.value for each in TAKEN}:
        raise Refused(400, "这张表单看不懂", "没有这样的渠道。")
    agency, place = asked.get("about_agency", ""), asked.get("about_place", "")
    filed = services.file_appeal(
        asked.get("text", ""),
        channel=Channel(channel),
        place_text=asked.get("place_text", ""),
        trader_code=_code(asked.get("trader", "")),
        is_anonymous=asked.get("is_anonymous") == "1",
        contact=asked.get("contact", ""),
        about=(agency, place) if agency and place else None,
        by=actor_of(request),
        at=now(),
    )
    # The clerk reads the code out once; it stands in no address, so the session carries it over.
    request.session["appeal_told"] = {"number": filed.number, "code": filed.code}
    return reverse("portal:desk-appeal-told")


def _code(text: str) -> str:
    if not text.strip():
        return ""
    try:
        return normalise_credit_code(text)
    except InvalidCreditCode as error:
        raise services.BadAppeal(f"{error}") from None


@require_GET
@desk_page
def told(request: HttpRequest) -> HttpResponse:
    """Number and code of what was taken down, once, to be read out or handed over."""
    filed = request.session.pop("appeal_told", None)
    return render(request, "portal/appeals/desk_told.html", {"filed": filed})


@require_GET
@desk_page
def detail(request: HttpRequest, appeal_id: uuid.UUID) -> HttpResponse:
    """One appeal: what it may be about, who is competent and why, what may be the same, what to do
    next."""
    actor = actor_of(request)
    view = _ours(request, appeal_id)
    decided = view.state not in ("received", "gap")
    options = [view.subject] if decided else [s for s, _, _ in view.suggested]
    context = {
        "appeal": view,
        "routes": [(s, selectors.get_subject(s).title, _route(view, s)) for s in options if s],
        "groups": [
            (g, [s for s in selectors.list_subjects() if s.group == g.id])
            for g in selectors.list_groups()
        ],
        "alike": selectors.list_alike(view.id, actor=actor),
        "towns": reference.list_towns(view.place[:6] or None),
        "departments": reference.list_departments(),
        "counties": reference.list_counties(),
        "colleagues": selectors.list_takers(view.id, actor=actor, at=now()),
        "is_office": Standing.OFFICE in view.standings,
        "is_joint": Standing.JOINT in view.standings,
        "is_lead": Standing.LEAD in view.standings,
        "is_head": selectors.is_head(actor, view.agency, view.division),
        "once": fresh_key(),
    }
    return render(request, "portal/appeals/desk_appeal.html", context)


def _route(view: AppealView, subject: str) -> Any:
    return selectors.competent_office(view, subject, on=today())


def _ours(request: HttpRequest, appeal_id: uuid.UUID) -> AppealView:
    view = selectors.get_appeal(appeal_id, actor=actor_of(request), on=today())
    if not view.standings - {Standing.HERS}:
        raise services.AppealNotFound
    shows(request, view.trader_code or f"appeal:{view.number}")
    return view


@require_POST
@desk_page
def act(request: HttpRequest, appeal_id: uuid.UUID) -> HttpResponse:
    """One step of an office; sent again it acts no second time."""
    do = request.POST.get("do", "")
    if do not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的办理动作。")

    def run() -> str:
        common = {"by": actor_of(request), "at": now()}
        ACTIONS[do](appeal_id, request.POST, common)
        try:
            selectors.get_appeal(appeal_id, actor=actor_of(request), on=today())
        except services.AppealNotFound:  # it went to another office
            return reverse("portal:desk-appeals")
        return reverse("portal:desk-appeal", args=[appeal_id])

    return act_once(request, run)


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise services.BadAppeal("没有选。处理办法：从列出的里面选一个。") from None


Step = Callable[[uuid.UUID, Any, dict[str, Any]], object]
ACTIONS: dict[str, Step] = {
    "assign": lambda pk, asked, common: services.assign(
        pk, asked.get("subject", ""), place=asked.get("place", ""), **common
    ),
    "pass-on": lambda pk, asked, common: services.pass_on(
        pk,
        asked.get("subject", ""),
        reason=asked.get("words", ""),
        place=asked.get("place", ""),
        **common,
    ),
    "take": lambda pk, asked, common: services.take(pk, **common),
    "dispute": lambda pk, asked, common: services.dispute(
        pk, reason=asked.get("words", ""), **common
    ),
    "settle": lambda pk, asked, common: services.settle(
        pk, asked.get("agency", ""), asked.get("place", ""), reason=asked.get("words", ""), **common
    ),
    "accept": lambda pk, asked, common: services.accept(pk, **common),
    "joint": lambda pk, asked, common: services.ask_jointly(
        pk, asked.get("agency", ""), asked.get("place", ""), **common
    ),
    "opinion": lambda pk, asked, common: services.give_opinion(
        pk, opinion=asked.get("words", ""), **common
    ),
    "extend": lambda pk, asked, common: services.extend(
        pk, reason=asked.get("words", ""), **common
    ),
    "answer": lambda pk, asked, common: services.answer(pk, asked.get("words", ""), **common),
    "join": lambda pk, asked, common: services.join(pk, _id(asked.get("to", "")), **common),
    "hand-over": lambda pk, asked, common: services.hand_over(
        pk, _id(asked.get("to", "")), reason=asked.get("words", ""), **common
    ),
}


@require_GET
@desk_page
def oversight(request: HttpRequest) -> HttpResponse:
    """The joint conference's office: overdue, gaps, old and unsolved, from problem to rule."""
    actor = actor_of(request)
    seen = selectors.oversee(actor, on=today())
    context = {"seen": seen, "once": fresh_key()}
    return render(request, "portal/appeals/oversight.html", context)


@require_POST
@desk_page
def ticket(request: HttpRequest) -> HttpResponse:
    """Open a task for a rule, or end one."""
    asked, do = request.POST, request.POST.get("do", "")
    common: dict[str, Any] = {"by": actor_of(request), "at": now()}

    def run() -> str:
        if do == "open":
            services.open_ticket(asked.get("node", ""), asked.get("subject", ""), **common)
        elif do == "mend":
            words: dict[str, Any] = {
                "case_name": asked.get("case", ""),
                "change": asked.get("words", ""),
            }
            services.mend(_id(asked.get("ticket", "")), **words, **common)
        elif do == "keep":
            services.keep(_id(asked.get("ticket", "")), reason=asked.get("words", ""), **common)
        else:
            raise Refused(400, "这个请求看不懂", "没有这样的动作。")
        return reverse("portal:desk-appeals-oversight")

    return act_once(request, run)
