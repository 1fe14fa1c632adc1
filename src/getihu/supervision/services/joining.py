"""Joint visits: what several departments drew of one trader is done in one visit."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.supervision.contracts import NotNow, PlanState, VisitKind, VisitState
from getihu.supervision.draws.merging import DrawnVisit, check, merge
from getihu.supervision.models import Plan, Visit
from getihu.supervision.selectors.dossiers import read_text
from getihu.supervision.services.rights import check_officer
from getihu.supervision.services.telling import tell

DRAWN = (PlanState.DRAWN, PlanState.PUBLISHED)


def merge_visits(county_code: str, year: int, *, by: Actor, at: datetime) -> int:
    """Put together what the logged draws of a county and year brought to the same door and nobody
    has done yet; returns how many visits became part of another (浙江省综合行政执法条例第十三条、
    第十四条). Before it is kept a naive count proves that every plan's quota still holds. Again:
    only what has come since.

    Raises: NotAllowed, NotNow (the count does not hold; nothing is kept).
    """
    check_officer(by, "amr", county_code, "合并检查", Role.SUPERVISOR)
    with transaction.atomic(), over_the_wall():
        plans = list(Plan.objects.filter(county_code=county_code, year=year, state__in=DRAWN))
        open_visits = (
            Visit.objects.select_for_update(of=("self",))
            .filter(plan__in=plans, kind=VisitKind.DRAWN, state=VisitState.PLANNED)
            .select_related("plan")
        )
        visits = {str(visit.pk): visit for visit in open_visits}
        alone = [_drawn(visit) for visit in visits.values() if len(visit.items) == 1]
        merged = 0
        for joint in merge(alone):
            lead = visits[joint.lead]
            for each in joint.others:
                _take_in(lead, visits[each])
                merged += 1
            lead.save(update_fields=["items", "team", "basis_more"])
            tell("visit.joined", f"visit:{lead.pk}", by, at, n=len(joint.others))
        if wrong := broken_quotas(plans):
            raise NotNow(f"合并以后有计划的数不够了，没有合并：{'；'.join(wrong[:3])}。")
    return merged


def broken_quotas(plans: Sequence[Plan]) -> list[str]:
    """What some drawn plans owe and the visits that stand do not give, counted from the published
    results themselves; empty when every quota holds."""
    drawn = {}
    for plan in plans:
        lines = read_text(str(plan.result_sha256)).splitlines()
        drawn[str(plan.pk)] = (plan.field_id, [line.split(",")[2] for line in lines])
    standing = Visit.objects.filter(plan__in=plans, kind=VisitKind.DRAWN).exclude(
        state=VisitState.JOINED
    )
    held = [
        (code, frozenset(items)) for code, items in standing.values_list("trader_code", "items")
    ]
    return check(drawn, held)


def _drawn(visit: Visit) -> DrawnVisit:
    plan = visit.plan
    assert plan is not None
    window = (plan.window_from, plan.window_until)
    return DrawnVisit(str(visit.pk), visit.trader_code, str(plan.pk), plan.field_id, window)


def _take_in(lead: Visit, other: Visit) -> None:
    lead.items = {**lead.items, **other.items}
    lead.team = [*lead.team, *(number for number in other.team if number not in lead.team)]
    lead.basis_more = [*(lead.basis_more or []), other.basis]
    other.state, other.joined_to = VisitState.JOINED, lead
    other.save(update_fields=["state", "joined_to"])
