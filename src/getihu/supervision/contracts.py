"""The words of supervision: states, sources of chance, kinds of visit, and what is read."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from getihu.kernel.errors import GetihuError


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


class VisitState(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    CANCELLED = "cancelled"


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
