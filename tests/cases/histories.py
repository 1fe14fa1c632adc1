"""Random histories of a clock, and a slow oracle that looks at one day after the other."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from getihu.cases.clocks.running import ClockHistory, Extended, Pause
from getihu.cases.clocks.terms import Extension, PauseKind, StatutoryTerm
from getihu.kernel.periods import LegalUnit, add_months
from getihu.kernel.workdays import WorkCalendar

FIRST, LAST = date(2007, 1, 1), date(2026, 6, 30)


def term(unit: LegalUnit, amount: int, extension: int = 0) -> StatutoryTerm:
    return StatutoryTerm(
        id="test.term",
        title="试验期限",
        amount=amount,
        unit=unit,
        starts="受理",
        ends="决定",
        pauses=frozenset(PauseKind),
        extension=Extension(amount=extension, source="试验") if extension else None,
        source="试验",
        trust="D",
    )


@dataclass(frozen=True)
class Example:
    term: StatutoryTerm
    history: ClockHistory
    on: date


def random_example(random: Random) -> Example:
    """A term and a history the law allows; the extension is decided on the first day."""
    unit = random.choice(list(LegalUnit))
    most = {LegalUnit.MONTH: 6, LegalUnit.YEAR: 2}.get(unit, 60)
    made = term(unit, random.randint(1, most), random.choice((0, random.randint(1, most))))
    started = FIRST + timedelta(days=random.randrange((LAST - FIRST).days))
    pauses, free = [], started
    for _ in range(random.randrange(4)):
        since = free + timedelta(days=random.randrange(30))
        until = since + timedelta(days=random.randrange(20))
        pauses.append(Pause(random.choice(list(PauseKind)), since, until, "等待"))
        free = until
    extended = Extended(started, "复杂") if made.extension and random.random() < 0.5 else None
    on = free + timedelta(days=random.randrange(60))
    return Example(made, ClockHistory(started, tuple(pauses), extended), on)


def oracle_due(example: Example, work_calendar: WorkCalendar) -> date:
    """The last day in time, found by walking day by day."""
    history, unit = example.history, example.term.unit
    longer = example.term.extension.amount if history.extended else 0  # type: ignore[union-attr]
    left = example.term.amount + longer
    if unit in (LegalUnit.MONTH, LegalUnit.YEAR):
        months = left * (12 if unit is LegalUnit.YEAR else 1)
        left = (add_months(history.started, months) - history.started).days
    day = history.started
    while left:
        day += timedelta(days=1)
        if is_paused(history, day):
            continue
        left -= 1 if unit is not LegalUnit.WORKING_DAY else work_calendar.is_workday(day)
    return day


def is_paused(history: ClockHistory, day: date) -> bool:
    return any(p.since < day <= (p.until or date.max) for p in history.pauses)
