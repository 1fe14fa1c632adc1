"""Visits: somebody comes, an officer takes her question and owns it until it is answered (首问负责).

Every function is one transaction; times are passed in.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from getihu.access.services import over_the_wall
from getihu.accounts import services as accounts
from getihu.accounts.contracts import Actor, Purpose
from getihu.accounts.selectors import is_called, list_operators, list_owned
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases import selectors as cases
from getihu.cases import services as casework
from getihu.cases.contracts import State
from getihu.entry.contracts import is_provisional
from getihu.entry.models import Appointment, Visit, VisitCase
from getihu.entry.selectors.window import (
    VisitNotFound,
    open_offers,
    serves,
    turn_of,
    visible_visits,
)
from getihu.entry.services.booking import LONGEST_QUESTION, NotAtThisWindow, may_handle
from getihu.entry.services.opening import OPENING, new_stand_in
from getihu.entry.window.offices import CITY_TIME, get_office
from getihu.evaluations import services as evaluations
from getihu.kernel.errors import GetihuError
from getihu.notifications import services as notifications
from getihu.registry import selectors as registry

DECIDED = frozenset({State.GRANTED, State.REFUSED, State.NOT_ACCEPTED})


class BadVisit(GetihuError):
    """This cannot be done with this visit now; says why and what can."""


@over_the_wall()
@transaction.atomic
def check_in(code: str, *, office_id: str = "", by: Actor, at: datetime) -> uuid.UUID:
    """Somebody with an appointment has come, on its day: she says so herself or an officer of the
    office does. Returns the visit; again, the same. Raises BadVisit, NotAtThisWindow."""
    plain = "".join(c for c in code.upper() if c.isalnum())
    row = Appointment.objects.select_for_update().filter(code=plain).first()
    if row is None or not may_handle(row, by) or (office_id and row.office_id != office_id):
        raise BadVisit(
            "没有这个预约号，或者不是这个窗口的。处理办法：核对 6 位预约号，没有就直接取号。"
        )
    before = Visit.objects.filter(appointment=row).first()
    if before is not None:
        return before.pk
    if row.state != Appointment.State.BOOKED:
        raise BadVisit(f"这个预约{row.get_state_display()}。处理办法：直接取号。")
    if row.on != at.astimezone(CITY_TIME).date():
        raise BadVisit(f"这个预约是 {row.on} 的，不是今天。处理办法：当天再来，或者改时间。")
    row.state, row.ended_at = Appointment.State.KEPT, at
    row.save(update_fields=["state", "ended_at"])
    return _arrive(
        row.office_id, at, by,
        appointment=row, trader_code=row.trader_code, account_id=row.account_id,
        matters=row.matters, question=row.question,
    ).pk  # fmt: skip


@transaction.atomic
def walk_in(
    office_id: str, *, matters: Sequence[str] = (), question: str = "", by: Actor, at: datetime
) -> uuid.UUID:
    """Somebody has come without an appointment, known or not; an officer gives her a number.
    Raises NotAtThisWindow."""
    if not serves(by, get_office(office_id)):
        raise NotAtThisWindow("您不在这个窗口上班。处理办法：请这个窗口的同事办。")
    asked = [name for name in matters if name in cases.matter_catalogue()]
    return _arrive(
        office_id, at, by, matters=asked, question=question.strip()[:LONGEST_QUESTION]
    ).pk


@over_the_wall()
def _arrive(office_id: str, at: datetime, by: Actor, **given: object) -> Visit:
    on = at.astimezone(CITY_TIME).date()
    for _ in range(5):
        last = Visit.objects.filter(office_id=office_id, on=on).aggregate(last=Max("sequence"))
        try:
            with transaction.atomic():
                row = Visit.objects.create(
                    office_id=office_id,
                    on=on,
                    sequence=(last["last"] or 0) + 1,
                    arrived_at=at,
                    **given,
                )
        except IntegrityError:
            continue  # somebody else took this number a moment ago
        _log("visit.arrived", by, row, at)
        return row
    raise BadVisit("取号的人太多了。处理办法：再点一次。")


@transaction.atomic
def call_next(office_id: str, *, by: Actor, at: datetime) -> uuid.UUID:
    """Take the one whose turn it is; her question is the officer's from now on. Raises BadVisit
    when nobody waits, or the officer still serves somebody."""
    if not serves(by, get_office(office_id)):
        raise NotAtThisWindow("您不在这个窗口上班。处理办法：请这个窗口的同事办。")
    if Visit.objects.filter(owner=uuid.UUID(by.account_id), state=Visit.State.SERVING).exists():
        raise BadVisit("手上这一位还没有办完。处理办法：先答复，或者留着以后答复，再叫下一位。")
    today = at.astimezone(CITY_TIME).date()
    waiting = Visit.objects.filter(office_id=office_id, on=today, state=Visit.State.WAITING)
    for row in sorted(waiting.select_related("appointment"), key=lambda row: turn_of(row, at)):
        taken = Visit.objects.filter(pk=row.pk, state=Visit.State.WAITING).update(
            state=Visit.State.SERVING, owner=by.account_id, called_at=at
        )
        if taken:  # otherwise a colleague was faster
            _log("visit.taken", by, row, at)
            return row.pk
    raise BadVisit("现在没有人等。处理办法：有人来了先取号。")


@transaction.atomic
def identify(visit_id: uuid.UUID, trader_code: str, how: str, *, by: Actor, at: datetime) -> None:
    """Note which shop stands here, and how the officer knows. Raises BadVisit, VisitNotFound.

    ``how``: ``code`` (her 企业码 of this minute was read) or ``document`` (the officer looked at
    the operator's identity document and answers for it).
    """
    row = own_visit(visit_id, by)
    if how not in (Visit.Identified.CODE, Visit.Identified.DOCUMENT):
        raise BadVisit("要说明是怎样核对的：扫企业码，或者看了身份证件。")
    if row.trader_code and row.trader_code != trader_code and row.identified_by:
        raise BadVisit("这次接待已经核对过另一家店。处理办法：给这家店另取一个号。")
    registry.get_trader(trader_code)  # raises when nobody is registered so
    row.trader_code, row.identified_by = trader_code, how
    owner = next(iter(list_operators([trader_code]).get(trader_code, [])), None)
    row.account_id = row.account_id or owner
    row.save(update_fields=["trader_code", "identified_by", "account"])
    _log("visit.identified", by, row, at, how=how)


@transaction.atomic
def ask_also(visit_id: uuid.UUID, matter_id: str, *, by: Actor, at: datetime) -> None:
    """Note another thing she asks for. Raises BadVisit, UnknownMatter."""
    row, matter = own_visit(visit_id, by), cases.get_matter(matter_id)
    if matter.id not in row.matters:
        row.matters = [*row.matters, matter.id]
        row.save(update_fields=["matters"])


@transaction.atomic
def open_for(
    visit_id: uuid.UUID, matter_id: str, *, place: str, by: Actor, at: datetime
) -> uuid.UUID:
    """Open a case for the shop that stands at the counter, recorded as by the officer on her
    behalf. Raises BadVisit (not identified), NotAllowed, UnknownMatter."""
    row = own_visit(visit_id, by)
    if cases.get_matter(matter_id).started_by == "anybody":
        raise BadVisit("她名下已经有店。处理办法：开新店另取一个号，看身份证件再办。")
    with over_the_wall():  # hers for as long as she stands here
        made = casework.open_draft(
            matter_id, row.trader_code, place=place, by=acting_for(row, by), at=at
        )
    _link(row, made, True, by, at)
    if matter_id not in row.matters:
        row.matters = [*row.matters, matter_id]
        row.save(update_fields=["matters"])
    return made


@transaction.atomic
def open_shop_for(
    visit_id: uuid.UUID, name: str, *, by: Actor, at: datetime, matter_id: str = OPENING
) -> uuid.UUID:
    """Begin the registration of a shop for somebody at the counter who has no shop
    yet; returns the case. The officer looked at her identity document and answers for
    ``name``. It is the account's she booked with where that bears the name; else it waits in one
    nobody can sign in with, until she claims it by the code of her slip (``print_claim``). Raises BadVisit, ClaimRefused, UnknownMatter."""
    row = own_visit(visit_id, by)
    if row.trader_code:
        raise BadVisit("这次接待是另一家店的。处理办法：开新店另取一个号。")
    account = row.account_id
    if account is None or not is_called(account, name):
        account = accounts.open_unclaimed(name, by=by, at=at)
    code = new_stand_in()
    accounts.record_ownership(account, code, evidence="申请设立，窗口核对身份证件", at=at)
    row.trader_code, row.identified_by = code, Visit.Identified.DOCUMENT
    row.account_id = account
    row.save(update_fields=["trader_code", "identified_by", "account"])
    _log("visit.identified", by, row, at, how=Visit.Identified.DOCUMENT)
    with over_the_wall():  # hers for as long as she stands here
        place = get_office(row.office_id).division
        made = casework.open_draft(matter_id, code, place=place, by=acting_for(row, by), at=at)
    _link(row, made, True, by, at)
    if matter_id not in row.matters:
        row.matters = [*row.matters, matter_id]
        row.save(update_fields=["matters"])
    return made


@transaction.atomic
def print_claim(visit_id: uuid.UUID, *, by: Actor, at: datetime) -> str:
    """A new code for who stands here to claim her shop by, shown once; the one before is void.
    Raises BadVisit (her identity document was not looked at), ClaimRefused (nothing to claim)."""
    row = own_visit(visit_id, by)
    if row.identified_by != Visit.Identified.DOCUMENT or row.account_id is None:
        raise BadVisit("要看了她的身份证件才能给认领码。处理办法：先核对本人。")
    return accounts.make_claim_code(row.account_id, by=by, at=at)


@transaction.atomic
def claim_shop(code: str, *, by: Actor, at: datetime) -> bool:
    """What was opened for a person at a window becomes hers: the shop, its cases, and what she was
    told of them. False for a code that is not hers (it counts). Raises ClaimRefused."""
    claimed = accounts.claim_account(code, by=by, at=at)
    if claimed is None:
        return False
    mine = uuid.UUID(by.account_id)
    notifications.readdress(claimed, mine)
    with over_the_wall():  # the visit was nobody's she could see
        Visit.objects.filter(account=claimed, ended_at=None).update(account=mine)
    return True


@over_the_wall()
def know_visitor_as(before: str, after: str) -> None:
    """A shop that had no code has one: whoever stands at a counter for it goes on with that."""
    Visit.objects.filter(trader_code=before, ended_at=None).update(trader_code=after)


@transaction.atomic
def continue_for(visit_id: uuid.UUID, case_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Take one of her cases up again at the counter. Raises BadVisit, CaseNotFound."""
    row = own_visit(visit_id, by)
    with over_the_wall():
        hers = acting_for(row, by)
        view = cases.get_case(case_id, actor=hers, on=at.astimezone(CITY_TIME).date())
    if view.trader_code not in hers.own:
        raise cases.CaseNotFound
    _link(row, case_id, False, by, at)


@transaction.atomic
def save_for(
    visit_id: uuid.UUID,
    case_id: uuid.UUID,
    form: Mapping[str, object],
    *,
    submits: bool,
    by: Actor,
    at: datetime,
) -> None:
    """Keep what she says in a draft of hers; with ``submits`` hand it in. Raises as cases do."""
    actor = _acting_on(visit_id, case_id, by)
    with over_the_wall():
        casework.save_draft(case_id, form, by=actor)
        if submits:
            casework.submit(case_id, by=actor, at=at)


@transaction.atomic
def attach_for(
    visit_id: uuid.UUID,
    case_id: uuid.UUID,
    document: str,
    content: bytes,
    *,
    by: Actor,
    at: datetime,
) -> None:
    """Add what she brought, scanned at the counter. Raises as cases do."""
    actor = _acting_on(visit_id, case_id, by)
    with over_the_wall():
        casework.attach(case_id, document, content, by=actor, at=at)


def _acting_on(visit_id: uuid.UUID, case_id: uuid.UUID, by: Actor) -> Actor:
    row = own_visit(visit_id, by)
    if not VisitCase.objects.filter(visit=row, case=case_id).exists():
        raise cases.CaseNotFound
    return acting_for(row, by)


@transaction.atomic
def keep(visit_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """She goes home; the question stays her officer's. Raises BadVisit."""
    row = own_visit(visit_id, by)
    if row.state != Visit.State.SERVING:
        raise BadVisit("这一位已经不在窗口了。")
    row.state = Visit.State.PENDING
    row.save(update_fields=["state"])
    _log("visit.kept", by, row, at)


@transaction.atomic
def answer(visit_id: uuid.UUID, text: str, *, by: Actor, at: datetime) -> None:
    """Answer what was asked: the question is nobody's any more, and the visit can be rated once.
    Raises BadVisit."""
    row = own_visit(visit_id, by)
    if not text.strip():
        raise BadVisit("要写明答复了什么、办到了哪一步。")
    if open_offers().filter(visit=row).exists():
        raise BadVisit("已经请同事接手，还没有回音。处理办法：等同事接手，或者收回移交再答复。")
    row.state, row.ended_at, row.answer = Visit.State.ANSWERED, at, text.strip()[:500]
    row.save(update_fields=["state", "ended_at", "answer"])
    office = get_office(row.office_id)
    evaluations.open_visit_rating(
        row.pk,
        number=f"{row.office_id}-{row.on:%Y%m%d}-{row.sequence}",
        agency=office.agency,
        division=office.division,
        at=at,
        decided_case=_decided_in(row, by, at),
    )
    _log("visit.answered", by, row, at)


def _decided_in(row: Visit, by: Actor, at: datetime) -> uuid.UUID | None:
    """A case of the visit that was decided while she was here: the first of them."""
    on = at.astimezone(CITY_TIME).date()
    for link in VisitCase.objects.filter(visit=row).order_by("id"):
        with over_the_wall():
            view = cases.get_case(link.case, actor=acting_for(row, by), on=on)
        ended = view.ended_at
        rated = cases.get_matter(view.matter_id).is_rated
        if rated and view.state in DECIDED and ended and row.called_at and ended >= row.called_at:
            return link.case
    return None


@transaction.atomic
def at_the_counter(visit_id: uuid.UUID, by: Actor) -> Actor:
    """The officer with the right to see and apply for who stands before her, for as long as she
    does. Raises VisitNotFound, BadVisit (not hers, ended, nobody identified)."""
    return acting_for(own_visit(visit_id, by), by)


def acting_for(row: Visit, by: Actor) -> Actor:
    """The officer with the right to apply for who stands before her, for as long as she does; she
    stays herself in every record. Raises BadVisit unless it is known who stands here."""
    if not (row.trader_code and row.identified_by):
        raise BadVisit("还没有核对是哪家店。处理办法：先扫企业码，或者看经营者的身份证件。")
    codes = {row.trader_code}
    owned = list_owned(row.account_id) if row.account_id else []
    if row.trader_code in owned:  # her openings keep the code that stood in for a shop
        codes |= {code for code in owned if is_provisional(code)}
    return replace(
        by,
        own=frozenset(codes),
        authorised=frozenset((code, right) for code in codes for right in Purpose),
    )


def own_visit(visit_id: uuid.UUID, by: Actor) -> Visit:
    """An open visit the officer owns, for this transaction alone. Raises VisitNotFound, BadVisit."""
    if not visible_visits(by).filter(pk=visit_id).exists():
        raise VisitNotFound
    row = Visit.objects.select_for_update().get(pk=visit_id)
    if row.ended_at is not None:
        raise BadVisit("这次接待已经结束。处理办法：再来要另取一个号。")
    if str(row.owner_id) != by.account_id:
        raise BadVisit("这个问题由首问责任人办。处理办法：请他移交，接手以后再办。")
    return row


def _link(row: Visit, case: uuid.UUID, on_behalf: bool, by: Actor, at: datetime) -> None:
    VisitCase.objects.get_or_create(
        visit=row, case=case, defaults={"on_behalf": on_behalf, "at": at, "by_id": by.account_id}
    )
    kind = "visit.case_opened_on_behalf" if on_behalf else "visit.case_continued"
    _log(kind, by, row, at, case=str(case))


def _log(kind: str, by: Actor, row: Visit, at: datetime, **body: str) -> None:
    audit.record(
        AuditEvent(
            kind=kind,
            actor=f"account:{by.account_id}",
            object=f"visit:{row.pk}",
            at=at,
            body={**body, "office": row.office_id},
        )
    )
