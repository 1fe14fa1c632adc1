"""Plans as pages show them."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from getihu.accounts.contracts import Actor
from getihu.supervision.contracts import PLAN_LABELS, PlanState, PlanView, UnknownPlan
from getihu.supervision.models import Inspector, Plan

PUBLIC = (PlanState.COMMITTED, PlanState.SEEDED, PlanState.DRAWN, PlanState.PUBLISHED,
          PlanState.CANCELLED)  # fmt: skip


def list_public_plans(year: int | None = None) -> list[PlanView]:
    """Every plan whose lists are frozen, newest first; a cancelled one stays on the list."""
    found = Plan.objects.filter(state__in=PUBLIC, commitment__isnull=False)
    return _views(found.filter(year=year) if year else found)


def list_plans(actor: Actor) -> list[PlanView]:
    """The plans of the actor's offices, newest first."""
    found = [
        plan
        for plan in Plan.objects.all().order_by("-made_at")
        if any(g.agency == plan.agency and g.scope.covers(plan.county_code) for g in actor.grants)
    ]
    return [_view(plan) for plan in found]


def get_plan(plan_id: uuid.UUID | str, *, actor: Actor | None = None) -> tuple[Plan, PlanView]:
    """One plan; for the public (``actor`` None) only once its lists are frozen. Raises UnknownPlan."""
    try:
        plan = Plan.objects.get(pk=uuid.UUID(str(plan_id)))
    except (Plan.DoesNotExist, ValueError):
        raise UnknownPlan("没有这份抽查计划。") from None
    is_public = plan.state in PUBLIC and plan.commitment is not None
    is_hers = actor is not None and any(
        g.agency == plan.agency and g.scope.covers(plan.county_code) for g in actor.grants
    )
    if not (is_hers if actor is not None else is_public):
        raise UnknownPlan("没有这份抽查计划。")
    return plan, _view(plan)


def source_at(recipe: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The source chance is taken from at a moment: the agreed one within its time, afterwards the
    fallback."""
    late = at >= datetime.fromisoformat(recipe["until"])
    source: dict[str, Any] = recipe["fallback"] if late else recipe
    return source


def list_inspectors(county_code: str, agency: str) -> list[dict[str, object]]:
    """The list of those who check in a county, by number; no names."""
    found = Inspector.objects.filter(county_code=county_code, agency=agency).order_by("number")
    return [
        {
            "number": person.number,
            "qualifications": tuple(person.qualifications),
            "certified_until": person.certified_until,
            "conflicts": person.conflicts.count(),
        }
        for person in found
    ]


def _views(found: Iterable[Plan]) -> list[PlanView]:
    return [_view(plan) for plan in sorted(found, key=lambda p: p.made_at, reverse=True)]


def _view(plan: Plan) -> PlanView:
    state = PlanState(plan.state)
    chance = {"kind": plan.chance_kind, "digits": plan.chance_digits, "fallback": plan.is_fallback}
    return PlanView(
        id=str(plan.pk),
        number=plan.number,
        title=plan.title,
        agency=plan.agency,
        county_code=plan.county_code,
        field_id=plan.field_id,
        year=plan.year,
        state=state,
        state_label=PLAN_LABELS[state],
        recipe=plan.recipe,
        commitment=plan.commitment or "",
        commitment_sha256=plan.commitment_sha256 or "",
        committed_at=plan.committed_at,
        chance=chance if plan.seed else {},
        seed=plan.seed or "",
        seeded_at=plan.seeded_at,
        result_sha256=plan.result_sha256 or "",
        drawn_at=plan.drawn_at,
        drawn_count=plan.drawn_count or 0,
        published_at=plan.published_at,
    )
