"""Recognitions of 名特优新: criteria, recommendations, juries."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class CriteriaView:
    """One place's criteria, as its rule says them: headings with lines."""

    rule_id: str
    title: str
    region: str
    document: str
    url: str
    trust: str
    valid_from: date
    valid_until: date | None
    incomplete: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class RecommendationView:
    """A department's recommendation, as the owner and the department see it."""

    id: uuid.UUID
    window_id: str
    window_title: str
    trader_code: str
    kind: str
    kind_label: str
    department_name: str
    reason: str
    at: datetime
    answer: str
    case_id: uuid.UUID | None


@dataclass(frozen=True)
class JurorSeat:
    """One seat of a jury. ``total`` None until every seat without a conflict has scored."""

    account_id: str
    name: str
    has_conflict: bool | None
    has_scored: bool
    total: int | None


@dataclass(frozen=True)
class JuryView:
    """A jury. ``sheet``: label and value of what jurors see; ``mean`` None while closed."""

    case_id: uuid.UUID
    kind: str
    kind_label: str
    sheet: tuple[tuple[str, str], ...]
    criteria: tuple[tuple[str, str, int], ...]  # id, label, most points
    seats: tuple[JurorSeat, ...]
    is_complete: bool
    mean: int | None
    pass_mark: int
    my_seat: JurorSeat | None


@dataclass(frozen=True)
class Term:
    """A recognition that holds for a time, and when it is to be assessed again."""

    pool_id: str
    title: str
    level: str
    level_label: str
    trader_code: str
    name: str
    valid_from: date
    valid_until: date
    assess_from: date
    is_due: bool
