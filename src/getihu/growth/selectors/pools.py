"""Reads of the pools: who is in which, since when and why; at any date, as known at any moment."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import within
from getihu.cases.selectors import term_words
from getihu.growth.catalogue.pools import (
    GROUP_LABELS,
    LEVEL_LABELS,
    Pool,
    all_pools,
    get_pool,
)
from getihu.growth.contracts import (
    ExitView,
    HoldView,
    ListLine,
    MembershipView,
    MemberView,
    PoolSummary,
    RefreshView,
    RemovalView,
    TargetView,
)
from getihu.growth.models import Exit, Membership, Refresh, Removal
from getihu.growth.selectors.objections import objection_outcome
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook

TENDING = (Role.CASE_OFFICER, Role.SUPERVISOR)
ASSESSED_MONTHS = 12  # the last year of a term; 咸宁市申报通知：最后一年由认定部门评估
WHY_LABELS = {
    "machine": "规则判定符合",
    "type": "分型公布",
    "with_type": "分型变了",
    "rule": "不再符合，告知后没有异议",
    "decided": "工作人员决定退出",
    "moved": "迁到别的县（市、区）",
    "recognised": "认定",
    "extended": "评估仍符合，延续",
    "lapsed": "有效期满",
    "struck": "公示异议成立，移出",
    "objection": "异议成立，补入",
}


class UnknownRefresh(GetihuError):
    """There is no such list, or it is not public."""

    exit_code = 3


class Line(NamedTuple):
    """One line of a list."""

    level: str
    trader_code: str
    valid_from: date


@over_the_wall()
def known_list(pool_id: str, county_code: str, *, on: date, known_at: datetime) -> list[Line]:
    """Who was in a county's pool on a day, as known at a moment; by level and code. The same
    answer for ever: beliefs are only added to."""
    rows = (
        Membership.objects.filter(
            Q(known_until=None) | Q(known_until__gt=known_at),
            Q(valid_until=None) | Q(valid_until__gt=on),
            pool_id=pool_id,
            county_code=county_code,
            known_from__lte=known_at,
            valid_from__lte=on,
        )
        .order_by("level", "trader_code")
        .values_list("level", "trader_code", "valid_from")
    )
    return [Line(*row) for row in rows]


def members_now(on: date) -> QuerySet[Membership]:
    """The beliefs of today that hold on a day."""
    return Membership.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=on), known_until=None, valid_from__lte=on
    )


@over_the_wall()
def count_members(days: Sequence[date]) -> list[tuple[date, str, str, int]]:
    """Rows (day, pool, county, traders) of the members as believed today, of pools with any.
    Cost: a statement a day."""
    return [
        (day, pool_id, county_code, n)
        for day in days
        for pool_id, county_code, n in members_now(day)
        .values_list("pool_id", "county_code")
        .annotate(Count("trader_code", distinct=True))
        .order_by("pool_id", "county_code")
    ]


@over_the_wall()
def is_member(pool_id: str, trader_code: str, on: date) -> bool:
    return members_now(on).filter(pool_id=pool_id, trader_code=trader_code).exists()


def list_memberships(
    trader_code: str, on: date, *, known_at: datetime | None = None
) -> list[MembershipView]:
    """Every pool a trader is or was in, as believed now or at a moment; those that hold first."""
    rows = Membership.objects.filter(trader_code=trader_code)
    if known_at is None:
        rows = rows.filter(known_until=None)
    else:
        rows = rows.filter(
            Q(known_until=None) | Q(known_until__gt=known_at), known_from__lte=known_at
        )
    shown = [_membership(row, on) for row in rows.order_by("-valid_from", "pool_id", "level")]
    return sorted(shown, key=lambda view: not view.is_now)


def _membership(row: Membership, on: date) -> MembershipView:
    pool = all_pools().get(row.pool_id)
    now = row.valid_from <= on and (row.valid_until is None or row.valid_until > on)
    return MembershipView(
        pool_id=row.pool_id,
        title=pool.title if pool else row.pool_id,
        level=row.level,
        level_label=LEVEL_LABELS[row.level],
        trader_code=row.trader_code,
        county_code=row.county_code,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        known_from=row.known_from,
        why=WHY_LABELS.get(row.why, row.why),
        ground=_ground_words(pool, row.ground),
        is_now=now,
        assess_from=_assess_from(pool, row.valid_until) if now else None,
    )


def _ground_words(pool: Pool | None, ground: str) -> str:
    """What a membership rests on, as people read it: the rule by its title, not by its id."""
    named, at, version = ground.partition("@")
    if not at or pool is None or named != pool.admission.rule:
        return ground if not at else f"{named}，版本 {version}"
    return f"按“{rulebook.get_rule(named).title}”，版本 {version}"


def _assess_from(pool: Pool | None, until: date | None) -> date | None:
    if pool is None or pool.term_months is None or until is None:
        return None
    return months_after(until, -ASSESSED_MONTHS)


def months_after(day: date, months: int) -> date:
    """The same day some months on; the last of the month where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError


@over_the_wall()
def list_pools(on: date, county_code: str = "") -> list[PoolSummary]:
    """Every pool with its members, in the city or a county."""
    rows = members_now(on)
    if county_code:
        rows = rows.filter(county_code=county_code)
    by_level: dict[str, dict[str, int]] = {}
    for pool_id, level, n in rows.values_list("pool_id", "level").annotate(Count("pk")):
        by_level.setdefault(pool_id, {})[level] = n
    people = dict(
        rows.filter(pool_id__in=[p.id for p in all_pools().values() if len(p.levels) > 1])
        .values_list("pool_id")
        .annotate(Count("trader_code", distinct=True))
    )
    return [
        PoolSummary(
            pool.id,
            pool.title,
            pool.group,
            GROUP_LABELS[pool.group],
            pool.summary,
            people.get(pool.id, sum(by_level.get(pool.id, {}).values())),
            tuple((LEVEL_LABELS[lv], by_level.get(pool.id, {}).get(lv, 0)) for lv in pool.levels),
        )
        for pool in all_pools().values()
    ]


@over_the_wall()
def list_targets(on: date) -> list[TargetView]:
    """The plan's numbers for pools, each trader counted once however many pools and levels."""
    found: dict[str, tuple[Pool, list[str]]] = {}
    for pool in all_pools().values():
        if pool.target is not None:
            found.setdefault(pool.target.id, (pool, []))[1].append(pool.id)
    views = []
    for pool, ids in found.values():
        assert pool.target is not None
        rows = members_now(on).filter(pool_id__in=ids)
        count = rows.values("trader_code").distinct().count()
        target = pool.target
        views.append(TargetView(target.id, target.label, count, target.count, target.source))
    return views


def objection_term(pool: Pool) -> tuple[str, str]:
    """What the days to object are called, and where they come from."""
    return term_words(pool.objection)


# exits


def list_exits(actor: Actor, *, limit: int = 200) -> list[ExitView]:
    """Members the rule no longer holds for, in the counties an officer tends."""
    rows = Exit.objects.filter(
        within(actor.scope(*TENDING), "county_code"), state__in=("told", "waiting", "held")
    )
    return [_exit(row) for row in rows.order_by("-takes_away", "object_until", "id")[:limit]]


def list_exits_of(trader_code: str) -> list[ExitView]:
    rows = Exit.objects.filter(trader_code=trader_code).exclude(state="dropped")
    return [_exit(row) for row in rows.order_by("-told_at")[:20]]


# recognitions, and those taken away


def list_members(actor: Actor, on: date, *, words: str = "", limit: int = 100) -> list[MemberView]:
    """Members of the pools people keep, in the counties an officer tends; ``words``: a code, or the
    beginning of one."""
    kept = [pool.id for pool in all_pools().values() if pool.admission.by == "people"]
    rows = members_now(on).filter(within(actor.scope(*TENDING), "county_code"), pool_id__in=kept)
    if words:
        rows = rows.filter(trader_code__startswith=words.strip().upper()[:18])
    found = list(rows.order_by("pool_id", "level", "trader_code")[:limit])
    names = _names([row.trader_code for row in found])
    return [
        MemberView(
            row.pool_id,
            get_pool(row.pool_id).title,
            row.level,
            LEVEL_LABELS[row.level],
            row.trader_code,
            names.get(row.trader_code, ""),
            row.valid_from,
            row.valid_until,
            row.ground,
        )
        for row in found
    ]


def list_removals(actor: Actor, *, limit: int = 50) -> list[RemovalView]:
    """What was taken away in the counties an officer tends, the latest first."""
    rows = Removal.objects.filter(within(actor.scope(*TENDING), "county_code"))
    return _removals(rows.order_by("-removed_at", "-id")[:limit])


def list_removals_of(trader_code: str) -> list[RemovalView]:
    """What was taken away from a trader, the latest first."""
    rows = Removal.objects.filter(trader_code=trader_code)
    return _removals(rows.order_by("-removed_at", "-id")[:20])


def _removals(rows: Iterable[Removal]) -> list[RemovalView]:
    found = list(rows)
    names = _names([row.trader_code for row in found])
    return [
        RemovalView(
            row.pk,
            row.pool_id,
            get_pool(row.pool_id).title,
            LEVEL_LABELS[row.level],
            row.trader_code,
            names.get(row.trader_code, ""),
            row.reason,
            row.article,
            row.removed_at,
            row.object_until,
            row.case_id,
            objection_outcome(row.case_id),
            row.restored_at is not None,
        )
        for row in found
    ]


@over_the_wall()
def exit_is(argument: str) -> bool:
    """Whether an exit is in a state, asked again before a notice goes. ``argument``: id state."""
    number, _, state = argument.partition(" ")
    return Exit.objects.select_for_update().filter(pk=number, state=state).exists()


def _exit(row: Exit) -> ExitView:
    pool = all_pools().get(row.pool_id)
    return ExitView(
        id=row.pk,
        pool_id=row.pool_id,
        title=pool.title if pool else row.pool_id,
        level=row.level,
        trader_code=row.trader_code,
        county_code=row.county_code,
        state=row.state,
        state_label=Exit.State(row.state).label,
        takes_away=row.takes_away,
        told_at=row.told_at,
        object_until=row.object_until,
        reason=row.reason,
        article=row.article,
    )


# lists


def list_refreshes(
    *, county_code: str = "", pool_id: str = "", public: bool = True
) -> list[RefreshView]:
    """Yearly lists, the newest first; in public those published for objection or for good."""
    rows = Refresh.objects.select_related("listed_by", "run")
    if public:
        rows = rows.filter(state__in=("open", "concluded"))
    if county_code:
        rows = rows.filter(county_code=county_code)
    if pool_id:
        rows = rows.filter(pool_id=pool_id)
    return [_refresh(row) for row in rows.order_by("-year", "-listed_at")[:200]]


def visible_refreshes(actor: Actor) -> QuerySet[Refresh]:
    """The lists of the counties an officer tends, published or not."""
    return Refresh.objects.filter(within(actor.scope(*TENDING), "county_code"))


def list_refreshes_of(actor: Actor) -> list[RefreshView]:
    """The lists of the counties an officer tends, published or not."""
    rows = visible_refreshes(actor).select_related("listed_by", "run")
    return [_refresh(row) for row in rows.order_by("-year", "-listed_at")[:200]]


def get_refresh(refresh_id: uuid.UUID | str, *, actor: Actor | None = None) -> RefreshView:
    """One list: for everybody once it is published, for an officer when it is of a county she
    tends. Raises UnknownRefresh."""
    rows = (
        Refresh.objects.filter(state__in=("open", "concluded"))
        if actor is None
        else visible_refreshes(actor)
    )
    row = rows.select_related("listed_by", "run").filter(pk=refresh_id).first()
    if row is None:
        raise UnknownRefresh("没有这份名单，或者还没有公示。处理办法：从名单列表里打开。")
    return _refresh(row)


def list_lines(refresh_id: uuid.UUID | str, *, offset: int = 0, limit: int = 100) -> list[ListLine]:
    """Lines of a list as it was published, with trade names, where names are published; else
    none. Read from what was known then."""
    row = Refresh.objects.get(pk=refresh_id)
    if get_pool(row.pool_id).publishes != "names":
        return []
    at = row.concluded_at or row.listed_at
    lines = known_list(row.pool_id, row.county_code, on=row.as_of, known_at=at)
    part = lines[offset : offset + limit]
    names = _names([line.trader_code for line in part])
    return [
        ListLine(
            line.level,
            LEVEL_LABELS[line.level],
            line.trader_code,
            line.valid_from,
            names.get(line.trader_code, ""),
        )
        for line in part
    ]


def list_holds(refresh_id: uuid.UUID | str) -> list[HoldView]:
    row = Refresh.objects.get(pk=refresh_id)
    return [HoldView(h.trader_code, h.case_id, h.outcome) for h in row.holds.order_by("pk")]


def _names(codes: list[str]) -> Mapping[str, str]:
    try:
        return registry.list_names(codes)
    except GetihuError:
        return {}


@over_the_wall()
def _refresh(row: Refresh) -> RefreshView:
    pool = all_pools().get(row.pool_id)
    holds = row.holds.values_list("outcome", flat=True)
    return RefreshView(
        id=row.pk,
        pool_id=row.pool_id,
        title=pool.title if pool else row.pool_id,
        county_code=row.county_code,
        county_name=reference.division_name(row.county_code) or row.county_code,
        year=row.year,
        as_of=row.as_of,
        state=row.state,
        state_label=Refresh.State(row.state).label,
        members_count=row.members_count,
        added_count=row.added_count,
        removed_count=row.removed_count,
        list_sha256=row.list_sha256,
        final_sha256=row.final_sha256,
        listed_at=row.listed_at,
        listed_by=str(row.listed_by_id),
        opened_at=row.opened_at,
        object_until=row.object_until,
        concluded_at=row.concluded_at,
        holds_count=len(holds),
        open_holds_count=sum(1 for outcome in holds if not outcome),
        written_count=row.run.written_count if row.run else 0,
    )
