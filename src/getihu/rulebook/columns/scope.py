"""For whom and when a rule is, as one condition like any other."""

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

_TEXT = ValueType.TEXT


def applies(rule: Rule, as_of: date) -> Expression:
    """Yes, no or unknown: does the rule apply to a trader."""
    written = getattr(rule, "scope", None)
    if written is not None:
        scope = written(as_of)
        return And((scope.in_force, scope.in_region, scope.is_subject, scope.not_overridden))
    if not rule.in_force(as_of):
        return Constant(False, ValueType.BOOLEAN)
    parts: list[Expression] = []
    if prefix := rule.region_prefix:
        county = Fact("county_code", _TEXT)
        after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        parts.append(Compare(">=", county, Constant(prefix, _TEXT)))
        parts.append(Compare("<", county, Constant(after, _TEXT)))
    if rule.needs_subject_kind:
        kinds = tuple(Constant(kind, _TEXT) for kind in rule.subjects)
        parts.append(OneOf(Fact("subject_kind", _TEXT), kinds))
    if len(parts) == 1:
        return parts[0]
    return And(tuple(parts)) if parts else Constant(True, ValueType.BOOLEAN)
