"""Count and cost at every value of one parameter: what a slider shows while it moves."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from getihu.rulebook.columns.sweep import CitySweep
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
from getihu.rulebook.whatif.city import Bools, City, Parts, rule_key
from getihu.rulebook.whatif.numbers import Catalogue, dimensions
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
    by = Grid(dimensions(city, type_rule if type_rule and type_rule.id != rule.id else None))
    guard = is_guarded([rule], catalogue)
    curves = (_curve(city, rule, parameter, outcome, by, guard) for parameter in rule.parameters)
    return [curve for curve in curves if curve is not None]


class Grid:
    """All ways to part the city at once, so that a crowd is counted in one pass."""

    def __init__(self, dimensions: dict[str, Parts]) -> None:
        self.dimensions = dimensions
        self.shape = tuple(len(parts.codes) + 1 for parts in dimensions.values())
        indices = [parts.index for parts in dimensions.values()]
        self._place = np.ravel_multi_index(indices, self.shape).astype(np.int32)

    def count(self, who: Bools) -> list[npt.NDArray[np.int64]]:
        """Per dimension the numbers in its parts, the last one for unknown."""
        size = int(np.prod(self.shape))
        cube = np.bincount(self._place[who], minlength=size).reshape(self.shape)
        every = range(len(self.shape))
        return [cube.sum(axis=tuple(a for a in every if a != axis)) for axis in every]


def _usual_outcome(rule: Rule) -> str:
    if rule.kind == ELIGIBILITY:
        return "yes"
    return rule.rows[-2].value if len(rule.rows) > 1 else rule.rows[-1].value


def _curve(
    city: City,
    rule: Rule,
    parameter: Parameter,
    outcome: str,
    by: Grid,
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
    swept = city.sweep(copies)
    at = values.index(parameter.value)
    crowds = [swept.members(rule_key(number), outcome) for number in range(len(copies))]
    counts = [int(who.sum()) for who in crowds]
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
        amounts_yuan=_said(_sums(swept, copies), counts, at),
        parts=_part_counts(by, crowds, guard),
    )


def _part_counts(
    by: Grid, crowds: Sequence[Bools], guard: bool
) -> dict[str, dict[str, tuple[int, ...]]]:
    """Dimension → code → counts along the curve; parts that stay empty are left out.

    Of a rule over personal facts to the nearest five: two neighbouring values may not differ by
    one person.
    """
    tables = [np.stack(column) for column in zip(*map(by.count, crowds), strict=True)]
    found = {}
    for (name, parts), table in zip(by.dimensions.items(), tables, strict=True):
        shown = (table + FEWEST // 2) // FEWEST * FEWEST if guard else table
        found[name] = {
            code: tuple(shown[:, n].tolist())
            for n, code in enumerate(parts.codes)
            if shown[:, n].any()
        }
    return found


def _sums(swept: CitySweep, copies: Sequence[Rule]) -> list[int]:
    """Whole yuan of all yes along the curve; empty when nothing is paid."""
    if any(copy.amount is None for copy in copies):
        return []
    found = [swept.amount_of(rule_key(number)).cents for number in range(len(copies))]
    return [int(cents.values[cents.known].sum()) // 100 for cents in found]


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
        if isinstance(found := city.quantile(fact, 0.98), int | Decimal)
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
