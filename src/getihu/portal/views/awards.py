"""Awards without an application: what everybody may see, what a trader says, what an office does."""

import json
import uuid
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from getihu.accounts.contracts import Actor, Role
from getihu.policies import selectors, services
from getihu.policies.contracts import PUBLIC_LABELS, AwardState, RunState
from getihu.portal.views import Refused, page
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
from getihu.rulebook import selectors as rulebook

AT_ONCE = 2_000  # a longer list is worked through by ``getihu work``
trader_page = casework("portal:mine-awards")
desk_page = casework("portal:desk-awards")


# for everybody


@require_GET
@page
def runs(request: HttpRequest) -> HttpResponse:
    """Every run there was, with its money."""
    shown = [run for run in selectors.list_runs() if not run.is_dry]
    return render(request, "portal/awards/runs.html", {"runs": shown})


@require_GET
@page
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One run: who gets it in which order, how far the money went, how to check it."""
    shown = selectors.get_run(run_id)
    if shown.is_dry:
        raise Refused(404, "没有找到", "这一次还只是试算。")
    context = {
        "run": shown,
        "rule": rulebook.get_rule(shown.rule_id, shown.as_of),
        "steps": _steps(shown),
        "places": selectors.list_places(run_id),
        "fewest": selectors.FEWEST,
        "programme": selectors.get_programme(shown.programme_id),
    }
    return render(request, "portal/awards/run.html", context)


def _steps(run: Any) -> list[tuple[str, int]]:
    return [
        (PUBLIC_LABELS[state], run.counts[state]) for state in AwardState if state in run.counts
    ]


# for a trader


@require_GET
@trader_page
def mine(request: HttpRequest) -> HttpResponse:
    """Money that waits for her word, and what became of the rest."""
    actor = actor_of(request)
    codes = sorted(actor.own | {code for code, _ in actor.authorised})
    found = selectors.list_awards_of(codes)
    shows(request, *(award.trader_code for award in found))
    return render(request, "portal/mine/awards.html", {"awards": found})


@require_GET
@trader_page
def award(request: HttpRequest, award_id: uuid.UUID) -> HttpResponse:
    """One award: how much, why, what is asked of her, what happened."""
    actor = actor_of(request)
    shown = selectors.get_award(award_id, actor=actor)
    if not actor.may_view(shown.trader_code):
        raise Refused(404, "没有找到", "没有这笔兑付，或者不是您的。")
    shows(request, shown.trader_code)
    context = {
        "award": shown,
        "name": trader_name(shown.trader_code),
        "may_act": actor.may_apply_for(shown.trader_code),
        "consents": selectors.consents_of(award_id, actor=actor),
        "adjustments": selectors.list_adjustments_of(award_id, actor=actor),
        "can_confirm": shown.state in (AwardState.ENTITLED, AwardState.RETURNED),
        "can_decline": shown.state
        in (AwardState.WAITING, AwardState.ENTITLED, AwardState.CONFIRMED),
        "can_return": shown.state is AwardState.DECLINED,
        "once": fresh_key(),
    }
    return render(request, "portal/mine/award.html", context)


@require_GET
@trader_page
def slip(request: HttpRequest, award_id: uuid.UUID) -> HttpResponse:
    """The decision slip as a file; ``getihu replay`` decides it once more."""
    content = selectors.read_slip(award_id, actor=actor_of(request))
    shows(request, selectors.get_award(award_id, actor=actor_of(request)).trader_code)
    response = HttpResponse(content, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="slip-{award_id}.json"'
    return response


@require_GET
@trader_page
def proofs(request: HttpRequest, award_id: uuid.UUID) -> HttpResponse:
    """Every entry of the public log about her award, opened and with its proof of inclusion;
    ``tools/verify_log.py`` checks them without us."""
    actor = actor_of(request)
    shown = selectors.get_award(award_id, actor=actor)
    if not actor.may_view(shown.trader_code):
        raise Refused(404, "没有找到", "没有这笔兑付，或者不是您的。")
    shows(request, shown.trader_code)
    found = selectors.list_proofs(award_id, actor=actor)
    content = json.dumps({"award": str(award_id), "entries": found}, ensure_ascii=False, indent=1)
    response = HttpResponse(content, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="proof-{award_id}.json"'
    return response


@require_POST
@trader_page
def say(request: HttpRequest, award_id: uuid.UUID) -> HttpResponse:
    """Yes with an account, no, or yes after all; sent again it acts no second time."""
    actor, asked = actor_of(request), request.POST.get("do", "")

    def do() -> str:
        if asked == "confirm":
            services.confirm(
                award_id,
                number=request.POST.get("number", ""),
                bank=request.POST.get("bank", ""),
                consents=request.POST.getlist("consent"),
                by=actor,
                at=now(),
            )
        elif asked == "decline":
            services.decline(award_id, by=actor, at=now())
        elif asked == "change-mind":
            services.change_mind(award_id, by=actor, at=now())
        else:
            raise Refused(400, "这个请求看不懂", "没有这样的动作。")
        return reverse("portal:mine-award", args=[award_id])

    return act_once(request, do)


# for an office


@require_GET
@desk_page
def desk(request: HttpRequest) -> HttpResponse:
    """Runs, and what waits for a person: held awards, discrepancies, corrections."""
    actor = actor_of(request)
    held, adjustments = selectors.list_held(actor), selectors.list_adjustments(actor)
    shows(request, *(a.trader_code for a in held), *(a.trader_code for a in adjustments))
    context = {
        "programmes": [p for p in selectors.list_programmes() if p.by == "data"],
        "runs": selectors.list_runs(),
        "held": held,
        "discrepancies": selectors.list_discrepancies(),
        "adjustments": adjustments,
        "once": fresh_key(),
        "may": _may(actor),
    }
    return render(request, "portal/desk/awards.html", context)


@require_GET
@desk_page
def desk_run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One run: its numbers, what stopped it, the next step and who may take it."""
    actor, shown = actor_of(request), selectors.get_run(run_id)
    sample = selectors.list_sample(run_id, actor=actor)
    shows(request, *(award.trader_code for award in sample))
    context = {
        "run": shown,
        "steps": _steps(shown),
        "batches": selectors.list_batches(run_id, actor=actor),
        "sample": sample,
        "is_planned": shown.state is RunState.PLANNED,
        "is_approved": shown.state is RunState.APPROVED,
        "is_running": shown.state is RunState.ALLOTTING,
        "is_allotted": shown.state is RunState.ALLOTTED,
        "can_cancel": shown.state in (RunState.PLANNED, RunState.APPROVED, RunState.HALTED),
        "once": fresh_key(),
        "may": _may(actor),
    }
    return render(request, "portal/desk/award_run.html", context)


@require_POST
@desk_page
def act(request: HttpRequest) -> HttpResponse:
    """One step of an office; sent again it acts no second time."""
    actor, asked = actor_of(request), request.POST.get("do", "")
    if asked not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的办理动作。")
    return act_once(request, lambda: ACTIONS[asked](request, actor, now()))


@require_GET
@desk_page
def fairness(request: HttpRequest, rule_id: str) -> HttpResponse:
    """The fair-competition review of a rule: what it asks, and who answered by which law."""
    context = {
        "review": services.review_rule(rule_id),
        "rule": rulebook.get_rule(rule_id),
        "once": fresh_key(),
        "may": _may(actor_of(request)),
    }
    return render(request, "portal/desk/fairness.html", context)


def _answer(request: HttpRequest, by: Actor, at: datetime) -> str:
    rule_id = _text(request, "rule")
    services.answer_finding(
        rule_id,
        _text(request, "finding"),
        ground=_text(request, "ground"),
        article=_text(request, "article"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-fairness", args=[rule_id])


def _plan(request: HttpRequest, by: Actor, at: datetime) -> str:
    run = services.plan_run(request.POST.get("programme", ""), by=by, at=at)
    return _to_run(run.pk)


def _approve(request: HttpRequest, by: Actor, at: datetime) -> str:
    return _to_run(services.approve_run(_id(request), by=by, at=at).pk)


def _start(request: HttpRequest, by: Actor, at: datetime) -> str:
    run = services.begin_run(_id(request), by=by, at=at)
    if run.state == RunState.ALLOTTING and run.entitled_count <= AT_ONCE:
        services.allot(run.pk, at=at)
    return _to_run(run.pk)


def _cancel(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.cancel_run(_id(request), reason=_text(request, "reason"), by=by, at=at)
    return _to_run(_id(request))


def _sample(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.draw_sample(_id(request), at=at)
    return _to_run(_id(request))


def _check(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.check_award(
        _id(request, "award"),
        is_right=request.POST.get("right") == "yes",
        note=_text(request, "note"),
        by=by,
        at=at,
    )
    return _to_run(_id(request))


def _clear(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.clear(_id(request), despite=_text(request, "despite"), by=by, at=at)
    return _to_run(_id(request))


def _prepare(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.prepare_batch(_id(request), by=by, at=at)
    return _to_run(_id(request))


def _release(request: HttpRequest, by: Actor, at: datetime) -> str:
    total = _yuan(request, "total")
    services.release_batch(_id(request, "batch"), total_yuan=total, by=by, at=at)
    return _to_run(_id(request))


def _withdraw(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.take_batch_back(_id(request, "batch"), by=by, at=at)
    return _to_run(_id(request))


def _decide_held(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.decide_held(
        _id(request, "award"),
        give=request.POST.get("give") == "yes",
        reason=_text(request, "reason"),
        article=_text(request, "article"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-awards")


def _close(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.close_discrepancy(_number(request), how=_text(request, "how"), by=by, at=at)
    return reverse("portal:desk-awards")


def _leave(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.leave(_number(request), reason=_text(request, "reason"), by=by, at=at)
    return reverse("portal:desk-awards")


def _claim(request: HttpRequest, by: Actor, at: datetime) -> str:
    yuan, count = _yuan(request, "yuan"), request.POST.get("parts", "1")
    if count not in ("1", "2", "3", "6", "12"):
        raise Refused(422, "没有选分几期", "选一期、两期、三期、六期或十二期。")
    first = _day(request, "first")
    services.claim(
        _number(request),
        yuan=yuan,
        parts=services.monthly_parts(yuan, int(count), first),
        reason=_text(request, "reason"),
        article=_text(request, "article"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-awards")


def _top_up(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.top_up(
        _number(request),
        reason=_text(request, "reason"),
        article=_text(request, "article"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-awards")


def _join(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.join_codes(
        _text(request, "later"),
        _text(request, "earlier"),
        evidence=_text(request, "evidence"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-awards")


def _agree(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.agree(_number(request), by=by, at=at)
    return reverse("portal:desk-awards")


def _receive(request: HttpRequest, by: Actor, at: datetime) -> str:
    part = int(request.POST.get("part", "0") or 0)
    services.receive(_number(request), part, on=today(), by=by, at=at)
    return reverse("portal:desk-awards")


ACTIONS: dict[str, Callable[[HttpRequest, Actor, datetime], str]] = {
    "answer": _answer,
    "plan": _plan,
    "approve": _approve,
    "start": _start,
    "cancel": _cancel,
    "sample": _sample,
    "check": _check,
    "clear": _clear,
    "prepare": _prepare,
    "release": _release,
    "withdraw": _withdraw,
    "held": _decide_held,
    "close": _close,
    "leave": _leave,
    "claim": _claim,
    "agree": _agree,
    "join": _join,
    "top-up": _top_up,
    "receive": _receive,
}


def _may(actor: Actor) -> dict[str, bool]:
    """Which buttons are shown; the services ask again."""
    roles = actor.roles
    return {
        "plan": bool(roles & {Role.POLICY_WRITER, Role.SUPERVISOR}),
        "approve": Role.SUPERVISOR in roles,
        "check": bool(roles & {Role.CASE_OFFICER, Role.SUPERVISOR}),
        "prepare": Role.FINANCE_OFFICER in roles,
        "release": bool(roles & {Role.FINANCE_OFFICER, Role.SUPERVISOR}),
        "decide": Role.SUPERVISOR in roles,
    }


def _to_run(run_id: object) -> str:
    return reverse("portal:desk-award-run", args=[run_id])


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").strip()[:500]


def _id(request: HttpRequest, name: str = "run") -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get(name, ""))
    except ValueError:
        raise Refused(400, "这个请求看不懂", "缺少编号。") from None


def _number(request: HttpRequest) -> int:
    text = request.POST.get("number", "")
    if not text.isdigit():
        raise Refused(400, "这个请求看不懂", "缺少编号。")
    return int(text)


def _yuan(request: HttpRequest, name: str) -> Decimal:
    text = request.POST.get(name, "").replace(",", "").strip()
    try:
        yuan = Decimal(text)
    except InvalidOperation:
        yuan = Decimal("NaN")
    if not yuan.is_finite() or yuan != yuan.quantize(Decimal("0.01")):
        raise Refused(422, "金额看不懂", "写成元，最多两位小数，例如 12345.60。")
    return yuan


def _day(request: HttpRequest, name: str) -> date:
    try:
        return date.fromisoformat(request.POST.get(name, ""))
    except ValueError:
        raise Refused(422, "日期看不懂", "选一个日期。") from None
