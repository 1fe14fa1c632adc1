"""Pools, memberships and yearly lists, as they are shown."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class RunReport:
    """What one pass over a pool did. ``written`` counts every row the pass wrote; ``leaving`` are
    told or wait for a person and are still members."""

    pool_id: str
    as_of: date
    entered: int
    left: int
    leaving: int
    kept: int
    unknown: int
    written: int


@dataclass(frozen=True)
class MembershipView:
    """A trader in a pool: since when, why, until when; ``is_now`` on the day asked for."""

    pool_id: str
    title: str
    level: str
    level_label: str
    trader_code: str
    county_code: str
    valid_from: date
    valid_until: date | None
    known_from: datetime
    why: str
    ground: str
    is_now: bool
    assess_from: date | None  # in the last year of a term: assessed from this day on


@dataclass(frozen=True)
class ExitView:
    """A member the rule no longer holds for."""

    id: int
    pool_id: str
    title: str
    level: str
    trader_code: str
    county_code: str
    state: str
    state_label: str
    takes_away: bool
    told_at: datetime
    object_until: date
    reason: str
    article: str


@dataclass(frozen=True)
class PoolSummary:
    """One pool with its members now. ``members`` counts traders, not rows."""

    id: str
    title: str
    group: str
    group_label: str
    summary: str
    members: int
    by_level: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class TargetView:
    """A number of the plan, and how many traders count towards it now."""

    id: str
    label: str
    count: int
    target: int
    source: str

    @property
    def percent(self) -> int:
        return min(100, self.count * 100 // self.target)


@dataclass(frozen=True)
class RefreshView:
    """One county's yearly refresh of one pool."""

    id: uuid.UUID
    pool_id: str
    title: str
    county_code: str
    county_name: str
    year: int
    as_of: date
    state: str
    state_label: str
    members_count: int
    added_count: int
    removed_count: int
    list_sha256: str
    final_sha256: str
    listed_at: datetime
    listed_by: str
    opened_at: datetime | None
    object_until: date | None
    concluded_at: datetime | None
    holds_count: int
    open_holds_count: int
    written_count: int


@dataclass(frozen=True)
class ListLine:
    """One line of a list. ``name`` is the trade name, where names are published."""

    level: str
    level_label: str
    trader_code: str
    valid_from: date
    name: str


@dataclass(frozen=True)
class HoldView:
    """One line of a list that somebody objects to; who objects is not told."""

    trader_code: str
    case_id: uuid.UUID
    outcome: str


@dataclass(frozen=True)
class RemovalView:
    """A recognition a person took away. ``outcome`` of her objection: upheld, rejected, or empty;
    ``case_id`` None: she has not objected."""

    id: int
    pool_id: str
    title: str
    level_label: str
    trader_code: str
    name: str
    reason: str
    article: str
    removed_at: datetime
    object_until: date
    case_id: uuid.UUID | None
    outcome: str
    is_restored: bool


@dataclass(frozen=True)
class MemberView:
    """A member of a pool people keep, as the office over her sees her."""

    pool_id: str
    title: str
    level: str
    level_label: str
    trader_code: str
    name: str
    valid_from: date
    valid_until: date | None
    ground: str
