"""What every move of a case is made of: the move itself, its clocks, its stages, what is told and
what is logged, all in the caller's transaction."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from getihu.accounts.contracts import CITY, Actor
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases.machine import Side, State, find_move
from getihu.cases.matters.model import Handler, Level
from getihu.cases.models import Case, CaseMove, ClockPause, ClockRun, StageRun
from getihu.cases.ports import CaseFile, consequences, end_listeners
from getihu.cases.selectors import reading_of
from getihu.cases.selectors.definitions import matter_of
from getihu.cases.services.telling import tell_move
from getihu.kernel.errors import GetihuError
from getihu.notifications import services as notifications

CITY_TIME = ZoneInfo("Asia/Shanghai")


class IllegalMove(GetihuError):
    """The case is in a state in which this cannot happen."""


def day_of(at: datetime) -> date:
    return at.astimezone(CITY_TIME).date()


def division_of(handler: Handler, place: str) -> str:
    return {Level.CITY: CITY, Level.COUNTY: place[:6], Level.TOWN: place}[handler.level]


def move_case(
    case: Case,
    after: State,
    *,
    side: Side,
    by: Actor | None,
    at: datetime,
    reason: str = "",
    article: str = "",
) -> CaseMove:
    """Make one move of the table, note it and log it. Raises IllegalMove."""
    before = State(case.state)
    move = find_move(before, after)
    if move is None or side not in move.by:
        raise IllegalMove("这件办件现在的状态不能这样办。")
    if move.needs_reason and not (reason.strip() and article.strip()):
        raise IllegalMove(f"“{move.label}”要写明理由和依据的条款。")
    case.state = after.value
    case.save()
    note_event(case, f"case.{after}", by, at, reason=reason, article=article, before=before.value)
    if after is not State.DISCARDED:  # a draft nobody handed in is nobody else's business
        notifications.publish(
            f"getihu.case.{after}",
            subject=f"case:{case.number}",
            data={"matter": case.matter_id, "agency": case.agency, "before": before.value},
            at=at,
        )
    return CaseMove.objects.create(
        case=case,
        before=before.value,
        after=after.value,
        at=at,
        side=side.value,
        by_id=by.account_id if by else None,
        reason=reason,
        article=article,
    )


def end_case(
    case: Case,
    after: State,
    *,
    by: Actor,
    at: datetime,
    reason: str = "",
    article: str = "",
    side: Side = Side.AGENCY,
) -> None:
    stop_clocks(case, at)
    case.ended_at = at
    move = move_case(case, after, side=side, by=by, at=at, reason=reason, article=article)
    if after is State.GRANTED:
        for each in consequences():
            each.granted(file_of(case), by=by, at=at)
    tell_move(case, move, at)
    for listener in end_listeners():
        listener.ended(file_of(case), after.value, at=at)


def file_of(case: Case) -> CaseFile:
    """The case as those see it who act on what is decided."""
    return CaseFile(
        case.pk,
        case.number,
        case.matter_id,
        case.trader_code,
        case.division,
        dict(case.form),
        case.opened_by_id,
        case.definition_id,
    )


def accept_case(
    case: Case, *, side: Side, by: Actor | None, at: datetime, article: str = ""
) -> None:
    matter = matter_of(case)
    # Deemed acceptance counts from the day the papers came in (行政许可法 第三十二条).
    case.accepted_at = _last_submission(case) if side is Side.LAW else at
    stop_clocks(case, at)
    move = move_case(case, State.ACCEPTED, side=side, by=by, at=at, article=article)
    accepted_at = case.accepted_at
    assert accepted_at is not None
    if matter.clock:
        start_clock(case, "", matter.clock, accepted_at)
    open_stages(case, accepted_at)
    tell_move(case, move, at)


def _last_submission(case: Case) -> datetime:
    handed_in = CaseMove.objects.filter(case=case, after=State.SUBMITTED.value)
    return handed_in.latest("id").at


def open_stages(case: Case, at: datetime) -> None:
    """Open every stage whose earlier ones have passed."""
    matter = matter_of(case)
    runs = {run.stage_id: run for run in StageRun.objects.filter(case=case)}
    for stage in matter.stages:
        run = runs.get(stage.id)
        if run is None:  # the answers do not need it
            continue
        earlier = [runs[name] for name in stage.after if name in runs]
        ready = all(each.status == StageRun.Status.PASSED for each in earlier)
        if run.status == StageRun.Status.WAITING and ready:
            run.status, run.opened_at = StageRun.Status.OPEN, at
            run.save(update_fields=["status", "opened_at"])
            start_clock(case, stage.id, stage.clock, at)


def start_clock(case: Case, stage_id: str, term_id: str, at: datetime) -> None:
    clock = ClockRun.objects.create(
        case=case, stage_id=stage_id, term_id=term_id, started_on=day_of(at)
    )
    refresh_due(clock, day_of(at))


def refresh_due(clock: ClockRun, on: date) -> None:
    """Write the due day the law's arithmetic gives; null while a pause lasts."""
    reading = reading_of(clock, on)
    clock.due_on = None if reading.is_projected or clock.stopped_on else reading.due.on
    clock.is_provisional = reading.due.provisional
    clock.save(update_fields=["due_on", "is_provisional"])


def stop_clocks(case: Case, at: datetime, stage_id: str | None = None) -> None:
    """Stop the running clocks of a stage; without one, all of the case."""
    running = ClockRun.objects.filter(case=case, stopped_on=None)
    if stage_id is not None:
        running = running.filter(stage_id=stage_id)
    today = day_of(at)
    ClockPause.objects.filter(clock__in=running, until=None).update(until=today)
    running.update(stopped_on=today, due_on=None)


def note_event(
    case: Case, kind: str, by: Actor | None, at: datetime, *, reason: str = "", **body: str
) -> None:
    """Tell the audit log. A reason in somebody's own words may name people: it is kept under the
    case's key."""
    audit.record(
        AuditEvent(
            kind=kind,
            actor=f"account:{by.account_id}" if by else "law:silence",
            object=f"case:{case.number}",
            at=at,
            body=body,
            subject=f"case:{case.number}" if reason else None,
            personal={"reason": reason} if reason else None,
        )
    )
