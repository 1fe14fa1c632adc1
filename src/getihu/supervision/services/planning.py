"""The list of inspectors, who may not check whom, and plans before their lists are frozen."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.reference import selectors as reference
from getihu.supervision.catalogue.fields import get_field
from getihu.supervision.contracts import Chance, NotNow, PlanState, UnknownPlan
from getihu.supervision.draws.rounds import make_recipe
from getihu.supervision.models import Conflict, Inspector, Plan
from getihu.supervision.services.rights import check_officer
from getihu.supervision.services.telling import tell


def enrol_inspector(
    number: str,
    *,
    agency: str,
    county_code: str,
    qualifications: Sequence[str],
    certified_until: date | None = None,
    account_id: str | None = None,
    by: Actor,
    at: datetime,
) -> None:
    """Put a person on the list, or bring her line up to date. Raises NotAllowed."""
    check_officer(by, agency, county_code, "维护检查人员名录", Role.SUPERVISOR)
    with transaction.atomic():
        Inspector.objects.update_or_create(
            number=number,
            defaults={
                "agency": agency,
                "county_code": county_code,
                "qualifications": sorted(qualifications),
                "certified_until": certified_until,
                "account_id": account_id,
            },
        )
        tell("inspector.enrolled", f"inspector:{number}", by, at, county=county_code)


def declare_conflict(
    number: str, trader_code: str, relation: str, *, by: Actor, at: datetime
) -> None:
    """An inspector does not check a trader (令第49号第二十三条：利害关系回避). Declared twice it is
    one. Raises NotAllowed, NotNow (no such inspector)."""
    inspector = Inspector.objects.filter(number=number).first()
    if inspector is None:
        raise NotNow(f"名录里没有 {number}。处理办法：先录入检查人员。")
    if str(inspector.account_id) != by.account_id:
        check_officer(by, inspector.agency, inspector.county_code, "登记回避", Role.SUPERVISOR)
    with transaction.atomic(), over_the_wall():
        _, is_new = Conflict.objects.get_or_create(
            inspector=inspector,
            trader_code=trader_code,
            defaults={"relation": relation, "declared_at": at},
        )
        if is_new:
            tell("inspector.conflict_declared", f"inspector:{number}", by, at)


def make_plan(
    *,
    title: str,
    field_id: str,
    county_code: str,
    year: int,
    window: tuple[date, date],
    chance: Chance,
    between: tuple[datetime, datetime],
    where: str,
    team: int = 2,
    by: Actor,
    at: datetime,
) -> str:
    """A plan nobody is bound by yet; returns its id. The rates are those of the field on this day.
    ``chance`` will be entered ``between`` two moments, else the beacon after them decides.

    Raises: NotAllowed, UnknownField, CannotDraw (a vague source of chance), NotNow.
    """
    field = get_field(field_id)
    check_officer(by, field.agency, county_code, "编制抽查计划", Role.SUPERVISOR)
    if county_code not in {county.code for county in reference.list_counties()}:
        raise NotNow("没有这个县（市、区）。处理办法：从列表里选。")
    recipe = make_recipe(chance, not_before=between[0], until=between[1], where=where)
    if window[0] >= window[1] or window[0].year != year:
        raise NotNow("检查的起止日期不对：先起后止，并且从计划的年度开始。")
    with transaction.atomic():
        count = Plan.objects.select_for_update().filter(county_code=county_code, year=year).count()
        plan = Plan.objects.create(
            number=f"{county_code}-{field_id}-{year}-{count + 1:03}".upper(),
            title=title.strip(),
            agency=field.agency,
            county_code=county_code,
            field_id=field_id,
            year=year,
            team=team,
            rates={name: str(rate.value) for name, rate in field.rates.items()},
            recipe=recipe,
            window_from=window[0],
            window_until=window[1],
            made_at=at,
            made_by_id=by.account_id,
        )
        tell("plan.made", f"plan:{plan.pk}", by, at, field=field_id, county=county_code)
    return str(plan.pk)


def cancel_plan(plan_id: uuid.UUID | str, *, reason: str, by: Actor, at: datetime) -> None:
    """Take back a plan before chance is known; afterwards nobody can: that would be a second draw.

    Raises: UnknownPlan, NotAllowed, NotNow.
    """
    with transaction.atomic():
        plan = lock_plan(plan_id)
        check_officer(by, plan.agency, plan.county_code, "取消抽查计划", Role.SUPERVISOR)
        is_open = plan.state == PlanState.COMMITTED and at < chance_from(plan)
        if plan.state != PlanState.DRAFT and not is_open:
            raise NotNow("已经到了产生随机数的时候，不能再取消：看了再取消，就是挑结果。")
        if not reason.strip():
            raise NotNow("取消要写明理由，理由会公布。")
        plan.state = PlanState.CANCELLED
        plan.save(update_fields=["state"])
        tell("plan.cancelled", f"plan:{plan.pk}", by, at, reason=reason.strip()[:200])


def chance_from(plan: Plan) -> datetime:
    """From when on chance may come up, and nothing of the plan can be taken back."""
    return datetime.fromisoformat(plan.recipe["not_before"])


def lock_plan(plan_id: uuid.UUID | str) -> Plan:
    """Raises UnknownPlan."""
    try:
        return Plan.objects.select_for_update().get(pk=uuid.UUID(str(plan_id)))
    except (Plan.DoesNotExist, ValueError):
        raise UnknownPlan("没有这份抽查计划。") from None
