"""Count and cost at every value of one parameter: what a slider shows while it moves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from getihu.rulebook.columns.curves import curve
from getihu.rulebook.columns.sweep import CitySweep, sweep_columns
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
from getihu.rulebook.whatif.city import City, Parts
from getihu.rulebook.whatif.numbers import Catalogue
from getihu.rulebook.whatif.privacy import FEWEST, is_few, is_guarded

STEPS: Final = 40
MONTHS_AROUND: Final = 24
# What a slider moves beside the total: the fact to part by, and the parts there are.
DIMENSIONS: Final[dict[str, tuple[str, Callable[[City], Parts]]]] = {
    "county": ("county_code", lambda city: city.counties),
    "trade": ("industry_section", lambda city: city.trades),
}
_WHOLE: Final = frozenset({"month", "day", "year", "person", "count", "level"})


def rule_curves(
    city: City, rule: Rule, catalogue: Catalogue, *, outcome: str = ""
) -> list[ParameterCurve]:
    """The curve of every parameter that can be slid, in the order of the rule.

    ``outcome`` is the one counted: yes, or a value of a table (default: that of its last row but
    one, the nearest anyone left in the last row can come to).
    """
    outcome = outcome or _usual_outcome(rule)
    swept = sweep_columns(city.columns_for(rule), [rule], city.as_of)
    guard = is_guarded([rule], catalogue)
    curves = (_curve(city, swept, rule, each, outcome, guard) for each in rule.parameters)
    return [curve for curve in curves if curve is not None]


def _usual_outcome(rule: Rule) -> str:
    if rule.kind == ELIGIBILITY:
        return "yes"
    return rule.rows[-2].value if len(rule.rows) > 1 else rule.rows[-1].value


def _curve(
    city: City,
    swept: CitySweep,
    rule: Rule,
    parameter: Parameter,
    outcome: str,
    guard: bool,
) -> ParameterCurve | None:
    values = grid(city, rule, parameter)
    if len(values) < 2 or parameter.value not in values:
        return None
    facts = [fact for fact, _ in DIMENSIONS.values()]
    found = curve(swept, rule.id, parameter.name, values, outcome=outcome, by=facts)
    at = values.index(parameter.value)
    return ParameterCurve(
        name=parameter.name,
        label=parameter.label,
        unit=parameter.unit,
        is_official=parameter.is_official,
        outcome=outcome,
        values=tuple(map(str, values)),
        shown=tuple(show_parameter(replace(parameter, value=value)) for value in values),
        at=at,
        counts=found.counts,
        amounts_yuan=_said(found.amounts_yuan, found.counts, at),
        parts={
            name: _part_counts(parts(city), found.parts.get(fact, {}), guard)
            for name, (fact, parts) in DIMENSIONS.items()
        },
    )


def _part_counts(
    parts: Parts, found: Mapping[Any, tuple[int, ...]], guard: bool
) -> dict[str, tuple[int, ...]]:
    """Code → counts along the curve; parts that stay empty are left out.

    Of a rule over personal facts to the nearest five: two neighbouring values may not differ by
    one person.
    """
    shown = {code: found[code] for code in parts.codes if code in found}
    if guard:
        shown = {code: tuple(map(_in_fives, counts)) for code, counts in shown.items()}
    return {code: counts for code, counts in shown.items() if any(counts)}


def _in_fives(count: int) -> int:
    return (count + FEWEST // 2) // FEWEST * FEWEST


def _said(sums: Sequence[int], counts: Sequence[int], at: int) -> tuple[int, ...]:
    """What is said of the sums. One moves only when at least five traders moved since the last
    one said: a smaller step would say what one of them gets."""
    if not sums or is_few(counts[at]):
        return ()
    said = list(sums)
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
    if value is None or parameter.rows:
        return []  # several values at once are no point on one line
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
        Decimal(str(found))
        for fact in compared_facts(rule, parameter.name)
        if isinstance(found := city.quantile(rule, fact, 0.98), int | Decimal)
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
