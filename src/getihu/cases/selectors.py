"""Reads of cases: one case with its clocks, and what is due by a day."""

import uuid
from collections.abc import Iterable
from datetime import date

from django.db.models import F, QuerySet

from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import within
from getihu.cases.clocks.running import (
    ClockHistory,
    ClockReading,
    ClockState,
    Extended,
    Pause,
    read_clock,
)
from getihu.cases.clocks.terms import PauseKind, get_term
from getihu.cases.contracts import CaseView, ClockView, DueItem, MoveView, StageView
from getihu.cases.machine import STATE_LABELS, Side, State, find_move
from getihu.cases.matters.load import get_matter, matter_catalogue
from getihu.cases.matters.model import Matter
from getihu.cases.models import Case, CaseMove, ClockPause, ClockRun, MaterialRequest, StageRun
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import LegalUnit
from getihu.reference import selectors as reference

__all__ = ["CaseNotFound", "due_by", "get_case", "get_matter", "list_cases", "matter_catalogue"]

DESK_ROLES = (Role.WINDOW_OFFICER, Role.CASE_OFFICER, Role.SUPERVISOR)
_UNITS = {LegalUnit.WORKING_DAY: "个工作日"}
_PAUSES = {
    PauseKind.APPLICANT: "等您补材料",
    PauseKind.HEARING: "听证",
    PauseKind.BIDDING: "招标、拍卖",
    PauseKind.TESTING: "检验、检测",
    PauseKind.EXPERT_REVIEW: "专家评审",
}


class CaseNotFound(GetihuError):
    """There is no such case, or none this actor may see; the two are told the same way."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__("没有找到这件办件，或者您无权查看。处理办法：核对办件编号。")


def visible_cases(actor: Actor) -> QuerySet[Case]:
    """Cases an actor may see: the trader's own, those she may act for, those in her scope."""
    traders = actor.own | {code for code, _ in actor.authorised}
    mine = Case.objects.filter(trader_code__in=traders)
    scope, agencies = actor.scope(*DESK_ROLES), actor.agencies(*DESK_ROLES)
    in_scope = Case.objects.filter(within(scope, "division"), submitted_at__isnull=False)
    takes_part = StageRun.objects.filter(within(scope, "division"), department__in=agencies)
    ours = in_scope.filter(agency__in=agencies) | in_scope.filter(pk__in=takes_part.values("case"))
    return mine | ours


def get_case(case_id: uuid.UUID | str, *, actor: Actor, on: date) -> CaseView:
    """Return a case as it stands on a day. Raises CaseNotFound."""
    row = visible_cases(actor).filter(pk=case_id).first()
    if row is None:
        raise CaseNotFound
    return case_view(row, on)


def list_cases(actor: Actor, *, on: date, limit: int = 100) -> list[CaseView]:
    """Cases an actor may see, newest first."""
    return [case_view(row, on) for row in visible_cases(actor).order_by("-opened_at")[:limit]]


def case_view(row: Case, on: date) -> CaseView:
    """Return everything about a case as it stands on a day."""
    matter = get_matter(row.matter_id)
    clocks = _clock_views(row, matter, on)
    stages = _stage_views(row, matter, clocks)
    moves = CaseMove.objects.filter(case=row).order_by("id")
    requests = MaterialRequest.objects.filter(case=row).order_by("sequence")
    state = State(row.state)
    return CaseView(
        id=str(row.pk),
        number=row.number,
        matter_id=row.matter_id,
        title=matter.title,
        trader_code=row.trader_code,
        division=row.division,
        agency=row.agency,
        state=state,
        state_label=STATE_LABELS[state],
        owner_id=str(row.owner_id) if row.owner_id else None,
        opened_at=row.opened_at,
        submitted_at=row.submitted_at,
        ended_at=row.ended_at,
        form=row.form,
        clocks=clocks,
        stages=stages,
        moves=tuple(_move_view(move) for move in moves),
        requests=tuple(tuple(request.items) for request in requests),
        waiting=_waiting(state, clocks, stages),
        continues=str(row.continues_id) if row.continues_id else None,
    )


def history_of(clock: ClockRun, pauses: Iterable[ClockPause]) -> ClockHistory:
    """What happened to a running, as the law's arithmetic reads it."""
    extended = Extended(clock.extended_on, clock.extension_reason) if clock.extended_on else None
    return ClockHistory(
        clock.started_on,
        tuple(Pause(PauseKind(p.kind), p.since, p.until, p.reason) for p in pauses),
        extended,
        clock.stopped_on,
    )


def reading_of(clock: ClockRun, on: date) -> ClockReading:
    """How far a running has come on a day."""
    pauses = ClockPause.objects.filter(clock=clock).order_by("since", "id")
    return read_clock(
        get_term(clock.term_id), history_of(clock, pauses), on, reference.work_calendar()
    )


def case_is(argument: str) -> bool:
    """Whether a case is in a state, locked until the transaction ends: asked again before a
    notice goes. ``argument``: case id, blank, state."""
    case_id, _, state = argument.partition(" ")
    return Case.objects.select_for_update().filter(pk=case_id, state=state).exists()


def due_texts(clocks: Iterable[ClockRun]) -> dict[str, str]:
    """When a case began to run and is due at the latest, by which article: for a notice."""
    listed = list(clocks)
    last = max(listed, key=lambda clock: clock.due_on or clock.started_on)
    due = last.due_on or last.started_on
    on = min(clock.started_on for clock in listed)
    return {
        "on": f"{on.month}月{on.day}日",
        "due": f"{due.year}年{due.month}月{due.day}日{'（暂计）' if last.is_provisional else ''}",
        "article": get_term(last.term_id).source,
    }


def due_by(day: date, *, actor: Actor, on: date, limit: int = 200) -> list[DueItem]:
    """Clocks due by ``day`` in the actor's scope, most overdue first: an inbox by law.

    One indexed look-up on the due day, whatever the number of cases.
    """
    rows = (
        ClockRun.objects.filter(due_on__lte=day, case__in=visible_cases(actor))
        .select_related("case")
        .order_by(F("due_on").asc(), "id")[:limit]
    )
    return [_due_item(row, on) for row in rows]


def _due_item(row: ClockRun, on: date) -> DueItem:
    term = get_term(row.term_id)
    assert row.due_on is not None
    return DueItem(
        case_id=str(row.case_id),
        number=row.case.number,
        title=get_matter(row.case.matter_id).title,
        stage_id=row.stage_id,
        term_title=term.title,
        source=term.source,
        due_on=row.due_on,
        is_provisional=row.is_provisional,
        days_left=(row.due_on - on).days,
    )


def _clock_views(row: Case, matter: Matter, on: date) -> tuple[ClockView, ...]:
    views = []
    for clock in ClockRun.objects.filter(case=row).order_by("id"):
        term = get_term(clock.term_id)
        stage = matter.stage(clock.stage_id) if clock.stage_id else None
        views.append(
            ClockView(
                stage_id=clock.stage_id,
                title=term.title,
                department=stage.handler.department if stage else row.agency,
                term_id=clock.term_id,
                source=term.source,
                started_on=clock.started_on,
                stopped_on=clock.stopped_on,
                reading=reading_of(clock, max(on, clock.started_on)),
            )
        )
    return tuple(views)


def _stage_views(row: Case, matter: Matter, clocks: tuple[ClockView, ...]) -> tuple[StageView, ...]:
    by_stage = {clock.stage_id: clock for clock in clocks if clock.stage_id}
    runs = {run.stage_id: run for run in StageRun.objects.filter(case=row)}
    critical = _critical_path(matter, runs, by_stage)
    return tuple(
        StageView(
            stage_id=stage.id,
            title=stage.title,
            department=stage.handler.department,
            status=runs[stage.id].status,
            clock=by_stage.get(stage.id),
            is_critical=stage.id in critical,
        )
        for stage in matter.stages
        if stage.id in runs
    )


def _critical_path(
    matter: Matter, runs: dict[str, StageRun], clocks: dict[str, ClockView]
) -> set[str]:
    """The unfinished stages on the longest way to the end, by the days the law still gives."""
    days: dict[str, int] = {}
    before: dict[str, str] = {}
    left = list(matter.stages)
    while left:
        for stage in [s for s in left if all(a in days for a in s.after)]:
            longest = max(stage.after, key=lambda name: days[name], default="")
            before[stage.id] = longest
            days[stage.id] = days.get(longest, 0) + _days_left(stage.id, stage.clock, runs, clocks)
            left.remove(stage)
    here = max(days, key=lambda name: days[name])
    path = set()
    while here:
        if here in runs and runs[here].status in ("open", "waiting"):
            path.add(here)
        here = before[here]
    return path


def _days_left(
    stage_id: str, term_id: str, runs: dict[str, StageRun], clocks: dict[str, ClockView]
) -> int:
    run = runs.get(stage_id)
    if run is not None and run.status in ("passed", "failed"):
        return 0
    if stage_id in clocks:
        reading = clocks[stage_id].reading
        return max(reading.total - reading.used, 1)
    return get_term(term_id).amount


def _waiting(state: State, clocks: tuple[ClockView, ...], stages: tuple[StageView, ...]) -> str:
    if state is State.CORRECTION:
        return "等待：您补齐材料"
    open_stages = [s for s in stages if s.status == "open" and s.clock]
    open_stages.sort(key=lambda s: not s.is_critical)
    running = [s.clock for s in open_stages if s.clock] or [
        clock for clock in clocks if clock.stopped_on is None and not clock.stage_id
    ]
    if not running or state not in (State.SUBMITTED, State.ACCEPTED):
        return ""
    clock = running[0]
    who = reference.department_name(clock.department)
    if clock.reading.state is ClockState.PAUSED and clock.reading.waiting_for:
        return f"等待：{who}（{_PAUSES[clock.reading.waiting_for]}，不计入期限）"
    unit = _UNITS.get(get_term(clock.term_id).unit, "天")
    late = f"，已超期{clock.reading.days_late}天" if clock.reading.days_late else ""
    return f"等待：{who} 第{clock.reading.used}/{clock.reading.total}{unit}{late}"


def _move_view(move: CaseMove) -> MoveView:
    known = find_move(State(move.before), State(move.after))
    return MoveView(
        label=known.label if known else move.after,
        at=move.at,
        side=Side(move.side),
        reason=move.reason,
        article=move.article,
    )
