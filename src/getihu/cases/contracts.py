"""What leaves the cases: a case as its parties see it."""

from dataclasses import dataclass
from datetime import date, datetime

from getihu.cases.clocks.running import ClockReading
from getihu.cases.machine import Side, State


@dataclass(frozen=True)
class ClockView:
    """One running clock of a case, read on a day. ``stage_id`` empty: of the whole case."""

    stage_id: str
    title: str
    department: str
    term_id: str
    source: str
    started_on: date
    stopped_on: date | None
    reading: ClockReading


@dataclass(frozen=True)
class StageView:
    """One department's part. ``is_critical``: the case cannot end before it does."""

    stage_id: str
    title: str
    department: str
    status: str
    clock: ClockView | None
    is_critical: bool


@dataclass(frozen=True)
class MoveView:
    """One thing that happened, newest last."""

    label: str
    at: datetime
    side: Side
    reason: str
    article: str


@dataclass(frozen=True)
class CaseView:
    """A case on a day. ``waiting`` says in Chinese whom it waits for and how far their clock is
    (等待：消防 第 2/10 个工作日); empty once it has ended."""

    id: str
    number: str
    matter_id: str
    title: str
    trader_code: str
    division: str
    agency: str
    state: State
    state_label: str
    owner_id: str | None
    opened_at: datetime
    submitted_at: datetime | None
    ended_at: datetime | None
    form: dict[str, object]
    clocks: tuple[ClockView, ...]
    stages: tuple[StageView, ...]
    moves: tuple[MoveView, ...]
    requests: tuple[tuple[str, ...], ...]
    waiting: str
    continues: str | None


@dataclass(frozen=True)
class DueItem:
    """One clock that is due by a day, for the inbox: most overdue first."""

    case_id: str
    number: str
    title: str
    stage_id: str
    term_title: str
    source: str
    due_on: date
    is_provisional: bool
    days_left: int
