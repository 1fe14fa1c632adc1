"""A rule after all checks: what the engines and the explanation read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from getihu.dataplane.contracts import FactDeclaration, FactScalar, FactType, PersonalClass
from getihu.rulebook.contracts import LegalSource
from getihu.rulebook.model.expressions import Constant, Expression

ELIGIBILITY = "eligibility"
TABLE = "table"
UNKNOWN = "unknown"
NATIONAL = "CN"
ASKED_OF = {"applicant": "申请人", "officer": "办案人员"}
CREDIT_LISTS = {
    "abnormal_status": "经营异常状态",
    "serious_dishonesty": "严重违法失信名单",
    "judgment_defaulter": "失信被执行人名单",
    "penalty": "行政处罚信息",
}
SUBJECT_LABELS = {"individual": "个体工商户", "enterprise": "由个体工商户转型的企业"}


@dataclass(frozen=True)
class Parameter:
    """A number or date of the rule, with the text that set it."""

    name: str
    label: str
    value: FactScalar
    unit: str
    source: str
    is_official: bool
    constant: Constant


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
        """Every fact the rule may look at, its region and subject kind included."""
        used: dict[str, None] = {}
        if self.region != NATIONAL:
            used["county_code"] = None
        if self.needs_subject_kind:
            used["subject_kind"] = None
        for clause in self.clauses:
            used.update(dict.fromkeys(clause.facts))
        if self.amount:
            used.update(dict.fromkeys(self.amount.facts))
        return tuple(used)

    @property
    def needs_subject_kind(self) -> bool:
        """False when the rule holds for every kind of subject there is."""
        return set(self.subjects) != set(SUBJECT_LABELS)

    @property
    def region_prefix(self) -> str:
        """Leading digits that every county inside the region shares (empty: whole country)."""
        if self.region == NATIONAL:
            return ""
        code = self.region
        return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code

    def in_force(self, as_of: date) -> bool:
        if as_of < self.valid_from or (self.valid_until and as_of >= self.valid_until):
            return False
        return not (self.ended_by and as_of >= self.ended_by.from_)


class Rulebook:
    """All rules, every version of each. ``at`` picks the version that governs a date."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.id, rule.valid_from)))
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
