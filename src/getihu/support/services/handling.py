"""What an office does: decide what it is about, pass on, ask others, extend, answer, hand over."""

import uuid
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.cases.selectors import read_term
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference
from getihu.support.appeals.routes import (
    Competent,
    Gap,
    Office,
    office_of,
)
from getihu.support.appeals.subjects import clocks_of
from getihu.support.contracts import (
    OPEN,
    BadAppeal,
    Event,
    IllegalMove,
    NotAllowed,
    Side,
    State,
)
from getihu.support.models import Appeal, AppealClock, JointHandler
from getihu.support.selectors.handling import competent_for, is_head, takers_of
from getihu.support.selectors.lines import office_in_line
from getihu.support.selectors.reads import day_of, handles, running_clock
from getihu.support.services.rights import lead_row, locked, office_row
from getihu.support.services.steps import (
    CONFIRM_TERM,
    SETTLE_TERM,
    give_to,
    move,
    note,
    settling_office,
    start_clock,
)
from getihu.support.services.telling import (
    day_words,
    tell_her,
    tell_joint,
    tell_of_office,
    tell_owner,
)

LONGEST = 2000


@transaction.atomic
def assign(
    appeal_id: uuid.UUID, subject_id: str, *, place: str = "", by: Actor, at: datetime
) -> Competent | Gap:
    """Decide what an appeal is about; where it goes follows from that. ``place`` corrects a place
    the words did not settle. Its clock runs on from receipt. Raises AppealNotFound, NotAllowed,
    IllegalMove, BadAppeal, UnknownSubject, NobodyInCharge."""
    row = office_row(appeal_id, by)
    _must_be(row, State.RECEIVED)
    _place(row, place)
    row.subject, row.subject_by_id = subject_id, uuid.UUID(by.account_id)
    found = competent_for(row, subject_id, day_of(at))
    _everybody(row, lambda each: _assign_one(each, row, found, by, at))
    return found


def _assign_one(row: Appeal, main: Appeal, found: Competent | Gap, by: Actor, at: datetime) -> None:
    row.subject, row.subject_by_id, row.place = main.subject, main.subject_by_id, main.place
    if isinstance(found, Gap):
        _to_gap(row, found.reason, by, at)
        return
    give_to(row, found.office, at)
    event = move(
        row, State.ASSIGNED, Event.ASSIGNED, side=Side.OFFICE, by=by, at=at,
        reason=found.note, article=found.ground,
    )  # fmt: skip
    clock = _clock_of_subject(row, at)
    tell_of_office(row, clock, event, at)


def _clock_of_subject(row: Appeal, at: datetime) -> AppealClock:
    """The clock of the subject, counted from receipt; the running one where it is the same."""
    clocks = clocks_of(row.subject)
    step, term = ("accept", clocks.accept) if clocks.accept else ("answer", clocks.answer)
    running = running_clock(row)
    if running and (running.step, running.term_id) == (step, term):
        return running
    started = row.received_at if running is None or running.step != "settle" else at
    return start_clock(row, step, term, started)


def _to_gap(row: Appeal, reason: str, by: Actor, at: datetime) -> None:
    row.gap_reason = reason.strip()[:200]
    office = settling_office(row)
    give_to(row, office, at)
    event = move(row, State.GAP, Event.GAP, side=Side.OFFICE, by=by, at=at, reason=reason)
    clock = start_clock(row, "settle", SETTLE_TERM, at)
    tell_her(
        row, "appeal.gap", event, at,
        reason=row.gap_reason, office=office.name, due=day_words(clock.due_on),
    )  # fmt: skip
    tell_owner(row, "appeal.to_handle", clock, at, stage=f"handle {event.pk}")


@transaction.atomic
def pass_on(
    appeal_id: uuid.UUID,
    subject_id: str,
    *,
    reason: str,
    place: str = "",
    by: Actor,
    at: datetime,
) -> Competent:
    """Not ours, and whose it is: by the subject it really is about, or the place where it really is.
    The file goes along, the clock runs on. Raises IllegalMove where the data name no other office:
    then it can only be taken to the joint conference's office (``dispute``)."""
    row = office_row(appeal_id, by)
    _place(row, place)
    _must_be(row, State.ASSIGNED)
    found = competent_for(row, subject_id, day_of(at))
    if isinstance(found, Gap):
        raise IllegalMove(
            f"说不出归谁：{found.reason}。处理办法：提请联席会议办公室明确，不能退给诉求人。"
        )
    if (found.office.agency, found.office.division) == (row.agency, row.division):
        raise IllegalMove("按事项和地点，主管部门就是您的机关。处理办法：改正事项或者地点再转。")
    if not reason.strip():
        raise IllegalMove("转办要写明理由，诉求人看得到。")
    row.subject, row.subject_by_id = subject_id, uuid.UUID(by.account_id)
    _everybody(row, lambda each: _pass_one(each, row, found, reason, by, at))
    return found


def _pass_one(
    row: Appeal, main: Appeal, found: Competent, reason: str, by: Actor, at: datetime
) -> None:
    row.subject, row.subject_by_id, row.place = main.subject, main.subject_by_id, main.place
    give_to(row, found.office, at)
    event = move(
        row, State.PASSED_ON, Event.PASSED_ON, side=Side.OFFICE, by=by, at=at,
        reason=reason, article=found.ground,
    )  # fmt: skip
    tell_of_office(row, _clock_of_subject(row, at), event, at)


@transaction.atomic
def take(appeal_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Take over what was passed on: hers from now on."""
    row = office_row(appeal_id, by)
    _must_be(row, State.PASSED_ON)

    def one(each: Appeal) -> None:
        each.owner_id = uuid.UUID(by.account_id)
        move(each, State.ASSIGNED, Event.TAKEN, side=Side.OFFICE, by=by, at=at)

    _everybody(row, one)


@transaction.atomic
def dispute(appeal_id: uuid.UUID, *, reason: str, by: Actor, at: datetime) -> None:
    """Not ours, and the data say nobody else's: the joint conference's office settles it."""
    row = office_row(appeal_id, by)
    _must_be(row, State.ASSIGNED, State.PASSED_ON)
    if not reason.strip():
        raise IllegalMove("要写明为什么不归本机关，诉求人看得到。")
    _everybody(row, lambda each: _to_gap(each, reason, by, at))


@transaction.atomic
def settle(
    appeal_id: uuid.UUID, agency: str, division: str, *, reason: str, by: Actor, at: datetime
) -> None:
    """The joint conference's office says who: that office cannot say no again."""
    row = lead_row(appeal_id, by)
    office = _known_office(agency, division)
    if not row.subject:
        raise IllegalMove("先定这件诉求是哪一类。")
    _keep_out_of_line(row, office)

    def one(each: Appeal) -> None:
        give_to(each, office, at)
        event = move(
            each, State.ASSIGNED, Event.SETTLED, side=Side.LEAD, by=by, at=at, reason=reason
        )
        tell_of_office(each, _clock_of_subject(each, at), event, at)

    _everybody(row, one)


@transaction.atomic
def accept(appeal_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Take a complaint in hand, where the law gives that a term of its own."""
    row = office_row(appeal_id, by)
    clock = running_clock(row)
    if row.state != State.ASSIGNED or clock is None or clock.step != "accept":
        raise IllegalMove("这件诉求不用先受理，或者已经受理。")

    def one(each: Appeal) -> None:
        start_clock(each, "answer", clocks_of(each.subject).answer, at)
        note(each, Event.ACCEPTED, side=Side.OFFICE, by=by, at=at)

    _everybody(row, one)


@transaction.atomic
def ask_jointly(
    appeal_id: uuid.UUID, agency: str, division: str, *, by: Actor, at: datetime
) -> None:
    """Ask another office to help; the appeal stays with the one that has it."""
    row = office_row(appeal_id, by)
    office = _known_office(agency, division)
    _must_be_open(row)
    _keep_out_of_line(row, office)
    if (agency, division) == (row.agency, row.division):
        raise BadAppeal("协办的要是别的机关。")
    _, made = JointHandler.objects.get_or_create(
        appeal=row, agency=agency, division=division, defaults={"asked_at": at}
    )
    if made:
        note(row, Event.ASKED_JOINTLY, side=Side.OFFICE, by=by, at=at, reason=office.name)
        tell_joint(row, agency, division, at)


@transaction.atomic
def give_opinion(appeal_id: uuid.UUID, *, opinion: str, by: Actor, at: datetime) -> None:
    """What a helping office says, for the office that answers."""
    row = locked(appeal_id, by)
    _must_be_open(row)
    asked = JointHandler.objects.select_for_update().filter(appeal=row, given_at=None)
    hers = next((j for j in asked if handles(by, j.agency, j.division)), None)
    if hers is None:
        raise NotAllowed("没有请您的机关协办，或者已经给过意见。")
    if not opinion.strip():
        raise BadAppeal("要写协办意见。")
    hers.given_at = at
    hers.save(update_fields=["given_at"])
    name = office_of(hers.agency, hers.division).name
    note(row, Event.OPINION, side=Side.OFFICE, by=by, at=at, reason=f"{name}：{opinion.strip()}")


@transaction.atomic
def extend(appeal_id: uuid.UUID, *, reason: str, by: Actor, at: datetime) -> None:
    """Lengthen the running term once, before it is over, with a reason she sees; by the head."""
    row = office_row(appeal_id, by)
    clock = running_clock(row)
    if clock is None or row.state not in OPEN:
        raise IllegalMove("现在没有可以延期的期限。")
    if not is_head(by, row.agency, row.division):
        raise NotAllowed("延期要由承办机关的负责人批准。")
    if clock.extended_on is not None:
        raise IllegalMove("已经延期过一次。")
    if not reason.strip():
        raise IllegalMove("延期要写明理由，诉求人看得到。")
    told = reason.strip()[:500]
    try:
        term = read_term(clock.term_id, clock.started_on, day_of(at), (day_of(at), told))
    except GetihuError as error:
        raise IllegalMove(str(error)) from None

    def one(each: Appeal) -> None:
        running = running_clock(each)
        if running is None or running.extended_on is not None or running.term_id != clock.term_id:
            return
        running.extended_on, running.extension_reason = day_of(at), told
        running.due_on, running.is_provisional = term.due_on, term.is_provisional
        running.save()
        event = note(each, Event.EXTENDED, side=Side.OFFICE, by=by, at=at, reason=told)
        tell_her(each, "appeal.extended", event, at, due=day_words(term.due_on), reason=told)

    _everybody(row, one)


@transaction.atomic
def answer(appeal_id: uuid.UUID, text: str, *, by: Actor, at: datetime) -> None:
    """Answer an appeal and all that were joined to it. It is closed only by her, or by time."""
    row = locked(appeal_id, by)
    said = text.strip()
    if not 4 <= len(said) <= LONGEST:
        raise BadAppeal(f"答复要写清楚怎么解决，或者为什么不能，4 到 {LONGEST} 个字。")
    clock = running_clock(row)
    if clock is not None and clock.step == "accept":
        raise IllegalMove("先受理，再答复。")
    if row.joined_to_id:
        raise IllegalMove("这件和另一件并办，在那一件里一起答复。")
    side = Side.LEAD if row.state == State.GAP else Side.OFFICE
    if side is Side.OFFICE:
        office_row(appeal_id, by)
    else:
        lead_row(appeal_id, by)

    def one(each: Appeal) -> None:
        each.answer, each.answered_at = said, at
        each.answered_by_id = uuid.UUID(by.account_id)
        event = move(each, State.ANSWERED, Event.ANSWERED, side=side, by=by, at=at)
        confirm = start_clock(each, "confirm", CONFIRM_TERM, at)
        tell_her(each, "appeal.answered", event, at, due=day_words(confirm.due_on))

    _everybody(row, one)


@transaction.atomic
def hand_over(appeal_id: uuid.UUID, to: uuid.UUID, *, reason: str, by: Actor, at: datetime) -> None:
    """Give an appeal with its whole file to a colleague of the office."""
    row = office_row(appeal_id, by)
    if row.state not in OPEN and row.state != State.ANSWERED:
        raise IllegalMove("已经办结的不用移交。")
    if str(to) not in {person for person, _ in takers_of(row, at)}:
        raise NotAllowed("接手人不在这个机关，或者不管这个地区。处理办法：从列出的人里选。")
    if not reason.strip():
        raise IllegalMove("移交要写明原因，接手的人才知道办到哪里了。")
    row.owner_id = to
    row.save(update_fields=["owner"])
    note(row, Event.HANDED_OVER, side=Side.OFFICE, by=by, at=at, reason=reason)
    clock = running_clock(row)
    if clock is not None:
        tell_owner(row, "appeal.to_handle", clock, at, stage=f"over {at:%Y%m%dT%H%M%S%f}")


def _everybody(row: Appeal, do: Callable[[Appeal], None]) -> None:
    """Do the same to an appeal and to those joined to it that are still open."""
    with over_the_wall():  # where it goes, and whose it is joined with, may lie beyond her reach
        do(row)
        for each in Appeal.objects.select_for_update(of=("self",)).filter(
            joined_to=row, ended_at=None, answered_at=None
        ):
            do(each)


def _place(row: Appeal, place: str) -> None:
    if not place:
        return
    counties = {county.code for county in reference.list_counties()}
    if reference.get_town(place) is None and place not in counties:
        raise BadAppeal("没有这个地方。处理办法：从列表里选镇街或者县（市、区）。")
    row.place = place


def _known_office(agency: str, division: str) -> Office:
    known = {each.code for each in reference.list_departments()} | {"town"}
    over = {c.code for c in reference.list_counties()} | {reference.WENZHOU}
    if agency not in known or (division not in over and reference.get_town(division) is None):
        raise BadAppeal("没有这个机关。处理办法：从列表里选。")
    return office_of(agency, division)


def _keep_out_of_line(row: Appeal, office: Office) -> None:
    if office_in_line(row.barred, office.agency, office.division):
        raise NotAllowed("这件诉求涉及这个机关，不能交给它（信访工作条例第三十条）。")


def _must_be(row: Appeal, *states: State) -> None:
    if row.joined_to_id:
        raise IllegalMove("这件和另一件并办，在那一件里办。")
    if row.state not in states:
        raise IllegalMove("这件诉求现在的状态不能这样办。处理办法：刷新页面，看现在到了哪一步。")


def _must_be_open(row: Appeal) -> None:
    if row.state not in OPEN:
        raise IllegalMove("已经答复或者办结了。")
