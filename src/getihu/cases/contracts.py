"""What leaves the cases: a case as its parties see it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from getihu.cases.clocks.running import ClockReading, ClockState
from getihu.cases.clocks.terms import PauseKind
from getihu.cases.machine import FINAL, Side, State, moves_from

__all__ = [
    "BUNDLE_LABELS",
    "FINAL",
    "PART_LABELS",
    "AttachmentView",
    "BundleState",
    "BundleView",
    "CaseView",
    "ClockState",
    "ClockView",
    "ContestedView",
    "DeskRow",
    "DueItem",
    "HandOverView",
    "KeptPromises",
    "MoveView",
    "Need",
    "PartState",
    "PartView",
    "PauseKind",
    "Side",
    "StageActions",
    "StageView",
    "State",
    "TermReading",
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
class TermReading:
    """A term that runs outside any case, read on a day. ``words``: 第2/3个工作日. ``extension``:
    who may lengthen it once and by what source; empty where nothing allows it."""

    title: str
    source: str
    official: bool
    due_on: date
    is_provisional: bool
    days_left: int
    words: str
    extension: str
    extension_source: str


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
    """A case on a day. ``definition_id``: the matter as it was when the case began (None: before
    that was kept); ``terms_id``: the terms of its clocks as they were when it was handed in (None:
    not handed in, or before they were kept). ``waiting`` says in Chinese whom it waits for and how far their clock is
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
    definition_id: str | None = None
    terms_id: str | None = None


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


class PartState(StrEnum):
    """How far one part of a bundle is."""

    NOT_NEEDED = "not_needed"
    WAITING = "waiting"
    HELD = "held"
    REDO = "redo"
    RUNNING = "running"
    CORRECTION = "correction"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"


PART_LABELS = {
    PartState.NOT_NEEDED: "不用办",
    PartState.WAITING: "等前面的办完",
    PartState.HELD: "轮到了，还没有交成",
    PartState.REDO: "您正在重办",
    PartState.RUNNING: "办理中",
    PartState.CORRECTION: "等您补材料",
    PartState.GRANTED: "办好了",
    PartState.REFUSED: "没有办成",
    PartState.WITHDRAWN: "已撤回",
    PartState.BLOCKED: "等不到了",
}
PARTS_OVER = frozenset(
    {PartState.NOT_NEEDED, PartState.GRANTED, PartState.REFUSED, PartState.WITHDRAWN}
)


class BundleState(StrEnum):
    """How far a bundle is, by its parts."""

    DRAFT = "draft"
    DISCARDED = "discarded"
    RUNNING = "running"
    DONE = "done"
    PARTLY = "partly"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


BUNDLE_LABELS = {
    BundleState.DRAFT: "草稿",
    BundleState.DISCARDED: "草稿已删除",
    BundleState.RUNNING: "办理中",
    BundleState.DONE: "全部办好",
    BundleState.PARTLY: "一部分办好",
    BundleState.REFUSED: "没有办成",
    BundleState.WITHDRAWN: "已撤回",
}


@dataclass(frozen=True)
class PartView:
    """One part on a day. ``why``: why it is needed or not. ``meaning``: what it means for the rest
    that this part was refused or taken back; else empty. ``latest_on``: the last day the law gives,
    None once it is over or where nobody can say. ``waiting`` as of a case."""

    part_id: str
    title: str
    department: str
    department_name: str
    state: PartState
    label: str
    why: str
    after: tuple[str, ...]
    case_id: str | None
    case_number: str
    stages: tuple[StageView, ...]
    waiting: str
    days_late: int
    latest_on: date | None
    is_provisional: bool
    is_critical: bool
    meaning: str
    requests: tuple[tuple[str, ...], ...]
    article: str


@dataclass(frozen=True)
class BundleView:
    """A bundle on a day. ``waiting`` is that of the critical part; ``latest_on`` the day by which
    the law wants everything done. ``extra_requests``: how often an office asked for what was not on
    the first list. ``first_list``: what the one telling named."""

    id: str
    number: str
    bundle_id: str
    title: str
    trader_code: str
    division: str
    agency_name: str
    state: BundleState
    state_label: str
    opened_at: datetime
    submitted_at: datetime | None
    form: dict[str, object]
    parts: tuple[PartView, ...]
    waiting: str
    latest_on: date | None
    is_provisional: bool
    first_list: tuple[str, ...]
    extra_requests: int
    definition_id: str

    @property
    def needed(self) -> tuple[PartView, ...]:
        return tuple(part for part in self.parts if part.state is not PartState.NOT_NEEDED)


@dataclass(frozen=True)
class Need:
    """Whether a part is needed by the answers so far; None: they do not say yet. ``why`` in
    Chinese."""

    part_id: str
    is_needed: bool | None
    why: str


@dataclass(frozen=True)
class ContestedView:
    """A value held and the one claimed, with whence and when. ``answer`` empty: still open."""

    number: int
    trader_code: str
    label: str
    unit: str
    held: str
    held_on: date | None
    department_name: str
    claimed: str
    claimed_at: datetime
    case_id: str
    case_number: str
    answer: str
    reason: str


@dataclass(frozen=True)
class Asked:
    """What one case asked of its applicant: questions no department knew the answer to, and files
    handed in. ``on``: the day it was handed in."""

    trader_code: str
    county: str
    on: date
    questions: int
    documents: int


@dataclass(frozen=True)
class KeptPromises:
    """How an office kept the law's terms: clocks that stopped in time of all that stopped, cases
    told of once of all that were told of anything missing."""

    clocks_in_time: int
    clocks: int
    told_once: int
    told: int
