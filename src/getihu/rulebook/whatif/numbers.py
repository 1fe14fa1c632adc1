"""One rule over the whole city: who, where, in which trade, for want of whose data, one step off."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.advise.advice import advise_facts
from getihu.rulebook.advise.city import near_members
from getihu.rulebook.advise.knowledge import knowledge_of
from getihu.rulebook.columns.sweep import CitySweep, sweep_columns
from getihu.rulebook.contracts import ClauseNumbers, MissingNumbers, PartNumbers, RuleNumbers
from getihu.rulebook.model.expressions import facts_in
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
from getihu.rulebook.whatif.planes import Planes, flipped, open_leaves, tree_plane
from getihu.rulebook.whatif.privacy import guarded, is_few, is_guarded

Catalogue = Mapping[str, FactDeclaration]

ASKED: Final = ("applicant", "申请人本人或者办案人员")


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
    swept = sweep_columns(city.columns, [rule], city.as_of)
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
        missing=_missing(city, rule, decided, planes, catalogue),
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

    def is_near(row: int) -> bool:
        facts = city.columns.values(row)
        return advise_facts(rule, facts, city.as_of, catalogue, asks=False).is_near

    return near_members(swept, rule, knowledge_of(catalogue), is_near)


def _missing(
    city: City, rule: Rule, decided: Decided, planes: Planes, catalogue: Catalogue
) -> tuple[MissingNumbers, ...]:
    """Per department, the undecided whom its data alone would settle."""
    if rule.incomplete:
        return ()
    waiting = _waiting(rule, decided, planes)
    unknown = city.unknown([name for name in rule.facts if name != "decided_on"])
    departments: dict[str, list[str]] = {}
    for name in unknown:
        departments.setdefault(_department(name, catalogue)[0], []).append(name)
    undecided = decided.is_(UNKNOWN)
    found = []
    for department, names in departments.items():
        others = [name for name in unknown if name not in names]
        settled = undecided.copy()
        for clause_id, waits in waiting.items():
            lacks = set(facts_in(rule.clause_by_id[clause_id].resolved))
            for name in lacks & set(others):
                settled &= ~(waits & unknown[name])
        for name in set(scope_facts(rule)) & set(others):
            settled &= ~unknown[name]
        settled &= _any_unknown(names, unknown)
        if count := int(settled.sum()):
            lacking = tuple(_label(n, catalogue) for n in names if (settled & unknown[n]).any())
            name = _department(names[0], catalogue)[1]
            found.append(MissingNumbers(department, name, count, lacking))
    return tuple(sorted(found, key=lambda m: -m.traders))


def _any_unknown(names: Sequence[str], unknown: Mapping[str, Bools]) -> Bools:
    found = unknown[names[0]].copy()
    for name in names[1:]:
        found |= unknown[name]
    return found


def _waiting(rule: Rule, decided: Decided, planes: Planes) -> dict[str, Bools]:
    undecided = decided.is_(UNKNOWN)
    if rule.requires is not None:
        return open_leaves(rule.requires, planes, undecided)
    found: dict[str, Bools] = {}
    for row in rule.rows:
        if row.when is not None:
            for clause_id, waits in open_leaves(row.when, planes, undecided).items():
                found[clause_id] = found[clause_id] | waits if clause_id in found else waits
    return found


def scope_facts(rule: Rule) -> list[str]:
    inside = {name for clause in rule.clauses for name in clause.facts}
    return [
        name
        for name in rule.facts
        if name not in inside and name in ("county_code", "subject_kind")
    ]


def _department(name: str, catalogue: Catalogue) -> tuple[str, str]:
    fact = catalogue.get(name)
    return (fact.department, fact.department_name) if fact else ASKED


def _label(name: str, catalogue: Catalogue) -> str:
    fact = catalogue.get(name)
    return fact.label if fact else name
