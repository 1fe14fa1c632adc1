"""Visits outside a draw, what was found, and the legal maximum of planned visits."""

import secrets
import uuid
from datetime import date, datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.cases import selectors as cases
from getihu.supervision.catalogue.fields import FieldOfSupervision, get_field
from getihu.supervision.catalogue.triggers import Trigger, get_trigger
from getihu.supervision.contracts import (
    PLANNED,
    Finding,
    NotNow,
    TooMany,
    UnknownVisit,
    VisitKind,
    VisitState,
)
from getihu.supervision.models import Visit
from getihu.supervision.selectors.burden import burden_of, superior_checked
from getihu.supervision.selectors.triggers import checked_lately
from getihu.supervision.selectors.visits import visible_visits
from getihu.supervision.services.rights import check_officer, day_of
from getihu.supervision.services.telling import tell

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def fresh_code() -> str:
    """A 检查码: twelve letters nobody guesses and nobody misreads."""
    return "".join(secrets.choice(LETTERS) for _ in range(12))


def plan_visit(
    trader_code: str,
    *,
    place: str,
    kind: VisitKind,
    field_id: str,
    cause: str,
    planned_on: date,
    trigger: str = "",
    by: Actor,
    at: datetime,
) -> str:
    """A visit that no draw made: a targeted check, a re-check, a coverage check; returns its id.

    A planned one beyond what the trader's class allows in the year is refused; one that a complaint
    or a hand-over caused is not limited, and not counted as planned (优化营商环境条例第五十四条).
    ``trigger`` names what brought a targeted one; within its quiet months it brings no second.

    Raises: NotAllowed, UnknownField, UnknownTrigger, TooMany, NotNow.
    """
    field = get_field(field_id)
    check_officer(by, field.agency, place, "安排检查")
    if kind is VisitKind.DRAWN:
        raise NotNow("抽查只能由抽签产生。处理办法：编制抽查计划。")
    if not cause.strip():
        raise NotNow("不经抽签的检查要写明起因：投诉举报、转办交办、数据监测，或者哪一次复查。")
    if planned_on < day_of(at):
        raise NotNow("检查日期已经过去。处理办法：选今天或以后的日期。")
    if trigger:
        _check_trigger(get_trigger(trigger), trader_code, kind, field.id, planned_on)
    with transaction.atomic(), over_the_wall():
        if kind in PLANNED:
            _check_room(trader_code, field, planned_on.year)
            _check_quiet(trader_code, field, planned_on)
        visit = Visit.objects.create(
            trader_code=trader_code,
            place=place,
            kind=kind,
            agency=field.agency,
            items={field.id: list(field.checks)},
            basis=field.basis,
            cause=cause.strip()[:200],
            trigger=trigger or None,
            level=_level_of(by, field.agency, place),
            year=planned_on.year,
            planned_on=planned_on,
            code=fresh_code(),
            made_at=at,
        )
        tell("visit.planned", f"visit:{visit.pk}", by, at, kind=kind.value)
    return str(visit.pk)


def report_visit(
    visit_id: uuid.UUID | str,
    *,
    finding: Finding,
    found: str = "",
    correct_until: date | None = None,
    by: Actor,
    at: datetime,
) -> None:
    """What a visit found. Told twice it stays as told first. An order to correct has a last day.

    Raises: UnknownVisit, NotAllowed, NotNow.
    """
    with transaction.atomic():
        visit = _lock(visit_id, by)
        check_officer(by, visit.agency, visit.place, "填写检查结果")
        if visit.state != VisitState.PLANNED:
            raise NotNow("这次检查已经有结果，或者取消了。")
        day = day_of(at)
        if (
            finding in (Finding.TO_CORRECT, Finding.TO_CASE, Finding.CORRECTED)
            and not found.strip()
        ):
            raise NotNow("发现问题要写明是什么问题。")
        if finding is Finding.TO_CORRECT and (correct_until is None or correct_until <= day):
            raise NotNow("责令改正要写改到哪一天，并且在今天以后。")
        visit.finding, visit.found = finding, found.strip()
        visit.correct_until = correct_until if finding is Finding.TO_CORRECT else None
        visit.state, visit.done_on, visit.done_by_id = VisitState.DONE, day, by.account_id
        visit.publish_by = _publish_by(visit, day)
        visit.save()
        tell("visit.reported", f"visit:{visit.pk}", by, at, finding=finding.value)


def cancel_visit(visit_id: uuid.UUID | str, *, reason: str, by: Actor, at: datetime) -> None:
    """Take back a visit that no draw made. A drawn one cannot be: that would be choosing.

    Raises: UnknownVisit, NotAllowed, NotNow.
    """
    with transaction.atomic():
        visit = _lock(visit_id, by)
        check_officer(by, visit.agency, visit.place, "取消检查")
        if visit.state != VisitState.PLANNED or visit.kind == VisitKind.DRAWN:
            raise NotNow("抽中的检查不能取消；已经有结果的也不能。")
        if not reason.strip():
            raise NotNow("取消要写明理由。")
        visit.state = VisitState.CANCELLED
        visit.save(update_fields=["state"])
        tell("visit.cancelled", f"visit:{visit.pk}", by, at, reason=reason.strip()[:200])


def _check_room(trader_code: str, field: FieldOfSupervision, year: int) -> None:
    burden = burden_of(trader_code, field.id, year, actor=None)
    if not burden.left:
        source = field.most_a_year[burden.risk_class].source
        raise TooMany(
            f"今年的计划检查已经有 {burden.planned_count} 次，这一类最多 {burden.most} 次（{source}）。"
            "依据：优化营商环境条例第五十四条（多个事项尽可能合并）。"
            "处理办法：并入已经安排的那一次；有投诉举报等线索的，按针对性检查办理。"
        )


def _level_of(by: Actor, agency: str, place: str) -> str:
    """Whether the office that leads is the city's or a county's."""
    reached = [g for g in by.grants if g.agency == agency and g.scope.covers(place)]
    return "city" if any(g.scope.covers("330300") for g in reached) else "county"


def _check_trigger(
    trigger: Trigger, trader_code: str, kind: VisitKind, field_id: str, planned_on: date
) -> None:
    if kind is not VisitKind.TARGETED:
        raise NotNow("只有针对性检查写触发规则。")
    if field_id not in trigger.fields:
        raise NotNow(f"“{trigger.title}”不引起这个领域的检查。")
    if checked_lately(trigger, [trader_code], planned_on):
        raise NotNow(
            f"“{trigger.title}”在 {trigger.quiet_months} 个月里已经引起过一次检查"
            f"（{trigger.quiet_source}）。有新的投诉举报、转办交办，按那一条安排。"
        )


def _check_quiet(trader_code: str, field: FieldOfSupervision, planned_on: date) -> None:
    if field.after_superior and trader_code in superior_checked(field, planned_on):
        raise TooMany(
            f"上级刚检查过，{field.after_superior.months} 个月内不重复检查（{field.after_superior.source}）。"
            "处理办法：用上级的检查结果；涉嫌违法或者有明显隐患的，按针对性检查办理。"
        )


def _lock(visit_id: uuid.UUID | str, by: Actor) -> Visit:
    try:
        return visible_visits(by).select_for_update(of=("self",)).get(pk=uuid.UUID(str(visit_id)))
    except (Visit.DoesNotExist, ValueError):
        raise UnknownVisit("没有找到这次检查。") from None


def _publish_by(visit: Visit, day: date) -> date | None:
    if visit.plan is None:
        return None
    term = get_field(visit.plan.field_id).publish_term
    return cases.due_after(term, day).on if term else None
