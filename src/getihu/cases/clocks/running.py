"""How far a term has run, from what happened to it. Pure: dates in, a reading out.

Days are counted from the day after the start (民法典 §201). A day is paused when it lies after
the day a pause began, up to and including the day it ended: the day the authority stops is still
its own, the day the answer comes in is still the applicant's. So every day after the start is
either active or paused, never both and never neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from getihu.cases.clocks.terms import Direction, PauseKind, Silence, StatutoryTerm
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import LegalUnit, add_months
from getihu.kernel.workdays import Deadline, WorkCalendar


class IllegalClockHistory(GetihuError):
    """Something happened to a clock that the law or the order of events does not allow."""


@dataclass(frozen=True)
class Pause:
    """Time the law takes out. ``until`` None: it still lasts. ``reason`` is what was written."""

    kind: PauseKind
    since: date
    until: date | None
    reason: str


@dataclass(frozen=True)
class Extended:
    """A longer term, decided ``on`` a day with a written reason."""

    on: date
    reason: str


@dataclass(frozen=True)
class ClockHistory:
    """What happened to one running of a term, oldest first. ``stopped``: done on that day."""

    started: date
    pauses: tuple[Pause, ...] = ()
    extended: Extended | None = None
    stopped: date | None = None


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    OVERDUE = "overdue"
    DONE = "done"
    DONE_LATE = "done_late"


@dataclass(frozen=True)
class ClockReading:
    """A term seen on one day.

    ``used`` of ``total`` are counted in the term's unit, by working days or natural days; for
    months and years both are natural days. ``due`` is the last day in time; while a pause lasts it
    is what it would be if the pause ended today (``is_projected``). ``active_days`` and
    ``paused_days`` are natural days since the start, and add up to all of them. ``deemed`` is what
    the law puts in the place of a missing answer, once the term is over.
    """

    state: ClockState
    due: Deadline
    is_projected: bool
    used: int
    total: int
    active_days: int
    paused_days: int
    waiting_for: PauseKind | None
    days_late: int
    deemed: Silence


def read_clock(
    term: StatutoryTerm, history: ClockHistory, on: date, work_calendar: WorkCalendar
) -> ClockReading:
    """Return how far ``term`` has run on the day ``on``.

    Raises IllegalClockHistory: order of events, a pause or an extension the article does not
    know, a missing reason, an extension decided after the term was over.
    """
    _check(term, history, on)
    last_day = min(on, history.stopped) if history.stopped else on
    pauses = _until(history.pauses, last_day)
    due = _due(term, history, pauses, work_calendar)
    _check_extension(term, history, work_calendar)
    open_pause = next((p for p in history.pauses if p.until is None), None)
    if history.stopped:
        open_pause = None
    paused_days = sum((until - since).days for since, until in pauses)
    elapsed = (last_day - history.started).days
    late = max((last_day - due.on).days, 0)
    return ClockReading(
        state=_state(history, open_pause, late),
        due=due,
        is_projected=open_pause is not None,
        used=_used(term, history.started, pauses, last_day, work_calendar),
        total=_total(term, history, due, pauses),
        active_days=elapsed - paused_days,
        paused_days=paused_days,
        waiting_for=open_pause.kind if open_pause else None,
        days_late=late,
        deemed=term.silence if late and not history.stopped else Silence.NONE,
    )


def latest_day(term: StatutoryTerm, event: date, work_calendar: WorkCalendar) -> date:
    """Return the last day on which a term counted back from ``event`` is still kept.

    "30 days before the end" of 31 March is 1 March. Raises IllegalClockHistory for a term that
    runs forward.
    """
    if term.direction is not Direction.BEFORE:
        raise IllegalClockHistory(f"“{term.title}”不是倒算的期限。")
    if term.unit is LegalUnit.WORKING_DAY:
        return work_calendar.workday_before(event, term.amount)
    if term.unit is LegalUnit.NATURAL_DAY:
        return event - timedelta(days=term.amount)
    return add_months(event, -term.amount * (12 if term.unit is LegalUnit.YEAR else 1))


def _state(history: ClockHistory, open_pause: Pause | None, late: int) -> ClockState:
    if history.stopped:
        return ClockState.DONE_LATE if late else ClockState.DONE
    if open_pause:
        return ClockState.PAUSED
    return ClockState.OVERDUE if late else ClockState.RUNNING


def _check(term: StatutoryTerm, history: ClockHistory, on: date) -> None:
    if term.direction is Direction.BEFORE:
        raise IllegalClockHistory(f"“{term.title}”是倒算的期限，没有走动的钟。")
    if on < history.started:
        raise IllegalClockHistory(f"{on} 早于起算日 {history.started}。")
    if history.stopped and history.stopped < history.started:
        raise IllegalClockHistory(f"办结日 {history.stopped} 早于起算日 {history.started}。")
    free_from = history.started
    for number, pause in enumerate(history.pauses, 1):
        _check_pause(term, pause, free_from, is_last=number == len(history.pauses))
        free_from = pause.until or pause.since


def _check_pause(term: StatutoryTerm, pause: Pause, free_from: date, *, is_last: bool) -> None:
    if pause.kind not in term.pauses:
        raise IllegalClockHistory(
            f"{term.source}没有规定“{pause.kind.value}”的时间可以从“{term.title}”里扣除。"
        )
    if not pause.reason.strip():
        raise IllegalClockHistory("暂停计时要写明理由并书面告知申请人。")
    if pause.since < free_from:
        raise IllegalClockHistory(f"{pause.since} 的暂停和前面的时间重叠（到 {free_from}）。")
    if pause.until is None and not is_last:
        raise IllegalClockHistory(f"{pause.since} 开始的暂停还没有结束，不能再暂停。")
    if pause.until is not None and pause.until < pause.since:
        raise IllegalClockHistory(f"暂停结束日 {pause.until} 早于开始日 {pause.since}。")


def _check_extension(
    term: StatutoryTerm, history: ClockHistory, work_calendar: WorkCalendar
) -> None:
    extended = history.extended
    if extended is None:
        return
    if term.extension is None:
        raise IllegalClockHistory(f"{term.source}没有规定“{term.title}”可以延长。")
    if not extended.reason.strip():
        raise IllegalClockHistory("延长期限要写明理由并告知申请人。")
    before = ClockHistory(history.started, history.pauses)
    pauses = _until(history.pauses, extended.on)
    due = _due(term, before, pauses, work_calendar)
    if not history.started <= extended.on <= due.on:
        raise IllegalClockHistory(
            f"延长要在期限届满（{due.on}）前决定，{extended.on} 的决定不算数。"
        )


Span = tuple[date, date]
"""Paused days: after the first date, up to and including the second."""


def _until(pauses: Sequence[Pause], last_day: date) -> list[Span]:
    """The pauses up to a day; one that still lasts is taken to end on it."""
    return [
        (pause.since, min(pause.until or last_day, last_day))
        for pause in pauses
        if pause.since < last_day
    ]


def _due(
    term: StatutoryTerm,
    history: ClockHistory,
    pauses: Sequence[Span],
    work_calendar: WorkCalendar,
) -> Deadline:
    longer = term.extension.amount if history.extended and term.extension else 0
    return _counted(history.started, term.amount + longer, term.unit, pauses, work_calendar)


def _counted(
    start: date,
    amount: int,
    unit: LegalUnit,
    pauses: Sequence[Span],
    work_calendar: WorkCalendar,
) -> Deadline:
    """The day the ``amount``-th unit after ``start`` is used up, with the pauses left out."""
    if unit is LegalUnit.WORKING_DAY:
        left, here = amount, start
        for since, until in pauses:
            active = work_calendar.count_workdays(here, since)
            if active >= left:
                break
            left, here = left - active, until
        return work_calendar.add_workdays(here, left)
    if unit is LegalUnit.NATURAL_DAY:
        due = start + timedelta(days=amount)
    else:
        due = add_months(start, amount * (12 if unit is LegalUnit.YEAR else 1))
    for since, until in pauses:
        if since >= due:
            break
        due += until - since
    return Deadline(due)


def _used(
    term: StatutoryTerm,
    start: date,
    pauses: Sequence[Span],
    last_day: date,
    work_calendar: WorkCalendar,
) -> int:
    if term.unit is LegalUnit.WORKING_DAY:
        paused = sum(work_calendar.count_workdays(since, until) for since, until in pauses)
        return work_calendar.count_workdays(start, last_day) - paused
    return (last_day - start).days - sum((until - since).days for since, until in pauses)


def _total(
    term: StatutoryTerm, history: ClockHistory, due: Deadline, pauses: Sequence[Span]
) -> int:
    if term.unit in (LegalUnit.WORKING_DAY, LegalUnit.NATURAL_DAY):
        longer = term.extension.amount if history.extended and term.extension else 0
        return term.amount + longer
    paused = sum((min(until, due.on) - since).days for since, until in pauses if since < due.on)
    return (due.on - history.started).days - paused
