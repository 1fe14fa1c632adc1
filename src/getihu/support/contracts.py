"""The words of appeals: channels, events, and what is read."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from getihu.kernel.errors import GetihuError
from getihu.support.machine import FINAL, OPEN, STATE_LABELS, Side, State

__all__ = [
    "CHANNEL_LABELS",
    "EVENT_LABELS",
    "FINAL",
    "OPEN",
    "STATE_LABELS",
    "AppealNotFound",
    "AppealRow",
    "AppealView",
    "BadAppeal",
    "Channel",
    "ClockView",
    "Cluster",
    "Event",
    "EventView",
    "Filed",
    "IllegalMove",
    "Likeness",
    "NotAllowed",
    "PublicAppeal",
    "Side",
    "Standing",
    "State",
    "SweepReport",
]


class Channel(StrEnum):
    """Where an appeal came in."""

    WEB = "web"
    PHONE = "phone"
    HOTLINE = "hotline"
    VISIT = "visit"
    QUESTIONNAIRE = "questionnaire"
    PARTY = "party"
    WINDOW = "window"
    OPEN311 = "open311"


CHANNEL_LABELS: Final = {
    Channel.WEB: "网上",
    Channel.PHONE: "电话",
    Channel.HOTLINE: "12345 热线",
    Channel.VISIT: "走访",
    Channel.QUESTIONNAIRE: "问卷",
    Channel.PARTY: "党支部",
    Channel.WINDOW: "窗口",
    Channel.OPEN311: "Open311",
}


class Event(StrEnum):
    """One thing that happened to an appeal."""

    RECEIVED = "received"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    PASSED_ON = "passed_on"
    TAKEN = "taken"
    GAP = "gap"
    SETTLED = "settled"
    JOINED = "joined"
    ASKED_JOINTLY = "asked_jointly"
    OPINION = "opinion"
    EXTENDED = "extended"
    ESCALATED = "escalated"
    HANDED_OVER = "handed_over"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    TIMED_OUT = "timed_out"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    MENDED = "mended"


EVENT_LABELS: Final = {
    Event.RECEIVED: "收到",
    Event.ASSIGNED: "交办",
    Event.ACCEPTED: "受理",
    Event.PASSED_ON: "转办",
    Event.TAKEN: "接办",
    Event.GAP: "提请明确主管部门",
    Event.SETTLED: "明确主管部门",
    Event.JOINED: "和同一件事并办",
    Event.ASKED_JOINTLY: "请协办",
    Event.OPINION: "协办意见",
    Event.EXTENDED: "延期",
    Event.ESCALATED: "超期升级",
    Event.HANDED_OVER: "换承办人",
    Event.ANSWERED: "答复",
    Event.CONFIRMED: "诉求人确认",
    Event.TIMED_OUT: "期满没有异议，办结",
    Event.REOPENED: "没有解决，重新提出",
    Event.WITHDRAWN: "撤回",
    Event.MENDED: "规则改了没有",
}


class AppealNotFound(GetihuError):
    """No appeal has this id or code for this actor."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__("没有这件诉求，或者不归您看。处理办法：从列表里打开，或者核对诉求码。")


class NotAllowed(GetihuError):
    """This actor may not do this with this appeal."""


class IllegalMove(GetihuError):
    """The appeal is in a state in which this cannot happen."""


class BadAppeal(GetihuError):
    """What was written cannot be taken as it is."""


@dataclass(frozen=True)
class Filed:
    """An appeal that was received. ``code``: whoever holds it can follow, confirm and reopen."""

    id: str
    number: str
    code: str


class Standing(StrEnum):
    """How an actor stands to an appeal."""

    HERS = "hers"
    OFFICE = "office"
    JOINT = "joint"
    LEAD = "lead"


@dataclass(frozen=True)
class ClockView:
    """The running clock, read on a day. ``words``: 第 2/3 个工作日."""

    step: str
    title: str
    due_on: date
    is_provisional: bool
    days_left: int
    words: str
    source: str
    official: bool
    can_extend: bool
    extension_source: str

    @property
    def days_late(self) -> int:
        return max(-self.days_left, 0)


@dataclass(frozen=True)
class EventView:
    """One thing that happened, oldest first. ``office``: who had it afterwards; ``by_role``: the
    role of its owner then, never the name."""

    event: Event
    label: str
    at: datetime
    office: str
    by_role: str
    reason: str
    article: str


@dataclass(frozen=True)
class AppealRow:
    """One appeal in a list. ``due_on`` None: it waits for nobody, or for the complainant.
    ``joined``: how many others are answered with it."""

    id: str
    number: str
    state: State
    state_label: str
    subject: str
    subject_title: str
    text: str
    place_name: str
    office_name: str
    channel_label: str
    received_at: datetime
    due_on: date | None
    is_provisional: bool
    days_left: int | None
    joined: int
    is_mine: bool
    raised_to: str

    @property
    def days_late(self) -> int:
        return max(-(self.days_left or 0), 0)


@dataclass(frozen=True)
class AppealView:
    """An appeal on a day, as one who may see it sees it.

    ``place`` empty: not known. ``suggested``: subjects with their shares, best first. ``clock``
    None: none runs. ``contact`` empty for everybody but the office that has it. ``barred_name``:
    the office complained of. ``continues``/``continued_by``: the one before and after.
    """

    id: str
    number: str
    channel_label: str
    text: str
    place_text: str
    place: str
    place_name: str
    trader_code: str
    is_anonymous: bool
    contact: str
    suggested: tuple[tuple[str, str, float], ...]
    subject: str
    subject_title: str
    state: State
    state_label: str
    agency: str
    division: str
    office_name: str
    owner_role: str
    owner_name: str
    is_mine: bool
    raised_to: str
    received_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    answer: str
    gap_reason: str
    barred_name: str
    clock: ClockView | None
    events: tuple[EventView, ...]
    joint: tuple[tuple[str, str, bool], ...]
    joined: tuple[tuple[str, str], ...]
    joined_to: str
    continues: str
    continued_by: str
    waiting: str
    standings: frozenset[Standing]
    needs_accepting: bool
    can_rate: bool


@dataclass(frozen=True)
class Likeness:
    """Another appeal that may be the same problem: how near its words are (0–1)."""

    id: str
    number: str
    text: str
    received_at: datetime
    state_label: str
    share: float


@dataclass(frozen=True)
class Cluster:
    """Appeals of one subject that point at one rule or data item."""

    subject: str
    subject_title: str
    node: str
    node_title: str
    count: int
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class PublicAppeal:
    """An appeal as everybody may see it. ``due_on`` None: it waits for no office."""

    number: str
    subject: str
    subject_title: str
    is_open: bool
    state_label: str
    office_name: str
    place: str
    place_name: str
    received_at: datetime
    updated_at: datetime
    due_on: date | None


@dataclass(frozen=True)
class SweepReport:
    """What one sweep did."""

    reminded: int = 0
    escalated: int = 0
    closed: int = 0
    rehomed: int = 0
    forgotten: int = 0
