"""The words of supervision: states, sources of chance, kinds of visit, and what is read."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from getihu.kernel.errors import GetihuError
from getihu.supervision.ports import Network


class PlanState(StrEnum):
    """A plan goes this way and no other, and never back."""

    DRAFT = "draft"
    COMMITTED = "committed"
    SEEDED = "seeded"
    DRAWN = "drawn"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


PLAN_LABELS: Final = {
    PlanState.DRAFT: "在编制",
    PlanState.COMMITTED: "名录已冻结，等随机数",
    PlanState.SEEDED: "随机数已录入",
    PlanState.DRAWN: "已抽取",
    PlanState.PUBLISHED: "已公布",
    PlanState.CANCELLED: "已取消",
}


class Chance(StrEnum):
    """Where the random digits come from."""

    DICE = "dice"
    LOTTERY = "lottery"
    DRAND = "drand"


CHANCE_LABELS: Final = {
    Chance.DICE: "当众掷骰子（每位 1–6）",
    Chance.LOTTERY: "彩票开奖号码",
    Chance.DRAND: "drand 公共随机信标",
}


class VisitKind(StrEnum):
    """Why somebody comes: the two ways the law knows, and what is not counted."""

    DRAWN = "drawn"
    TARGETED = "targeted"
    RECHECK = "recheck"
    COVERAGE = "coverage"


VISIT_LABELS: Final = {
    VisitKind.DRAWN: "双随机抽查",
    VisitKind.TARGETED: "投诉举报、转办交办、数据监测引起的检查",
    VisitKind.RECHECK: "整改复查",
    VisitKind.COVERAGE: "法定全覆盖检查",
}
# Visits planned by an office: they use up what the year allows.
PLANNED: Final = (VisitKind.DRAWN, VisitKind.COVERAGE)


# Why a trader is on the register of a county and not in the frame of a draw.
EXCLUDED_LABELS: Final = {
    "not_registered": "不在册",
    "other_trade": "不是这个领域的行业",
    "year_is_full": "今年的计划检查已满",
    "superior_checked": "上级三个月内检查过",
    "new_trade": "三新行业，触发式监管，不抽",
}


class VisitState(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    CANCELLED = "cancelled"
    JOINED = "joined"  # done as part of another department's


class Finding(StrEnum):
    """What a check ended with; the words of the public results."""

    NOTHING = "nothing"
    CORRECTED = "corrected"
    TO_CORRECT = "to_correct"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    TO_CASE = "to_case"


FINDING_LABELS: Final = {
    Finding.NOTHING: "未发现问题",
    Finding.CORRECTED: "发现问题，当场改正",
    Finding.TO_CORRECT: "发现问题，责令改正",
    Finding.NOT_FOUND: "通过登记的场所无法联系",
    Finding.REFUSED: "不配合检查",
    Finding.TO_CASE: "发现问题，待后续处理（立案）",
}


@dataclass(frozen=True)
class PlanView:
    """A plan as pages show it. Times are None until the step is done."""

    id: str
    number: str
    title: str
    agency: str
    county_code: str
    field_id: str
    year: int
    state: PlanState
    state_label: str
    recipe: dict[str, Any]
    commitment: str
    commitment_sha256: str
    committed_at: datetime | None
    chance: dict[str, Any]
    seed: str
    seeded_at: datetime | None
    result_sha256: str
    drawn_at: datetime | None
    drawn_count: int
    published_at: datetime | None


@dataclass(frozen=True)
class VisitView:
    """One visit as the owner and the office read it. ``team``: numbers of those who come; ``code``:
    the 检查码, shown at the door."""

    id: str
    trader_code: str
    kind: VisitKind
    kind_label: str
    agencies: tuple[str, ...]
    items: tuple[str, ...]
    basis: str
    planned_on: date | None
    done_on: date | None
    state: VisitState
    finding: Finding | None
    finding_label: str
    plan_number: str
    plan_id: str
    team: tuple[str, ...]
    cause: str
    found: str
    correct_until: date | None
    publish_by: date | None
    code: str


@dataclass(frozen=True)
class Burden:
    """What a trader bears of one field in a year: ``most`` planned visits at most by her class,
    ``left`` of them still possible. Unplanned ones (complaints, hand-overs) are not limited."""

    risk_class: str
    most: int
    planned_count: int
    unplanned_count: int
    left: int


@dataclass(frozen=True)
class Ratios:
    """Measure 24's two figures, counted from logged draws alone. Shares are None without visits."""

    year: int
    visits: int
    drawn: int
    joint: int
    drawn_share: Fraction | None
    joint_share: Fraction | None

    @property
    def drawn_percent(self) -> str:
        return _percent(self.drawn_share)

    @property
    def joint_percent(self) -> str:
        return _percent(self.joint_share)


def _percent(share: Fraction | None) -> str:
    """Cut, not rounded: a target is not reached by rounding. Empty without a share."""
    if share is None:
        return ""
    tenths = share.numerator * 1000 // share.denominator
    return f"{tenths // 10}.{tenths % 10}%"


class NotAllowed(GetihuError):
    """This person may not do this step."""


class NotNow(GetihuError):
    """It is not the time for this step."""


class TooMany(GetihuError):
    """A planned visit beyond what the year allows."""


class UnknownPlan(GetihuError):
    """No plan has this number."""

    exit_code = 3


class UnknownVisit(GetihuError):
    """No visit within the actor's reach has this number."""

    exit_code = 3


class Outcome(StrEnum):
    """What became of a breach that was found."""

    EDUCATION = "education"
    CORRECT = "correct"
    FINE = "fine"
    TRANSFERRED = "transferred"
    UNFOUNDED = "unfounded"


OUTCOME_LABELS: Final = {
    Outcome.EDUCATION: "不予处罚，责令改正并教育",
    Outcome.CORRECT: "责令改正，不罚款",
    Outcome.FINE: "给予行政处罚",
    Outcome.TRANSFERRED: "移送其他机关",
    Outcome.UNFOUNDED: "不成立",
}
# Not punished: kept with the record of education, and nothing of it is published.
LENIENT: Final = (Outcome.EDUCATION, Outcome.CORRECT)
SMALLEST_CELL: Final = 10


@dataclass(frozen=True)
class Memory:
    """What is remembered of breaches of one kind: ``facts`` fill the rule as far as the memory
    reaches, ``words`` say on what ground. ``last_on``: the last earlier one, by ``last_agency``.
    ``since``: the day the memory begins; None: it has not begun."""

    facts: dict[str, bool | int]
    words: str
    last_on: date | None
    last_agency: str
    since: date | None


@dataclass(frozen=True)
class ClauseLine:
    """One condition of the rule as the officer reads it. ``truth``: yes, no or unknown."""

    label: str
    truth: str
    article: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What the rule says of a breach: yes, no, unknown, not_applicable or a value of a table."""

    outcome: str
    label: str
    reason: str
    clauses: tuple[ClauseLine, ...]
    document: str
    article: str
    rule_id: str
    rule_version: str


@dataclass(frozen=True)
class Comparable:
    """How comparable cases ended: same item, same band. A cell under ten is not shown, nor is a
    total from which it could be worked out (None)."""

    band: str
    cells: tuple[tuple[str, int | None], ...]
    total: int | None


@dataclass(frozen=True)
class BreachView:
    """One breach as the owner and the office read it. ``follows``: whether the decision is what the
    rule says; None while undecided or where the rule leaves it open. Never published by itself."""

    id: str
    trader_code: str
    item_id: str
    title: str
    agency: str
    place: str
    found_on: date
    what: str
    facts: dict[str, str]
    checked_where: str
    correct_until: date | None
    corrected_on: date | None
    not_corrected: bool
    band: str
    is_decided: bool
    outcome: Outcome | None
    outcome_label: str
    follows: bool | None
    departure: str
    education: str
    reasons: tuple[str, ...]
    decided_on: date | None


@dataclass(frozen=True)
class Consistency:
    """Of one office's decisions on which the rule had an answer, how many follow it. ``departures``:
    item, day and reason of each that does not. Shown to that office alone; nothing is ranked."""

    agency: str
    place: str
    settled: int
    following: int
    departures: tuple[tuple[str, date, str], ...]
    unanswered: int

    @property
    def percent(self) -> str:
        return _percent(Fraction(self.following, self.settled) if self.settled else None)


class UnknownBreach(GetihuError):
    """No breach within the actor's reach has this number."""

    exit_code = 3


class SendState(StrEnum):
    """Where an application to a network stands."""

    WAITING = "waiting"
    SENT = "sent"
    GRANTED = "granted"
    REFUSED = "refused"


SEND_LABELS: Final = {
    SendState.WAITING: "等期限到了再送",
    SendState.SENT: "已送，等结果",
    SendState.GRANTED: "已修复，停止公示",
    SendState.REFUSED: "没有同意",
}
NETWORK_LABELS: Final = {
    Network.MARKET: "国家企业信用信息公示系统",
    Network.NATIONAL: "信用中国",
}


@dataclass(frozen=True)
class NetworkClock:
    """When a record can be repaired on one network. ``earliest``: the first day its clock allows
    (None: not known, or ``is_never``). ``blocks``: conditions known not to be met; ``unknown``: not
    checked yet. ``outcome`` of the network's rule on the day asked about."""

    network: Network
    label: str
    clock: str
    earliest: date | None
    is_over: bool
    is_never: bool
    outcome: str
    blocks: tuple[str, ...]
    unknown: tuple[str, ...]
    article: str
    note: str = ""


@dataclass(frozen=True)
class SendView:
    """One application on its way to one network."""

    network_label: str
    state: SendState
    state_label: str
    not_before: date
    receipt: str
    answered_on: date | None
    why: str
    is_recognition: bool


@dataclass(frozen=True)
class RecordView:
    """A delivered penalty or mark with both clocks. ``kind``: penalty, abnormal or serious.
    ``both_on``: the day from which both networks can be asked. ``needs``: what is asked of an
    officer, with what she answered."""

    key: str
    kind: str
    title: str
    document_on: date
    is_open: bool
    ended_on: date | None
    publication: str
    clocks: tuple[NetworkClock, ...]
    both_on: date | None
    is_contested: bool
    sends: tuple[SendView, ...]
    can_apply: bool

    @property
    def earliest(self) -> date | None:
        return min((c.earliest for c in self.clocks if c.earliest), default=None)


class UnknownRecord(GetihuError):
    """This trader has no such record."""

    exit_code = 3


class NotRepairable(GetihuError):
    """The record cannot be repaired now; the text says what blocks it and from when on."""


@dataclass(frozen=True)
class FalseAlarms:
    """How often a trigger brought a check that found nothing. ``finished``: checks it opened that
    came to a finding."""

    trigger_id: str
    title: str
    basis: str
    finished: int
    nothing: int

    @property
    def percent(self) -> str:
        return _percent(Fraction(self.nothing, self.finished) if self.finished else None)


@dataclass(frozen=True)
class Signal:
    """A data trigger's rule says yes of a trader, on the data of a day."""

    trigger_id: str
    trader_code: str
    as_of: date
