"""What every event of an appeal is made of: the move, its clock, its owner, what is told and what is
logged, all in the caller's transaction."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import CITY, Actor, Role
from getihu.accounts.selectors import actor_of, list_officers
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases.selectors import due_after
from getihu.support.appeals.routes import Office, office_of, settler
from getihu.support.contracts import FINAL, OPEN, Event, IllegalMove, NotAllowed, Side, State
from getihu.support.machine import find_move
from getihu.support.models import Appeal, AppealClock, AppealEvent
from getihu.support.selectors.lines import is_in_line, office_in_line
from getihu.support.selectors.reads import LEAD_AGENCY, day_of, role_of

JOB = "job:appeals"
SETTLE_TERM, CONFIRM_TERM = "grievance.settlement", "grievance.confirmation"
GOVERNMENT = "government"


class NobodyInCharge(NotAllowed):
    """No office has anybody to own the appeal; nothing was kept."""


def move(
    row: Appeal,
    after: State,
    event: Event,
    *,
    side: Side,
    by: Actor | None,
    at: datetime,
    reason: str = "",
    article: str = "",
) -> AppealEvent:
    """Make one move of the table with everything that was set on ``row``. Raises IllegalMove."""
    before = State(row.state)
    found = find_move(before, after)
    if found is None or side not in found.by:
        raise IllegalMove("这件诉求现在的状态不能这样办。处理办法：刷新页面，看现在到了哪一步。")
    if found.needs_reason and not reason.strip():
        raise IllegalMove("要写明理由，诉求人看得到。")
    row.state = after.value
    if after in FINAL:
        row.ended_at = at
    row.save()
    return note(row, event, side=side, by=by, at=at, before=before, reason=reason, article=article)


def note(
    row: Appeal,
    event: Event,
    *,
    side: Side,
    by: Actor | None,
    at: datetime,
    before: State | None = None,
    reason: str = "",
    article: str = "",
) -> AppealEvent:
    """Add an event to the history and tell the log. A reason in somebody's own words may name
    people: it is kept under the appeal's key."""
    body = {"state": row.state, "agency": row.agency, "division": row.division}
    if row.barred:  # the log is read by many: where it went says enough
        body = {"state": row.state}
    audit.record(
        AuditEvent(
            kind=f"appeal.{event}",
            actor=_actor_of(side, by),
            object=f"appeal:{row.number}",
            at=at,
            body=body,
            subject=f"appeal:{row.number}" if reason else None,
            personal={"reason": reason} if reason else None,
        )
    )
    return AppealEvent.objects.create(
        appeal=row,
        event=event.value,
        before=before.value if before else "",
        after=row.state,
        at=at,
        side=side.value,
        by_id=by.account_id if by and not by.is_anonymous else None,
        owner_id=row.owner_id,
        owner_role=role_of(row.owner_id, row.agency, row.division, at),
        agency=row.agency,
        division=row.division,
        reason=reason.strip(),
        article=article,
    )


def _actor_of(side: Side, by: Actor | None) -> str:
    if by is not None and not by.is_anonymous:
        return f"account:{by.account_id}"
    return "complainant:unnamed" if side is Side.COMPLAINANT else JOB


def start_clock(row: Appeal, step: str, term_id: str, at: datetime) -> AppealClock:
    """Start a term on a day; the one that ran stops."""
    stop_clock(row, max(at, row.received_at))
    started = day_of(at)
    due = due_after(term_id, started)
    return AppealClock.objects.create(
        appeal=row,
        step=step,
        term_id=term_id,
        started_on=started,
        due_on=due.on,
        is_provisional=due.provisional,
    )


def stop_clock(row: Appeal, at: datetime) -> None:
    AppealClock.objects.filter(appeal=row, stopped_on=None).update(stopped_on=day_of(at))


def give_to(row: Appeal, office: Office, at: datetime) -> None:
    """Put an appeal into an office with exactly one owner there: who has least of those outside the
    line complained of; where the office has nobody, who is over it. Raises NobodyInCharge."""
    row.agency, row.division = office.agency, office.division
    row.owner_id = owner_in(office, at, row.barred, _text(row.about_account_id))


def owner_in(
    office: Office, at: datetime, barred: str, about: str | None, *, but: Iterable[uuid.UUID] = ()
) -> uuid.UUID:
    """Raises NobodyInCharge."""
    for agency, division, roles in _ladder(office):
        for role in roles:
            people = set(list_officers(role, agency, division, at)) - set(but)
            able = sorted(p for p in people if not _barred(p, at, barred, about))
            if able:
                return min(able, key=_load)
    raise NobodyInCharge(
        "现在没有人能承办，没有收下。处理办法：请拨 12345，或者到市政务服务中心当面反映。"
    )


def _ladder(office: Office) -> list[tuple[str, str, tuple[Role, ...]]]:
    """Where an owner is looked for: the office itself, its county's, the city's, then the joint
    conference's office and the government's."""
    desk = (Role.CASE_OFFICER, Role.WINDOW_OFFICER, Role.SUPERVISOR)
    steps: list[tuple[str, str, tuple[Role, ...]]] = [(office.agency, office.division, desk)]
    if len(office.division) == 9:
        steps.append((LEAD_AGENCY, office.division[:6], desk))
    steps += [
        (office.agency, CITY, desk),
        (LEAD_AGENCY, CITY, (Role.SUPERVISOR, Role.CASE_OFFICER)),
        (GOVERNMENT, CITY, (Role.COCKPIT_VIEWER,)),
    ]
    return steps


def _barred(person: uuid.UUID, at: datetime, barred: str, about: str | None) -> bool:
    if not barred and about is None:
        return False
    return is_in_line(actor_of(person, at), barred, about)


def _load(person: uuid.UUID) -> tuple[int, str]:
    with over_the_wall():  # only whose desk is lighter
        busy = Appeal.objects.filter(owner=person, state__in=[state.value for state in OPEN])
        return busy.count(), str(person)


def settling_office(row: Appeal) -> Office:
    """Who settles whose an appeal is: the joint conference's office, or the government's where the
    appeal complains of that line."""
    office = settler()
    if office_in_line(row.barred, office.agency, office.division):
        return office_of(GOVERNMENT, CITY)
    return office


def _text(value: uuid.UUID | None) -> str | None:
    return str(value) if value else None
