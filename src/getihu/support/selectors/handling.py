"""What an office may do next, and with whom."""

from datetime import date, datetime

from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import actor_of, list_officers
from getihu.cases.selectors import DESK_ROLES
from getihu.support.appeals.routes import Competent, Gap, route, settler
from getihu.support.contracts import AppealView
from getihu.support.models import Appeal
from getihu.support.selectors.lines import ARTICLE, is_in_line, office_in_line, offices_in
from getihu.support.selectors.reads import visible_appeals


def competent_for(row: Appeal, subject_id: str, on: date) -> Competent | Gap:
    """Who is competent for an appeal if it is about a subject: by its place and the day; never an
    office it is kept from."""
    named = offices_in(row.barred)
    found = route(subject_id, row.place or None, on, named[0] if named else None)
    if isinstance(found, Competent) and office_in_line(
        row.barred, found.office.agency, found.office.division
    ):
        return Gap(f"主管部门正是被投诉的机关，不能交给它（{ARTICLE}）", settler())
    return found


def competent_office(view: AppealView, subject_id: str, *, on: date) -> Competent | Gap:
    """The same, of an appeal somebody looks at."""
    return competent_for(Appeal.objects.get(pk=view.id), subject_id, on)


def list_takers(appeal_id: str, *, actor: Actor, at: datetime) -> list[tuple[str, str]]:
    """Colleagues who can own an appeal, as (account, name): of its office, outside the line."""
    row = visible_appeals(actor).filter(pk=appeal_id).first()
    return takers_of(row, at) if row else []


def takers_of(row: Appeal, at: datetime) -> list[tuple[str, str]]:
    people = {o for role in DESK_ROLES for o in list_officers(role, row.agency, row.division, at)}
    able = [actor_of(person, at) for person in sorted(people - {row.owner_id})]
    about = str(row.about_account_id) if row.about_account_id else None
    return [(a.account_id, a.name) for a in able if not is_in_line(a, row.barred, about)]


def is_head(actor: Actor, agency: str, division: str) -> bool:
    """Whether the actor heads an office, or who is over it."""
    return any(
        grant.role is Role.SUPERVISOR and grant.agency == agency and grant.scope.covers(division)
        for grant in actor.grants
    )
