"""What leaves the policies: runs and awards as people see them. Money is yuan with two decimals."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from getihu.policies.machine import AWARD_LABELS, AwardState

__all__ = [
    "AWARD_LABELS",
    "PUBLIC_LABELS",
    "AdjustmentView",
    "AwardState",
    "AwardView",
    "BatchView",
    "BudgetView",
    "DiscrepancyView",
    "Finding",
    "InstalmentView",
    "MoveView",
    "PaymentReport",
    "PlaceCount",
    "RunState",
    "RunView",
    "yuan_of",
]


class RunState(StrEnum):
    PLANNED = "planned"
    APPROVED = "approved"
    HALTED = "halted"
    ALLOTTING = "allotting"
    ALLOTTED = "allotted"
    CANCELLED = "cancelled"


RUN_LABELS = {
    RunState.PLANNED: "试算完成，等第二个人批准",
    RunState.APPROVED: "试算已批准",
    RunState.HALTED: "已停下，有问题要人看",
    RunState.ALLOTTING: "正在认定",
    RunState.ALLOTTED: "认定完成",
    RunState.CANCELLED: "已取消",
}


# The same states told to everybody, not to her.
PUBLIC_LABELS = {
    **AWARD_LABELS,
    AwardState.ENTITLED: "等经营者确认收款账户",
    AwardState.RETURNED: "银行退回，等经营者改账户",
    AwardState.DECLINED: "经营者放弃",
}


def yuan_of(cents: int) -> Decimal:
    """Whole cents as yuan with two decimals."""
    return Decimal(cents).scaleb(-2)


@dataclass(frozen=True)
class Finding:
    """Why a run was stopped: which check, what it found, in words."""

    check: str
    text: str


@dataclass(frozen=True)
class BudgetView:
    """Where the money of one programme and period is."""

    total_yuan: Decimal
    reserved_yuan: Decimal
    ordered_yuan: Decimal
    paid_yuan: Decimal
    left_yuan: Decimal


@dataclass(frozen=True)
class RunView:
    """One dry run or run. ``counts`` are awards by state; empty for a dry run."""

    id: str
    programme_id: str
    title: str
    period: str
    rule_id: str
    rule_version: str
    as_of: date
    snapshot_id: str
    is_dry: bool
    state: RunState
    state_label: str
    entitled_count: int
    entitled_yuan: Decimal
    mean_yuan: Decimal | None
    unknown_count: int
    already_count: int
    unplaced_count: int
    list_sha256: str
    seed: str
    findings: tuple[Finding, ...]
    planned_at: datetime
    approved_at: datetime | None
    counts: dict[AwardState, int]
    budget: BudgetView | None
    by_application: bool = False


@dataclass(frozen=True)
class MoveView:
    """One thing that happened to an award."""

    at: datetime
    label: str
    side: str
    reason: str
    article: str


@dataclass(frozen=True)
class AwardView:
    """One award as its trader or an officer sees it. ``account_ending``: empty before one is given.
    ``position``: her place in the published order, from 1."""

    id: str
    programme_id: str
    title: str
    rule_id: str
    trader_code: str
    period: str
    yuan: Decimal
    state: AwardState
    state_label: str
    position: int
    confirm_until: date
    account_ending: str
    bank: str
    paid_on: date | None
    slip_sha256: str
    moves: tuple[MoveView, ...]

    @property
    def last_reason(self) -> str:
        """Why the last move was made; empty where none was written."""
        return self.moves[-1].reason if self.moves else ""


@dataclass(frozen=True)
class BatchView:
    """One payment list. ``state``: prepared, released, submitted or withdrawn."""

    id: str
    count: int
    yuan: Decimal
    sha256: str
    state: str
    prepared_at: datetime
    prepared_by: str
    is_mine: bool
    released_at: datetime | None
    submitted_at: datetime | None
    tries: int
    problem: str


@dataclass(frozen=True)
class DiscrepancyView:
    """Something of the payments that does not add up."""

    number: int
    kind_label: str
    about: str
    detail: str
    found_at: datetime


@dataclass(frozen=True)
class InstalmentView:
    number: int
    due_on: date
    yuan: Decimal
    received_on: date | None


@dataclass(frozen=True)
class AdjustmentView:
    """A paid award that should be another amount. ``should_yuan`` None: no longer known.
    ``given_yuan``: what she has with the corrections that stand."""

    number: int
    award_id: str
    trader_code: str
    paid_yuan: Decimal
    should_yuan: Decimal | None
    claim_yuan: Decimal
    state: str
    state_label: str
    reason: str
    article: str
    opened_at: datetime
    is_mine: bool
    instalments: tuple[InstalmentView, ...]

    given_yuan: Decimal = Decimal(0)

    @property
    def lacking_yuan(self) -> Decimal | None:
        """Still lacking after every correction that stands; None when it is not known, nothing
        below zero."""
        if self.should_yuan is None:
            return None
        return max(self.should_yuan - self.given_yuan, Decimal(0))

    @property
    def too_much_yuan(self) -> Decimal | None:
        """Paid too much; None when it is not known, nothing below zero."""
        if self.should_yuan is None:
            return None
        return max(self.given_yuan - self.should_yuan, Decimal(0))


@dataclass(frozen=True)
class PlaceCount:
    """Awards of a county for everybody to see. ``count`` None: too few to publish."""

    name: str
    count: int | None
    yuan: Decimal | None


@dataclass(frozen=True)
class PaymentReport:
    """What a sweep of the payments did."""

    submitted: int = 0
    unreachable: int = 0
    paid: int = 0
    returned: int = 0
    reconciled: int = 0
    found: int = 0
