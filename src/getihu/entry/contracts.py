"""What leaves entry: the register's entry of a trader and its filings."""

from dataclasses import dataclass
from datetime import date, datetime

PROVISIONAL = "P"  # no credit code begins with it: a shop that asks to be registered


@dataclass(frozen=True)
class FilingView:
    """One filing as people read it. ``said``: item → what was written, both in Chinese.
    ``counts``: False once it was annulled."""

    sequence: int
    kind: str
    label: str
    law: str
    effective_on: date
    filed_at: datetime
    said: tuple[tuple[str, str], ...]
    is_late: bool
    counts: bool


def is_provisional(trader_code: str) -> bool:
    """Whether a code stands for a shop that has none yet."""
    return trader_code.startswith(PROVISIONAL)


@dataclass(frozen=True)
class SlotView:
    """A slot that can be booked: ``free`` places of ``capacity`` are left."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    free: int


@dataclass(frozen=True)
class DayView:
    """A day of an office. ``closed``: why it takes no appointments, in Chinese; empty when it
    does. ``free`` counts places left in slots to come."""

    on: date
    free: int
    closed: str


@dataclass(frozen=True)
class AppointmentView:
    """An appointment as its visitor and the office see it."""

    id: str
    code: str
    office_id: str
    office_name: str
    office_address: str
    on: date
    starts_at: datetime
    ends_at: datetime
    state: str
    state_label: str
    trader_code: str
    matters: tuple[tuple[str, str], ...]
    question: str
    why: str


@dataclass(frozen=True)
class VisitView:
    """A visit as its office sees it. ``number`` is the one called out. ``matters``: (id, title).
    ``cases``: (case id, opened on her behalf). ``offered_to``: who was asked to take it over."""

    id: str
    number: str
    office_id: str
    on: date
    state: str
    state_label: str
    slot_at: datetime | None
    trader_code: str
    account_id: str
    identified_by: str
    identified_label: str
    matters: tuple[tuple[str, str], ...]
    question: str
    owner_id: str
    owner_name: str
    arrived_at: datetime
    called_at: datetime | None
    ended_at: datetime | None
    answer: str
    cases: tuple[tuple[str, bool], ...]
    offered_to: str


@dataclass(frozen=True)
class OfferView:
    """A question or a case somebody is asked to take over, with its file."""

    id: str
    visit_id: str
    case_id: str
    from_name: str
    to_id: str
    to_name: str
    reason: str
    offered_at: datetime
    state: str
    why_not: str


@dataclass(frozen=True)
class WindowMonth:
    """How an office kept its word in a month. Shares from 0 to 1; None where there are too few to
    say (fewer than ten) or nothing was due. There are no counts of traders here, and none can be
    asked for (条例 第三十二条, 方案二（四）)."""

    office_id: str
    office_name: str
    clocks_kept: float | None
    told_once: float | None
    answered_by_first: float | None
    good_share: float | None
    ratings: int | None
    rated_until: date | None
