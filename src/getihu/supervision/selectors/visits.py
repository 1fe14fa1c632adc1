"""Visits within an actor's reach, and the one a 检查码 opens."""

import uuid

from django.db.models import Q, QuerySet

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import within
from getihu.supervision.catalogue.fields import agencies_of, list_fields
from getihu.supervision.contracts import (
    FINDING_LABELS,
    VISIT_LABELS,
    Finding,
    PlanState,
    UnknownVisit,
    VisitKind,
    VisitState,
    VisitView,
)
from getihu.supervision.models import Visit

OFFICERS = (Role.CASE_OFFICER, Role.SUPERVISOR)


def visible_visits(actor: Actor | None) -> QuerySet[Visit]:
    """Visits an actor may see; None: all, for jobs. An owner sees a drawn one once it is published:
    nobody is warned of a check the law does not announce."""
    found = Visit.objects.select_related("plan")
    if actor is None:
        return found
    hers = Q(trader_code__in=[*actor.own, *(code for code, _ in actor.authorised)])
    told = Q(state=VisitState.DONE) | Q(plan__state=PlanState.PUBLISHED)
    told &= ~Q(state=VisitState.JOINED)
    return found.filter(hers & told | within(actor.scope(*OFFICERS), "place"))


def list_visits_of(trader_code: str, *, actor: Actor, year: int | None = None) -> list[VisitView]:
    """A trader's visits, newest first, as far as the actor may see them."""
    found = visible_visits(actor).filter(trader_code=trader_code)
    rows = found.filter(year=year) if year else found
    return [view_of(visit) for visit in rows.order_by("-made_at")]


def list_visits(actor: Actor, *, limit: int = 100) -> list[VisitView]:
    """Visits the actor's own offices have before them, the oldest first."""
    agencies = {grant.agency for grant in actor.grants if grant.role in OFFICERS}
    theirs = Q(agency__in=agencies)
    for field in list_fields():
        if field.agency in agencies:
            theirs |= Q(items__has_key=field.id)  # a joint visit that another leads
    found = Visit.objects.select_related("plan").filter(
        theirs, within(actor.scope(*OFFICERS), "place"), state=VisitState.PLANNED
    )
    return [view_of(visit) for visit in found.order_by("planned_on", "made_at", "id")[:limit]]


def list_done(actor: Actor, *, limit: int = 20) -> list[VisitView]:
    """Visits of the actor's own offices that found something, the latest first."""
    found = Visit.objects.select_related("plan").filter(
        within(actor.scope(*OFFICERS), "place"),
        agency__in={grant.agency for grant in actor.grants if grant.role in OFFICERS},
        finding__in=[Finding.CORRECTED, Finding.TO_CORRECT, Finding.TO_CASE],
    )
    return [view_of(visit) for visit in found.order_by("-done_on", "id")[:limit]]


def get_visit(visit_id: uuid.UUID | str, *, actor: Actor) -> VisitView:
    """Raises UnknownVisit."""
    try:
        return view_of(visible_visits(actor).get(pk=uuid.UUID(str(visit_id))))
    except (Visit.DoesNotExist, ValueError):
        raise UnknownVisit("没有找到这次检查。") from None


@over_the_wall()
def find_visit_by_code(code: str) -> VisitView | None:
    """The visit a 检查码 belongs to; None for an unknown code. Whoever holds it was shown it at the
    door."""
    visit = Visit.objects.select_related("plan").filter(code=code.strip().upper()).first()
    return view_of(visit) if visit else None


def view_of(visit: Visit) -> VisitView:
    kind = VisitKind(visit.kind)
    finding = Finding(visit.finding) if visit.finding else None
    items = tuple(item for checks in visit.items.values() for item in checks)
    return VisitView(
        id=str(visit.pk),
        trader_code=visit.trader_code,
        kind=kind,
        kind_label=VISIT_LABELS[kind],
        agencies=agencies_of(visit.items),
        items=items,
        basis="；".join([visit.basis, *(visit.basis_more or [])]),
        planned_on=visit.planned_on,
        done_on=visit.done_on,
        state=VisitState(visit.state),
        finding=finding,
        finding_label=FINDING_LABELS[finding] if finding else "",
        plan_number=visit.plan.number if visit.plan else "",
        plan_id=str(visit.plan_id or ""),
        team=tuple(visit.team),
        cause=visit.cause,
        found=visit.found,
        correct_until=visit.correct_until,
        publish_by=visit.publish_by,
        code=visit.code,
    )
