"""What the pages show: decisions and identities put in the order people read them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from getihu.dataplane.contracts import (
    DatasetContract,
    DeliverySummary,
    FactDeclaration,
    FeedStatus,
    QuarantineCount,
    QuarantinedRow,
    SnapshotSummary,
)
from getihu.registry.contracts import ChangeRecord, TraderIdentity
from getihu.rulebook.contracts import ClauseResult, Decision, Question

# The marks of domain.md section 0: how well a source was read.
TRUST_NOTES: Final = {
    "L": "读过全文，条号已核对",
    "G": "政府网站可见部分，其后条款未读到",
    "M": "转载件，正文与官方文本未逐字核对",
    "S": "来自解读材料，未见原文",
    "D": "由其他规则推导，不是来源原话",
    "R": "未读到原文，使用前须核实",
    "X": "未找到原文",
}


@dataclass(frozen=True)
class NextStep:
    """When or how an answer becomes yes. ``gap`` is how far it is (还差 2 个月), ``who`` acts
    (empty if nobody need), ``label`` is the condition; a dead end cannot be changed at all."""

    text: str
    who: str = ""
    gap: str = ""
    label: str = ""
    is_dead_end: bool = False


@dataclass(frozen=True)
class PolicyLine:
    """One policy on a trader's page.

    ``worth_yuan`` is what it is worth to her (None: not countable, or not money for her);
    ``is_limit`` says that it is the most she may get, so it does not add to the total. ``gap`` is
    how far a refusal is from a yes, where it is one step. ``beside`` says what another policy for
    the same project leaves of it (empty: nothing stands against it).
    """

    decision: Decision
    hint: str
    worth_yuan: Decimal | None = None
    is_limit: bool = False
    gap: str = ""
    beside: str = ""


@dataclass(frozen=True)
class ToDo:
    """Something that waits for the owner: what, why, one verb, where. ``due_on``: the day the law
    or a notice names; None where there is none."""

    title: str
    note: str
    verb: str
    href: str
    due_on: date | None


@dataclass(frozen=True)
class TraderPage:
    """Everything on one trader's page, most useful first.

    ``total_yuan`` sums what is paid out or spared, without limits; None if nothing of it can be
    counted. ``near`` holds refusals with one clause in the way that
    time or a step can change. ``unread`` holds policies whose text is cut, so that nobody can
    tell; ``elsewhere`` counts those of other regions. ``data_until`` is the last day the data
    covers.
    """

    trader: TraderIdentity
    changes: tuple[ChangeRecord, ...]
    as_of: date
    data_until: date
    snapshot_id: str
    type_decision: Decision
    type_hint: str
    granted: tuple[PolicyLine, ...]
    total_yuan: Decimal | None
    near: tuple[PolicyLine, ...]
    unknown: tuple[PolicyLine, ...]
    unread: tuple[PolicyLine, ...]
    refused: tuple[PolicyLine, ...]
    left_out: tuple[PolicyLine, ...]
    elsewhere: int


@dataclass(frozen=True)
class DecisionPage:
    """结论 → 原因 → 依据第几条 → 什么时候、怎样就可以 → 找谁, then clause by clause: first
    those that settled the answer, then the ``others``, each in the order of the rule.
    ``worth`` says what a yes is worth; None for every other answer. ``cured_on`` is the day on
    which it comes by itself. ``questions`` are what to find out first, best first."""

    trader: TraderIdentity
    decision: Decision
    tone: str
    worth: PolicyLine | None
    deciding: tuple[ClauseResult, ...]
    others: tuple[ClauseResult, ...]
    steps: tuple[NextStep, ...]
    steps_title: str
    cured_on: date | None
    cured_note: str
    questions: tuple[Question, ...]
    contacts: tuple[str, ...]
    trust_note: str
    data_until: date


@dataclass(frozen=True)
class Balance:
    """Rows in = accepted + quarantined + duplicate, over some deliveries."""

    rows_in: int
    accepted: int
    quarantined: int
    duplicate: int

    @property
    def holds(self) -> bool:
        return self.rows_in == self.accepted + self.quarantined + self.duplicate


@dataclass(frozen=True)
class DataPage:
    """The data officer's desk: what came, what did not, what must be sent again."""

    snapshot: SnapshotSummary | None
    snapshots: tuple[SnapshotSummary, ...]
    feeds: tuple[FeedStatus, ...]
    late_feeds: int
    deliveries: tuple[DeliverySummary, ...]
    problem_deliveries: int
    quarantine: tuple[QuarantineCount, ...]
    balance: Balance


@dataclass(frozen=True)
class QuarantinePage:
    """Rows of one delivery held back, a page (``number``, from 1) at a time."""

    delivery: DeliverySummary
    counts: tuple[QuarantineCount, ...]
    rows: tuple[QuarantinedRow, ...]
    number: int
    has_next: bool


@dataclass(frozen=True)
class FactLine:
    """One declared fact with its type and personal-data class in words."""

    fact: FactDeclaration
    type_label: str
    personal_label: str


@dataclass(frozen=True)
class FactGroup:
    """The facts computed from one dataset."""

    contract: DatasetContract
    department_name: str
    lines: tuple[FactLine, ...]
