"""Links to be looked at, and conflicts between departments, for an office."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from django.db.models import Q, QuerySet

from getihu.accounts.contracts import Actor, Role
from getihu.growth import linkage
from getihu.growth.contracts.linkage import ConflictView, LinkView
from getihu.growth.models import ConflictItem, RecordLink
from getihu.reference import selectors as reference
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook

DESK_ROLES: Final = (Role.WINDOW_OFFICER, Role.CASE_OFFICER, Role.SUPERVISOR)
LINK_AGENCY: Final = "amr"


@lru_cache
def conflict_owners() -> dict[str, str]:
    """Conflict rule → the department that must look into it, as conflicts.yaml says."""
    file = Path(linkage.__file__).parent / "conflicts.yaml"
    raw: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text("utf-8"))
    return {rule: each["owner"] for rule, each in raw.items()}


def links_in_reach(actor: Actor) -> QuerySet[RecordLink]:
    """The links of an officer's region; market regulation looks after them."""
    reach = Q(pk=None)
    for grant in actor.grants:
        if grant.role in DESK_ROLES and grant.agency == LINK_AGENCY:
            for prefix in grant.scope.prefixes:
                reach |= Q(division__startswith=prefix)
    return RecordLink.objects.filter(reach)


def conflicts_in_reach(actor: Actor) -> QuerySet[ConflictItem]:
    """The conflicts an officer's department must look into, in her region."""
    reach = Q(pk=None)
    for grant in actor.grants:
        if grant.role in DESK_ROLES:
            for prefix in grant.scope.prefixes:
                reach |= Q(department=grant.agency, division__startswith=prefix)
    return ConflictItem.objects.filter(reach)


def list_links(actor: Actor, *, state: str = "review", limit: int = 100) -> list[LinkView]:
    """Links in one state, the least sure first."""
    rows = links_in_reach(actor).filter(state=state).order_by("probability", "record")[:limit]
    names = registry.list_names([row.trader_code for row in rows]) if rows else {}
    return [_link_view(row, names.get(row.trader_code, "")) for row in rows]


def list_conflicts(actor: Actor, *, limit: int = 100) -> list[ConflictView]:
    """Open conflicts, those nobody took first."""
    rows = list(
        conflicts_in_reach(actor)
        .filter(gone_at=None, answered_at=None)
        .select_related("owner")
        .order_by("owner", "found_at", "id")[:limit]
    )
    names = registry.list_names([row.trader_code for row in rows]) if rows else {}
    return [
        ConflictView(
            row.pk,
            row.rule_id,
            rulebook.get_rule(row.rule_id).title,
            row.trader_code,
            names.get(row.trader_code, ""),
            reference.department_name(row.department),
            row.reason,
            row.owner.name if row.owner else "",
            str(row.owner_id) == actor.account_id,
            row.answer,
            row.found_at,
        )
        for row in rows
    ]


def _link_view(row: RecordLink, name: str) -> LinkView:
    return LinkView(
        str(row.pk),
        row.dataset,
        row.record,
        row.written,
        row.trader_code,
        name,
        f"{row.probability * 100:.1f}%",
        f"{row.weight:+.1f}",
        tuple((label, words, f"{bits:+.1f}") for label, words, bits in row.evidence),
        row.state,
        row.get_state_display(),
        row.made_at,
        row.why,
    )
