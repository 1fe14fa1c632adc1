"""The window officer's one screen: who is next, what is asked, held and missing, one action."""

import base64
import io
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import qrcode
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from qrcode.image.svg import SvgPathImage

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import is_unclaimed
from getihu.accounts.services import CLAIM_CODE_LASTS
from getihu.cases import selectors as cases
from getihu.cases.contracts import FINAL, CaseView, State
from getihu.entry import selectors, services
from getihu.evaluations import selectors as ratings
from getihu.evaluations import services as evaluations
from getihu.kernel.codes import normalise_credit_code
from getihu.kernel.text import half_width
from getihu.passport import services as licences
from getihu.portal.forms import MatterForm
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
from getihu.portal.views.mine import known_facts
from getihu.portal.views.window import (
    asked_matters,
    asked_slot,
    bookable_matters,
    slots_context,
)

desk_page = casework("portal:window")
LARGEST_FILE = 10 * 1024 * 1024
LIKE_A_CODE = re.compile(r"\b[0-9A-Z]{18}\b")
SCANNED = re.compile(r"(?:/c/)?([A-Z2-7]{16})/?$")


@require_GET
@desk_page
def window(request: HttpRequest) -> HttpResponse:
    """The queue, what is on one's hands, and the one in front."""
    own = selectors.list_own(actor_of(request))
    serving = next((visit for visit in own if visit.state == "serving"), None)
    return redirect(_to(uuid.UUID(serving.id))) if serving else _screen(request, None)


@require_GET
@desk_page
def visit(request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
    """The same screen with one visit open: one's own question, or one asked to take over."""
    return _screen(request, selectors.get_visit(visit_id, actor=actor_of(request)))


def _screen(request: HttpRequest, shown: Any) -> HttpResponse:
    actor = actor_of(request)
    office = _office(request, actor, shown)
    own = selectors.list_own(actor)
    offers = selectors.list_offers(actor)
    context: dict[str, Any] = {
        "office": office,
        "offices": selectors.offices_of(actor),
        "is_head": office is not None and selectors.heads(actor, office),
        "waiting": selectors.list_waiting(office, now()) if office else [],
        "expected": selectors.list_day(office, today()) if office else [],
        "own": [each for each in own if each.state == "pending"],
        "serving": next((each for each in own if each.state == "serving"), None),
        "offers": [(offer, _about(offer, actor)) for offer in offers],
        "matters": bookable_matters(),
        "shown": shown,
        "ended": _ended(request, actor),
        "once": fresh_key(),
        "today": today(),
    }
    if shown is not None:
        context |= _in_front(request, shown, actor)
    context["primary"] = _primary(context)
    return render(request, "portal/window/window.html", context)


def _in_front(request: HttpRequest, shown: Any, actor: Actor) -> dict[str, Any]:
    is_mine = shown.owner_id == actor.account_id and shown.ended_at is None
    _shows_visit(request, shown)
    place = _place(shown)
    linked = [view for view in _her_cases(shown, actor) if view.id in dict(shown.cases)]
    return {
        "is_mine": is_mine,
        "name": trader_name(shown.trader_code) if shown.trader_code else "",
        "guides": [
            selectors.guide_of(cases.get_matter(matter), place) for matter, _ in shown.matters
        ],
        "linked": [(view, _missing(view, shown, actor), _limit(view)) for view in linked],
        "others": [
            view
            for view in _her_cases(shown, actor)
            if view.id not in dict(shown.cases) and view.state not in FINAL
        ]
        if is_mine
        else [],
        "to_open": [
            (matter, title)
            for matter, title in shown.matters
            if cases.get_matter(matter).started_by in ("owner", "representative")
            and matter not in {view.matter_id for view in linked}
        ],
        "history": selectors.offers_of(visit=shown.id),
        "opens_shop": is_mine and not shown.trader_code and wants_shop(shown.matters),
        "can_claim": is_mine
        and shown.identified_by == "document"
        and is_unclaimed(shown.account_id),
    }


def wants_shop(matters: Any) -> bool:
    """Whether she came to open a shop."""
    return any(cases.get_matter(matter).started_by == "anybody" for matter, _ in matters)


def _primary(context: dict[str, Any]) -> str:
    """The one thing to do next; everything else is a plain button."""
    shown = context["shown"]
    if shown is None or shown.ended_at is not None or not context.get("is_mine"):
        if context["offers"] and not context["waiting"]:
            return "take"
        return "next" if context["waiting"] else "arrive"
    drafts = [view for view, _, _ in context["linked"] if _is_open_form(view)]
    if drafts:
        return f"draft {drafts[0].id}"
    if context["opens_shop"]:
        return "open-shop"
    if not shown.identified_by and (context["to_open"] or not shown.question):
        return "identify"
    if context["to_open"] and not context["linked"]:
        return "open"
    return "answer"


def _is_open_form(view: CaseView) -> bool:
    return view.state in (State.DRAFT, State.CORRECTION)


def _her_cases(shown: Any, actor: Actor) -> list[CaseView]:
    """Cases of who stands here, when it is known who that is and the officer owns the visit."""
    if not shown.identified_by or shown.owner_id != actor.account_id or shown.ended_at:
        return []
    hers = services.at_the_counter(uuid.UUID(shown.id), actor)
    with over_the_wall():
        found = cases.list_cases(hers, on=today(), limit=200)
    return [view for view in found if view.trader_code in hers.own]


def _missing(view: CaseView, shown: Any, actor: Actor) -> list[str]:
    """What this case still lacks: answers, documents, or what was asked for."""
    if view.state is State.CORRECTION and view.requests:
        return list(view.requests[-1])
    if view.state is not State.DRAFT:
        return []
    matter = cases.get_matter(view.matter_id)
    hers = services.at_the_counter(uuid.UUID(shown.id), actor)
    with over_the_wall():
        files = cases.list_attachments(view.id, actor=hers)
    brought = {file.document_id for file in files}
    asked = [f.label for f in matter.form if f.required and view.form.get(f.id) in (None, "")]
    return asked + [d.title for d in matter.to_bring if d.required and d.id not in brought]


def _limit(view: CaseView) -> Any:
    running = [c for c in view.clocks if c.stopped_on is None and not c.reading.is_projected]
    if not running:
        return None
    return selectors.limit_of((min(c.reading.due.on for c in running) - today()).days)


@require_POST
@desk_page
def act(request: HttpRequest) -> HttpResponse:
    """Give a number, note who came with an appointment, take the next one."""
    actor = actor_of(request)
    office = _office(request, actor, None)
    if office is None:
        raise Refused(403, "您的机关没有设窗口", "办事窗口的名单里没有您的机关和地区。")
    asked = request.POST.get("do", "")
    here = f"{reverse('portal:window')}?office={office.id}"

    def do() -> str:
        if asked == "next":
            taken = services.call_next(office.id, by=actor, at=now())
            return reverse("portal:window-visit", args=[taken])
        if asked == "check-in":
            code = request.POST.get("code", "")
            services.check_in(code, office_id=office.id, by=actor, at=now())
            return here
        if asked == "walk-in":
            question, matters = request.POST.get("question", ""), asked_matters(request)
            services.walk_in(office.id, matters=matters, question=question, by=actor, at=now())
            return here
        raise Refused(400, "这个请求看不懂", "没有这样的动作。")

    return act_once(request, do)


@require_POST
@desk_page
def visit_act(request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
    """One thing done with the one in front; sent again, it acts no second time."""
    asked = request.POST.get("do", "")
    if asked not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的动作。")
    actor = actor_of(request)
    return act_once(request, lambda: ACTIONS[asked](request, visit_id, actor, now()))


def _identify(request: HttpRequest, visit_id: uuid.UUID, by: Actor, at: datetime) -> str:
    typed = request.POST.get("who", "").strip()
    scanned = SCANNED.search(typed.upper() if "/" not in typed else typed)
    found = LIKE_A_CODE.search(half_width(typed).upper())
    if scanned and not found:
        shown = licences.scan(scanned[1], by=by, at=at)
        services.identify(visit_id, shown.trader_code, "code", by=by, at=at)
    elif found and request.POST.get("seen") == "yes":
        code = normalise_credit_code(found[0])
        services.identify(visit_id, code, "document", by=by, at=at)
    elif found:
        ways = ("看过身份证件再勾选，或者请她打开企业码扫一下。",)
        raise Refused(422, "还没有核对是不是本人", "写信用代码的，要看经营者的身份证件。", ways)
    else:
        ways = ("扫她手机上的企业码，或者写 18 位统一社会信用代码。",)
        raise Refused(422, "看不出是哪家店", "既不是企业码，也不是 18 位的信用代码。", ways)
    return _to(visit_id)


def _ask(request: HttpRequest, visit_id: uuid.UUID, by: Actor, at: datetime) -> str:
    for matter in asked_matters(request):
        services.ask_also(visit_id, matter, by=by, at=at)
    return _to(visit_id)


def _open(request: HttpRequest, visit_id: uuid.UUID, by: Actor, at: datetime) -> str:
    view = selectors.get_visit(visit_id, actor=by)
    place = place_of(view.trader_code) if view.trader_code else None
    matter = request.POST.get("matter", "")
    made = services.open_for(visit_id, matter, place=place or "", by=by, at=at)
    return reverse("portal:window-draft", args=[visit_id, made])


def _open_shop(request: HttpRequest, visit_id: uuid.UUID, by: Actor, at: datetime) -> str:
    if request.POST.get("seen") != "yes":
        ways = ("看过她的身份证件，照证件写姓名，再勾选。",)
        raise Refused(422, "还没有核对是不是本人", "替没有店的人开店，要看她的身份证件。", ways)
    made = services.open_shop_for(visit_id, request.POST.get("name", ""), by=by, at=at)
    return reverse("portal:window-draft", args=[visit_id, made])


def _continue(request: HttpRequest, visit_id: uuid.UUID, by: Actor, at: datetime) -> str:
    try:
        case = uuid.UUID(request.POST.get("case", ""))
    except ValueError:
        raise cases.CaseNotFound from None
    services.continue_for(visit_id, case, by=by, at=at)
    return _to(visit_id)


def _keep(request: HttpRequest, visit_id: uuid.UUID, by: Actor, at: datetime) -> str:
    services.keep(visit_id, by=by, at=at)
    return reverse("portal:window")


def _answer(request: HttpRequest, visit_id: uuid.UUID, by: Actor, at: datetime) -> str:
    services.answer(visit_id, request.POST.get("answer", ""), by=by, at=at)
    return f"{reverse('portal:window')}?ended={visit_id}"


ACTIONS: dict[str, Callable[[HttpRequest, uuid.UUID, Actor, datetime], str]] = {
    "identify": _identify,
    "ask": _ask,
    "open": _open,
    "open-shop": _open_shop,
    "continue": _continue,
    "keep": _keep,
    "answer": _answer,
}


@require_http_methods(["GET", "POST"])
@desk_page
def draft(request: HttpRequest, visit_id: uuid.UUID, case_id: uuid.UUID) -> HttpResponse:
    """Her form, filled in by the officer as she says; handed in from here."""
    actor = actor_of(request)
    shown = selectors.get_visit(visit_id, actor=actor)
    view = next((v for v in _her_cases(shown, actor) if v.id == str(case_id)), None)
    if view is None or view.id not in dict(shown.cases):
        raise cases.CaseNotFound
    shows(request, view.trader_code)
    if not _is_open_form(view):
        return redirect(_to(visit_id))
    matter, known = cases.get_matter(view.matter_id), known_facts(view)
    if request.method == "POST":
        form = MatterForm(matter, known, request.POST)
        if form.is_valid():
            submits = request.POST.get("do") == "submit"
            if not submits or not form.missing():
                return act_once(request, lambda: _save(request, visit_id, case_id, form, submits))
            form.show_missing()
    else:
        form = MatterForm(matter, known, initial=view.form)
    with over_the_wall():
        files = cases.list_attachments(
            case_id, actor=services.at_the_counter(uuid.UUID(shown.id), actor)
        )
    context = {
        "shown": shown,
        "case": view,
        "matter": matter,
        "form": form,
        "name": trader_name(view.trader_code),
        "guide": selectors.guide_of(matter, view.division),
        "documents": [(d, [f for f in files if f.document_id == d.id]) for d in matter.to_bring],
        "wants": view.requests[-1] if view.state is State.CORRECTION and view.requests else (),
        "once": fresh_key(),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/window/draft.html", context, status=status)


def _save(
    request: HttpRequest, visit_id: uuid.UUID, case_id: uuid.UUID, form: MatterForm, submits: bool
) -> str:
    by = actor_of(request)
    services.save_for(visit_id, case_id, form.answers(), submits=submits, by=by, at=now())
    return _to(visit_id)


@require_POST
@desk_page
def add_file(request: HttpRequest, visit_id: uuid.UUID, case_id: uuid.UUID) -> HttpResponse:
    """What she brought, scanned. The same file again changes nothing."""
    sent = request.FILES.get("file")
    if sent is None:
        raise Refused(422, "没有选文件", "上传时没有收到文件。", ("先选一个文件，再点上传。",))
    content = sent.read(LARGEST_FILE + 1)
    document = request.POST.get("document", "")
    services.attach_for(visit_id, case_id, document, content, by=actor_of(request), at=now())
    return redirect("portal:window-draft", visit_id=visit_id, case_id=case_id)


@require_POST
@desk_page
def ticket(request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
    """A slip with a code to rate this visit, to print; shown this once."""
    view = selectors.get_visit(visit_id, actor=actor_of(request))
    code = evaluations.hand_ticket(visit_id)
    link = f"{settings.PUBLIC_URL}{reverse('portal:rate-by-ticket')}"
    context = {
        "visit": view,
        "office": selectors.get_office(view.office_id),
        "code": code,
        "link": link,
        "picture": _picture(f"{link}#{code}"),
        "until": ratings.visit_standing(visit_id, on=today()),
    }
    return render(request, "portal/window/ticket.html", context)


@require_POST
@desk_page
def claim_slip(request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
    """A slip with a code by which she claims what was opened for her here; shown this once."""
    actor = actor_of(request)
    view = selectors.get_visit(visit_id, actor=actor)
    code = services.print_claim(visit_id, by=actor, at=now())
    link = f"{settings.PUBLIC_URL}{reverse('portal:mine-claim')}"
    context = {
        "visit": view,
        "office": selectors.get_office(view.office_id),
        "code": code,
        "link": link,
        "picture": _picture(f"{link}#{code}"),
        "until": today() + CLAIM_CODE_LASTS,
    }
    return render(request, "portal/window/claim_slip.html", context)


# handing over


@require_http_methods(["GET", "POST"])
@desk_page
def hand_over_visit(request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
    """To whom, why, with which file: on one screen."""
    actor = actor_of(request)
    view = selectors.get_visit(visit_id, actor=actor)
    _shows_visit(request, view)
    if request.method == "POST":

        def do() -> str:
            reason = request.POST.get("reason", "")
            services.offer_visit(visit_id, _to_whom(request), reason=reason, by=actor, at=now())
            return _to(visit_id)

        return act_once(request, do)
    context = {
        "title": f"{view.number} 号的问题",
        "back": _to(visit_id),
        "question": view.question,
        "matters": view.matters,
        "files": [],
        "cases": _case_lines(view, actor),
        "takers": selectors.list_takers(view, at=now()),
        "history": selectors.offers_of(visit=visit_id),
        "once": fresh_key(),
    }
    return render(request, "portal/window/hand_over.html", context)


@require_http_methods(["GET", "POST"])
@desk_page
def hand_over_case(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """The same for one case."""
    actor = actor_of(request)
    view = cases.get_case(case_id, actor=actor, on=today())
    shows(request, view.trader_code)
    if request.method == "POST":

        def do() -> str:
            reason = request.POST.get("reason", "")
            services.offer_case(case_id, _to_whom(request), reason=reason, by=actor, at=now())
            return reverse("portal:desk-case", args=[case_id])

        return act_once(request, do)
    context = {
        "title": f"{view.title} {view.number}",
        "back": reverse("portal:desk-case", args=[case_id]),
        "question": "",
        "matters": (),
        "files": cases.list_attachments(case_id, actor=actor),
        "cases": [(view.number, view.title, view.state_label)],
        "takers": selectors.list_case_takers(view, at=now()),
        "history": selectors.offers_of(case=case_id),
        "once": fresh_key(),
    }
    return render(request, "portal/window/hand_over.html", context)


@require_http_methods(["GET", "POST"])
@desk_page
def offer(request: HttpRequest, offer_id: uuid.UUID) -> HttpResponse:
    """Take over, or not, or take one's offer back."""
    actor = actor_of(request)
    view = selectors.get_offer(offer_id, actor=actor)
    _shows_offered(request, view, actor)
    if request.method == "POST":

        def do() -> str:
            if request.POST.get("do") == "take":
                services.take(offer_id, by=actor, at=now())
            else:
                why = request.POST.get("reason", "")
                services.decline(offer_id, reason=why, by=actor, at=now())
            return reverse("portal:window-offer", args=[offer_id])

        return act_once(request, do)
    taken_to = ""
    if view.state == "taken" and view.to_id == actor.account_id:
        taken_to = (
            _to(uuid.UUID(view.visit_id))
            if view.visit_id
            else reverse("portal:desk-case", args=[view.case_id])
        )
    context = {
        "offer": view,
        "about": _about(view, actor),
        "is_asked": view.to_id == actor.account_id,
        "taken_to": taken_to,
        "once": fresh_key(),
    }
    return render(request, "portal/window/offer.html", context)


def _to_whom(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("to", ""))
    except ValueError:
        raise Refused(422, "没有选接手人", "移交要写明交给谁。") from None


def _shows_visit(request: HttpRequest, view: Any) -> None:
    """Whose question is shown; nobody's while it is not known who asked."""
    shows(request, *([view.trader_code] if view.trader_code else []))


def _shows_offered(request: HttpRequest, offer: Any, actor: Actor) -> None:
    if offer.case_id:
        shows(request, cases.get_case(offer.case_id, actor=actor, on=today()).trader_code)
    else:
        _shows_visit(request, selectors.get_visit(offer.visit_id, actor=actor))


def _about(offer: Any, actor: Actor) -> dict[str, Any]:
    """What one is asked to take: the question with its matters, or the case."""
    if offer.case_id:
        case = cases.get_case(offer.case_id, actor=actor, on=today())
        line = (case.number, case.title, case.state_label)
        return {"title": f"{case.title} {case.number}", "question": "", "cases": [line]}
    view = selectors.get_visit(offer.visit_id, actor=actor)
    named = "、".join(title for _, title in view.matters)
    return {
        "title": f"{view.number} 号：{view.question or named or '没有写问什么'}",
        "question": view.question,
        "matters": view.matters,
        "cases": _case_lines(view, actor),
    }


def _case_lines(view: Any, actor: Actor) -> list[tuple[str, str, str]]:
    """The cases of a visit as one line each, those this officer may see."""
    found = []
    for case_id, _ in view.cases:
        try:
            case = cases.get_case(case_id, actor=actor, on=today())
        except cases.CaseNotFound:
            found.append(("", "还没有提交的草稿", "只有首问责任人打得开"))
            continue
        found.append((case.number, case.title, case.state_label))
    return found


# booking for somebody, closed days, months


@require_http_methods(["GET", "POST"])
@desk_page
def book(request: HttpRequest) -> HttpResponse:
    """An appointment for somebody who stands here or calls."""
    actor = actor_of(request)
    office = _office(request, actor, None)
    if office is None:
        raise Refused(403, "您的机关没有设窗口", "办事窗口的名单里没有您的机关和地区。")
    if request.method == "POST":
        return act_once(request, lambda: _book(request, office, actor))
    context = slots_context(request, office) | {
        "offices": selectors.offices_of(actor),
        "matters": bookable_matters(),
        "asked": [],
        "once": fresh_key(),
        "at_counter": True,
    }
    return render(request, "portal/window/book.html", context)


def _book(request: HttpRequest, office: Any, actor: Actor) -> str:
    typed = request.POST.get("trader", "").strip()
    code = normalise_credit_code(typed) if typed else ""
    services.book(
        office.id,
        asked_slot(request),
        trader_code=code,
        matters=asked_matters(request),
        question=request.POST.get("question", ""),
        by=actor,
        at=now(),
    )
    return f"{reverse('portal:window')}?office={office.id}"


@require_http_methods(["GET", "POST"])
@desk_page
def days(request: HttpRequest) -> HttpResponse:
    """Days the office is closed by its own decision; its head adds one."""
    actor = actor_of(request)
    office = _office(request, actor, None)
    if office is None:
        raise Refused(403, "您的机关没有设窗口", "办事窗口的名单里没有您的机关和地区。")
    if request.method == "POST":
        return act_once(request, lambda: _close(request, office, actor))
    context = {
        "office": office,
        "is_head": selectors.heads(actor, office),
        "days": selectors.list_days(office, now()),
        "closures": selectors.list_closures(office, today()),
        "once": fresh_key(),
    }
    return render(request, "portal/window/days.html", context)


def _close(request: HttpRequest, office: Any, actor: Actor) -> str:
    try:
        on = date.fromisoformat(request.POST.get("on", ""))
    except ValueError:
        raise Refused(422, "没有选日期", "停办要写明是哪一天。") from None
    reason = request.POST.get("reason", "")
    services.close_day(office.id, on, reason=reason, by=actor, at=now())
    return f"{reverse('portal:window-days')}?office={office.id}"


@require_GET
@desk_page
def months(request: HttpRequest) -> HttpResponse:
    """How every office kept its word in a month; by name, never by rank or by counts of traders."""
    actor = actor_of(request)
    first = today().replace(day=1)
    asked = request.GET.get("month", "")
    choices = [first]
    while len(choices) < 6:
        choices.append((choices[-1] - timedelta(days=1)).replace(day=1))
    month = next((each for each in choices if f"{each:%Y-%m}" == asked), choices[1])
    mine = {office.id for office in selectors.offices_of(actor)}
    every = ratings.list_rectifications(actor, on=today())
    still = [view for view in every if view.ended_at is None]
    context = {
        "month": month,
        "months": choices,
        "rows": [
            (row, row.office_id in mine, _shares(row))
            for row in selectors.compare_windows(month, on=today())
        ],
        "open": len(still),
        "late": sum(1 for view in still if (view.days_left or 0) < 0),
        "has_window": bool(mine),
    }
    return render(request, "portal/window/months.html", context)


def _shares(row: Any) -> list[str]:
    shares = (row.clocks_kept, row.told_once, row.answered_by_first, row.good_share)
    return ["" if share is None else f"{share * 100:.1f}%" for share in shares]


def _office(request: HttpRequest, actor: Actor, shown: Any) -> Any:
    """The office asked for, of those one works for; else that of the visit shown, else the first."""
    mine = selectors.offices_of(actor)
    asked = request.GET.get("office") or request.POST.get("office", "")
    asked = asked or (shown.office_id if shown else "")
    return next((each for each in mine if each.id == asked), mine[0] if mine else None)


def _place(shown: Any) -> str:
    return str(selectors.get_office(shown.office_id).division)


def _ended(request: HttpRequest, actor: Actor) -> Any:
    """The visit that was answered just now, for its slip."""
    try:
        found = selectors.get_visit(uuid.UUID(request.GET.get("ended", "")), actor=actor)
    except (ValueError, selectors.VisitNotFound):
        return None
    return found if found.state == "answered" else None


def _to(visit_id: uuid.UUID) -> str:
    return reverse("portal:window-visit", args=[visit_id])


def _picture(text: str) -> str:
    out = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathImage, border=4).save(out)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()
