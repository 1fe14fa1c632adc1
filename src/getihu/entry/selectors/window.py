"""Reads of the window: days and slots, appointments, who waits, whose question it is."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import actor_of, list_officers
from getihu.cases import selectors as cases
from getihu.cases.contracts import CaseView
from getihu.entry.contracts import (
    AppointmentView,
    DayView,
    OfferView,
    SlotView,
    VisitView,
    WindowMonth,
)
from getihu.entry.models import Appointment, Closure, HandingOver, Visit, VisitCase, WindowSlot
from getihu.entry.window.offices import (
    CITY_TIME,
    Office,
    get_office,
    list_offices,
    open_days,
    slots_of,
)
from getihu.evaluations import selectors as ratings
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference

EARLY = timedelta(minutes=15)  # an appointment comes first from so long before it; 本项目设定
FEWEST = 10  # fewer than this say nothing of an office; 本项目设定，非官方


class VisitNotFound(GetihuError):
    """There is no such visit, or none this actor may see; the two are told the same way."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__("没有这次接待，或者不归您的窗口。处理办法：从窗口列表里打开。")


def serves(actor: Actor, office: Office) -> bool:
    """Whether the actor works for an office: its agency, over its place."""
    return any(
        grant.role in cases.DESK_ROLES
        and grant.agency == office.agency
        and grant.scope.covers(office.division)
        for grant in actor.grants
    )


def heads(actor: Actor, office: Office) -> bool:
    """Whether the actor is in charge of an office."""
    return any(
        grant.role is Role.SUPERVISOR
        and grant.agency == office.agency
        and grant.scope.covers(office.division)
        for grant in actor.grants
    )


def offices_of(actor: Actor) -> list[Office]:
    """The offices the actor works for."""
    return [office for office in list_offices() if serves(actor, office)]


def visitor_of(trader_code: str, account: uuid.UUID | None) -> str:
    """Who comes, as one name for her: her shop, else her account; empty for nobody known."""
    return trader_code or (f"account:{account}" if account else "")


# --- days and slots


def list_days(office: Office, at: datetime) -> list[DayView]:
    """The days of an office as far ahead as it takes appointments."""
    today = at.astimezone(CITY_TIME).date()
    days = open_days(office, today, reference.work_calendar())
    closures = dict(
        Closure.objects.filter(office_id=office.id, on__in=days).values_list("on", "reason")
    )
    taken = _taken(office, days)
    return [
        DayView(on, sum(s.free for s in _slots(office, on, at, taken)), closures.get(on, ""))
        if on not in closures
        else DayView(on, 0, closures[on])
        for on in days
    ]


def list_slots(office: Office, on: date, at: datetime) -> list[SlotView]:
    """The slots of a day that are still to come, full ones included; none on a closed day."""
    if on not in open_days(office, at.astimezone(CITY_TIME).date(), reference.work_calendar()):
        return []
    if Closure.objects.filter(office_id=office.id, on=on).exists():
        return []
    return _slots(office, on, at, _taken(office, [on]))


@over_the_wall()
def _taken(office: Office, days: Iterable[date]) -> dict[datetime, tuple[int, int]]:
    """Slot → (capacity, places taken), of slots somebody has booked."""
    booked = Appointment.objects.filter(office_id=office.id, on__in=list(days)).exclude(
        state=Appointment.State.CANCELLED
    )
    counts = dict(booked.values_list("slot").annotate(Count("pk")))
    rows = WindowSlot.objects.filter(pk__in=counts)
    return {row.starts_at: (row.capacity, counts[row.pk]) for row in rows}


def _slots(
    office: Office, on: date, at: datetime, taken: dict[datetime, tuple[int, int]]
) -> list[SlotView]:
    found = []
    for slot in slots_of(office, on, reference.work_calendar()):
        capacity, gone = taken.get(slot.starts_at, (office.counters, 0))
        if slot.starts_at > at:
            free = max(capacity - gone, 0)
            found.append(SlotView(slot.starts_at, slot.ends_at, capacity, free))
    return found


def list_closures(office: Office, since: date) -> list[tuple[date, str]]:
    """Days an office closes by its own decision, from a day on."""
    rows = Closure.objects.filter(office_id=office.id, on__gte=since).order_by("on")
    return list(rows.values_list("on", "reason"))


# --- appointments


def list_appointments(actor: Actor) -> list[AppointmentView]:
    """A person's appointments and those of shops she acts for, those to come first."""
    traders = [
        code for code in actor.own | {c for c, _ in actor.authorised} if actor.may_apply_for(code)
    ]
    mine = Q(account=actor.account_id) | Q(booked_by=actor.account_id) | Q(trader_code__in=traders)
    rows = Appointment.objects.filter(mine).select_related("slot").order_by("-starts_at")[:50]
    listed = [appointment_view(row) for row in rows]
    booked = [each for each in listed if each.state == Appointment.State.BOOKED]
    return [*reversed(booked), *(each for each in listed if each not in booked)]


def list_day(office: Office, on: date) -> list[AppointmentView]:
    """The appointments of a day at an office that nobody has come to yet, in order."""
    rows = Appointment.objects.filter(office_id=office.id, on=on, state=Appointment.State.BOOKED)
    return [
        appointment_view(row) for row in rows.select_related("slot").order_by("starts_at", "place")
    ]


def appointment_view(row: Appointment) -> AppointmentView:
    office = get_office(row.office_id)
    return AppointmentView(
        id=str(row.pk),
        code=row.code,
        office_id=row.office_id,
        office_name=office.name,
        office_address=office.address,
        on=row.on,
        starts_at=row.starts_at,
        ends_at=row.slot.ends_at,
        state=row.state,
        state_label=row.get_state_display(),
        trader_code=row.trader_code,
        matters=titles_of(row.matters),
        question=row.question,
        why=row.why,
    )


def titles_of(matters: Iterable[str]) -> tuple[tuple[str, str], ...]:
    known = cases.matter_catalogue()
    return tuple((name, known[name].title) for name in matters if name in known)


@over_the_wall()
def appointment_is(argument: str) -> bool:
    """Whether an appointment is still booked for a moment, locked until the transaction ends: asked
    again before a reminder goes. ``argument``: id, blank, the moment."""
    appointment_id, _, moment = argument.partition(" ")
    rows = Appointment.objects.select_for_update()
    return rows.filter(
        pk=appointment_id, starts_at=datetime.fromisoformat(moment), state=Appointment.State.BOOKED
    ).exists()


# --- visits


def visible_visits(actor: Actor) -> QuerySet[Visit]:
    """Visits of the actor's offices, those she owns, and those she was asked to take over."""
    offered = HandingOver.objects.filter(to_owner=uuid.UUID(actor.account_id), visit__isnull=False)
    return Visit.objects.filter(
        Q(office_id__in=[office.id for office in offices_of(actor)])
        | Q(owner=actor.account_id)
        | Q(pk__in=offered.values("visit"))
    )


def get_visit(visit_id: uuid.UUID | str, *, actor: Actor) -> VisitView:
    """One visit. Raises VisitNotFound."""
    row = visible_visits(actor).filter(pk=visit_id).select_related("owner", "appointment").first()
    if row is None:
        raise VisitNotFound
    return visit_view(row)


def list_waiting(office: Office, at: datetime) -> list[VisitView]:
    """Who waits at an office, in the order they are called: appointments whose time has come, then
    those without one as they came, then appointments still early."""
    rows = Visit.objects.filter(
        office_id=office.id, on=at.astimezone(CITY_TIME).date(), state=Visit.State.WAITING
    ).select_related("owner", "appointment")
    return [visit_view(row) for row in sorted(rows, key=lambda row: turn_of(row, at))]


def turn_of(row: Visit, at: datetime) -> tuple[int, datetime, int]:
    """Where a waiting visit stands in the queue."""
    if row.appointment is None:
        return (1, row.arrived_at, row.sequence)
    slot = row.appointment.starts_at
    return (0 if slot <= at + EARLY else 2, slot, row.sequence)


def list_own(actor: Actor) -> list[VisitView]:
    """The open questions an officer owns: the one she serves now first."""
    rows = Visit.objects.filter(
        owner=uuid.UUID(actor.account_id), state__in=[Visit.State.SERVING, Visit.State.PENDING]
    ).select_related("owner", "appointment")
    return [
        visit_view(row) for row in sorted(rows, key=lambda r: (r.state != "serving", r.called_at))
    ]


def list_visits_of(actor: Actor) -> list[VisitView]:
    """A person's own visits, those to her shops included, newest first."""
    rows = Visit.objects.filter(Q(account=actor.account_id) | Q(trader_code__in=actor.own))
    rows = rows.select_related("owner", "appointment").order_by("-arrived_at")
    return [visit_view(row) for row in rows[:20]]


def visit_view(row: Visit) -> VisitView:
    found = VisitCase.objects.filter(visit=row).order_by("id")
    offer = open_offers().filter(visit=row).select_related("to_owner").first()
    return VisitView(
        id=str(row.pk),
        number=number_of(row),
        office_id=row.office_id,
        on=row.on,
        state=row.state,
        state_label=row.get_state_display(),
        slot_at=row.appointment.starts_at if row.appointment else None,
        trader_code=row.trader_code,
        account_id=str(row.account_id or ""),
        identified_by=row.identified_by,
        identified_label=row.get_identified_by_display(),
        matters=titles_of(row.matters),
        question=row.question,
        owner_id=str(row.owner_id or ""),
        owner_name=row.owner.name if row.owner else "",
        arrived_at=row.arrived_at,
        called_at=row.called_at,
        ended_at=row.ended_at,
        answer=row.answer,
        cases=tuple((str(each.case), each.on_behalf) for each in found),
        offered_to=offer.to_owner.name if offer else "",
    )


def number_of(row: Visit) -> str:
    """What is called out: A012 with an appointment, B013 without."""
    return f"{'A' if row.appointment_id else 'B'}{row.sequence:03d}"


# --- handing over


def open_offers() -> QuerySet[HandingOver]:
    return HandingOver.objects.filter(taken_at=None, declined_at=None)


def handover_is_open(argument: str) -> bool:
    """Whether an offer waits for its answer, locked until the transaction ends."""
    return open_offers().select_for_update().filter(pk=argument).exists()


def list_offers(actor: Actor) -> list[OfferView]:
    """What the actor was asked to take over and has not answered, oldest first."""
    rows = open_offers().filter(to_owner=uuid.UUID(actor.account_id))
    return [
        offer_view(row)
        for row in rows.select_related("from_owner", "to_owner").order_by("offered_at")
    ]


def get_offer(offer_id: uuid.UUID, *, actor: Actor) -> OfferView:
    """An offer to the actor or by her. Raises VisitNotFound."""
    mine = (
        Q(to_owner=actor.account_id)
        | Q(from_owner=actor.account_id)
        | Q(offered_by=actor.account_id)
    )
    row = (
        HandingOver.objects.filter(mine, pk=offer_id)
        .select_related("from_owner", "to_owner")
        .first()
    )
    if row is None:
        raise VisitNotFound
    return offer_view(row)


def offers_of(
    *, visit: uuid.UUID | str | None = None, case: uuid.UUID | str | None = None
) -> list[OfferView]:
    """Every offer about a visit or a case, oldest first; the caller has checked who asks."""
    rows = (
        HandingOver.objects.filter(visit=uuid.UUID(str(visit)))
        if visit
        else HandingOver.objects.filter(case=case)
    )
    return [
        offer_view(row)
        for row in rows.select_related("from_owner", "to_owner").order_by("offered_at")
    ]


def offer_view(row: HandingOver) -> OfferView:
    state = "taken" if row.taken_at else "declined" if row.declined_at else "open"
    return OfferView(
        id=str(row.pk),
        visit_id=str(row.visit_id or ""),
        case_id=str(row.case or ""),
        from_name=row.from_owner.name,
        to_id=str(row.to_owner_id),
        to_name=row.to_owner.name,
        reason=row.reason,
        offered_at=row.offered_at,
        state=state,
        why_not=row.why_not,
    )


def list_takers(visit: VisitView, *, at: datetime) -> list[tuple[str, str]]:
    """Officers (id, name with agency) who could take a question over: of the office, and of every
    department that has a part in what was asked."""
    office = get_office(visit.office_id)
    agencies = {office.agency}
    for matter_id, _ in visit.matters:
        agencies |= {stage.handler.department for stage in cases.get_matter(matter_id).stages}
    found = []
    for agency in sorted(agencies):
        named = reference.agency_name(agency, office.division)
        people = {
            o for role in cases.DESK_ROLES for o in list_officers(role, agency, office.division, at)
        }
        found += [
            (str(officer), f"{actor_of(officer, at).name}（{named}）")
            for officer in sorted(people)
            if str(officer) != visit.owner_id
        ]
    return found


def list_case_takers(view: CaseView, *, at: datetime) -> list[tuple[str, str]]:
    """Officers (id, name) who could take a case over."""
    return cases.list_colleagues(view, at=at)


# --- a month


@over_the_wall()
def compare_windows(month: date, *, on: date) -> list[WindowMonth]:
    """How each office kept its word in a month (``month``: its first day): clocks kept, told once,
    questions answered by whom they were asked first, ratings. By name, never by rank."""
    until = (month + timedelta(days=32)).replace(day=1)
    rated = {(row.agency, row.division): row for row in ratings.list_window_statistics(on=on)}
    found = []
    for office in list_offices():
        kept = cases.kept_promises(office.agency, office.division, month, until)
        answered = Visit.objects.filter(
            office_id=office.id, state=Visit.State.ANSWERED, on__gte=month, on__lt=until
        )
        handed = HandingOver.objects.filter(taken_at__isnull=False, visit__in=answered)
        total = answered.count()
        by_first = total - handed.values("visit").distinct().count()
        rating = rated.get((office.agency, office.division))
        found.append(
            WindowMonth(
                office_id=office.id,
                office_name=office.name,
                clocks_kept=_share(kept.clocks_in_time, kept.clocks),
                told_once=_share(kept.told_once, kept.told),
                answered_by_first=_share(by_first, total),
                good_share=rating.good_share if rating else None,
                ratings=rating.total if rating else None,
                rated_until=rating.until if rating else None,
            )
        )
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole >= FEWEST else None
