"""What happens because a day came."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from getihu.cases.clocks.terms import Silence
from getihu.cases.machine import Side, State
from getihu.cases.models import Case, ClockRun, Escalation, StageRun
from getihu.cases.selectors.definitions import term_of
from getihu.cases.services.steps import (
    accept_case,
    day_of,
    note_event,
    open_stages,
    stop_clocks,
)
from getihu.kernel.errors import GetihuError


def sweep_due(at: datetime, *, limit: int = 500) -> int:
    """Do what is due by now and was not done: by level, so that nothing depends on a timer.

    Every clock past its day is escalated once; where the law deems acceptance, the case is
    accepted. Safe to run in several workers at once, again, and after any stop. Returns how many
    clocks were escalated. A clock whose case cannot be moved is left for the next time and holds
    up no other; ClocksNotSwept when only such are left.
    """
    today = day_of(at)
    late = ClockRun.objects.filter(due_on__lt=today).order_by("due_on", "id")
    done = Escalation.objects.filter(
        clock=OuterRef("pk"), step="overdue", due_on=OuterRef("due_on")
    )
    numbers = list(late.exclude(Exists(done)).values_list("pk", flat=True)[:limit])
    escalated, failed = 0, []
    for number in numbers:
        try:
            escalated += _escalate(number, today, at)
        except Exception as error:  # told below: one clock must not hold up the others
            failed.append((number, error))
    if failed and not escalated:
        raise ClocksNotSwept([number for number, _ in failed]) from failed[0][1]
    return escalated


class ClocksNotSwept(GetihuError):
    """Clocks past their day whose case could not be moved; every other one was done."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        named = "、".join(map(str, numbers[:5]))
        more = f" 等 {len(numbers)} 个" if len(numbers) > 5 else ""
        super().__init__(
            f"期限 {named}{more}已过而办件没有能动。处理办法：按编号在审计日志里查这些办件，改正后会再试。"
        )


def _escalate(clock_id: int, today: date, at: datetime) -> bool:
    """One clock, in a transaction of its own. False when another worker was first."""
    with transaction.atomic():
        clock = ClockRun.objects.select_for_update().get(pk=clock_id)
        if clock.due_on is None or clock.due_on >= today:
            return False
        try:
            with transaction.atomic():
                Escalation.objects.create(clock=clock, step="overdue", due_on=clock.due_on, at=at)
        except IntegrityError:  # the unique key says so; any other refusal is no race
            return False
        case = Case.objects.select_for_update().get(pk=clock.case_id)
        term = term_of(case.terms_id, clock.term_id)
        if term.silence is Silence.DEEMED_ACCEPTED and case.state == State.SUBMITTED:
            accept_case(case, side=Side.LAW, by=None, at=at, article=term.silence_source)
        if term.silence is Silence.PROCEEDS and clock.stage_id and case.state == State.ACCEPTED:
            _proceed(case, clock.stage_id, at, term.silence_source)
        return True


def _proceed(case: Case, stage_id: str, at: datetime, article: str) -> None:
    """A department that had its days and said nothing holds up nobody: its stage has passed. The
    last stage is somebody's decision and is left to people."""
    stages = StageRun.objects.select_for_update().filter(case=case)
    run = stages.filter(stage_id=stage_id, status=StageRun.Status.OPEN).first()
    if run is None or not stages.filter(status=StageRun.Status.WAITING).exists():
        return
    run.status, run.ended_at = StageRun.Status.PASSED, at
    run.reason, run.article = "期满没有提出异议", article
    run.save()
    stop_clocks(case, at, stage_id)
    note_event(case, "case.stage_proceeds", None, at, stage=stage_id, article=article)
    open_stages(case, at)
