"""Appointments: take a place, change it, give it back; close a day; note who did not come.

Every function is one transaction; times are passed in. That no place is given twice is the
database's: a unique place within a slot, a trigger for places above its capacity.
"""

import secrets
import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Duty
from getihu.accounts.selectors import list_operators
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases.selectors import matter_catalogue
from getihu.entry.models import Appointment, Closure, Visit, WindowSlot
from getihu.entry.selectors.window import heads, serves, visitor_of
from getihu.entry.window.offices import (
    CITY_TIME,
    Office,
    SlotTime,
    get_office,
    open_days,
    slots_of,
)
from getihu.kernel.errors import GetihuError
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.reference import selectors as reference

# 本项目设定，非官方
REMIND_AT = time(9)  # of the day before
REMIND_LATE = timedelta(hours=2)  # before the slot, for who booked later than that
LONGEST_QUESTION = 200
_LETTERS = "ABCDEFGHJKMNPQRTUWXY346789"
CHANNELS = (Channel.IN_APP, Channel.SMS, Channel.EMAIL)


class NotBookable(GetihuError):
    """This place cannot be taken, changed or given back; says why and what can."""


class NotAtThisWindow(GetihuError):
    """The actor does not work at this window, or may not do this for this trader."""


@over_the_wall()
@transaction.atomic
def book(
    office_id: str,
    starts_at: datetime,
    *,
    trader_code: str = "",
    matters: Sequence[str] = (),
    question: str = "",
    by: Actor,
    at: datetime,
) -> uuid.UUID:
    """Take a place in a slot: for oneself, for a shop one acts for, or at the counter for whoever
    stands there. Returns the appointment. Raises NotBookable, NotAtThisWindow, UnknownOffice."""
    office = get_office(office_id)
    at_counter = serves(by, office)
    if trader_code and not (by.may_apply_for(trader_code) or at_counter):
        raise NotAtThisWindow("只能给自己的店、或者授权您代办的店预约。处理办法：请经营者先授权。")
    if by.duty is not Duty.PERSON and not at_counter:
        raise NotAtThisWindow("您不在这个窗口上班。处理办法：请这个窗口的同事代约。")
    asked = [name for name in matters if name in matter_catalogue()]
    account = _account_of(trader_code, by)
    visitor = visitor_of(trader_code, account)
    slot = _slot(office, starts_at, at)
    row = Appointment(
        code="".join(secrets.choice(_LETTERS) for _ in range(6)),
        office_id=office.id,
        trader_code=trader_code,
        account_id=account,
        visitor=visitor,
        booked_by_id=by.account_id,
        matters=asked,
        question=question.strip()[:LONGEST_QUESTION],
        booked_at=at,
    )
    _put(row, slot)
    _log("appointment.booked", by, row, at, office=office.id)
    _remind(row, at)
    return row.pk


@over_the_wall()
@transaction.atomic
def move_appointment(
    appointment_id: uuid.UUID, starts_at: datetime, *, by: Actor, at: datetime
) -> None:
    """Take another slot of the same office; the old place is free at once. Raises NotBookable,
    NotAtThisWindow."""
    row = _locked(appointment_id, by, at)
    slot = _slot(get_office(row.office_id), starts_at, at)
    if slot.pk == row.slot_id:
        return
    _put(row, slot)
    _log("appointment.moved", by, row, at, office=row.office_id)
    _remind(row, at)


@over_the_wall()
@transaction.atomic
def cancel_appointment(appointment_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Give a place back; somebody else can take it at once. Raises NotBookable, NotAtThisWindow."""
    row = _locked(appointment_id, by, at)
    row.state, row.ended_at = Appointment.State.CANCELLED, at
    row.save(update_fields=["state", "ended_at"])
    notifications.retract(f"appointment:{row.pk}", why="预约已取消")
    _log("appointment.cancelled", by, row, at, office=row.office_id)


@over_the_wall()
@transaction.atomic
def close_day(office_id: str, on: date, *, reason: str, by: Actor, at: datetime) -> int:
    """Close an office for a day: nothing more is booked, and who had booked is told with the way
    to another time. Returns how many were told. Raises NotAtThisWindow, NotBookable."""
    office = get_office(office_id)
    if not heads(by, office):
        raise NotAtThisWindow("停办一天由这个机关的负责人决定。")
    if not reason.strip() or on < at.astimezone(CITY_TIME).date():
        raise NotBookable("停办要写明原因，日期不能是过去的。处理办法：改好再交。")
    try:
        with transaction.atomic():
            Closure.objects.create(
                office_id=office.id, on=on, reason=reason.strip()[:100], at=at, by_id=by.account_id
            )
    except IntegrityError:
        return 0
    # Whoever books just now holds her slot: she is waited for, and told like the others.
    slots = WindowSlot.objects.select_for_update().filter(
        office_id=office.id, pk__in=Appointment.objects.filter(on=on).values("slot")
    )
    booked = Appointment.objects.select_for_update().filter(
        slot__in=[slot.pk for slot in slots], on=on, state=Appointment.State.BOOKED
    )
    told = list(booked)
    for row in told:
        row.state, row.ended_at, row.why = Appointment.State.CANCELLED, at, reason.strip()[:100]
        row.save(update_fields=["state", "ended_at", "why"])
        notifications.retract(f"appointment:{row.pk}", why="窗口停办")
        _tell(row, "appointment.closed", f"closed {on}", at, why=row.why)
    audit.record(
        AuditEvent(
            kind="window.day_closed",
            actor=f"account:{by.account_id}",
            object=f"office:{office.id}",
            at=at,
            body={"on": str(on), "appointments": len(told)},
        )
    )
    return len(told)


@transaction.atomic
def sweep_window(at: datetime, *, limit: int = 500) -> int:
    """Note appointments of days that are over and that nobody came to, and visits nobody took.
    Nothing follows for who did not come. Returns how many rows were ended."""
    today = at.astimezone(CITY_TIME).date()
    over = Appointment.objects.filter(state=Appointment.State.BOOKED, on__lt=today)
    missed = list(over.values_list("pk", flat=True)[:limit])
    done = Appointment.objects.filter(pk__in=missed, state=Appointment.State.BOOKED).update(
        state=Appointment.State.MISSED, ended_at=at
    )
    waiting = Visit.objects.filter(state=Visit.State.WAITING, on__lt=today)
    left = list(waiting.values_list("pk", flat=True)[:limit])
    done += Visit.objects.filter(pk__in=left, state=Visit.State.WAITING).update(
        state=Visit.State.LEFT, ended_at=at
    )
    return done


def _slot(office: Office, starts_at: datetime, at: datetime) -> WindowSlot:
    """The slot's row, made when it is the first of its slot, locked for this transaction."""
    calendar = reference.work_calendar()
    today = at.astimezone(CITY_TIME).date()
    on = starts_at.astimezone(CITY_TIME).date()
    found = [slot for slot in slots_of(office, on, calendar) if slot.starts_at == starts_at]
    if not found:
        raise NotBookable("这个时间窗口不开。处理办法：从列出的时间里选一个。")
    if on not in open_days(office, today, calendar) or starts_at <= at:
        days = office.bookable_workdays
        raise NotBookable(f"只能约还没有到、{days} 个工作日以内的时间。处理办法：换一个时间。")
    closure = Closure.objects.filter(office_id=office.id, on=on).first()
    if closure is not None:
        raise NotBookable(f"这一天窗口停办：{closure.reason}。处理办法：换一天。")
    return _kept(office, found[0])


def _kept(office: Office, slot: SlotTime) -> WindowSlot:
    row, _ = WindowSlot.objects.get_or_create(
        office_id=office.id,
        starts_at=slot.starts_at,
        defaults={"ends_at": slot.ends_at, "capacity": office.counters},
    )
    return WindowSlot.objects.select_for_update().get(pk=row.pk)


def _put(row: Appointment, slot: WindowSlot) -> None:
    """Give an appointment the first free place of a slot. The slot is locked, so that two who ask
    at once wait for each other; the constraints hold whatever happens."""
    taken = set(
        Appointment.objects.filter(slot=slot)
        .exclude(state=Appointment.State.CANCELLED)
        .values_list("place", flat=True)
    )
    free = [place for place in range(1, slot.capacity + 1) if place not in taken]
    if not free:
        raise NotBookable("这个时间刚刚约满了。处理办法：换一个时间。")
    row.slot, row.place, row.starts_at = slot, free[0], slot.starts_at
    row.on = slot.starts_at.astimezone(CITY_TIME).date()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise NotBookable(
            "同一天在这个窗口、或者同一时间在别的窗口，已经约过了。"
            "处理办法：在“我的预约”里改时间，或者先取消那一个。"
        ) from None


def _locked(appointment_id: uuid.UUID, by: Actor, at: datetime) -> Appointment:
    row = Appointment.objects.select_for_update().filter(pk=appointment_id).first()
    if row is None or not may_handle(row, by):
        raise NotBookable("没有这个预约，或者不是您的。处理办法：从“我的预约”里打开。")
    if row.state != Appointment.State.BOOKED:
        raise NotBookable(f"这个预约{row.get_state_display()}，不能再改。处理办法：另约一个。")
    if row.on < at.astimezone(CITY_TIME).date():
        raise NotBookable("这个预约的日子已经过了。处理办法：另约一个。")
    return row


def may_handle(row: Appointment, by: Actor) -> bool:
    """Whether an appointment is the actor's: hers, of a shop she acts for, or of her window."""
    hers = by.account_id in (str(row.account_id), str(row.booked_by_id))
    if row.trader_code and by.may_apply_for(row.trader_code):
        return True
    return (hers and by.duty is Duty.PERSON) or serves(by, get_office(row.office_id))


def _account_of(trader_code: str, by: Actor) -> uuid.UUID | None:
    """Whom an appointment is for: the person herself, or who runs the shop; None when nobody with
    an account is known."""
    if not trader_code:
        return uuid.UUID(by.account_id) if by.duty is Duty.PERSON else None
    if trader_code in by.own:
        return uuid.UUID(by.account_id)
    return next(iter(list_operators([trader_code]).get(trader_code, [])), None)


def _remind(row: Appointment, at: datetime) -> None:
    """A reminder the day before; for who booked too late for that, two hours before."""
    when = datetime.combine(row.on - timedelta(days=1), REMIND_AT, CITY_TIME)
    if when <= at:
        when = row.starts_at - REMIND_LATE
    if when > at:
        _tell(row, "appointment.reminder", f"before {row.starts_at:%Y%m%dT%H%M%z}", when, queued=at)


def _tell(
    row: Appointment,
    template: str,
    stage: str,
    when: datetime,
    *,
    queued: datetime | None = None,
    why: str = "",
) -> None:
    here = row.starts_at.astimezone(CITY_TIME)
    office = get_office(row.office_id)
    people = {row.account_id}
    if row.account_id is None or str(row.booked_by_id) != str(row.account_id):
        people |= {row.booked_by_id} if _is_person(row) else set()
    guard = "appointment_is" if template == "appointment.reminder" else ""
    for person in sorted(filter(None, people)):
        notifications.queue(
            NoticeRequest(
                obligation=f"appointment:{row.pk}",
                stage=stage,
                recipient=person,
                template_id=template,
                values={
                    "office": office.name,
                    "when": f"{here.month}月{here.day}日 {here:%H:%M}",
                    "code": row.code,
                    "why": why,
                },
                channels=CHANNELS,
                guard=guard,
                guard_argument=f"{row.pk} {row.starts_at.isoformat()}" if guard else "",
                not_before=when,
            ),
            at=queued or when,
        )


def _is_person(row: Appointment) -> bool:
    return bool(row.booked_by.duty == Duty.PERSON.value)


def _log(kind: str, by: Actor, row: Appointment, at: datetime, **body: str) -> None:
    audit.record(
        AuditEvent(
            kind=kind,
            actor=f"account:{by.account_id}",
            object=f"appointment:{row.code}",
            at=at,
            body={**body, "slot": row.starts_at.isoformat()},
        )
    )
