"""Reads of cases: one case with its clocks, and what is due by a day."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.core.files.storage import default_storage
from django.db.models import F, Q, QuerySet

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role, Scope
from getihu.accounts.selectors import actor_of, list_officers, within
from getihu.cases.clocks.running import (
    ClockHistory,
    ClockReading,
    ClockState,
    Extended,
    Pause,
    read_clock,
)
from getihu.cases.clocks.terms import PauseKind, StatutoryTerm, get_term
from getihu.cases.contracts import (
    Asked,
    AttachmentView,
    CaseView,
    ClockView,
    DeskRow,
    DueItem,
    HandOverView,
    KeptPromises,
    MoveView,
    PublicCase,
    StageActions,
    StageView,
    TermReading,
)
from getihu.cases.machine import FINAL, STATE_LABELS, Side, State, find_move
from getihu.cases.matters.diagram import term_text
from getihu.cases.matters.load import UnknownMatter, get_matter, matter_catalogue
from getihu.cases.matters.model import FormField, Matter
from getihu.cases.models import (
    Attachment,
    Case,
    CaseMove,
    ClockPause,
    ClockRun,
    HandOver,
    MaterialRequest,
    StageRun,
)
from getihu.cases.selectors.definitions import matter_of, term_of, term_of_clock
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import LegalUnit
from getihu.kernel.workdays import Deadline
from getihu.reference import selectors as reference

__all__ = [
    "DESK_ROLES",
    "CaseNotFound",
    "FormField",
    "Matter",
    "PublicCase",
    "UnknownMatter",
    "count_cases",
    "desk_rows",
    "due_after",
    "due_by",
    "get_case",
    "get_matter",
    "kept_promises",
    "list_attachments",
    "list_cases",
    "list_colleagues",
    "list_hand_overs",
    "list_public",
    "matter_catalogue",
    "open_actions",
    "read_attachment",
    "term_silence",
    "term_text",
    "term_words",
]

CITY_TIME = ZoneInfo("Asia/Shanghai")
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
    takes_part = StageRun.objects.filter(_over(actor, "department"))
    ours = Case.objects.filter(_over(actor, "agency") | Q(pk__in=takes_part.values("case")))
    return mine | ours.filter(submitted_at__isnull=False)


def _over(actor: Actor, agency_field: str) -> Q:
    """The condition that a desk role covers a row's agency *there*, grant by grant."""
    covered = Q(pk__in=())
    for grant in actor.grants:
        if grant.role in DESK_ROLES:
            covered |= Q(**{agency_field: grant.agency}) & within(grant.scope, "division")
    return covered


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
    matter = matter_of(row)
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
        agency_name=reference.agency_name(row.agency, row.division),
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
        waiting=_waiting(row, state, clocks, stages),
        continues=str(row.continues_id) if row.continues_id else None,
        definition_id=row.definition_id,
        terms_id=row.terms_id,
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
        term_of_clock(clock), history_of(clock, pauses), on, reference.work_calendar()
    )


def due_after(term_id: str, started_on: date, terms_id: str | None = None) -> Deadline:
    """The last day in time of a term that begins to run on a day and is never paused; by the terms
    a case keeps, if it is one of a case."""
    history = ClockHistory(started_on)
    return read_clock(
        term_of(terms_id, term_id), history, started_on, reference.work_calendar()
    ).due


def read_term(
    term_id: str, started_on: date, on: date, extended: tuple[date, str] | None = None
) -> TermReading:
    """How far a term has run that belongs to no case and is never paused. ``extended``: the day of
    the decision to lengthen it and why. Raises IllegalClockHistory where the term allows none, the
    reason is missing, or it was decided too late."""
    term = get_term(term_id)
    history = ClockHistory(started_on, extended=Extended(*extended) if extended else None)
    reading = read_clock(term, history, max(on, started_on), reference.work_calendar())
    longer = term.extension
    return TermReading(
        title=term.title,
        source=term.source,
        official=term.official,
        due_on=reading.due.on,
        is_provisional=reading.due.provisional,
        days_left=(reading.due.on - on).days,
        words=_clock_words(term, reading),
        extension=longer.approved_by or "本机关" if longer else "",
        extension_source=longer.source if longer else "",
    )


def term_words(term_id: str) -> tuple[str, str]:
    """What a term is called, and the law behind it."""
    term = get_term(term_id)
    return term.title, term.source


def term_silence(term_id: str) -> str:
    """What the law says follows when a term ends and nothing was done; empty where nothing."""
    return get_term(term_id).silence_source


def count_cases(
    matter_id: str, trader_codes: Collection[str], *, said: Mapping[str, str] | None = None
) -> int:
    """How many cases of a matter some traders have handed in; drafts do not count. ``said``: only
    those whose form answers so."""
    drafts = (State.DRAFT.value, State.DISCARDED.value)
    asked = {f"form__{field}": answer for field, answer in (said or {}).items()}
    cases = Case.objects.filter(matter_id=matter_id, trader_code__in=trader_codes, **asked)
    with over_the_wall():  # only the count leaves
        return cases.exclude(state__in=drafts).count()


def list_public(matter_id: str, *, limit: int = 500) -> list[PublicCase]:
    """Cases of a matter that were handed in, the newest first, without anything personal.

    Withdrawn ones are left out. Raises UnknownMatter.
    """
    matter = get_matter(matter_id)
    asked = [field for field in matter.form if field.type == "choice"]
    hidden = (State.DRAFT.value, State.DISCARDED.value, State.WITHDRAWN.value)
    rows = Case.objects.filter(matter_id=matter_id).exclude(state__in=hidden)
    with over_the_wall():  # nothing anybody wrote leaves
        found = list(rows.order_by("-submitted_at")[:limit])
    return [
        PublicCase(
            {f.id: f.choices.get(str(row.form.get(f.id)), "") for f in asked},
            row.division,
            State(row.state),
            row.submitted_at.astimezone(CITY_TIME).date(),
            row.ended_at.astimezone(CITY_TIME).date() if row.ended_at else None,
        )
        for row in found
        if row.submitted_at is not None
    ]


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
        "article": term_of_clock(last).source,
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


def desk_rows(actor: Actor, *, on: date, limit: int = 500) -> list[DeskRow]:
    """Open cases of the actor's offices, ordered by the day the law gives these offices.

    Grain: one row per case. Cases whose clock does not run come last, oldest first. Cost: four
    statements, whatever the number of cases.
    """
    ended = [state.value for state in FINAL]
    cases = (
        visible_cases(actor)
        .filter(within(actor.scope(*DESK_ROLES), "division"), submitted_at__isnull=False)
        .exclude(state__in=ended)
        .select_related("owner", "opened_by")
        .order_by("submitted_at", "id")[:limit]
    )
    rows = {case.pk: case for case in cases}
    clocks = ClockRun.objects.filter(case__in=list(rows), stopped_on=None)
    paused = set(
        ClockPause.objects.filter(clock__in=clocks, until=None).values_list("clock_id", flat=True)
    )
    own = actor.agencies(*DESK_ROLES)
    parts = StageRun.objects.filter(case__in=list(rows)).values_list(
        "case", "stage_id", "department"
    )
    department = {(case, stage): name for case, stage, name in parts}
    due: dict[uuid.UUID, ClockRun] = {}
    waits: set[uuid.UUID] = set()
    for clock in clocks:
        if department.get((clock.case_id, clock.stage_id), rows[clock.case_id].agency) not in own:
            continue
        if clock.pk in paused:
            waits.add(clock.case_id)
        elif clock.due_on is not None:
            before = due.get(clock.case_id)
            if before is None or clock.due_on < (before.due_on or date.max):
                due[clock.case_id] = clock
    found = [_desk_row(case, due.get(pk), pk in waits, actor, on) for pk, case in rows.items()]
    return sorted(found, key=lambda row: (row.due_on or date.max, row.number))


def _desk_row(case: Case, clock: ClockRun | None, waits: bool, actor: Actor, on: date) -> DeskRow:
    state = State(case.state)
    term = term_of(case.terms_id, clock.term_id) if clock else None
    due = clock.due_on if clock else None
    return DeskRow(
        case_id=str(case.pk),
        number=case.number,
        title=matter_of(case).title,
        trader_code=case.trader_code,
        division=case.division,
        state=state,
        state_label="等申请人补材料" if state is State.CORRECTION else STATE_LABELS[state],
        opened_by_name=case.opened_by.name,
        owner_name=case.owner.name if case.owner else "",
        is_mine=str(case.owner_id) == actor.account_id,
        is_paused=waits,
        submitted_at=case.submitted_at,
        due_on=due,
        is_provisional=clock.is_provisional if clock else False,
        days_left=(due - on).days if due else None,
        term_title=term.title if term else "",
        source=term.source if term else "",
    )


def list_attachments(case_id: uuid.UUID | str, *, actor: Actor) -> list[AttachmentView]:
    """The files of a case, oldest first. Raises CaseNotFound."""
    case = visible_cases(actor).filter(pk=case_id).first()
    if case is None:
        raise CaseNotFound
    titles = {document.id: document.title for document in matter_of(case).documents}
    return [
        AttachmentView(
            id=str(row.pk),
            document_id=row.document_id,
            title=titles.get(row.document_id, row.document_id),
            kind=row.kind,
            size_bytes=row.size_bytes,
            at=row.at,
        )
        for row in Attachment.objects.filter(case=case, removed_at=None).order_by("at", "id")
    ]


def read_attachment(
    case_id: uuid.UUID | str, attachment_id: uuid.UUID | str, *, actor: Actor
) -> tuple[AttachmentView, bytes]:
    """One file with its content, for a download. Raises CaseNotFound."""
    listed = {view.id: view for view in list_attachments(case_id, actor=actor)}
    view = listed.get(str(attachment_id))
    if view is None:
        raise CaseNotFound
    digest = Attachment.objects.values_list("sha256", flat=True).get(pk=view.id)
    with default_storage.open(f"attachments/{digest[:2]}/{digest}") as file:
        return view, file.read()


def list_hand_overs(case_id: uuid.UUID | str, *, actor: Actor) -> list[HandOverView]:
    """From whom to whom a case went, oldest first; nothing for a case the actor cannot see."""
    rows = HandOver.objects.filter(case__in=visible_cases(actor).filter(pk=case_id))
    return [
        HandOverView(
            from_name=row.from_owner.name if row.from_owner else "",
            to_name=row.to_owner.name,
            at=row.at,
            reason=row.reason,
        )
        for row in rows.select_related("from_owner", "to_owner").order_by("id")
    ]


def open_actions(view: CaseView, actor: Actor) -> StageActions:
    """What an officer can do with a case now, so that a page offers just that."""
    desk = _handles(actor, view.agency, view.division)
    runs = StageRun.objects.filter(case_id=view.id, status=StageRun.Status.OPEN)
    mine = {run.stage_id for run in runs if _handles(actor, run.department, run.division)}
    stages = tuple(stage for stage in view.stages if stage.stage_id in mine)
    pauses, extends = {}, set()
    for stage in stages:
        if stage.clock is None:
            continue
        term = term_of(view.terms_id, stage.clock.term_id)
        pauses[stage.stage_id] = tuple(
            (kind.value, _PAUSES[kind]) for kind in PauseKind if kind in term.pauses
        )
        extended = ClockRun.objects.filter(
            case_id=view.id, stage_id=stage.stage_id, stopped_on=None, extended_on=None
        ).exists()
        if term.extension and extended and Role.SUPERVISOR in actor.roles:
            extends.add(stage.stage_id)
    return StageActions(
        desk=desk,
        can_ask=desk and view.state is State.SUBMITTED and not view.requests,
        asked_before=bool(view.requests),
        stages=stages,
        pauses=pauses,
        extends=frozenset(extends),
    )


def _handles(actor: Actor, agency: str, division: str) -> bool:
    return any(
        g.role in DESK_ROLES and g.agency == agency and g.scope.covers(division)
        for g in actor.grants
    )


def list_colleagues(view: CaseView, *, at: datetime) -> list[tuple[str, str]]:
    """Officers (id, name) who could take a case over: of its agency, over its place."""
    found = {o for r in DESK_ROLES for o in list_officers(r, view.agency, view.division, at)}
    able = [actor_of(officer, at) for officer in found if str(officer) != view.owner_id]
    return sorted(((a.account_id, a.name) for a in able), key=lambda pair: (pair[1], pair[0]))


def _due_item(row: ClockRun, on: date) -> DueItem:
    term = term_of_clock(row)
    assert row.due_on is not None
    return DueItem(
        case_id=str(row.case_id),
        number=row.case.number,
        title=matter_of(row.case).title,
        stage_id=row.stage_id,
        term_title=term.title,
        source=term.source,
        due_on=row.due_on,
        is_provisional=row.is_provisional,
        days_left=(row.due_on - on).days,
    )


def _clock_views(row: Case, matter: Matter, on: date) -> tuple[ClockView, ...]:
    views = []
    for clock in ClockRun.objects.filter(case=row).select_related("case").order_by("id"):
        term = term_of(row.terms_id, clock.term_id)
        stage = matter.stage(clock.stage_id) if clock.stage_id else None
        reading = reading_of(clock, max(on, clock.started_on))
        views.append(
            ClockView(
                stage_id=clock.stage_id,
                title=term.title,
                department=stage.handler.department if stage else row.agency,
                term_id=clock.term_id,
                source=term.source,
                started_on=clock.started_on,
                stopped_on=clock.stopped_on,
                reading=reading,
                words=_clock_words(term, reading),
            )
        )
    return tuple(views)


def _clock_words(term: StatutoryTerm, reading: ClockReading) -> str:
    if reading.state is ClockState.PAUSED and reading.waiting_for:
        return f"（{_PAUSES[reading.waiting_for]}，不计入期限）"
    unit = _UNITS.get(term.unit, "天")
    late = f"，已超期{reading.days_late}天" if reading.days_late else ""
    return f"第{reading.used}/{reading.total}{unit}{late}"


def _stage_views(row: Case, matter: Matter, clocks: tuple[ClockView, ...]) -> tuple[StageView, ...]:
    by_stage = {clock.stage_id: clock for clock in clocks if clock.stage_id}
    runs = {run.stage_id: run for run in StageRun.objects.filter(case=row)}
    critical = _critical_path(matter, runs, by_stage, row.terms_id)
    return tuple(
        StageView(
            stage_id=stage.id,
            title=stage.title,
            department=stage.handler.department,
            department_name=reference.agency_name(
                stage.handler.department, runs[stage.id].division
            ),
            status=runs[stage.id].status,
            clock=by_stage.get(stage.id),
            is_critical=stage.id in critical,
        )
        for stage in matter.stages
        if stage.id in runs
    )


def _critical_path(
    matter: Matter,
    runs: dict[str, StageRun],
    clocks: dict[str, ClockView],
    terms_id: str | None,
) -> set[str]:
    """The unfinished stages on the longest way to the end, by the days the law still gives."""
    days: dict[str, int] = {}
    before: dict[str, str] = {}
    left = [stage for stage in matter.stages if stage.id in runs]
    while left:
        for stage in [s for s in left if all(a in days for a in s.after if a in runs)]:
            earlier = [name for name in stage.after if name in runs]
            longest = max(earlier, key=lambda name: days[name], default="")
            before[stage.id] = longest
            days[stage.id] = days.get(longest, 0) + _days_left(
                stage.id, term_of(terms_id, stage.clock), runs, clocks
            )
            left.remove(stage)
    here = max(days, key=lambda name: days[name])
    path = set()
    while here:
        if here in runs and runs[here].status in ("open", "waiting"):
            path.add(here)
        here = before[here]
    return path


def _days_left(
    stage_id: str, term: StatutoryTerm, runs: dict[str, StageRun], clocks: dict[str, ClockView]
) -> int:
    run = runs.get(stage_id)
    if run is not None and run.status in ("passed", "failed"):
        return 0
    if stage_id in clocks:
        reading = clocks[stage_id].reading
        return max(reading.total - reading.used, 1)
    return term.amount


def _waiting(
    row: Case, state: State, clocks: tuple[ClockView, ...], stages: tuple[StageView, ...]
) -> str:
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
    where = {stage.department: stage.department_name for stage in stages}
    who = where.get(clock.department) or reference.agency_name(clock.department, row.division)
    space = "" if clock.words.startswith("（") else " "
    return f"等待：{who}{space}{clock.words}"


def _move_view(move: CaseMove) -> MoveView:
    known = find_move(State(move.before), State(move.after))
    return MoveView(
        label=known.label if known else move.after,
        at=move.at,
        side=Side(move.side),
        reason=move.reason,
        article=move.article,
    )


def kept_promises(agency: str, division: str, since: date, until: date) -> KeptPromises:
    """How an agency kept the law's terms in a place and a period (half-open): of its clocks that
    stopped in it, how many in time; of its cases told of in it, how many just once.

    Cost: a few statements, and the law's arithmetic for each clock.
    """
    place = within(Scope(frozenset({division})), "division")
    with over_the_wall():  # only shares leave
        parts = StageRun.objects.filter(place, department=agency).values_list("case", "stage_id")
        ours = set(parts)
        whole = set(Case.objects.filter(place, agency=agency).values_list("pk", flat=True))
        stopped = ClockRun.objects.select_related("case").filter(
            stopped_on__gte=since, stopped_on__lt=until
        )
        clocks = [
            clock
            for clock in stopped
            if (
                (clock.case_id, clock.stage_id) in ours
                if clock.stage_id
                else clock.case_id in whole
            )
        ]
        requests = MaterialRequest.objects.filter(
            case__in=whole, at__gte=_midnight(since), at__lt=_midnight(until)
        )
        told = [pk for (pk,) in requests.values_list("case").distinct()]
        again = MaterialRequest.objects.filter(case__in=told, sequence__gt=1)
        twice = again.values("case").distinct().count()
        in_time = sum(is_kept for _, is_kept in _judged(clocks))
    return KeptPromises(in_time, len(clocks), len(told) - twice, len(told))


def count_kept_clocks(since: date, until: date) -> list[tuple[date, str, int, int]]:
    """Rows (first day of the month, county, in time, stopped) of the clocks that stopped in a
    period (half-open), by the month they stopped in. Cost: as ``kept_promises``, over the city."""
    counted: dict[tuple[date, str], list[int]] = {}
    with over_the_wall():  # only counts leave
        found = ClockRun.objects.select_related("case")
        clocks = list(found.filter(stopped_on__gte=since, stopped_on__lt=until))
        judged = _judged(clocks)
    for clock, is_kept in judged:
        assert clock.stopped_on
        key = (clock.stopped_on.replace(day=1), clock.case.division[:6])
        row = counted.setdefault(key, [0, 0])
        row[0] += is_kept
        row[1] += 1
    return [
        (month, county, in_time, stopped)
        for (month, county), (in_time, stopped) in sorted(counted.items())
    ]


def count_by_matter(on: date) -> dict[str, tuple[int, int]]:
    """How many cases of each matter run, and how many of these are past a day: counts only."""
    ended = [State.DRAFT.value, *(state.value for state in FINAL)]
    with over_the_wall():
        late = set(ClockRun.objects.filter(due_on__lt=on).values_list("case", flat=True))
        rows = Case.objects.filter(submitted_at__isnull=False).exclude(state__in=ended)
        found = list(rows.values_list("pk", "matter_id"))
    counted: dict[str, tuple[int, int]] = {}
    for pk, matter_id in found:
        many, overdue = counted.get(matter_id, (0, 0))
        counted[matter_id] = (many + 1, overdue + (pk in late))
    return counted


def list_asked(since: date, until: date, *, trader_code: str | None = None) -> list[Asked]:
    """What the cases handed in within a period (half-open) asked, of everybody or of one trader.
    An answer a department's fact fills in is no question. For counting: let no code of it out."""
    drafts = (State.DRAFT.value, State.DISCARDED.value)
    rows = Case.objects.filter(
        submitted_at__gte=_midnight(since), submitted_at__lt=_midnight(until)
    ).exclude(state__in=drafts)
    if trader_code is not None:
        rows = rows.filter(trader_code=trader_code)
    with over_the_wall():
        cases = list(rows.order_by("submitted_at", "id"))
        files = Attachment.objects.filter(case__in=cases, removed_at=None)
        handed_in = Counter(files.values_list("case", flat=True))
    return [
        Asked(
            row.trader_code, row.division[:6], row.submitted_at.astimezone(CITY_TIME).date(),
            sum(1 for field in _matter_form(row) if field.fact is None and field.id in row.form),
            handed_in[row.pk],
        )
        for row in cases
        if row.submitted_at
    ]  # fmt: skip


def _matter_form(row: Case) -> tuple[FormField, ...]:
    """The questions of a case's matter; none of a matter that is no more."""
    try:
        return get_matter(row.matter_id).form
    except UnknownMatter:
        return ()


def count_running(on: date) -> list[tuple[str, int, int]]:
    """Rows (county, handed in and not ended, of these with a clock past its day): counts only."""
    ended = [State.DRAFT.value, *(state.value for state in FINAL)]
    with over_the_wall():
        open_cases = Case.objects.filter(submitted_at__isnull=False).exclude(state__in=ended)
        late = set(ClockRun.objects.filter(due_on__lt=on).values_list("case", flat=True))
        found = list(open_cases.values_list("pk", "division"))
    counted: dict[str, tuple[int, int]] = {}
    for pk, division in found:
        many, overdue = counted.get(division[:6], (0, 0))
        counted[division[:6]] = (many + 1, overdue + (pk in late))
    return [(county, *numbers) for county, numbers in sorted(counted.items())]


def _judged(clocks: list[ClockRun]) -> list[tuple[ClockRun, bool]]:
    """Whether each of some stopped clocks stopped in time, by the law's own days and pauses."""
    pauses: dict[int, list[ClockPause]] = {}
    for pause in ClockPause.objects.filter(clock__in=clocks).order_by("since", "id"):
        pauses.setdefault(pause.clock_id, []).append(pause)
    calendar = reference.work_calendar()
    found = []
    for clock in clocks:
        assert clock.stopped_on
        history = history_of(clock, pauses.get(clock.pk, ()))
        reading = read_clock(term_of_clock(clock), history, clock.stopped_on, calendar)
        found.append((clock, not reading.days_late))
    return found


def _midnight(on: date) -> datetime:
    return datetime.combine(on, datetime.min.time(), CITY_TIME)
