"""What people do with cases. Every function is one transaction; times are passed in."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q

from getihu.accounts.contracts import CITY, Actor, Role
from getihu.accounts.selectors import list_officers
from getihu.cases.clocks.terms import PauseKind, Silence, get_term
from getihu.cases.machine import FINAL, Side, State, find_move
from getihu.cases.matters.load import get_matter
from getihu.cases.matters.model import Handler, Level, Matter
from getihu.cases.models import (
    Case,
    CaseMove,
    ClockPause,
    ClockRun,
    Escalation,
    HandOver,
    MaterialRequest,
    StageRun,
)
from getihu.cases.selectors import DESK_ROLES, CaseNotFound, reading_of, visible_cases
from getihu.kernel.errors import GetihuError

CITY_TIME = ZoneInfo("Asia/Shanghai")


class NotAllowed(GetihuError):
    """This actor may not do this with this case."""


class IllegalMove(GetihuError):
    """The case is in a state in which this cannot happen."""


class NoOwner(GetihuError):
    """Nobody in the agency could take the case."""


@transaction.atomic
def open_draft(
    matter_id: str,
    trader_code: str,
    *,
    place: str,
    by: Actor,
    at: datetime,
    continues: uuid.UUID | None = None,
) -> uuid.UUID:
    """Open a draft for a trader whose shop stands in ``place`` (town, else county code).

    ``continues`` is an ended case this one takes up again. Raises NotAllowed, UnknownMatter.
    """
    matter = get_matter(matter_id)
    _check_starter(matter, trader_code, by)
    if continues is not None:
        earlier = Case.objects.filter(pk=continues, trader_code=trader_code).first()
        if earlier is None or State(earlier.state) not in FINAL:
            raise IllegalMove("只有已经办结的办件可以另开一件接着办。")
    case = Case.objects.create(
        number=f"{_day(at):%Y%m%d}-{secrets.token_hex(4).upper()}",
        matter_id=matter.id,
        trader_code=trader_code,
        division=_division(matter.handler, place),
        agency=matter.handler.department,
        opened_by_id=by.account_id,
        opened_at=at,
        continues_id=continues,
    )
    for stage in matter.stages:
        StageRun.objects.create(
            case=case,
            stage_id=stage.id,
            department=stage.handler.department,
            division=_division(stage.handler, place),
            status=StageRun.Status.WAITING,
        )
    return case.pk


@transaction.atomic
def save_draft(case_id: uuid.UUID, form: Mapping[str, object], *, by: Actor) -> None:
    """Keep answers of a draft, complete or not. Raises NotAllowed, IllegalMove."""
    case = _locked(case_id, by)
    if case.state not in (State.DRAFT, State.CORRECTION):
        raise IllegalMove("已经提交，不能再改。要改请先撤回。")
    _check_starter(get_matter(case.matter_id), case.trader_code, by)
    known = {field.id for field in get_matter(case.matter_id).form}
    if unknown := sorted(set(form) - known):
        raise IllegalMove(f"这件事项没有这些内容：{'、'.join(unknown)}。")
    case.form = {**case.form, **form}
    case.save(update_fields=["form"])


@transaction.atomic
def submit(case_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Hand in a draft, or what was asked for. The first submission gives the case its owner.

    Raises IllegalMove naming every answer that is missing; NoOwner.
    """
    case = _locked(case_id, by)
    matter = get_matter(case.matter_id)
    _check_starter(matter, case.trader_code, by)
    missing = [f.label for f in matter.form if f.required and case.form.get(f.id) in (None, "")]
    if missing:
        raise IllegalMove(f"还没有填：{'、'.join(missing)}。")
    if case.state == State.CORRECTION:
        MaterialRequest.objects.filter(case=case, answered_at=None).update(answered_at=at)
    else:
        case.owner_id = _choose_owner(case, at)
        case.submitted_at = at
    _move(case, State.SUBMITTED, side=Side.APPLICANT, by=by, at=at)
    _start_clock(case, "", matter.acceptance_clock, at)


@transaction.atomic
def request_materials(
    case_id: uuid.UUID,
    items: Sequence[str],
    *,
    by: Actor,
    at: datetime,
    reason: str = "",
    approved_by: Actor | None = None,
) -> None:
    """Tell the applicant once what is missing (一次性告知, 行政许可法 第三十二条).

    A second request needs a written reason and a superior's approval, and stays on record.
    Documents a department holds can never be asked for.
    """
    case = _locked(case_id, by)
    _check_desk(case, by)
    matter = get_matter(case.matter_id)
    asked = [item.strip() for item in items if item.strip()]
    if not asked:
        raise IllegalMove("要写明需要补正的全部内容。")
    held = [d.title for d in matter.documents if d.held_by and d.title in asked]
    if held:
        raise IllegalMove(f"{'、'.join(held)}由部门自己调取，不能向申请人要。")
    before = MaterialRequest.objects.filter(case=case).count()
    if before and not _is_superior(approved_by, by, case):
        raise NotAllowed("补正只能一次告知。再次要求补正，要由负责人批准并写明理由。")
    if before and not reason.strip():
        raise IllegalMove("再次要求补正要写明理由。")
    MaterialRequest.objects.create(
        case=case,
        sequence=before + 1,
        items=asked,
        at=at,
        by_id=by.account_id,
        approved_by_id=approved_by.account_id if approved_by and before else None,
        reason=reason,
    )
    _stop_clocks(case, at)
    _move(case, State.CORRECTION, side=Side.AGENCY, by=by, at=at)


@transaction.atomic
def accept(case_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Accept a case: the acceptance clock stops, the clocks of the stages begin."""
    case = _locked(case_id, by)
    _check_desk(case, by)
    _accept(case, side=Side.AGENCY, by=by, at=at)


@transaction.atomic
def refuse_to_accept(
    case_id: uuid.UUID, *, reason: str, article: str, by: Actor, at: datetime
) -> None:
    """Refuse acceptance with a written reason and its article."""
    case = _locked(case_id, by)
    _check_desk(case, by)
    _end(case, State.NOT_ACCEPTED, by=by, at=at, reason=reason, article=article)


@transaction.atomic
def finish_stage(
    case_id: uuid.UUID,
    stage_id: str,
    *,
    passed: bool,
    by: Actor,
    at: datetime,
    reason: str = "",
    article: str = "",
) -> None:
    """A department ends its part. The last one passed grants the case; one failed refuses it."""
    case = _locked(case_id, by)
    if case.state != State.ACCEPTED:
        raise IllegalMove("还没有受理，或者已经办结。")
    run = StageRun.objects.select_for_update().get(case=case, stage_id=stage_id)
    if run.status != StageRun.Status.OPEN:
        raise IllegalMove("这个阶段还没有轮到，或者已经办完。")
    _check_officer(by, run.department, run.division)
    if not passed and not (reason.strip() and article.strip()):
        raise IllegalMove("不通过要写明理由和依据的条款。")
    run.status = StageRun.Status.PASSED if passed else StageRun.Status.FAILED
    run.ended_at, run.ended_by_id = at, uuid.UUID(by.account_id)
    run.reason, run.article = reason, article
    run.save()
    _stop_clocks(case, at, stage_id)
    if not passed:
        _end(case, State.REFUSED, by=by, at=at, reason=reason, article=article)
        return
    _open_stages(case, at)
    if not StageRun.objects.filter(case=case).exclude(status=StageRun.Status.PASSED).exists():
        _end(case, State.GRANTED, by=by, at=at)


@transaction.atomic
def withdraw(case_id: uuid.UUID, *, by: Actor, at: datetime, reason: str = "") -> None:
    """The applicant takes the case back, or deletes a draft."""
    case = _locked(case_id, by)
    _check_starter(get_matter(case.matter_id), case.trader_code, by)
    after = State.DISCARDED if case.state == State.DRAFT else State.WITHDRAWN
    _end(case, after, by=by, at=at, reason=reason, side=Side.APPLICANT)


@transaction.atomic
def hand_over(case_id: uuid.UUID, to: uuid.UUID, *, reason: str, by: Actor, at: datetime) -> None:
    """Give a case with its whole file to another officer of the agency who is over the place."""
    case = _locked(case_id, by)
    _check_desk(case, by)
    able = {o for role in DESK_ROLES for o in list_officers(role, case.agency, case.division, at)}
    if to not in able:
        raise NotAllowed("接手人不在这个机关或不管这个地区。")
    if not reason.strip():
        raise IllegalMove("移交要写明原因。")
    HandOver.objects.create(
        case=case, from_owner_id=case.owner_id, to_owner_id=to, at=at, reason=reason
    )
    case.owner_id = to
    case.save(update_fields=["owner"])


@transaction.atomic
def pause_clock(
    case_id: uuid.UUID, stage_id: str, kind: PauseKind, *, reason: str, by: Actor, at: datetime
) -> None:
    """Take time out of a stage's clock, where its article allows that. Raises
    IllegalClockHistory."""
    clock = _own_clock(case_id, stage_id, by)
    ClockPause.objects.create(clock=clock, kind=kind.value, since=_day(at), reason=reason)
    _refresh(clock, _day(at))


@transaction.atomic
def resume_clock(case_id: uuid.UUID, stage_id: str, *, by: Actor, at: datetime) -> None:
    """End the pause of a stage's clock; its due day moves by what was taken out."""
    clock = _own_clock(case_id, stage_id, by)
    ended = ClockPause.objects.filter(clock=clock, until=None).update(until=_day(at))
    if not ended:
        raise IllegalMove("这个时钟没有暂停。")
    _refresh(clock, _day(at))


@transaction.atomic
def extend_clock(
    case_id: uuid.UUID, stage_id: str, *, reason: str, by: Actor, at: datetime
) -> None:
    """Extend a stage's clock once, before it ends, with a written reason; by a superior."""
    clock = _own_clock(case_id, stage_id, by)
    if Role.SUPERVISOR not in by.roles:
        raise NotAllowed("延长办理期限要由负责人批准。")
    if clock.extended_on is not None:
        raise IllegalMove("已经延长过一次。")
    clock.extended_on, clock.extension_reason = _day(at), reason
    clock.save(update_fields=["extended_on", "extension_reason"])
    _refresh(clock, _day(at))


def sweep_due(at: datetime, *, limit: int = 500) -> int:
    """Do what is due by now and was not done: by level, so that nothing depends on a timer.

    Every clock past its day is escalated once; where the law deems acceptance, the case is
    accepted. Safe to run in several workers at once, again, and after any stop. Returns how many
    clocks were escalated.
    """
    today = _day(at)
    late = ClockRun.objects.filter(due_on__lt=today).order_by("due_on", "id")
    done = Escalation.objects.filter(
        clock=OuterRef("pk"), step="overdue", due_on=OuterRef("due_on")
    )
    numbers = list(late.exclude(Exists(done)).values_list("pk", flat=True)[:limit])
    return sum(_escalate(number, today, at) for number in numbers)


def _escalate(clock_id: int, today: date, at: datetime) -> bool:
    """One clock, in a transaction of its own. False when another worker was first."""
    try:
        with transaction.atomic():
            clock = ClockRun.objects.select_for_update().get(pk=clock_id)
            if clock.due_on is None or clock.due_on >= today:
                return False
            Escalation.objects.create(clock=clock, step="overdue", due_on=clock.due_on, at=at)
            term = get_term(clock.term_id)
            case = Case.objects.select_for_update().get(pk=clock.case_id)
            if term.silence is Silence.DEEMED_ACCEPTED and case.state == State.SUBMITTED:
                _accept(case, side=Side.LAW, by=None, at=at, article=term.silence_source)
            return True
    except IntegrityError:
        return False


# parts


def _day(at: datetime) -> date:
    return at.astimezone(CITY_TIME).date()


def _division(handler: Handler, place: str) -> str:
    return {Level.CITY: CITY, Level.COUNTY: place[:6], Level.TOWN: place}[handler.level]


def _locked(case_id: uuid.UUID, by: Actor) -> Case:
    """The case, for this transaction alone. Raises CaseNotFound."""
    if not visible_cases(by).filter(pk=case_id).exists():
        raise CaseNotFound
    return Case.objects.select_for_update().get(pk=case_id)


def _check_starter(matter: Matter, trader_code: str, by: Actor) -> None:
    if matter.started_by == "officer":
        allowed = bool(by.roles & set(DESK_ROLES))
    elif matter.started_by == "owner":
        allowed = trader_code in by.own
    else:
        allowed = by.may_apply_for(trader_code)
    if not allowed:
        who = {"owner": "经营者本人", "officer": "承办机关"}.get(
            matter.started_by, "经营者或受托人"
        )
        raise NotAllowed(f"“{matter.title}”只能由{who}办理。")


def _check_officer(by: Actor, agency: str, division: str) -> None:
    reach = [g for g in by.grants if g.role in DESK_ROLES and g.agency == agency]
    if not any(g.scope.covers(division) for g in reach):
        raise NotAllowed("这件事由承办机关在本辖区的工作人员办理。")


def _check_desk(case: Case, by: Actor) -> None:
    _check_officer(by, case.agency, case.division)


def _is_superior(who: Actor | None, by: Actor, case: Case) -> bool:
    return (
        who is not None
        and who.account_id != by.account_id
        and any(
            g.role is Role.SUPERVISOR and g.agency == case.agency and g.scope.covers(case.division)
            for g in who.grants
        )
    )


def _choose_owner(case: Case, at: datetime) -> uuid.UUID:
    """The window officer over the place with the fewest open cases; by id where equal."""
    for role in DESK_ROLES:
        officers = list_officers(role, case.agency, case.division, at)
        if officers:
            ended = [state.value for state in FINAL]
            busy = dict(
                Case.objects.filter(owner__in=officers)
                .exclude(Q(state__in=ended))
                .values_list("owner")
                .annotate(Count("pk"))
            )
            return min(officers, key=lambda officer: (busy.get(officer, 0), officer))
    raise NoOwner("这个机关在本辖区还没有安排承办人，暂时不能提交。草稿已保存。")


def _accept(case: Case, *, side: Side, by: Actor | None, at: datetime, article: str = "") -> None:
    matter = get_matter(case.matter_id)
    # Deemed acceptance counts from the day the papers came in (行政许可法 第三十二条).
    case.accepted_at = _last_submission(case) if side is Side.LAW else at
    _stop_clocks(case, at)
    _move(case, State.ACCEPTED, side=side, by=by, at=at, article=article)
    accepted_at = case.accepted_at
    assert accepted_at is not None
    if matter.clock:
        _start_clock(case, "", matter.clock, accepted_at)
    _open_stages(case, accepted_at)


def _last_submission(case: Case) -> datetime:
    handed_in = CaseMove.objects.filter(case=case, after=State.SUBMITTED.value)
    return handed_in.latest("id").at


def _open_stages(case: Case, at: datetime) -> None:
    """Open every stage whose earlier ones have passed."""
    matter = get_matter(case.matter_id)
    runs = {run.stage_id: run for run in StageRun.objects.filter(case=case)}
    for stage in matter.stages:
        run = runs[stage.id]
        ready = all(runs[name].status == StageRun.Status.PASSED for name in stage.after)
        if run.status == StageRun.Status.WAITING and ready:
            run.status, run.opened_at = StageRun.Status.OPEN, at
            run.save(update_fields=["status", "opened_at"])
            _start_clock(case, stage.id, stage.clock, at)


def _start_clock(case: Case, stage_id: str, term_id: str, at: datetime) -> None:
    clock = ClockRun.objects.create(
        case=case, stage_id=stage_id, term_id=term_id, started_on=_day(at)
    )
    _refresh(clock, _day(at))


def _refresh(clock: ClockRun, on: date) -> None:
    """Write the due day the law's arithmetic gives; null while a pause lasts."""
    reading = reading_of(clock, on)
    clock.due_on = None if reading.is_projected or clock.stopped_on else reading.due.on
    clock.is_provisional = reading.due.provisional
    clock.save(update_fields=["due_on", "is_provisional"])


def _stop_clocks(case: Case, at: datetime, stage_id: str | None = None) -> None:
    """Stop the running clocks of a stage; without one, all of the case."""
    running = ClockRun.objects.filter(case=case, stopped_on=None)
    if stage_id is not None:
        running = running.filter(stage_id=stage_id)
    today = _day(at)
    ClockPause.objects.filter(clock__in=running, until=None).update(until=today)
    running.update(stopped_on=today, due_on=None)


def _own_clock(case_id: uuid.UUID, stage_id: str, by: Actor) -> ClockRun:
    case = _locked(case_id, by)
    run = StageRun.objects.get(case=case, stage_id=stage_id)
    _check_officer(by, run.department, run.division)
    clock = ClockRun.objects.filter(case=case, stage_id=stage_id, stopped_on=None).first()
    if clock is None:
        raise IllegalMove("这个阶段现在没有走动的时钟。")
    return clock


def _end(
    case: Case,
    after: State,
    *,
    by: Actor,
    at: datetime,
    reason: str = "",
    article: str = "",
    side: Side = Side.AGENCY,
) -> None:
    _stop_clocks(case, at)
    case.ended_at = at
    _move(case, after, side=side, by=by, at=at, reason=reason, article=article)


def _move(
    case: Case,
    after: State,
    *,
    side: Side,
    by: Actor | None,
    at: datetime,
    reason: str = "",
    article: str = "",
) -> None:
    before = State(case.state)
    move = find_move(before, after)
    if move is None or side not in move.by:
        raise IllegalMove("这件办件现在的状态不能这样办。")
    if move.needs_reason and not (reason.strip() and article.strip()):
        raise IllegalMove(f"“{move.label}”要写明理由和依据的条款。")
    case.state = after.value
    case.save()
    CaseMove.objects.create(
        case=case,
        before=before.value,
        after=after.value,
        at=at,
        side=side.value,
        by_id=by.account_id if by else None,
        reason=reason,
        article=article,
    )
