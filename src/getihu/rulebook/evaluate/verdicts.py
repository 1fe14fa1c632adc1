"""One rule on one trader's facts: does it apply, what comes out, how much."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from getihu.rulebook.evaluate.expressions import Facts, closure
from getihu.rulebook.evaluate.trees import tree_value
from getihu.rulebook.model.numbers import round_amount
from getihu.rulebook.model.rules import ELIGIBILITY, UNKNOWN, Rule

OUTCOMES = {True: "yes", False: "no", None: UNKNOWN}


@dataclass(frozen=True)
class Verdict:
    """What a rule says, before it is put into words.

    ``applies`` is False when period, region, subject kind or a regional rule in its place leaves
    the trader out, None when it cannot be told. ``outcome`` is yes, no, unknown or a value of the table (``unknown`` unless
    ``applies`` is True). ``visible`` is what the clauses alone say: it differs from ``outcome``
    when the source is incomplete or it is unknown whether the rule applies. ``rows`` holds the
    answers of a table's rows.
    """

    in_force: bool | None
    in_region: bool | None
    is_subject: bool | None
    not_overridden: bool | None
    clauses: dict[str, bool | None]
    rows: tuple[bool | None, ...]
    visible: str
    outcome: str
    amount: Fraction | None

    @property
    def applies(self) -> bool | None:
        parts = (self.in_force, self.in_region, self.is_subject, self.not_overridden)
        return False if False in parts else None if None in parts else True


def judge(rule: Rule, facts: Facts, as_of: date) -> Verdict:
    """Decide ``rule`` on ``facts`` (None = unknown) for the date ``as_of``."""
    clauses = {c.id: closure(c.resolved)(facts, as_of) for c in rule.clauses}
    rows: tuple[bool | None, ...] = ()
    if rule.kind == ELIGIBILITY:
        assert rule.requires is not None
        visible = OUTCOMES[tree_value(rule.requires, clauses)]
    else:
        rows = tuple(
            True if row.when is None else tree_value(row.when, clauses) for row in rule.rows
        )
        values = {rule.rows[number].value for number in possible_rows(rows)}
        visible = values.pop() if len(values) == 1 else UNKNOWN
    verdict = Verdict(
        **{name: closure(part)(facts, as_of) for name, part in rule.scope(as_of).all.items()},
        clauses=clauses,
        rows=rows,
        visible=visible,
        outcome=UNKNOWN,
        amount=None,
    )
    if verdict.applies is not True or rule.incomplete:
        return verdict
    amount = None
    if rule.amount is not None and visible == "yes":
        value = closure(rule.amount.resolved)(facts, as_of)
        amount = None if value is None else round_amount(Fraction(value), rule.amount.rounding)
    return Verdict(**{**vars(verdict), "outcome": visible, "amount": amount})


def possible_rows(rows: tuple[bool | None, ...]) -> list[int]:
    """Numbers (from 0) of the rows of a table that may still be the first to hold."""
    possible = []
    for number, value in enumerate(rows):
        if value is not False:
            possible.append(number)
        if value is True:
            break
    return possible
