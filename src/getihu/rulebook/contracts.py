"""What leaves the rulebook: decisions with their reasons, free of any framework."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from getihu.dataplane.contracts import FactScalar
from getihu.kernel.errors import Problem


class Truth(StrEnum):
    """Three-valued truth, as in SQL."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


# Benefit kinds of rules that only sort traders: into a pool, for a window, for officers to check. They
# give nothing by themselves, so they are no policies to be offered or missed by a step.
SORTING_KINDS: Final = frozenset({"入库", "申报窗口", "有效期", "数据核对", "信用风险类别"})


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
    """A parameter a clause used: value, unit, and the text that set it.

    ``value`` None: the text sets none for this trader, or it is not known which one holds.
    """

    name: str
    label: str
    value: FactScalar | None
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
class FrameLine:
    """One thing a rule says, with its name and its source (empty: the rule's own text)."""

    id: str
    label: str
    text: str
    source: str = ""


@dataclass(frozen=True)
class ConsentNeed:
    """Facts a rule may be decided on only with the person's own written consent, and why."""

    article: str
    facts: tuple[str, ...]  # names
    labels: tuple[str, ...]


class Settlement(StrEnum):
    """Why an offer pays what it pays beside others."""

    FULL = "full"  # nothing stands against it
    LOWER = "lower"  # another offer for the same project is higher (就高)
    ALREADY = "already"  # the project was paid within the window (不得重复享受)
    DIFFERENCE = "difference"  # less what was paid for the grade below (晋级补差)
    CEILING = "ceiling"  # cut by the ceiling on all awards of a year
    UNKNOWN = "unknown"  # an amount or the ceiling is not known: a person must look


@dataclass(frozen=True)
class PastAward:
    """What was paid before: by which rule, for which project, under which ceiling, when."""

    rule_id: str
    yuan: Decimal
    on: date
    group_id: str = ""
    ceiling_id: str = ""


@dataclass(frozen=True)
class Settled:
    """What one offer pays. ``payable_yuan`` is never above ``offered_yuan``; None: not known.

    ``other_rule_id`` and ``other_yuan`` name what it is measured against; ``again_on`` is the
    first day the project may be paid again (None: never, or nothing stands against it).
    """

    rule_id: str
    offered_yuan: Decimal | None
    payable_yuan: Decimal | None
    how: Settlement
    other_rule_id: str = ""
    other_yuan: Decimal | None = None
    again_on: date | None = None
    source: str = ""


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
class Granted:
    """One yes of a sweep. ``yuan`` None: the amount is unknown. ``division`` is empty when the
    place is unknown; ``facts`` holds what was asked for."""

    trader_code: str
    yuan: Decimal | None
    division: str
    facts: dict[str, FactScalar | None]


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


@dataclass(frozen=True)
class RuleChange:
    """One change to a copy of a rule.

    ``kind``: parameter (``value`` is the new one; ``name#2`` the second row of a parameter that
    varies), clause (``value`` is the new expression) or drop (the clause is left out).
    """

    kind: str
    name: str
    value: str = ""


@dataclass(frozen=True)
class RuleDifference:
    """One thing two versions of a rule do not share; an empty side means it is not there."""

    what: str
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class PartNumbers:
    """One county, trade section or type: traders per outcome there.

    A count of None is held back: it would single out a few people (fewer than 5).
    ``traders`` are those the rule applies to.
    """

    code: str
    label: str
    traders: int
    counts: dict[str, int | None]


@dataclass(frozen=True)
class ClauseNumbers:
    """One clause over the traders the rule applies to; ``alone`` counts those whom only this
    clause keeps from a yes (差一步)."""

    id: str
    yes: int
    no: int
    unknown: int
    alone: int
    can_change: bool  # False: no step and no time changes it, so it is not one step away


@dataclass(frozen=True)
class MissingNumbers:
    """A department whose data alone would settle ``traders`` that cannot be judged today."""

    department: str
    department_name: str
    traders: int
    facts: tuple[str, ...]  # labels of the facts lacking


@dataclass(frozen=True)
class RuleNumbers:
    """One rule over the whole city on one date.

    ``counts`` is outcome → traders (not_applicable included). ``amount_yuan`` sums a yes's
    amounts; None when the rule pays nothing countable or too few get it to be named.
    ``parts``: dimension (county, trade, type) → its parts. ``is_guarded``: small counts are held
    back because the rule looks at personal facts.
    """

    rule_id: str
    version: str
    as_of: date
    snapshot_id: str
    traders: int
    outcomes: tuple[tuple[str, str], ...]  # outcome and its label, in the order shown
    counts: dict[str, int]
    amount_yuan: Decimal | None
    amount_unknown: int  # yes, but the amount cannot be told
    parts: dict[str, tuple[PartNumbers, ...]]
    clauses: tuple[ClauseNumbers, ...]
    near: int
    missing: tuple[MissingNumbers, ...]
    is_guarded: bool


@dataclass(frozen=True)
class ParameterCurve:
    """Count and cost at every value of one parameter, everything else as it is.

    ``outcome`` is the outcome counted. ``parts``: dimension → code → counts, as long as
    ``values``; a part is missing where its counts are held back. ``amounts_yuan`` is empty when
    the rule pays nothing countable. ``at`` is the place of the value in force.
    """

    name: str
    label: str
    unit: str
    is_official: bool
    outcome: str
    values: tuple[str, ...]
    shown: tuple[str, ...]
    at: int
    counts: tuple[int, ...]
    amounts_yuan: tuple[int, ...]
    parts: dict[str, dict[str, tuple[int, ...]]]


@dataclass(frozen=True)
class PartMove:
    """One county, trade or type before and after a change. None: held back."""

    code: str
    label: str
    before: int | None
    after: int | None
    gained: int | None  # reach the outcome only after
    lost: int | None  # reached it only before


@dataclass(frozen=True)
class Comparison:
    """The same traders under two versions of a rule: who moves, from where to where, at what cost.

    ``moves`` is (outcome before, outcome after) → traders, stays included. Amounts are sums of
    yuan over yes; ``gained_yuan`` and ``lost_yuan`` (both ≥ 0) sum what single traders gain and
    lose; None when neither version pays anything countable or too few are concerned.
    """

    rule_id: str
    title: str
    before_version: str
    after_version: str
    as_of: date
    snapshot_id: str
    traders: int
    outcomes: tuple[tuple[str, str], ...]  # outcome and its label, in the order shown
    outcome: str  # the outcome the parts count
    moves: tuple[tuple[str, str, int], ...]
    before_counts: dict[str, int]
    after_counts: dict[str, int]
    before_yuan: Decimal | None
    after_yuan: Decimal | None
    gained_yuan: Decimal | None
    lost_yuan: Decimal | None
    amount_changed: int  # yes before and after, with another amount
    parts: dict[str, tuple[PartMove, ...]]
    differences: tuple[RuleDifference, ...]
    is_guarded: bool

    @property
    def moved(self) -> int:
        """Traders whose outcome is another one."""
        return sum(n for before, after, n in self.moves if before != after)


@dataclass(frozen=True)
class Scenario:
    """A what-if somebody kept: changes to a version of a rule, and what came out."""

    number: int
    title: str
    rule_id: str
    changes: tuple[RuleChange, ...]
    made_at: datetime
    comparison: Comparison


@dataclass(frozen=True)
class DriftReport:
    """The comparison that must exist before a new version of a rule decides the city."""

    key: str
    made_at: datetime
    comparison: Comparison


@dataclass(frozen=True)
class DraftVersion:
    """The text of a draft rule version and of its worked cases, with the names to file them by.

    ``notes`` say in Chinese what a person must still do.
    """

    file_name: str
    text: str
    cases_name: str
    cases_text: str
    version: str
    changed_cases: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Remedy:
    """What makes one clause answer as it must.

    ``kind``: time (it comes by itself, ``on`` that day), change (``fact`` must become ``needed``),
    data (a department or person must first say what it is) or fixed (nothing changes it; ``text``
    says why). ``gap_text`` is the gap alone (还差 2 个月), empty where there is none to measure.
    ``who`` acts, empty when nobody need or can. ``changes`` are the facts after the remedy,
    with those that move along.
    """

    clause_id: str
    label: str
    kind: str
    fact: str
    now: str
    needed: str
    gap_text: str
    on: date | None
    who: tuple[str, ...]
    text: str
    changes: tuple[tuple[str, FactScalar], ...] = ()


@dataclass(frozen=True)
class Question:
    """One thing to ask next: about which fact, in words, and who can answer.

    ``type`` is the fact's; ``choices`` (value, label) where only these can be answered.
    ``rules`` are the ids of the rules whose answer it can still change.
    """

    fact: str
    label: str
    text: str
    type: str
    unit: str
    choices: tuple[tuple[str, str], ...]
    who: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Advice:
    """Why not, when, and what would change it, for one trader and one rule.

    ``goal`` is the outcome aimed at: yes, or the next value of a table (empty: none higher).
    ``failing`` is the smallest set of clauses (in_force, in_region, is_subject and not_overridden
    stand for the rule's scope) whose change brings it about, and ``remedies`` one way for each.
    ``cured_on`` is the first day on which it comes about if nobody acts and figures stay as they
    are; with ``at_latest`` it may come sooner. ``is_near``: one clause, known, and it can change.
    ``is_possible``: the remedies together bring the goal about; else each stands for itself.
    """

    rule_id: str
    rule_version: str
    as_of: date
    outcome: str
    goal: str
    goal_label: str
    failing: tuple[str, ...]
    cured_on: date | None
    at_latest: bool
    remedies: tuple[Remedy, ...]
    is_near: bool
    is_possible: bool
    caveat: str
    next_questions: tuple[Question, ...] = ()


@dataclass(frozen=True)
class NearClause:
    """A clause that alone keeps ``traders`` from a rule; ``comes_by_itself``: time may do."""

    id: str
    label: str
    traders: int
    comes_by_itself: bool


@dataclass(frozen=True)
class NearRule:
    """差一步 of one rule over the city: how many traders one clause keeps from it, and which."""

    rule_id: str
    title: str
    traders: int
    clauses: tuple[NearClause, ...]


@dataclass(frozen=True)
class NearTrader:
    """One trader one step away, and the clauses of which any one would do."""

    trader_code: str
    clauses: tuple[str, ...]


@dataclass(frozen=True)
class Slip:
    """A decision slip. ``content`` are its canonical bytes; ``sha256`` stands inside them and is
    the hash of the rest: the one to put into the audit log."""

    trader_code: str
    rule_id: str
    rule_version: str
    title: str
    as_of: date
    snapshot_id: str
    outcome: str
    amount_yuan: Decimal | None
    sha256: str
    content: bytes


@dataclass(frozen=True)
class SlipToday:
    """Whether today's rule on today's facts would decide differently.

    ``decides_differently`` is None, and ``why_unknown`` says why, when it cannot be told.
    """

    as_of: date | None
    snapshot_id: str
    rule_version: str
    outcome: str
    outcome_label: str
    amount_yuan: Decimal | None
    is_rule_changed: bool
    facts_changed: tuple[str, ...]
    decides_differently: bool | None
    why_unknown: str


@dataclass(frozen=True)
class ReplayResult:
    """A slip that gave the same bytes again, and how it would be decided today.

    ``is_in_log``: the audit log here knows its fingerprint. A slip whose facts were altered and
    whose fingerprint was made anew is not in it.
    """

    slip: Slip
    today: SlipToday
    is_in_log: bool = False
