"""Count and cost at every value of one parameter: what a slider shows while it moves."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np

from getihu.rulebook.contracts import ParameterCurve
from getihu.rulebook.explain.words import show_parameter
from getihu.rulebook.model.expressions import (
    Compare,
    Expression,
    Fact,
    ParameterUse,
    children,
    parameters_in,
    walk,
)
from getihu.rulebook.model.rules import ELIGIBILITY, Parameter, Rule
from getihu.rulebook.whatif.changes import with_value
from getihu.rulebook.whatif.city import NO_AMOUNT, Bools, City, Decided, Parts
from getihu.rulebook.whatif.numbers import Catalogue, dimensions, scope_facts
from getihu.rulebook.whatif.planes import outcome_codes
from getihu.rulebook.whatif.privacy import FEWEST, is_few, is_guarded

STEPS: Final = 40
MONTHS_AROUND: Final = 24
_WHOLE: Final = frozenset({"month", "day", "year", "person", "count", "level"})


def rule_curves(
    city: City,
    rule: Rule,
    type_rule: Rule | None,
    catalogue: Catalogue,
    *,
    outcome: str = "",
) -> list[ParameterCurve]:
    """The curve of every parameter that can be slid, in the order of the rule.

    ``outcome`` is the one counted: yes, or a value of a table (default: that of its last row but
    one, the nearest anyone left in the last row can come to).
    """
    outcome = outcome or _usual_outcome(rule)
    by = dimensions(city, type_rule if type_rule and type_rule.id != rule.id else None)
    guard = is_guarded([rule], catalogue)
    curves = (_curve(city, rule, parameter, outcome, by, guard) for parameter in rule.parameters)
    return [curve for curve in curves if curve is not None]


def _usual_outcome(rule: Rule) -> str:
    if rule.kind == ELIGIBILITY:
        return "yes"
    return rule.rows[-2].value if len(rule.rows) > 1 else rule.rows[-1].value


def _curve(
    city: City,
    rule: Rule,
    parameter: Parameter,
    outcome: str,
    by: dict[str, Parts],
    guard: bool,
) -> ParameterCurve | None:
    values, copies = [], []
    for value in grid(city, rule, parameter):
        copy = with_value(rule, parameter.name, value)
        if copy is not None:
            copies.append(copy)
            values.append(value)
    if len(values) < 2 or parameter.value not in values:
        return None
    decided = decide_copies(city, rule, copies)
    at = values.index(parameter.value)
    counts = [int(each.is_(outcome).sum()) for each in decided]
    return ParameterCurve(
        name=parameter.name,
        label=parameter.label,
        unit=parameter.unit,
        is_official=parameter.is_official,
        outcome=outcome,
        values=tuple(map(str, values)),
        shown=tuple(show_parameter(replace(parameter, value=value)) for value in values),
        at=at,
        counts=tuple(counts),
        amounts_yuan=_amounts(decided, counts, at),
        parts={name: _part_counts(decided, outcome, parts, guard) for name, parts in by.items()},
    )


def decide_copies(city: City, rule: Rule, copies: Sequence[Rule]) -> list[Decided]:
    """How copies with another parameter answer everyone: only clauses that differ are worked
    out, and whom the rule is for stays as it is."""
    base = city.decide([rule])[0]
    planes = city.planes([c.resolved for each in (rule, *copies) for c in each.clauses])
    amounts = dict.fromkeys(copy.amount for copy in copies if copy.amount)
    cents = dict(zip(amounts, city.cents(list(amounts)), strict=True)) if amounts else {}
    kept = ~base.applies | _place_unknown(city, rule)
    if rule.incomplete:
        kept |= True
    found = []
    for copy in copies:
        codes = outcome_codes(copy, {c.id: planes[c.resolved] for c in copy.clauses})
        codes = np.where(kept, base.codes, codes)
        own = cents[copy.amount] if copy.amount else None
        if own is not None:
            own = np.where(codes == base.outcomes.index("yes"), own, NO_AMOUNT)
        found.append(Decided(base.outcomes, codes, own))
    return found


def _place_unknown(city: City, rule: Rule) -> Bools:
    """Those of whom it is unknown whether the rule is for them: no parameter changes that."""
    found = np.zeros(city.traders, dtype=bool)
    for unknown in city.unknown(scope_facts(rule)).values():
        found |= unknown
    return found


def _part_counts(
    decided: Sequence[Decided], outcome: str, by: Parts, guard: bool
) -> dict[str, tuple[int, ...]]:
    """Code → counts along the curve; parts that stay empty are left out.

    Of a rule over personal facts to the nearest five: two neighbouring values may not differ by
    one person.
    """
    size = len(by.codes) + 1
    table = np.stack(
        [np.bincount(by.index[each.is_(outcome)], minlength=size)[:-1] for each in decided]
    )
    if guard:
        table = (table + FEWEST // 2) // FEWEST * FEWEST
    return {
        code: tuple(table[:, n].tolist()) for n, code in enumerate(by.codes) if table[:, n].any()
    }


def _amounts(decided: Sequence[Decided], counts: Sequence[int], at: int) -> tuple[int, ...]:
    """Yuan along the curve. A sum moves only when at least five traders moved since the last one
    said: a smaller step would say what one of them gets."""
    sums = [each.cents[each.cents >= 0].sum() // 100 for each in decided if each.cents is not None]
    if not sums or is_few(counts[at]):
        return ()
    said = [int(total) for total in sums]
    for way in (range(at + 1, len(said)), range(at - 1, -1, -1)):
        last = at
        for place in way:
            if is_few(abs(counts[place] - counts[last])) or is_few(counts[place]):
                said[place] = said[last]
            else:
                last = place
    return tuple(said)


def grid(city: City, rule: Rule, parameter: Parameter) -> list[Any]:
    """Values worth trying, the one in force among them; none for words."""
    value = parameter.value
    if isinstance(value, bool):
        return [False, True]
    if isinstance(value, date):
        return [_shifted(value, months) for months in range(-MONTHS_AROUND, MONTHS_AROUND + 1)]
    if isinstance(value, str):
        return []
    reach = _reach(city, rule, parameter)
    whole = isinstance(value, int)
    step = _nice(Decimal(reach) / STEPS, whole)
    tried = {step * number for number in range(int(Decimal(reach) / step) + 1)} | {Decimal(value)}
    # A decimal is written out: 100, never 1E+2.
    return sorted(int(n) if whole else Decimal(f"{n:f}") for n in tried if n >= 0)


def _reach(city: City, rule: Rule, parameter: Parameter) -> Decimal:
    """The largest value to try: as far again as the value in force, or where hardly anyone is."""
    value = Decimal(str(parameter.value))
    seen = [
        Decimal(str(found[0]))
        for fact in compared_facts(rule, parameter.name)
        if (found := city.quantiles(fact, [0.98])) and not isinstance(found[0], str | date | bool)
    ]
    usual = value * Decimal("2.5")
    if not usual:
        return max([*seen, Decimal(5)])
    return max(usual, min([*seen, usual * 2])) if seen else usual


def compared_facts(rule: Rule, parameter: str) -> list[str]:
    """Facts a parameter is compared with directly."""
    found: dict[str, None] = {}
    for expression in _using(rule, parameter):
        for node in walk(expression):
            if isinstance(node, Compare):
                sides = children(node)
                if any(isinstance(s, ParameterUse) and s.name == parameter for s in sides):
                    found.update((s.name, None) for s in sides if isinstance(s, Fact))
    return list(found)


def _using(rule: Rule, parameter: str) -> Iterator[Expression]:
    for clause in rule.clauses:
        if parameter in parameters_in(clause.expression):
            yield clause.expression


def _nice(rough: Decimal, whole: bool) -> Decimal:
    """The next of 1, 2, 5, 10, 20, 50 … (times a power of ten)."""
    power = Decimal(1).scaleb(rough.adjusted())
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough)
    return max(step, Decimal(1)) if whole else step.normalize()


def _shifted(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(day.year + years, month + 1, last)
        except ValueError:
            continue
    return day
