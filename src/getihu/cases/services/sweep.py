"""What happens because a day came."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from getihu.cases.clocks.terms import Silence, get_term
from getihu.cases.machine import Side, State
from getihu.cases.models import Case, ClockRun, Escalation
from getihu.cases.services.steps import accept_case, day_of


def sweep_due(at: datetime, *, limit: int = 500) -> int:
    """Do what is due by now and was not done: by level, so that nothing depends on a timer.

    Every clock past its day is escalated once; where the law deems acceptance, the case is
    accepted. Safe to run in several workers at once, again, and after any stop. Returns how many
    clocks were escalated.
    """
    today = day_of(at)
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
                accept_case(case, side=Side.LAW, by=None, at=at, article=term.silence_source)
            return True
    except IntegrityError:
        return False
