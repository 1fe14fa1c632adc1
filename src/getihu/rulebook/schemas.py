"""Shapes of the rulebook's answers over HTTP."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from ninja import Field, Schema

from getihu.rulebook.contracts import FrameLine
from getihu.rulebook.model.rules import (
    AllOf,
    AnyOf,
    AtLeast,
    ClauseRef,
    NoneOf,
    Rule,
    Tree,
)
from getihu.rulebook.whatif.changes import MOST_CHANGES
from getihu.rulebook.whatif.keeping import LONGEST_TITLE


class SourceOut(Schema):
    document: str
    title: str
    article: str
    url: str
    trust: str


class RuleSummaryOut(Schema):
    id: str
    version: str
    title: str
    kind: str
    region: str
    subjects: list[str]
    valid_from: date
    valid_until: date | None
    superseded_by: str | None
    source: SourceOut
    clause_count: int
    case_count: int


class ParameterOut(Schema):
    name: str
    label: str
    value: str
    unit: str
    source: str
    is_official: bool


class ClauseOut(Schema):
    id: str
    label: str
    when: str
    article: str
    facts: list[str]
    parameters: list[str]


class RowOut(Schema):
    """A row of a table. ``when`` is absent on the last one."""

    when: object | None
    value: str
    label: str
    reason: str


class AmountOut(Schema):
    yuan: str
    label: str
    round: str
    article: str


class FrameLineOut(Schema):
    """What a rule says beside its conditions, in words; ``id`` is the key of the rule file, or
    ``consent`` (facts that need written consent)."""

    id: str
    label: str
    text: str
    source: str


class RuleOut(Schema):
    """``review`` holds what a fair-competition review must answer; empty when nothing."""

    id: str
    version: str
    title: str
    kind: str
    code: str
    source: SourceOut
    region: str
    subjects: list[str]
    valid_from: date
    valid_until: date | None
    ended_by: str | None
    ended_from: date | None
    date_note: str
    incomplete: str
    benefit: str
    parameters: list[ParameterOut]
    clauses: list[ClauseOut]
    requires: object | None
    rows: list[RowOut]
    values: dict[str, str]
    amount: AmountOut | None
    frame: list[FrameLineOut]
    review: list[FrameLineOut]


class SettledOut(Schema):
    """What one offer pays beside others. ``how``: full, lower, already, difference, ceiling or
    unknown; ``payable_yuan`` is null when a person must look."""

    rule_id: str
    offered_yuan: str | None
    payable_yuan: str | None
    how: str
    other_rule_id: str
    other_yuan: str | None
    again_on: date | None
    source: str


class FactUsedOut(Schema):
    """``value`` is null when unknown; ``why_unknown`` then names the department and since when."""

    name: str
    label: str
    value: bool | int | str | None
    shown: str
    department: str
    department_name: str
    dataset: str
    recorded_on: date | None
    covered_until: date | None
    delivery_id: str | None
    why_unknown: str


class ParameterUsedOut(Schema):
    name: str
    label: str
    value: bool | int | str | None
    shown: str
    source: str
    is_official: bool


class ClauseResultOut(Schema):
    id: str
    label: str
    expression: str
    result: str
    article: str
    facts: list[FactUsedOut]
    parameters: list[ParameterUsedOut]


class DecisionOut(Schema):
    """``outcome``: yes, no, unknown, not_applicable, or a value of the table."""

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
    amount_yuan: str | None
    amount_note: str
    amount_facts: list[FactUsedOut]
    amount_parameters: list[ParameterUsedOut]
    benefit: str
    source: SourceOut
    clauses: list[ClauseResultOut]
    deciding: list[str]
    missing: list[FactUsedOut]
    incomplete: str


class ExplanationOut(Schema):
    trader_code: str
    as_of: date
    snapshot_id: str
    type_decision: DecisionOut
    policies: list[DecisionOut]


class ChangeIn(Schema):
    """``kind``: parameter (``value`` is the new one), clause (a new expression) or drop."""

    kind: Literal["parameter", "clause", "drop"]
    name: str = Field(max_length=120)
    value: str = Field("", max_length=4000)


class WhatIfIn(Schema):
    changes: list[ChangeIn] = Field(min_length=1, max_length=MOST_CHANGES)
    outcome: str = ""
    as_of: date | None = None


class ScenarioIn(Schema):
    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    changes: list[ChangeIn] = Field(min_length=1, max_length=MOST_CHANGES)


class DraftIn(Schema):
    changes: list[ChangeIn] = Field(min_length=1, max_length=MOST_CHANGES)
    valid_from: date


class DifferenceOut(Schema):
    what: str
    label: str
    before: str
    after: str


class PartNumbersOut(Schema):
    """A count of null is held back: it would single out a few people."""

    code: str
    label: str
    traders: int
    counts: dict[str, int | None]


class ClauseNumbersOut(Schema):
    id: str
    yes: int
    no: int
    unknown: int
    alone: int
    can_change: bool


class MissingNumbersOut(Schema):
    department: str
    department_name: str
    traders: int
    facts: list[str]


class NumbersOut(Schema):
    rule_id: str
    version: str
    as_of: date
    snapshot_id: str
    traders: int
    outcomes: list[tuple[str, str]]
    counts: dict[str, int]
    amount_yuan: str | None
    amount_unknown: int
    parts: dict[str, list[PartNumbersOut]]
    clauses: list[ClauseNumbersOut]
    near: int
    missing: list[MissingNumbersOut]
    is_guarded: bool


class CurveOut(Schema):
    """``counts``, ``amounts_yuan`` and every list in ``parts`` go along with ``values``."""

    name: str
    label: str
    unit: str
    is_official: bool
    outcome: str
    values: list[str]
    shown: list[str]
    at: int
    counts: list[int]
    amounts_yuan: list[int]
    parts: dict[str, dict[str, list[int]]]


class PartMoveOut(Schema):
    code: str
    label: str
    before: int | None
    after: int | None
    gained: int | None
    lost: int | None


class ComparisonOut(Schema):
    """``moves``: outcome before, outcome after, traders; those who stay included."""

    rule_id: str
    title: str
    before_version: str
    after_version: str
    as_of: date
    snapshot_id: str
    traders: int
    outcomes: list[tuple[str, str]]
    outcome: str
    moves: list[tuple[str, str, int]]
    before_counts: dict[str, int]
    after_counts: dict[str, int]
    before_yuan: str | None
    after_yuan: str | None
    gained_yuan: str | None
    lost_yuan: str | None
    amount_changed: int
    parts: dict[str, list[PartMoveOut]]
    differences: list[DifferenceOut]
    is_guarded: bool


class VersionOut(Schema):
    """``ground``: initial, first, the key of a drift report; empty: has not decided yet."""

    version: str
    valid_from: date
    valid_until: date | None
    is_on_file: bool
    ground: str
    first_used_on: date | None
    differences: list[DifferenceOut]


class ScenarioOut(Schema):
    number: int
    title: str
    rule_id: str
    changes: list[ChangeIn]
    made_at: datetime
    comparison: ComparisonOut


class DriftReportOut(Schema):
    key: str
    made_at: datetime
    comparison: ComparisonOut


class DraftOut(Schema):
    file_name: str
    text: str
    cases_name: str
    cases_text: str
    version: str
    changed_cases: list[str]
    notes: list[str]


class RemedyOut(Schema):
    """What makes one clause answer as it must. ``kind``: time, change, data or fixed.

    ``changes`` are pairs of a fact and its value after the remedy.
    """

    clause_id: str
    label: str
    kind: str
    fact: str
    now: str
    needed: str
    gap_text: str
    on: date | None
    who: list[str]
    text: str
    changes: list[tuple[str, bool | int | str]]


class QuestionOut(Schema):
    """What to ask next. ``choices`` are pairs of a value and its label."""

    fact: str
    label: str
    text: str
    type: str
    unit: str
    choices: list[tuple[str, str]]
    who: list[str]
    rules: list[str]


class AdviceOut(Schema):
    """Why not, when, and what would change it. ``failing`` is the smallest set of clauses in the
    way of ``goal``; ``cured_on`` the day on which time alone brings it."""

    rule_id: str
    rule_version: str
    as_of: date
    outcome: str
    goal: str
    goal_label: str
    failing: list[str]
    cured_on: date | None
    at_latest: bool
    remedies: list[RemedyOut]
    is_near: bool
    is_possible: bool
    caveat: str
    next_questions: list[QuestionOut]


def rule_out(rule: Rule, frame: Sequence[FrameLine], review: Sequence[FrameLine]) -> RuleOut:
    """A rule as it is written, values as text."""
    return RuleOut(
        **{
            name: getattr(rule, name)
            for name in ("id", "version", "title", "kind", "code", "region", "date_note")
        },
        source=SourceOut(**vars(rule.source)),
        subjects=list(rule.subjects),
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        ended_by=rule.ended_by.rule_id if rule.ended_by else None,
        ended_from=rule.ended_by.from_ if rule.ended_by else None,
        incomplete=rule.incomplete,
        benefit=rule.benefit,
        parameters=[
            ParameterOut(
                name=p.name,
                label=p.label,
                value=str(p.value),
                unit=p.unit,
                source=p.source,
                is_official=p.is_official,
            )
            for p in rule.parameters
        ],
        clauses=[
            ClauseOut(
                id=c.id,
                label=c.label,
                when=c.text,
                article=c.article,
                facts=list(c.facts),
                parameters=list(c.parameters),
            )
            for c in rule.clauses
        ],
        requires=None if rule.requires is None else tree_out(rule.requires),
        rows=[
            RowOut(
                when=None if row.when is None else tree_out(row.when),
                value=row.value,
                label=row.label,
                reason=row.reason,
            )
            for row in rule.rows
        ],
        values=dict(rule.values),
        amount=None
        if rule.amount is None
        else AmountOut(
            yuan=rule.amount.text,
            label=rule.amount.label,
            round=rule.amount.rounding,
            article=rule.amount.article,
        ),
        frame=[FrameLineOut(**vars(line)) for line in frame],
        review=[FrameLineOut(**vars(line)) for line in review],
    )


def tree_out(tree: Tree) -> object:
    """A tree as rule files write it."""
    if isinstance(tree, ClauseRef):
        return tree.id
    items = [tree_out(item) for item in tree.items]
    match tree:
        case AllOf():
            return {"all_of": items}
        case AnyOf():
            return {"any_of": items}
        case NoneOf():
            return {"none_of": items}
        case AtLeast(n):
            return {"at_least": {"n": n, "of": items}}
