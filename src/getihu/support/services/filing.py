"""A problem is told once: from anywhere, in plain words, without choosing a bureau."""

import secrets
import uuid
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import actor_of
from getihu.cases.selectors import DESK_ROLES
from getihu.evaluations import selectors as evaluations
from getihu.reference import selectors as reference
from getihu.support.appeals.routes import DISCIPLINE, Gap, Office, office_of, route
from getihu.support.appeals.subjects import clocks_of, get_subject
from getihu.support.contracts import BadAppeal, Channel, Event, Filed, NotAllowed, Side
from getihu.support.models import Appeal, AppealContact
from getihu.support.selectors.lines import line_of, office_in_line
from getihu.support.selectors.reads import LEAD_AGENCY, day_of, tidy
from getihu.support.selectors.suggesting import suggest
from getihu.support.services.steps import give_to, note, settling_office, start_clock
from getihu.support.services.telling import tell_of_office

LONGEST, SHORTEST, LONGEST_CONTACT, LONGEST_PLACE = 2000, 4, 100, 200
OFFICER_CHANNELS = frozenset(Channel) - {Channel.WEB, Channel.OPEN311}
COMPLAINT = "officer_conduct"


@transaction.atomic
def file_appeal(
    text: str,
    *,
    channel: Channel = Channel.WEB,
    place_text: str = "",
    place: str = "",
    trader_code: str = "",
    is_anonymous: bool = False,
    contact: str = "",
    about: tuple[str, str] | None = None,
    about_account: uuid.UUID | None = None,
    origin: str = "",
    node: str = "",
    code: str = "",
    by: Actor,
    at: datetime,
) -> Filed:
    """Receive a problem. Its first office follows from the place; an office or officer complained of
    (``about``: agency and division) never gets it, nor anybody of their line.

    ``place``: a division somebody chose; else the address in words is looked up. An anonymous
    appeal keeps neither account nor trader. ``origin``: its number where it came from, once per
    channel. ``node``: the rule or data item it points at. Whoever has the returned code can follow
    it; sent again with the same ``code``, it is the same appeal. Raises BadAppeal, NotAllowed,
    NobodyInCharge.
    """
    said, where = tidy(text), tidy(place_text)
    _check(said, where, contact, channel, by)
    keeps = not is_anonymous
    if (
        keeps
        and trader_code
        and channel not in OFFICER_CHANNELS
        and not by.may_apply_for(trader_code)
    ):
        raise NotAllowed("只能替自己的店、或者受托的店提出。")
    resolved = _place(place, where)
    barred = line_of([*([about] if about else []), *_line_of_account(about_account, at)])
    letters = evaluations.read_code(code or (code := evaluations.fresh_code()))
    if letters is None:
        raise BadAppeal("诉求码不完整。处理办法：刷新页面再交。")
    digest = evaluations.digest_of(letters)
    with over_the_wall():
        before = Appeal.objects.filter(code_digest=digest).first()
    if before is not None:
        return Filed(str(before.pk), before.number, code)
    row = Appeal(
        number=f"S-{secrets.token_hex(4).upper()}",
        channel=channel.value,
        origin=origin.strip(),
        text=said,
        place_text=where,
        place=resolved,
        trader_code=trader_code if keeps else "",
        is_anonymous=is_anonymous,
        complainant_id=(by.account_id or None) if keeps and channel is Channel.WEB else None,
        taken_by_id=by.account_id if channel in OFFICER_CHANNELS else None,
        code_digest=digest,
        suggested=suggest(said),
        barred=barred,
        about_account_id=about_account,
        node=node[:120],
        received_at=at,
    )
    with over_the_wall():  # it may go where who tells it has no reach
        give_to(row, _first_office(row, about, at), at)
        row.save(force_insert=True)
        if contact.strip():
            AppealContact.objects.create(appeal=row, value=contact.strip())
        side = Side.OFFICE if channel in OFFICER_CHANNELS else Side.COMPLAINANT
        event = note(row, Event.RECEIVED, side=side, by=by if keeps else None, at=at)
        clock = start_clock(row, "answer", clocks_of("").answer, at)
        tell_of_office(row, clock, event, at)
    return Filed(str(row.pk), row.number, code)


def _check(said: str, where: str, contact: str, channel: Channel, by: Actor) -> None:
    if not SHORTEST <= len(said) <= LONGEST:
        raise BadAppeal(f"请写清楚是什么问题，{SHORTEST} 到 {LONGEST} 个字。")
    if len(where) > LONGEST_PLACE or len(contact.strip()) > LONGEST_CONTACT:
        raise BadAppeal(f"地点最多 {LONGEST_PLACE} 个字，联系方式最多 {LONGEST_CONTACT} 个字。")
    if channel in OFFICER_CHANNELS and not by.roles & set(DESK_ROLES):
        raise NotAllowed("代为登记诉求的，要是窗口或者经办人员。")


def _place(place: str, where: str) -> str:
    """The division a problem is in; empty where the words do not settle it."""
    if place:
        known = reference.get_town(place) or place in {c.code for c in reference.list_counties()}
        if not known:
            raise BadAppeal("没有这个地方。处理办法：从提示里选镇街，或者只写地址。")
        return place
    return (reference.resolve_address(where).place_code or "") if where else ""


def _line_of_account(account: uuid.UUID | None, at: datetime) -> list[tuple[str, str]]:
    """Every office somebody complained of works in."""
    if account is None:
        return []
    grants = actor_of(account, at).grants
    return [(grant.agency, division) for grant in grants for division in grant.scope.divisions]


def _first_office(row: Appeal, about: tuple[str, str] | None, at: datetime) -> Office:
    """Who reads it first: what complains of an office goes at once where that office is not, and
    what only sounds like it too; everything else to the county's desk of the zone for traders."""
    on, county = day_of(at), row.place[:6] or reference.WENZHOU
    if row.barred:
        named = about or _first_of(row.barred)
        found = route(COMPLAINT, None, on, named)
        if isinstance(found, Gap):
            return settling_office(row)
        taken = office_in_line(row.barred, found.office.agency, found.office.division)
        return settling_office(row) if taken else found.office
    if row.suggested and get_subject(row.suggested[0][0]).about_office:
        return office_of(DISCIPLINE, county)
    return office_of(LEAD_AGENCY, county) if row.place else settling_office(row)


def _first_of(barred: str) -> tuple[str, str]:
    agency, _, division = barred.split()[0].partition(":")
    return agency, division
