"""A rule after all checks: what the engines and the explanation read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

from getihu.dataplane.contracts import FactDeclaration, FactScalar, FactType, PersonalClass
from getihu.rulebook.contracts import LegalSource
from getihu.rulebook.model.expressions import (
    AsOf,
    Constant,
    Expression,
    Fact,
    ValueType,
    facts_in,
)
from getihu.rulebook.model.scope import Override, Scope, region_prefix, scope_of

ELIGIBILITY = "eligibility"
TABLE = "table"
UNKNOWN = "unknown"
ASKED_OF = {"applicant": "申请人", "officer": "办案人员"}
CREDIT_LISTS = {
    "abnormal_status": "经营异常状态",
    "serious_dishonesty": "严重违法失信名单",
    "judgment_defaulter": "失信被执行人名单",
    "penalty": "行政处罚信息",
}
SUBJECT_LABELS = {
    "individual": "个体工商户",
    "enterprise": "由个体工商户转型的企业",
    "employer": "有参保职工的用人单位（含个体工商户）",
}
# Kinds of subject a trader is one of at a time; an employer is either.
SUBJECT_KINDS = ("individual", "enterprise")
EMPLOYER = "employer"
DECIDING_DATES = {
    "as_of": "判定之日",
    "application": "申请之日",
    "event": "事件发生之日",
    "period_end": "期间届满之日",
}
LEGAL_BASES = {
    "law": "法律",
    "regulation": "行政法规",
    "state_council": "国务院批准",
    "local": "地方性法规、规章或文件",
    "none": "没有",
}
# What takes money from the treasury or from what is due to it (公平竞争审查条例 第十条).
PAID_KINDS = ("奖励", "补助", "补贴", "贴息", "税收减免", "免税", "减征", "降费", "租金减免")


@dataclass(frozen=True)
class ParameterRow:
    """The value of a parameter where ``condition`` holds; ``where`` says it in words."""

    condition: Expression
    constant: Constant
    value: FactScalar
    source: str
    where: str


@dataclass(frozen=True)
class Parameter:
    """A number or date of the rule, with the text that set it.

    ``rows`` give other values by region, trade, kind of subject or period, the first that holds;
    ``value`` is what holds elsewhere. None: outside the rows the text sets no value (unknown).
    """

    name: str
    label: str
    value: FactScalar | None
    unit: str
    source: str
    is_official: bool
    constant: Constant
    rows: tuple[ParameterRow, ...] = ()


@dataclass(frozen=True)
class DecidingDate:
    """Which date decides whether the rule and its values are in force (政策元规则 F-07).

    ``fact`` names the date of the event or of the end of the period; empty: the date asked about.
    """

    kind: str = "as_of"
    fact: str = ""

    @property
    def expression(self) -> Expression:
        return Fact(self.fact, ValueType.DATE) if self.fact else AsOf()


@dataclass(frozen=True)
class Instalment:
    """One payment of an award: ``yuan``, or a ``share`` of the amount."""

    yuan: Decimal | None
    share: Decimal | None
    due: str
    article: str


@dataclass(frozen=True)
class Group:
    """Rules that pay for the same thing. ``how``: highest (就高), once (不得重复享受) or difference
    (晋级补差). ``window_months`` is how far back an award counts; None: for ever."""

    id: str
    how: str
    window_months: int | None
    source: str


@dataclass(frozen=True)
class Budget:
    """What there is to give, and the order in which claims are served (names of facts, inputs or
    ``amount``, ``-`` for largest first). None: no such limit."""

    yuan: Decimal | None
    places: int | None
    order: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Ceiling:
    """All awards under one ceiling, together in a year, are at most the money of ``fact``.

    It holds once a trader has been registered for ``from_registered_months``.
    """

    id: str
    fact: str
    from_registered_months: int
    source: str


@dataclass(frozen=True)
class LegalBasis:
    """What allows giving to some and not to others (公平竞争审查条例 第十条)."""

    text: str
    kind: str


@dataclass(frozen=True)
class Input:
    """What no department delivers and somebody is asked for: an applicant or an officer.

    In expressions it is a fact like any other. The facts table has no column for it, so a sweep
    of the city never knows it.
    """

    name: str
    label: str
    type: FactType
    unit: str
    asked_of: str  # applicant or officer
    question: str
    null_means: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def declaration(self) -> FactDeclaration:
        """The input described as a fact; who is asked stands for the department."""
        return FactDeclaration(
            name=self.name,
            label=self.label,
            type=self.type,
            unit=self.unit or None,
            group="inputs",
            dataset="",
            department=self.asked_of,
            department_name=ASKED_OF[self.asked_of],
            null_means=self.null_means,
            personal=PersonalClass.PERSONAL,
            description=self.question,
            values=dict(self.values),
        )


@dataclass(frozen=True)
class Clause:
    """One condition of the text. ``resolved`` holds the parameters' values.

    An exclusion must not hold; ``credit_list`` names the list it looks at, if it is one of the
    credit system's (a list is not another list: 浙江省公共信用信息管理条例 第二十六条).
    """

    id: str
    label: str
    text: str
    article: str
    expression: Expression
    resolved: Expression
    facts: tuple[str, ...]
    parameters: tuple[str, ...]
    is_exclusion: bool = False
    credit_list: str = ""


@dataclass(frozen=True)
class ClauseRef:
    id: str


@dataclass(frozen=True)
class AllOf:
    items: tuple[Tree, ...]


@dataclass(frozen=True)
class AnyOf:
    items: tuple[Tree, ...]


@dataclass(frozen=True)
class NoneOf:
    items: tuple[Tree, ...]


@dataclass(frozen=True)
class AtLeast:
    n: int
    items: tuple[Tree, ...]


Tree = ClauseRef | AllOf | AnyOf | NoneOf | AtLeast


def clause_ids(tree: Tree) -> Iterator[str]:
    """Ids of the clauses a tree names, in reading order."""
    if isinstance(tree, ClauseRef):
        yield tree.id
    else:
        for item in tree.items:
            yield from clause_ids(item)


@dataclass(frozen=True)
class Row:
    """One row of a decision table; ``when`` None is the last row (otherwise)."""

    when: Tree | None
    value: str
    label: str
    reason: str


@dataclass(frozen=True)
class Amount:
    """What a yes is worth, in yuan. ``rounding`` is a key of ``numbers.ROUNDINGS``."""

    text: str
    label: str
    rounding: str
    article: str
    expression: Expression
    resolved: Expression
    facts: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Ending:
    """A later document that ended the rule before its own end."""

    rule_id: str
    from_: date
    source: str


@dataclass(frozen=True)
class Rule:
    """One version of one rule. Applies on ``valid_from <= as_of < valid_until``."""

    id: str
    version: str
    title: str
    kind: str
    code: str
    source: LegalSource
    region: str
    subjects: tuple[str, ...]
    valid_from: date
    valid_until: date | None
    ended_by: Ending | None
    date_note: str
    incomplete: str
    benefit: str
    parameters: tuple[Parameter, ...]
    clauses: tuple[Clause, ...]
    requires: Tree | None
    rows: tuple[Row, ...]
    values: tuple[tuple[str, str], ...]
    amount: Amount | None
    file: str
    inputs: tuple[Input, ...] = ()
    decides_on: DecidingDate = DecidingDate()
    benefit_kind: str = ""
    instalments: tuple[Instalment, ...] = ()
    group: Group | None = None
    budget: Budget | None = None
    ceiling: Ceiling | None = None
    overrides: tuple[str, ...] = ()
    legal_basis: LegalBasis | None = None
    overridden_by: tuple[Override, ...] = ()  # known once the whole rulebook is read

    @cached_property
    def clause_by_id(self) -> dict[str, Clause]:
        return {clause.id: clause for clause in self.clauses}

    @cached_property
    def parameter_by_name(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @property
    def is_about_event(self) -> bool:
        """Whether it judges something that happened (an officer fills in what), not a trader."""
        return any(each.asked_of == "officer" for each in self.inputs)

    def with_inputs(
        self, catalogue: Mapping[str, FactDeclaration]
    ) -> Mapping[str, FactDeclaration]:
        """The catalogue of facts and the rule's own inputs under their names."""
        if not self.inputs:
            return catalogue
        return {**catalogue, **{each.name: each.declaration for each in self.inputs}}

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """Every fact the rule may look at, those that say whether it applies included."""
        used: dict[str, None] = {}
        for part in self.scope(self.valid_from).parts.values():
            used.update(dict.fromkeys(facts_in(part)))
        for clause in self.clauses:
            used.update(dict.fromkeys(clause.facts))
        if self.amount:
            used.update(dict.fromkeys(self.amount.facts))
        return tuple(used)

    @property
    def region_prefix(self) -> str:
        """Leading digits that every county inside the region shares (empty: whole country)."""
        return region_prefix(self.region)

    @cached_property
    def last_day_after(self) -> date | None:
        """The first day it no longer holds, by its own end or by an earlier one set later."""
        ends = [self.valid_until, self.ended_by.from_ if self.ended_by else None]
        return min((end for end in ends if end is not None), default=None)

    def in_force(self, day: date) -> bool:
        """Whether a day lies in the rule's period."""
        end = self.last_day_after
        return self.valid_from <= day and (end is None or day < end)

    def is_over(self, day: date) -> bool:
        """Whether the rule's period has ended by a day."""
        end = self.last_day_after
        return end is not None and end <= day

    def scope(self, as_of: date) -> Scope:
        """For whom and when the rule is, as conditions on facts; the same for a period of days.

        A rule that decides on the date asked about is in force or not for everybody; one that
        decides on an event's date asks for it.
        """
        return scope_of(
            self.decides_on.expression if self.decides_on.fact else as_of,
            (self.valid_from, self.last_day_after),
            self.region,
            self.subjects,
            self.overridden_by,
        )


def with_overrides(rules: Sequence[Rule]) -> Iterator[Rule]:
    """The rules, each knowing which others take its place and where."""
    for rule in rules:
        above = tuple(
            Override(other.id, other.title, other.region, other.valid_from, other.last_day_after)
            for other in rules
            if rule.id in other.overrides
        )
        yield replace(rule, overridden_by=above) if above else rule


class Rulebook:
    """All rules, every version of each. ``at`` picks the version that governs a date."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        settled = tuple(with_overrides(rules))
        self.rules = tuple(sorted(settled, key=lambda rule: (rule.id, rule.valid_from)))
        self._versions: dict[str, list[Rule]] = {}
        for rule in self.rules:
            self._versions.setdefault(rule.id, []).append(rule)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._versions)

    def versions(self, rule_id: str) -> tuple[Rule, ...]:
        """Versions of one rule, oldest first; empty for an unknown id."""
        return tuple(self._versions.get(rule_id, ()))

    def at(self, rule_id: str, as_of: date) -> Rule:
        """The last version that began by ``as_of``; before the first one, the first."""
        versions = self._versions[rule_id]
        begun = [rule for rule in versions if rule.valid_from <= as_of]
        return begun[-1] if begun else versions[0]

    def governing(self, as_of: date) -> tuple[Rule, ...]:
        """One version of every rule, whether in force on ``as_of`` or not."""
        return tuple(self.at(rule_id, as_of) for rule_id in self._versions)
