"""What leaves the cases: a case as its parties see it."""

from dataclasses import dataclass
from datetime import date, datetime

from getihu.cases.clocks.running import ClockReading, ClockState
from getihu.cases.clocks.terms import PauseKind
from getihu.cases.machine import FINAL, Side, State, moves_from

__all__ = [
    "FINAL",
    "AttachmentView",
    "CaseView",
    "ClockState",
    "ClockView",
    "DeskRow",
    "DueItem",
    "HandOverView",
    "MoveView",
    "PauseKind",
    "Side",
    "StageActions",
    "StageView",
    "State",
    "moves_from",
]


@dataclass(frozen=True)
class ClockView:
    """One running clock of a case, read on a day. ``stage_id`` empty: of the whole case.
    ``words`` say in Chinese how far it is (第 2/10 个工作日)."""

    stage_id: str
    title: str
    department: str
    term_id: str
    source: str
    started_on: date
    stopped_on: date | None
    reading: ClockReading
    words: str


@dataclass(frozen=True)
class StageView:
    """One department's part. ``is_critical``: the case cannot end before it does."""

    stage_id: str
    title: str
    department: str
    department_name: str
    status: str
    clock: ClockView | None
    is_critical: bool


@dataclass(frozen=True)
class PublicCase:
    """A case as everybody may see it: what was chosen from lists alone, no text anybody wrote.

    ``chosen``: form field → label. ``ended_on`` None: still open.
    """

    chosen: dict[str, str]
    division: str
    state: State
    submitted_on: date
    ended_on: date | None


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
    agency_name: str
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


@dataclass(frozen=True)
class AttachmentView:
    """One file of a case, for a list: never its content."""

    id: str
    document_id: str
    title: str
    kind: str
    size_bytes: int
    at: datetime


@dataclass(frozen=True)
class DeskRow:
    """One case in an office's inbox. ``due_on`` is the earliest day the law gives this office;
    None while it waits for somebody else or all its clocks are paused. ``source`` is its article."""

    case_id: str
    number: str
    title: str
    trader_code: str
    division: str
    state: State
    state_label: str
    opened_by_name: str
    owner_name: str
    is_mine: bool
    is_paused: bool
    submitted_at: datetime | None
    due_on: date | None
    is_provisional: bool
    days_left: int | None
    term_title: str
    source: str

    @property
    def days_late(self) -> int:
        return max(-(self.days_left or 0), 0)


@dataclass(frozen=True)
class HandOverView:
    """The case went from one officer to another."""

    from_name: str
    to_name: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class StageActions:
    """What one officer can do with a case now.

    ``desk``: hers is the agency of the whole case. ``can_ask``: the one telling is still to come.
    ``stages`` are the open parts of her office; ``pauses`` by stage what its article allows, as
    (kind, Chinese); ``extends`` the stages whose clock she may extend.
    """

    desk: bool
    can_ask: bool
    asked_before: bool
    stages: tuple[StageView, ...]
    pauses: dict[str, tuple[tuple[str, str], ...]]
    extends: frozenset[str]
