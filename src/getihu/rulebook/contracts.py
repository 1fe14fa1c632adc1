"""What leaves the rulebook: decisions with their reasons, free of any framework."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from getihu.dataplane.contracts import FactScalar
from getihu.kernel.errors import Problem


class Truth(StrEnum):
    """Three-valued truth, as in SQL."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class FactUsed:
    """A fact a clause looked at: its value with source and date, or why it is unknown.

    ``why_unknown`` is a Chinese sentence naming the department and since when (empty if known).
    ``shown`` is the value as people read it (未知 when unknown).
    """

    name: str
    label: str
    value: FactScalar | None
    shown: str
    department: str
    department_name: str
    dataset: str
    recorded_on: date | None
    covered_until: date | None
    delivery_id: str | None
    why_unknown: str


@dataclass(frozen=True)
class ParameterUsed:
    """A parameter a clause used: value, unit, and the text that set it."""

    name: str
    label: str
    value: FactScalar
    shown: str
    source: str
    is_official: bool  # False: 本项目设定，非官方


@dataclass(frozen=True)
class ClauseResult:
    """One clause: what it asks (Chinese), what the answer is, on which values, by which article."""

    id: str
    label: str
    expression: str
    result: Truth
    article: str
    facts: tuple[FactUsed, ...]
    parameters: tuple[ParameterUsed, ...]


@dataclass(frozen=True)
class LegalSource:
    """Where a rule comes from. ``trust`` is the mark of domain.md section 0: L G M S D R X."""

    document: str
    title: str
    article: str
    url: str
    trust: str


@dataclass(frozen=True)
class Decision:
    """Rule version + facts + date → outcome, with reasons. Replays to the same bytes.

    ``outcome`` is yes, no or unknown for an eligibility rule; for a table it is the value reached
    or ``unknown``. ``outcome_label`` is what people read. ``applies`` is False when the rule's
    region, subject kind or period leaves the trader out (``not_applicable`` says which).
    ``amount_yuan`` is None when the rule pays nothing countable or the amount is unknown.
    ``clauses`` hold every clause in the order of the rule; ``deciding`` the ids that settled it;
    ``missing`` the unknown facts that, once filled, could change an unknown outcome.
    """

    rule_id: str
    rule_version: str
    title: str
    kind: str
    trader_code: str
    as_of: date
    snapshot_id: str
    applies: bool
    not_applicable: str
    outcome: str
    outcome_label: str
    reason: str
    amount_yuan: Decimal | None
    amount_note: str
    benefit: str
    source: LegalSource
    clauses: tuple[ClauseResult, ...]
    deciding: tuple[str, ...]
    missing: tuple[FactUsed, ...]
    incomplete: str = ""  # why the source text cannot settle it (条款截断); then never "no"
    amount_facts: tuple[FactUsed, ...] = ()  # what the amount was worked out from
    amount_parameters: tuple[ParameterUsed, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Everything decided for one trader on one date: type first, then policies."""

    trader_code: str
    as_of: date
    snapshot_id: str
    type_decision: Decision
    policies: tuple[Decision, ...]


@dataclass(frozen=True)
class RuleSummary:
    """One rule as listed: what it is, where it holds, since when."""

    id: str
    version: str
    title: str
    kind: str
    region: str
    subjects: tuple[str, ...]
    valid_from: date
    valid_until: date | None
    superseded_by: str | None
    source: LegalSource
    clause_count: int
    case_count: int


@dataclass(frozen=True)
class SweepReport:
    """What a whole-city sweep decided: traders × rules, counts per outcome, seconds."""

    as_of: date
    snapshot_id: str
    traders: int
    seconds: float
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # rule id → outcome → traders


@dataclass(frozen=True)
class RuleProblem(Problem):
    """One problem of a rule file: where (file, line, column, rule) and what to do.

    ``nearest`` is the nearest valid name when a name was not known.
    """

    rule_id: str = ""
    nearest: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        names = " ".join(name for name in (self.rule_id, self.field) if name)
        shown = f" [{names}]" if names else ""
        return f"{place}{shown} {self.message}。处理办法：{self.fix}"


@dataclass(frozen=True)
class CaseResult:
    """One worked case of a rule: passed, or in Chinese what came out instead."""

    rule_id: str
    name: str
    passed: bool
    message: str
