"""Types of the city and who moves, as they are shown."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class ReviewReport:
    """What one review of the city came to. ``counts``: type → traders, as proposed."""

    review_id: uuid.UUID
    as_of: date
    traders: int
    moved: int
    told: int
    object_until: date
    counts: dict[str, int]


@dataclass(frozen=True)
class ReviewView:
    """One review, as listed."""

    id: uuid.UUID
    as_of: date
    state: str
    state_label: str
    traders_count: int
    moved_count: int
    object_until: date
    published_at: datetime | None
    sha256: str
    rule_version: str
    held_count: int


@dataclass(frozen=True)
class TypeShare:
    """How many are of one type. ``count`` None: fewer than may be told."""

    type: str
    label: str
    is_typed: bool
    count: int | None
    share: float


@dataclass(frozen=True)
class Flow:
    """How many went from one type to another between two reviews; None: too few to tell."""

    before: str
    before_label: str
    after: str
    after_label: str
    count: int | None


@dataclass(frozen=True)
class MissingCount:
    """Traders without a type for want of one department's data; one may lack several."""

    department: str
    department_name: str
    facts: str
    count: int | None


@dataclass(frozen=True)
class TypesPage:
    """A county's (or the city's) types at a published review, beside the one before."""

    county_code: str
    county_name: str
    review: ReviewView
    previous: ReviewView | None
    total: int
    shares: tuple[TypeShare, ...]
    flows: tuple[Flow, ...]
    missing: tuple[MissingCount, ...]


@dataclass(frozen=True)
class MoveView:
    """One trader's move of type, as she and the county's officers see it."""

    id: int
    trader_code: str
    county_code: str
    before_label: str
    after_label: str
    state: str
    state_label: str
    as_of: date
    snapshot_id: str
    object_until: date
    case_id: uuid.UUID | None
