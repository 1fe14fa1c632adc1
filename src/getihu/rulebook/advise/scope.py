"""Whether a rule concerns a trader at all, as conditions beside its clauses."""

from datetime import date

from getihu.rulebook.model.expressions import Expression
from getihu.rulebook.model.rules import Rule

SCOPE_LABELS = {
    "in_force": "在有效期内",
    "in_region": "在适用地区",
    "is_subject": "属于适用的主体",
    "not_overridden": "没有被当地的规定代替",
}


def scope_of(rule: Rule, day: date) -> dict[str, Expression]:
    """The conditions of ``rule`` on being applied at all, without those that always hold."""
    return rule.scope(day).parts


def period_days(rule: Rule) -> list[date]:
    """Days on which the rule's own period, or that of one in its place, begins or ends."""
    ending = rule.ended_by.from_ if rule.ended_by else None
    others = [day for other in rule.overridden_by for day in (other.valid_from, other.valid_until)]
    days = (rule.valid_from, rule.valid_until, ending, *others)
    return [day for day in days if day is not None]
