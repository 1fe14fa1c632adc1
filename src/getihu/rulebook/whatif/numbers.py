"""One rule over the whole city: who, where, in which trade, for want of whose data, one step off."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import numpy as np

from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.advise.advice import can_turn
from getihu.rulebook.advise.city import near_members
from getihu.rulebook.advise.knowledge import knowledge_of
from getihu.rulebook.columns.questions import missing_by_department
from getihu.rulebook.columns.sweep import CitySweep, sweep_columns
from getihu.rulebook.contracts import ClauseNumbers, MissingNumbers, PartNumbers, RuleNumbers
from getihu.rulebook.model.rules import ELIGIBILITY, UNKNOWN, Rule
from getihu.rulebook.whatif.city import (
    Bools,
    City,
    Decided,
    Parts,
    outcome_labels,
    outcomes_of,
)
from getihu.rulebook.whatif.city import decided as decided_in
from getihu.rulebook.whatif.planes import Planes, flipped, tree_plane
from getihu.rulebook.whatif.privacy import guarded, is_few, is_guarded

Catalogue = Mapping[str, FactDeclaration]

ASKED: Final = {"applicant": "申请人本人", "officer": "办案人员"}


def dimensions(city: City, type_rule: Rule | None) -> dict[str, Parts]:
    """County, trade section and type: the ways a breakdown is made."""
    found = {"county": city.counties, "trade": city.trades}
    if type_rule is not None:
        decided = city.decide([type_rule])[0]
        labels = outcome_labels(type_rule)
        named = tuple(labels[outcome] for outcome in decided.outcomes)
        index = np.minimum(decided.codes, len(named)).astype(np.uint8)
        found["type"] = Parts(decided.outcomes, named, index)
    return found


def rule_numbers(
    city: City, rule: Rule, type_rule: Rule | None, catalogue: Catalogue
) -> RuleNumbers:
    """Everything the policy page counts. Cost: some passes over the columns of the rule."""
    swept = sweep_columns(city.columns_for(rule), [rule], city.as_of)
    decided = decided_in(swept, rule.id)
    planes = {clause.id: swept.clause(rule.id, clause.id) for clause in rule.clauses}
    near = _near(city, swept, rule, catalogue)
    guard = is_guarded([rule], catalogue)
    parts = dimensions(city, type_rule if type_rule and type_rule.id != rule.id else None)
    labels = outcome_labels(rule)
    someone = np.any(list(near.values()), axis=0) if near else np.zeros(1, dtype=bool)
    return RuleNumbers(
        rule_id=rule.id,
        version=rule.version,
        as_of=city.as_of,
        snapshot_id=city.snapshot_id,
        traders=city.traders,
        outcomes=tuple((name, labels[name]) for name in outcomes_of(rule)),
        counts=outcome_counts(decided),
        amount_yuan=total_yuan(decided),
        amount_unknown=_amount_unknown(decided),
        parts={name: part_numbers(decided, by, guard) for name, by in parts.items()},
        clauses=tuple(_clauses(rule, decided, planes, near)),
        near=int(someone.sum()),
        missing=_missing(city, rule, decided, swept, catalogue),
        is_guarded=guard,
    )


def outcome_counts(decided: Decided) -> dict[str, int]:
    found = np.bincount(decided.codes, minlength=256)
    counts = {name: int(found[n]) for n, name in enumerate(decided.outcomes)}
    return {**counts, "not_applicable": int(found[255])}


def total_yuan(decided: Decided) -> Decimal | None:
    """What all yes together are worth; None when nothing is paid or hardly anyone gets it."""
    if decided.cents is None:
        return None
    paid = decided.cents[decided.cents >= 0]
    return None if is_few(len(paid)) else yuan(paid)


def yuan(cents: np.ndarray) -> Decimal:
    return Decimal(int(cents.sum())).scaleb(-2)


def _amount_unknown(decided: Decided) -> int:
    if decided.cents is None:
        return 0
    return int((decided.is_("yes") & (decided.cents < 0)).sum())


def part_numbers(decided: Decided, by: Parts, guard: bool) -> tuple[PartNumbers, ...]:
    """Traders per outcome in each part of the city."""
    table = part_table(decided, by)
    said = guarded(table, guard)
    return tuple(
        PartNumbers(
            code,
            by.labels[n],
            sum(table[n]),
            dict(zip(decided.outcomes, said[n], strict=True)),
        )
        for n, code in enumerate(by.codes)
    )


def part_table(decided: Decided, by: Parts) -> list[list[int]]:
    """Row per part, column per outcome, those the rule does not apply to left out."""
    size, outcomes = len(by.codes) + 1, len(decided.outcomes)
    inside = decided.applies
    place = by.index[inside].astype(np.int32) * outcomes + decided.codes[inside]
    found = np.bincount(place, minlength=size * outcomes).reshape(size, outcomes)
    rows: list[list[int]] = found[:-1].tolist()
    return rows


def _clauses(
    rule: Rule, decided: Decided, planes: Planes, near: Mapping[str, Bools]
) -> list[ClauseNumbers]:
    applies = decided.applies
    found = []
    for clause in rule.clauses:
        yes, unknown = planes[clause.id]
        alone = _alone(rule, decided, planes, clause.id)
        found.append(
            ClauseNumbers(
                id=clause.id,
                yes=int((yes & applies).sum()),
                no=int((~yes & ~unknown & applies).sum()),
                unknown=int((unknown & applies).sum()),
                alone=int((alone | near.get(clause.id, False)).sum()),
                can_change=clause.id in near,
            )
        )
    return found


def _alone(rule: Rule, decided: Decided, planes: Planes, clause_id: str) -> Bools:
    """Those refused who would be a yes if this one clause came out the other way."""
    if rule.kind != ELIGIBILITY or rule.requires is None:
        return np.zeros(len(decided.codes), dtype=bool)
    refused = decided.is_("no") & ~planes[clause_id][1]
    return refused & tree_plane(rule.requires, flipped(clause_id, planes))[0]


def _near(city: City, swept: CitySweep, rule: Rule, catalogue: Catalogue) -> dict[str, Bools]:
    """差一步, as the advice for single traders means it: clause id → whom it alone keeps out."""

    columns = city.columns_for(rule)

    def turns(row: int, clause_id: str) -> bool:
        return can_turn(rule, columns.values(row), city.as_of, catalogue, clause_id)

    return near_members(swept, rule, knowledge_of(catalogue), turns)


def _missing(
    city: City, rule: Rule, decided: Decided, swept: CitySweep, catalogue: Catalogue
) -> tuple[MissingNumbers, ...]:
    """Per department, the undecided whom its data alone would settle."""
    catalogue = rule.with_inputs(catalogue)
    owners = {name: catalogue[name].department for name in rule.facts if name in catalogue}
    undecided = decided.is_(UNKNOWN)
    lacking = [n for n, unknown in city.unknown(rule).items() if (unknown & undecided).any()]
    found = []
    for department, traders in missing_by_department(swept, rule.id, owners).items():
        facts = [name for name in lacking if owners.get(name, department) == department]
        name = ASKED.get(department) or next(catalogue[f].department_name for f in facts)
        labels = tuple(_label(fact, catalogue) for fact in facts)
        found.append(MissingNumbers(department, name, traders, labels))
    return tuple(found)


def _label(name: str, catalogue: Catalogue) -> str:
    fact = catalogue.get(name)
    return fact.label if fact else name
