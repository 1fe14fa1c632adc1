"""A rule after all checks: what the engines and the explanation read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from getihu.dataplane.contracts import FactScalar
from getihu.rulebook.contracts import LegalSource
from getihu.rulebook.model.expressions import Constant, Expression

ELIGIBILITY = "eligibility"
TABLE = "table"
UNKNOWN = "unknown"
NATIONAL = "CN"
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
class Clause:
    """One condition of the text. ``resolved`` holds the parameters' values."""

    id: str
    label: str
    text: str
    article: str
    expression: Expression
    resolved: Expression
    facts: tuple[str, ...]
    parameters: tuple[str, ...]


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

    @cached_property
    def clause_by_id(self) -> dict[str, Clause]:
        return {clause.id: clause for clause in self.clauses}

    @cached_property
    def parameter_by_name(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

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
