"""Whether a rule concerns a trader at all, as conditions beside its clauses."""

from datetime import date

from getihu.rulebook.model.expressions import (
    And,
    Compare,
    Constant,
    Expression,
    Fact,
    OneOf,
    ValueType,
)
from getihu.rulebook.model.rules import Rule

SCOPE_LABELS = {
    "in_force": "在有效期内",
    "in_region": "在适用地区",
    "is_subject": "属于适用的主体",
    "not_overridden": "没有被当地的规定代替",
}
ALWAYS = Constant(True, ValueType.BOOLEAN)


def scope_of(rule: Rule, day: date) -> dict[str, Expression]:
    """The conditions of ``rule`` on being applied at all, without those that always hold."""
    if hasattr(rule, "scope"):
        scope = rule.scope(day)
        parts = {name: getattr(scope, name) for name in SCOPE_LABELS}
    else:
        parts = _plain_scope(rule, day)
    return {name: part for name, part in parts.items() if part != ALWAYS}


def _plain_scope(rule: Rule, day: date) -> dict[str, Expression]:
    parts: dict[str, Expression] = {}
    if not rule.in_force(day):
        parts["in_force"] = Constant(False, ValueType.BOOLEAN)
    if rule.region_prefix:
        county = Fact("county_code", ValueType.TEXT)
        first = Constant(rule.region_prefix, ValueType.TEXT)
        after = Constant(f"{rule.region_prefix}:", ValueType.TEXT)  # ":" follows "9"
        parts["in_region"] = And((Compare(">=", county, first), Compare("<", county, after)))
    if rule.needs_subject_kind:
        kinds = tuple(Constant(kind, ValueType.TEXT) for kind in rule.subjects)
        parts["is_subject"] = OneOf(Fact("subject_kind", ValueType.TEXT), kinds)
    return parts


def period_days(rule: Rule) -> list[date]:
    """Days on which the rule's own period begins or ends."""
    ending = rule.ended_by.from_ if rule.ended_by else None
    return [day for day in (rule.valid_from, rule.valid_until, ending) if day is not None]
