"""Reads of appeals. What an actor may see is in the query: hers, her office's, never her line's."""

import uuid
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import CITY, ROLE_LABELS, Actor, Role
from getihu.accounts.selectors import actor_of, find_account, within
from getihu.cases.selectors import DESK_ROLES, read_term
from getihu.evaluations import selectors as evaluations
from getihu.kernel.text import canonical_text
from getihu.reference import selectors as reference
from getihu.support.appeals.routes import office_of, settler
from getihu.support.appeals.subjects import get_subject
from getihu.support.contracts import (
    CHANNEL_LABELS,
    EVENT_LABELS,
    OPEN,
    STATE_LABELS,
    AppealNotFound,
    AppealRow,
    AppealView,
    Channel,
    ClockView,
    Event,
    EventView,
    Standing,
    State,
)
from getihu.support.models import Appeal, AppealClock, AppealContact, AppealEvent, JointHandler
from getihu.support.selectors.lines import offices_in, outside_line

CITY_TIME = ZoneInfo("Asia/Shanghai")
LEAD_AGENCY = "amr"
LEVELS = {"county": "县（市、区）", "city": "市", "lead": "联席会议办公室"}
STEPS = {"accept": "受理", "answer": "答复", "settle": "明确由谁办", "confirm": "您确认"}


def day_of(at: datetime) -> date:
    return at.astimezone(CITY_TIME).date()


def leads(actor: Actor) -> bool:
    """Whether the actor oversees all appeals: the joint conference's office, or the city's."""
    return any(
        grant.scope.covers(CITY)
        and (
            grant.role is Role.COCKPIT_VIEWER
            or (grant.role is Role.SUPERVISOR and grant.agency == LEAD_AGENCY)
        )
        for grant in actor.grants
    )


def of_her_offices(actor: Actor) -> Q:
    """Appeals an office of the actor has, or helps with."""
    found = Q(pk__in=())
    for grant in actor.grants:
        if grant.role in DESK_ROLES:
            found |= within(grant.scope, "division") & Q(agency=grant.agency)
    helped = JointHandler.objects.filter(found, appeal=OuterRef("pk"))
    return found | Q(owner_id=uuid.UUID(actor.account_id)) | Q(Exists(helped))


def visible_appeals(actor: Actor) -> QuerySet[Appeal]:
    """Her own, her shop's, her office's; everything for who leads. Never what complains of her,
    her office or its line."""
    if actor.is_anonymous:
        return Appeal.objects.none()
    hers = Q(complainant_id=uuid.UUID(actor.account_id)) | Q(trader_code__in=sorted(actor.own))
    seen = hers | of_her_offices(actor)
    if leads(actor):
        seen = Q()
    return Appeal.objects.filter(seen).filter(
        outside_line(actor) | Q(complainant_id=uuid.UUID(actor.account_id))
    )


def list_mine(actor: Actor, *, on: date, limit: int = 100) -> list[AppealRow]:
    """What she told, or somebody told for her shop; the newest first."""
    if actor.is_anonymous:
        return []
    hers = Q(complainant_id=uuid.UUID(actor.account_id)) | Q(trader_code__in=sorted(actor.own))
    rows = _with_counts(visible_appeals(actor).filter(hers)).order_by("-received_at")
    return [_row(row, actor, on) for row in rows[:limit]]


def list_desk(
    actor: Actor, *, on: date, subject: str = "", mine: bool = False, limit: int = 200
) -> list[AppealRow]:
    """What the actor's offices have to do, by the day it is due; joined ones stand with theirs."""
    rows = visible_appeals(actor).filter(of_her_offices(actor), joined_to=None)
    rows = rows.filter(state__in=[state.value for state in OPEN])
    if subject:
        rows = rows.filter(subject=subject)
    if mine:
        rows = rows.filter(owner_id=uuid.UUID(actor.account_id))
    due = _with_counts(rows).order_by(F("due").asc(nulls_last=True), "received_at")
    return [_row(row, actor, on) for row in due[:limit]]


def count_desk(actor: Actor) -> int:
    """How many appeals wait for the actor's offices."""
    rows = visible_appeals(actor).filter(of_her_offices(actor), joined_to=None)
    return rows.filter(state__in=[state.value for state in OPEN]).count()


def count_running(on: date) -> list[tuple[str, int, int]]:
    """Rows (county, open appeals, of these with a clock past its day), the city's own under its
    code: counts only. Joined ones count with theirs."""
    with over_the_wall():
        late = set(
            AppealClock.objects.filter(stopped_on=None, due_on__lt=on).values_list(
                "appeal", flat=True
            )
        )
        rows = Appeal.objects.filter(joined_to=None, state__in=[state.value for state in OPEN])
        found = list(rows.values_list("pk", "division"))
    counted: dict[str, tuple[int, int]] = {}
    for pk, division in found:
        many, overdue = counted.get(division[:6], (0, 0))
        counted[division[:6]] = (many + 1, overdue + (pk in late))
    return [(county, *numbers) for county, numbers in sorted(counted.items())]


def get_appeal(appeal_id: uuid.UUID | str, *, actor: Actor, on: date) -> AppealView:
    """One appeal. Raises AppealNotFound."""
    row = visible_appeals(actor).filter(pk=appeal_id).first()
    if row is None:
        raise AppealNotFound
    return view_of(row, actor, on)


@over_the_wall()
def find_by_code(code: str, *, on: date) -> AppealView:
    """The appeal a code belongs to. Raises AppealNotFound."""
    return view_of(row_of_code(code), None, on)


def row_of_code(code: str) -> Appeal:
    """Raises AppealNotFound."""
    letters = evaluations.read_code(code)
    row = (
        Appeal.objects.filter(code_digest=evaluations.digest_of(letters)).first()
        if letters
        else None
    )
    if row is None:
        raise AppealNotFound
    return row


def running_clock(row: Appeal) -> AppealClock | None:
    return AppealClock.objects.filter(appeal=row, stopped_on=None).first()


def clock_view(clock: AppealClock, on: date) -> ClockView:
    """Where a clock stands on a day, by the due day that is written."""
    extended = (clock.extended_on, clock.extension_reason) if clock.extended_on else None
    term = read_term(clock.term_id, clock.started_on, on, extended)
    return ClockView(
        step=clock.step,
        title=STEPS[clock.step],
        due_on=clock.due_on,
        is_provisional=clock.is_provisional,
        days_left=(clock.due_on - on).days,
        words=term.words,
        source=term.source,
        official=term.official,
        can_extend=bool(term.extension) and clock.extended_on is None and on <= clock.due_on,
        extension_source=term.extension_source,
    )


def appeal_is(argument: str) -> bool:
    """Whether an appeal is in a state, locked until the transaction ends: asked again before a
    notice goes. ``argument``: id, blank, state."""
    appeal_id, _, state = argument.partition(" ")
    return Appeal.objects.select_for_update().filter(pk=appeal_id, state=state).exists()


def role_of(account_id: uuid.UUID | str, agency: str, division: str, at: datetime) -> str:
    """The role in which an account answers for an office's appeal, in Chinese; never the name."""
    actor = actor_of(account_id, at)
    held = [g for g in actor.grants if g.agency == agency and g.scope.covers(division)]
    ranked = sorted(held, key=lambda g: g.role is not Role.SUPERVISOR)
    if ranked:
        return ROLE_LABELS[ranked[0].role]
    if any(grant.role is Role.COCKPIT_VIEWER for grant in actor.grants):
        return ROLE_LABELS[Role.COCKPIT_VIEWER]
    return "承办人"


def standings_of(row: Appeal, actor: Actor | None) -> frozenset[Standing]:
    """In which capacities an actor stands to an appeal; None is whoever holds its code."""
    if actor is None:
        return frozenset({Standing.HERS})
    found = set()
    if row.complainant_id and str(row.complainant_id) == actor.account_id:
        found.add(Standing.HERS)
    if row.trader_code and actor.may_apply_for(row.trader_code):
        found.add(Standing.HERS)
    if handles(actor, row.agency, row.division) or str(row.owner_id) == actor.account_id:
        found.add(Standing.OFFICE)
    asked = JointHandler.objects.filter(appeal=row)
    if any(handles(actor, each.agency, each.division) for each in asked):
        found.add(Standing.JOINT)
    if leads(actor):
        found.add(Standing.LEAD)
    return frozenset(found)


def handles(actor: Actor, agency: str, division: str) -> bool:
    return any(
        grant.role in DESK_ROLES and grant.agency == agency and grant.scope.covers(division)
        for grant in actor.grants
    )


def place_name(place: str) -> str:
    if not place:
        return "地点还不清楚"
    town = reference.get_town(place)
    return f"{town.county_name}{town.name}" if town else reference.division_name(place)


def subject_title(subject_id: str) -> str:
    return get_subject(subject_id).title if subject_id else "待分类"


def tidy(text: str) -> str:
    return canonical_text(text).replace("\r\n", "\n").strip()


def _with_counts(rows: QuerySet[Appeal]) -> QuerySet[Appeal]:
    running = AppealClock.objects.filter(appeal=OuterRef("pk"), stopped_on=None)
    joined = Appeal.objects.filter(joined_to=OuterRef("pk")).order_by().values("joined_to")
    if rows.query.is_sliced:  # the order is the caller's; numbers are added to what was cut out
        keys = list(rows.values_list("pk", flat=True))
        order = Case(*(When(pk=key, then=n) for n, key in enumerate(keys)), default=0)
        rows = Appeal.objects.filter(pk__in=keys).order_by(order)
    return rows.annotate(
        due=Subquery(running.values("due_on")[:1]),
        provisional=Subquery(running.values("is_provisional")[:1]),
        joined_count=Subquery(joined.annotate(many=Count("pk")).values("many")),
    )


def rows_of(rows: QuerySet[Appeal], actor: Actor, on: date) -> list[AppealRow]:
    """Rows for a list, in the order they come in."""
    return [_row(row, actor, on) for row in _with_counts(rows)]


def _row(row: Appeal, actor: Actor, on: date) -> AppealRow:
    state = State(row.state)
    due = row.due if state in OPEN else None  # type: ignore[attr-defined]
    return AppealRow(
        id=str(row.pk),
        number=row.number,
        state=state,
        state_label=STATE_LABELS[state],
        subject=row.subject,
        subject_title=subject_title(row.subject),
        text=row.text,
        place_name=place_name(row.place),
        office_name=office_of(row.agency, row.division).name,
        channel_label=CHANNEL_LABELS[Channel(row.channel)],
        received_at=row.received_at,
        due_on=due,
        is_provisional=bool(row.provisional),  # type: ignore[attr-defined]
        days_left=(due - on).days if due else None,
        joined=row.joined_count or 0,  # type: ignore[attr-defined]
        is_mine=str(row.owner_id) == actor.account_id,
        raised_to=LEVELS.get(row.raised_to, ""),
    )


def view_of(row: Appeal, actor: Actor | None, on: date) -> AppealView:
    """An appeal as one sees it. ``actor`` None: whoever holds its code."""
    state, standings = State(row.state), standings_of(row, actor)
    is_office = bool(standings & {Standing.OFFICE, Standing.JOINT, Standing.LEAD})
    events = AppealEvent.objects.filter(appeal=row).order_by("id")
    clock = running_clock(row)
    shown_clock = clock_view(clock, on) if clock else None
    contact = AppealContact.objects.filter(appeal=row).values_list("value", flat=True).first()
    owner = find_account(str(row.owner_id))
    office = office_of(row.agency, row.division).name
    role = _last_role(row)
    continued = Appeal.objects.filter(continues=row).values_list("pk", flat=True).first()
    is_mine = actor is not None and str(row.owner_id) == actor.account_id
    return AppealView(
        id=str(row.pk),
        number=row.number,
        channel_label=CHANNEL_LABELS[Channel(row.channel)],
        text=row.text,
        place_text=row.place_text,
        place=row.place,
        place_name=place_name(row.place),
        trader_code=row.trader_code,
        is_anonymous=row.is_anonymous,
        contact=(contact or "") if Standing.OFFICE in standings else "",
        suggested=tuple((s, subject_title(s), share) for s, share in row.suggested),
        subject=row.subject,
        subject_title=subject_title(row.subject),
        state=state,
        state_label=STATE_LABELS[state],
        agency=row.agency,
        division=row.division,
        office_name=office,
        owner_role=role,
        owner_name=owner.name if owner and is_office else "",
        is_mine=is_mine,
        raised_to=_raised(row),
        received_at=row.received_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        answer=row.answer,
        gap_reason=row.gap_reason,
        barred_name="、".join(office_of(a, d).name for a, d in offices_in(row.barred)),
        clock=shown_clock,
        events=tuple(_event(event) for event in events),
        joint=_joint(row),
        joined=_joined(row) if is_office else (),
        joined_to=str(row.joined_to_id or ""),
        continues=str(row.continues_id or ""),
        continued_by=str(continued or ""),
        waiting=_waiting(row, office, role, shown_clock),
        standings=standings,
        needs_accepting=clock is not None and clock.step == "accept" and state is State.ASSIGNED,
        can_rate=state is State.CLOSED,
    )


def _event(event: AppealEvent) -> EventView:
    named = Event(event.event)
    return EventView(
        event=named,
        label=EVENT_LABELS[named],
        at=event.at,
        office=office_of(event.agency, event.division).name,
        by_role=event.owner_role,
        reason=event.reason,
        article=event.article,
    )


def _last_role(row: Appeal) -> str:
    last = AppealEvent.objects.filter(appeal=row, owner=row.owner_id).exclude(owner_role="")
    found = last.order_by("-id").values_list("owner_role", flat=True).first()
    return found or "承办人"


def _raised(row: Appeal) -> str:
    """The level its delay was taken to, with the office there; empty where it was not."""
    if not row.raised_to:
        return ""
    raised = AppealEvent.objects.filter(appeal=row, event=Event.ESCALATED.value)
    office = raised.order_by("-id").values_list("reason", flat=True).first()
    return office or LEVELS[row.raised_to]


def _joint(row: Appeal) -> tuple[tuple[str, str, bool], ...]:
    asked = JointHandler.objects.filter(appeal=row).order_by("asked_at", "id")
    return tuple(
        (j.agency, office_of(j.agency, j.division).name, j.given_at is not None) for j in asked
    )


def _joined(row: Appeal) -> tuple[tuple[str, str], ...]:
    rows = Appeal.objects.filter(joined_to=row).order_by("received_at")
    return tuple((str(each.pk), each.number) for each in rows)


def _waiting(row: Appeal, office: str, role: str, clock: ClockView | None) -> str:
    """Whose clock is running, in Chinese; empty once it has ended."""
    if clock is None:
        return ""
    if clock.step == "confirm":
        return f"等您确认，{clock.words}"
    who = settler().name if row.state == State.GAP else office
    return f"等{who}（{role}）{clock.title}，{clock.words}"
