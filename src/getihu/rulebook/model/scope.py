"""For whom and when a rule is, as conditions like any other: every engine reads these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

from getihu.rulebook.model.expressions import (
    And,
    Compare,
    Constant,
    Expression,
    Fact,
    Not,
    OneOf,
    Or,
    ValueType,
)

NATIONAL = "CN"
ALWAYS = Constant(True, ValueType.BOOLEAN)
NEVER = Constant(False, ValueType.BOOLEAN)
COUNTY = Fact("county_code", ValueType.TEXT)
KIND = Fact("subject_kind", ValueType.TEXT)
_EMPLOYEES = Fact("insured_employees", ValueType.INTEGER)


@dataclass(frozen=True)
class Override:
    """A regional rule that takes the place of another inside its region while in force."""

    rule_id: str
    title: str
    region: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True)
class Scope:
    """Four conditions; the rule applies when all hold, and it is unknown when one is."""

    in_force: Expression
    in_region: Expression
    is_subject: Expression
    not_overridden: Expression

    @cached_property
    def parts(self) -> dict[str, Expression]:
        """The conditions by name, without those that hold for everybody."""
        return {name: part for name, part in self.all.items() if part != ALWAYS}

    @property
    def all(self) -> dict[str, Expression]:
        return {
            "in_force": self.in_force,
            "in_region": self.in_region,
            "is_subject": self.is_subject,
            "not_overridden": self.not_overridden,
        }

    @cached_property
    def whole(self) -> Expression:
        """One condition: does the rule apply to a trader."""
        if self.in_force == NEVER:
            return NEVER
        flat: list[Expression] = []
        for part in self.parts.values():
            flat += part.operands if isinstance(part, And) else (part,)
        return ALWAYS if not flat else flat[0] if len(flat) == 1 else And(tuple(flat))


def region_prefix(region: str) -> str:
    """Leading digits that every county inside a region shares (empty: whole country)."""
    if region == NATIONAL:
        return ""
    return (
        region[:2] if region.endswith("0000") else region[:4] if region.endswith("00") else region
    )


def in_region(region: str) -> Expression:
    """A trader's county lies in a region."""
    prefix = region_prefix(region)
    if not prefix:
        return ALWAYS
    after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    first, end = Constant(prefix, ValueType.TEXT), Constant(after, ValueType.TEXT)
    return And((Compare(">=", COUNTY, first), Compare("<", COUNTY, end)))


def in_period(day: Expression | date, start: date | None, end: date | None) -> Expression:
    """A day lies in a period; ``end`` is the first day after it."""
    if isinstance(day, date):
        inside = (start is None or start <= day) and (end is None or day < end)
        return ALWAYS if inside else NEVER
    parts: list[Expression] = []
    if start is not None:
        parts.append(Compare(">=", day, Constant(start, ValueType.DATE)))
    if end is not None:
        parts.append(Compare("<", day, Constant(end, ValueType.DATE)))
    return ALWAYS if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))


def scope_of(
    day: Expression | date,
    period: tuple[date, date | None],
    region: str,
    subjects: tuple[str, ...],
    overridden_by: tuple[Override, ...],
) -> Scope:
    """The scope of a rule; ``day`` decides, and is an expression when it is an event's date."""
    return Scope(
        in_force=in_period(day, *period),
        in_region=in_region(region),
        is_subject=_is_subject(subjects),
        not_overridden=_not_overridden(day, overridden_by),
    )


@lru_cache(maxsize=64)
def _is_subject(subjects: tuple[str, ...]) -> Expression:
    kinds = tuple(s for s in subjects if s != "employer")
    if set(kinds) == {"individual", "enterprise"}:
        return ALWAYS
    parts: list[Expression] = []
    if kinds:
        parts.append(OneOf(KIND, tuple(Constant(kind, ValueType.TEXT) for kind in kinds)))
    if "employer" in subjects:
        parts.append(Compare(">=", _EMPLOYEES, Constant(1, ValueType.INTEGER)))
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _not_overridden(day: Expression | date, overridden_by: tuple[Override, ...]) -> Expression:
    parts: list[Expression] = []
    for other in overridden_by:
        period = in_period(day, other.valid_from, other.valid_until)
        if period == NEVER:
            continue
        both = [part for part in (in_region(other.region), period) if part != ALWAYS]
        parts.append(Not(And(tuple(both)) if len(both) > 1 else both[0]) if both else NEVER)
    return ALWAYS if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))
