"""A worked case of a rule."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from getihu.dataplane.contracts import FactScalar

NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True)
class Case:
    """Facts and a date, and what the rule must answer.

    ``facts`` not named are unknown. ``amount_given`` tells an expected "no amount" from nothing
    expected; ``missing`` None means the case does not say.
    """

    name: str
    as_of: date
    facts: dict[str, FactScalar | None]
    expect: str
    amount_given: bool
    amount: Decimal | None
    missing: tuple[str, ...] | None
    clauses: dict[str, str]
