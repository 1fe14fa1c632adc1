"""One problem told several times is answered once, and everybody is told."""

import uuid
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.support.contracts import OPEN, Event, IllegalMove, NotAllowed, Side, State
from getihu.support.models import Appeal
from getihu.support.services.rights import office_row
from getihu.support.services.steps import move, note


@transaction.atomic
def join(appeal_id: uuid.UUID, main_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Join an appeal to another one of the same office that it is the same as: decided by a person.
    From now on it goes where that one goes, and is answered with it; its own clock runs on. Raises
    IllegalMove, NotAllowed."""
    row, main = office_row(appeal_id, by), office_row(main_id, by)
    if row.pk == main.pk or main.joined_to_id or Appeal.objects.filter(joined_to=row).exists():
        raise IllegalMove("并到最早的那一件上。处理办法：打开那一件，从它那里并。")
    if row.state not in OPEN or main.state not in OPEN or row.joined_to_id:
        raise IllegalMove("两件都要还在办。")
    if row.barred != main.barred or row.about_account_id != main.about_account_id:
        raise NotAllowed("涉及机关或者工作人员的诉求，只能和投诉同一个机关的并办。")
    with over_the_wall():
        row.joined_to = main
        _follow(row, main, by, at)


def _follow(row: Appeal, main: Appeal, by: Actor, at: datetime) -> None:
    """Bring an appeal to where the main one is."""
    row.subject, row.subject_by_id, row.place = main.subject, main.subject_by_id, main.place
    row.agency, row.division, row.owner_id = main.agency, main.division, main.owner_id
    row.gap_reason = main.gap_reason
    side = Side.LEAD if row.state == State.GAP else Side.OFFICE
    if row.state == main.state:
        row.save()
    elif main.state == State.RECEIVED:
        raise IllegalMove("先把先收到的那一件分类交办，再并。")
    else:
        event = {State.ASSIGNED: Event.ASSIGNED, State.GAP: Event.GAP}.get(State(main.state))
        if event is None:
            raise IllegalMove("那一件正在转办，接办以后再并。")
        move(
            row, State(main.state), event, side=side, by=by, at=at, reason=f"和 {main.number} 一起"
        )
    note(row, Event.JOINED, side=Side.OFFICE, by=by, at=at, reason=main.number)
