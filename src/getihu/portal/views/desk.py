"""An office's desk: what the law says is due, one case with its file, what can be done now."""

import csv
import io
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from getihu.accounts.contracts import Actor, Role
from getihu.cases import selectors as cases
from getihu.cases import services
from getihu.cases.contracts import FINAL, CaseView, ClockState, DeskRow, PauseKind, State
from getihu.entry import selectors as entry
from getihu.evaluations import selectors as ratings
from getihu.notifications import selectors as notifications
from getihu.portal.forms import DeskFilterForm
from getihu.portal.views import Refused
from getihu.portal.views.casework import (
    act_once,
    actor_of,
    bar,
    casework,
    download,
    fresh_key,
    now,
    shows,
    today,
    trader_name,
)
from getihu.portal.views.mine import answers_of, held_by_departments
from getihu.reference import selectors as reference

HOME = "portal:desk"
DESK_ROLES = {Role.WINDOW_OFFICER, Role.CASE_OFFICER, Role.SUPERVISOR}
SOON_DAYS = entry.SOON_DAYS
QUEUES = {
    "": "全部在办",
    "mine": "我承办的",
    "late": "已超期",
    "soon": f"{SOON_DAYS} 天内到期",
    "new": "待受理",
    "waiting": "暂停或等申请人",
}
desk_page = casework(HOME)


@require_GET
@desk_page
def inbox(request: HttpRequest) -> HttpResponse:
    """Cases by the day the law gives; the list alone when only it is asked for."""
    context = _inbox(request)
    fragment = getattr(request, "htmx", False)
    template = "portal/desk/_inbox.html" if fragment else "portal/desk/inbox.html"
    return render(request, template, context)


@require_GET
@desk_page
def inbox_file(request: HttpRequest) -> HttpResponse:
    """The list as a table for spreadsheets, with the same filters. It leaves the house, so every
    row of it is a look."""
    head = ("编号", "事项", "信用代码", "状态", "期限", "到期日", "剩余天数", "依据", "承办人")
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(head)
    listed = _inbox(request)["rows"]
    shows(request, *(row.trader_code for row in listed))
    for row in listed:
        due = row.due_on.isoformat() if row.due_on else ""
        left = "" if row.days_left is None else row.days_left
        what = (row.number, row.title, row.trader_code, row.state_label, row.term_title)
        rows.writerow((*what, due, left, row.source, row.owner_name))
    response = HttpResponse(
        out.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="cases.csv"'
    return response


@require_GET
@desk_page
def case(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """What is asked, what is held, what is missing, what to do now."""
    actor, view = _officer(request), _case(request, case_id)
    matter, actions = cases.matter_of(view), cases.open_actions(view, actor)
    articles = [*matter.legal_basis, *(d.article for d in matter.documents)]
    context = {
        "run_id": cases.cases_in_bundles([view.id]).get(view.id),
        "contested": cases.contested_of([view.id]),
        "case": view,
        "bar": bar(view),
        "matter": matter,
        "name": trader_name(view.trader_code),
        "answers": answers_of(matter, view.form),
        "files": cases.list_attachments(case_id, actor=actor),
        "held": held_by_departments(matter, view.division),
        "hand_overs": cases.list_hand_overs(case_id, actor=actor),
        "is_final": view.state in FINAL,
        "is_new": view.state is State.SUBMITTED,
        "actions": actions,
        "tasks": [_task(stage, actions) for stage in actions.stages],
        "articles": list(dict.fromkeys(articles)),
        "offers": entry.offers_of(case=case_id),
        "is_mine": view.owner_id == actor.account_id,
        "once": fresh_key(),
    }
    return render(request, "portal/desk/case.html", context)


@require_GET
@desk_page
def file(request: HttpRequest, case_id: uuid.UUID, file_id: uuid.UUID) -> HttpResponse:
    actor, view = _officer(request), _case(request, case_id)
    found, content = cases.read_attachment(case_id, file_id, actor=actor)
    return download(found, content, view.number)


@require_POST
@desk_page
def act(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """One action of an office on a case; sent again, it acts no second time."""
    actor, asked = _officer(request), request.POST.get("do", "")
    if asked not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的办理动作。")

    def do() -> str:
        ACTIONS[asked](request, case_id, actor, now())
        return reverse("portal:desk-case", args=[case_id])

    return act_once(request, do)


def _accept(request: HttpRequest, case_id: uuid.UUID, by: Actor, at: datetime) -> None:
    services.accept(case_id, by=by, at=at)


def _ask(request: HttpRequest, case_id: uuid.UUID, by: Actor, at: datetime) -> None:
    items = [*request.POST.getlist("item"), *request.POST.get("others", "").splitlines()]
    services.request_materials(case_id, items, by=by, at=at)


def _not_accept(request: HttpRequest, case_id: uuid.UUID, by: Actor, at: datetime) -> None:
    reason, article = _reason(request)
    services.refuse_to_accept(case_id, reason=reason, article=article, by=by, at=at)


def _pass(request: HttpRequest, case_id: uuid.UUID, by: Actor, at: datetime) -> None:
    services.finish_stage(case_id, _stage(request), passed=True, by=by, at=at)


def _fail(request: HttpRequest, case_id: uuid.UUID, by: Actor, at: datetime) -> None:
    reason, article = _reason(request)
    services.finish_stage(
        case_id, _stage(request), passed=False, reason=reason, article=article, by=by, at=at
    )


def _extend(request: HttpRequest, case_id: uuid.UUID, by: Actor, at: datetime) -> None:
    reason = _text(request, "reason")
    if not reason:
        raise Refused(422, "没有写理由", "延长办理期限要写明理由，并告知申请人。")
    services.extend_clock(case_id, _stage(request), reason=reason, by=by, at=at)


def _pause(request: HttpRequest, case_id: uuid.UUID, by: Actor, at: datetime) -> None:
    try:
        kind = PauseKind(request.POST.get("kind", ""))
    except ValueError:
        raise Refused(422, "没有选暂停的原因", "只有条款写明的时间不计入期限。") from None
    reason = _text(request, "reason")
    if not reason:
        raise Refused(422, "没有写理由", "不计入期限的时间要书面告知申请人。")
    services.pause_clock(case_id, _stage(request), kind, reason=reason, by=by, at=at)


def _resume(request: HttpRequest, case_id: uuid.UUID, by: Actor, at: datetime) -> None:
    services.resume_clock(case_id, _stage(request), by=by, at=at)


ACTIONS: dict[str, Callable[[HttpRequest, uuid.UUID, Actor, datetime], None]] = {
    "accept": _accept,
    "ask": _ask,
    "not-accept": _not_accept,
    "pass": _pass,
    "fail": _fail,
    "extend": _extend,
    "pause": _pause,
    "resume": _resume,
}


def _officer(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if not actor.roles & DESK_ROLES:
        ways = ("您自己的办件在“办事”里。",)
        raise Refused(403, "这是办事人员的工作台", "您的账号没有窗口、经办或负责人的岗位。", ways)
    return actor


def _case(request: HttpRequest, case_id: uuid.UUID) -> CaseView:
    """A case of the officer's office; her own shop's cases are not hers to handle. Looking at it
    is an event the trader can read."""
    view = cases.get_case(case_id, actor=actor_of(request), on=today())
    if view.state is State.DRAFT or view.submitted_at is None:
        raise cases.CaseNotFound
    shows(request, view.trader_code)
    return view


def _inbox(request: HttpRequest) -> dict[str, Any]:
    actor = _officer(request)
    form = DeskFilterForm(request.GET)
    form.is_valid()
    queue = form.cleaned_data.get("queue") or ""
    text = form.cleaned_data.get("text") or ""
    every = [row for row in cases.desk_rows(actor, on=today()) if _has(row, text)]
    counts = [(key, label, sum(_in(row, key) for row in every)) for key, label in QUEUES.items()]
    asked = request.GET.copy()
    for name in list(asked):
        if not asked[name]:
            del asked[name]
    rows = [row for row in every if _in(row, queue)]
    return {
        "rows": rows,
        "listed": [(row, entry.limit_of(row.days_left)) for row in rows],
        "queues": counts,
        "queue": queue,
        "text": text,
        "query": asked.urlencode(),
        "label": QUEUES[queue],
        "today": today(),
        "rectifications": ratings.count_open(actor),
        "unread": notifications.count_unread(uuid.UUID(actor.account_id)),
        "agencies": "、".join(
            dict.fromkeys(
                reference.agency_name(g.agency, division)
                for g in actor.grants
                if g.role in DESK_ROLES
                for division in sorted(g.scope.divisions)
            )
        ),
    }


def _has(row: DeskRow, text: str) -> bool:
    return text.lower() in f"{row.number} {row.title} {row.trader_code}".lower()


def _in(row: DeskRow, queue: str) -> bool:
    left = row.days_left
    return {
        "": True,
        "mine": row.is_mine,
        "late": left is not None and left < 0,
        "soon": left is not None and 0 <= left <= SOON_DAYS,
        "new": row.state is State.SUBMITTED,
        "waiting": row.is_paused or row.state is State.CORRECTION,
    }[queue]


def _task(stage: Any, actions: Any) -> dict[str, Any]:
    paused = stage.clock is not None and stage.clock.reading.state is ClockState.PAUSED
    return {
        "stage": stage,
        "department": stage.department_name,
        "is_paused": paused,
        "pauses": () if paused else actions.pauses.get(stage.stage_id, ()),
        "extends": stage.stage_id in actions.extends,
    }


def _stage(request: HttpRequest) -> str:
    return request.POST.get("stage", "")


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").strip()


def _reason(request: HttpRequest) -> tuple[str, str]:
    return _text(request, "reason"), _text(request, "article")
