"""What happens because a day came: reminders, delay taken up by level, closing by time, owners who
are no longer there, contacts erased."""

import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from getihu.accounts.contracts import CITY, Role
from getihu.accounts.selectors import actor_of, list_officers
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases.selectors import read_term
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference
from getihu.support.appeals.routes import office_of, settler
from getihu.support.contracts import OPEN, Event, Side, State, SweepReport
from getihu.support.models import Appeal, AppealClock, AppealContact, Escalation
from getihu.support.selectors.lines import is_in_line
from getihu.support.selectors.reads import LEAD_AGENCY, day_of
from getihu.support.services.hers import open_rating
from getihu.support.services.steps import (
    GOVERNMENT,
    JOB,
    move,
    note,
    owner_in,
    stop_clock,
)
from getihu.support.services.telling import tell_her, tell_owner

REMIND_WORKDAYS = 1  # before the last day; 本项目设定，非官方
STEP_WORKDAYS = 3  # from one level to the next; 本项目设定，非官方
CONTACT_DAYS = 30  # a contact is erased this long after the end; 本项目设定，非官方
STEPS = ("county", "city", "lead")


class AppealsNotSwept(GetihuError):
    """Appeals that could not be worked; every other one was."""


def sweep_appeals(at: datetime, *, limit: int = 500) -> SweepReport:
    """Do what is due by now and was not done: by level, so that nothing depends on a timer. Safe in
    several workers at once, again, and after any stop: each step of a clock is noted once.

    An appeal that cannot be worked is left for the next time and holds up no other; AppealsNotSwept
    when only such are left.
    """
    failed: list[Exception] = []
    report = SweepReport(
        closed=_each(_overdue(at, "confirm", limit), partial(_close_one, at=at), failed),
        reminded=_each(_to_remind(at, limit), partial(_remind_one, at=at), failed),
        escalated=sum(_escalate_step(step, at, limit, failed) for step in STEPS),
        rehomed=_each(_orphans(at, limit), partial(_rehome_one, at=at), failed),
        forgotten=_forget_contacts(at),
    )
    done = report.closed + report.reminded + report.escalated + report.rehomed
    if failed and not done:
        raise AppealsNotSwept(f"{len(failed)} 件诉求到期没有能动，下一轮再试。") from failed[0]
    return report


def _each(
    keys: list[int] | list[uuid.UUID], do: Callable[..., bool], failed: list[Exception]
) -> int:
    done = 0
    for key in keys:
        try:
            done += do(key)
        except Exception as error:  # told at the end: one must not hold up the others
            failed.append(error)
    return done


def _running() -> Q:
    return Q(stopped_on=None)


def _overdue(at: datetime, step: str, limit: int) -> list[int]:
    rows = AppealClock.objects.filter(_running(), step=step, due_on__lt=day_of(at))
    return list(rows.order_by("due_on", "id").values_list("pk", flat=True)[:limit])


def _to_remind(at: datetime, limit: int) -> list[int]:
    today = day_of(at)
    told = Escalation.objects.filter(
        clock=OuterRef("pk"), step="reminder", due_on=OuterRef("due_on")
    )
    until = reference.work_calendar().add_workdays(today, REMIND_WORKDAYS).on
    rows = AppealClock.objects.filter(
        _running(), ~Exists(told), due_on__range=(today, until), started_on__lt=today
    )
    return list(
        rows.exclude(step="confirm").order_by("due_on").values_list("pk", flat=True)[:limit]
    )


def _remind_one(clock_id: int, *, at: datetime) -> bool:
    with transaction.atomic():
        found = _locked(clock_id, "reminder", at)
        if found is None:
            return False
        row, clock, _ = found
        tell_owner(row, "appeal.reminder", clock, at, stage=f"reminder {clock.pk} {clock.due_on}")
    return True


def _locked(
    clock_id: int, step: str, at: datetime, to: uuid.UUID | None = None
) -> tuple[Appeal, AppealClock, Escalation] | None:
    """The clock and its appeal with the step noted; None when another worker was first."""
    clock = AppealClock.objects.select_for_update(of=("self",)).get(pk=clock_id)
    row = Appeal.objects.select_for_update(of=("self",)).get(pk=clock.appeal_id)
    if clock.stopped_on is not None:
        return None
    try:
        with transaction.atomic():
            noted = Escalation.objects.create(
                clock=clock, step=step, due_on=clock.due_on, at=at, to_owner_id=to or row.owner_id
            )
    except IntegrityError:
        if Escalation.objects.filter(clock=clock, step=step, due_on=clock.due_on).exists():
            return None
        raise
    return row, clock, noted


def due_of_step(step: str, due_on: date) -> date:
    """The day from which a delay is with a level: at once with the first, some working days later
    with each next."""
    calendar = reference.work_calendar()
    later = STEPS.index(step) * STEP_WORKDAYS
    return calendar.add_workdays(due_on, later).on + timedelta(days=1)


def _escalate_step(step: str, at: datetime, limit: int, failed: list[Exception]) -> int:
    told = Escalation.objects.filter(clock=OuterRef("pk"), step=step, due_on=OuterRef("due_on"))
    rows = AppealClock.objects.filter(_running(), ~Exists(told), due_on__lt=day_of(at))
    late = rows.exclude(step="confirm").order_by("due_on", "id").values_list("pk", "due_on")
    today = day_of(at)
    keys = [pk for pk, due in late[:limit] if due_of_step(step, due) <= today]
    return _each(keys, partial(_escalate_one, step=step, at=at), failed)


def _escalate_one(clock_id: int, *, step: str, at: datetime) -> bool:
    """Take a delay to the next level: who heads there owns it from now on, and she sees that."""
    with transaction.atomic():
        row = Appeal.objects.get(clocks=clock_id)
        to = _superior(row, step, at)
        found = _locked(clock_id, step, at, to)
        if found is None:
            return False
        row, _, _ = found
        if to is None or to == row.owner_id:
            return True  # nobody at this level: the next one comes in its time
        row.owner_id, row.raised_to = to, step
        row.save(update_fields=["owner", "raised_to"])
        event = note(
            row, Event.ESCALATED, side=Side.LAW, by=None, at=at, reason=_level_name(row, step)
        )
        tell_her(row, "appeal.raised", event, at, office=event.reason, role=event.owner_role)
    return True


def _superior(row: Appeal, step: str, at: datetime) -> uuid.UUID | None:
    """Who heads the next level, outside the line complained of; None where nobody does."""
    about = str(row.about_account_id) if row.about_account_id else None
    for agency, division, role in _heads(row, step):
        for person in list_officers(role, agency, division, at):
            actor = actor_of(person, at)
            if is_in_line(actor, row.barred, about):
                continue
            if any(g.role is role and division in g.scope.divisions for g in actor.grants):
                return person
    return None


def _heads(row: Appeal, step: str) -> Iterator[tuple[str, str, Role]]:
    county = row.division[:6]
    if step == "county" and county != CITY:
        yield row.agency, county, Role.SUPERVISOR
        yield LEAD_AGENCY, county, Role.SUPERVISOR
    elif step == "city":
        yield row.agency, CITY, Role.SUPERVISOR
    elif step == "lead":
        yield LEAD_AGENCY, CITY, Role.SUPERVISOR
        yield GOVERNMENT, CITY, Role.COCKPIT_VIEWER


def _level_name(row: Appeal, step: str) -> str:
    if step == "lead":
        return settler().name
    division = row.division[:6] if step == "county" else CITY
    owner = actor_of(row.owner_id, row.received_at)
    held = {g.agency for g in owner.grants}
    agency = row.agency if row.agency in held or row.agency != "town" else LEAD_AGENCY
    return office_of(agency if agency != "town" else LEAD_AGENCY, division).name


def _close_one(clock_id: int, *, at: datetime) -> bool:
    """She said nothing by the stated day: closed by time, and told so."""
    with transaction.atomic():
        clock = AppealClock.objects.select_for_update(of=("self",)).get(pk=clock_id)
        row = Appeal.objects.select_for_update(of=("self",)).get(pk=clock.appeal_id)
        if clock.stopped_on is not None or row.state != State.ANSWERED:
            return False
        row.outcome = "timed_out"
        term = read_term(clock.term_id, clock.started_on, day_of(at))
        event = move(
            row, State.CLOSED, Event.TIMED_OUT, side=Side.LAW, by=None, at=at, article=term.source
        )
        stop_clock(row, at)
        open_rating(row, at)
        tell_her(row, "appeal.timed_out", event, at)
    return True


def _orphans(at: datetime, limit: int) -> list[uuid.UUID]:
    """Open appeals whose owner has no account or no role any more."""
    rows = Appeal.objects.filter(state__in=[state.value for state in OPEN])
    owners = rows.order_by("owner").values_list("owner", flat=True).distinct()
    gone = [owner for owner in owners if not actor_of(owner, at).grants]
    return list(rows.filter(owner__in=gone).values_list("pk", flat=True)[:limit])


def _rehome_one(appeal_id: uuid.UUID, *, at: datetime) -> bool:
    with transaction.atomic():
        row = Appeal.objects.select_for_update(of=("self",)).get(pk=appeal_id)
        if row.state not in OPEN or actor_of(row.owner_id, at).grants:
            return False
        about = str(row.about_account_id) if row.about_account_id else None
        office = office_of(row.agency, row.division)
        row.owner_id = owner_in(office, at, row.barred, about, but=[row.owner_id])
        row.save(update_fields=["owner"])
        note(row, Event.HANDED_OVER, side=Side.LAW, by=None, at=at, reason="原承办人不在岗")
    return True


@transaction.atomic
def _forget_contacts(at: datetime) -> int:
    over = Appeal.objects.filter(ended_at__lte=at - timedelta(days=CONTACT_DAYS))
    count, _ = AppealContact.objects.filter(appeal__in=over.values("pk")).delete()
    if count:
        event = AuditEvent(
            kind="appeal.contacts_erased", actor=JOB, object="appeals:contacts", at=at,
            body={"count": count},
        )  # fmt: skip
        audit.record(event)
    return count
