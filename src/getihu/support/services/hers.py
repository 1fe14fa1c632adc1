"""What she does herself, by her account or by the code: confirm, reopen, withdraw."""

import uuid
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.evaluations import services as evaluations
from getihu.evaluations.contracts import APPEAL
from getihu.support.contracts import Event, Filed, IllegalMove, Side, State
from getihu.support.models import Appeal, AppealContact
from getihu.support.selectors.reads import tidy
from getihu.support.services.again import file_again
from getihu.support.services.rights import her_row
from getihu.support.services.steps import move, stop_clock


@transaction.atomic
def confirm(
    appeal_id: uuid.UUID | None = None, *, code: str = "", by: Actor, at: datetime
) -> uuid.UUID:
    """It is solved, says who told it: closed, and open to be rated. Returns the appeal's id."""
    with over_the_wall():
        row = her_row(by, appeal_id, code)
        row.outcome = "confirmed"
        move(row, State.CLOSED, Event.CONFIRMED, side=Side.COMPLAINANT, by=by, at=at)
        stop_clock(row, at)
        open_rating(row, at)
    return row.pk


@transaction.atomic
def reopen(
    appeal_id: uuid.UUID | None = None,
    *,
    code: str = "",
    reason: str,
    by: Actor,
    at: datetime,
) -> Filed:
    """It is not solved: a new appeal that continues the old one, with its file and a code of its
    own. Once for each appeal. Raises AppealNotFound, IllegalMove, BadAppeal."""
    told = tidy(reason)
    if not told:
        raise IllegalMove("要写哪里没有解决，承办的人才知道。")
    with over_the_wall():
        row = her_row(by, appeal_id, code)
        if Appeal.objects.filter(continues=row).exists():
            raise IllegalMove("已经重新提出过了。处理办法：打开新的那一件。")
        if row.state not in (State.ANSWERED, State.CLOSED):
            raise IllegalMove("答复以后才能重新提出；还在办的可以看进度。")
        if row.state == State.ANSWERED:
            move(
                row, State.REOPENED, Event.REOPENED, side=Side.COMPLAINANT, by=by, at=at,
                reason=told,
            )  # fmt: skip
            stop_clock(row, at)
        contact = AppealContact.objects.filter(appeal=row).values_list("value", flat=True).first()
        return file_again(row, told, contact or "", by=by, at=at)


@transaction.atomic
def withdraw(
    appeal_id: uuid.UUID | None = None, *, code: str = "", by: Actor, at: datetime
) -> uuid.UUID:
    """Take it back before it is answered."""
    with over_the_wall():
        row = her_row(by, appeal_id, code)
        move(row, State.WITHDRAWN, Event.WITHDRAWN, side=Side.COMPLAINANT, by=by, at=at)
        stop_clock(row, at)
    return row.pk


def open_rating(row: Appeal, at: datetime) -> None:
    """Let a closed appeal be rated once (一事一评), apart from who told it."""
    evaluations.open_visit_rating(
        row.pk, number=row.number, agency=row.agency, division=row.division, at=at,
        about=APPEAL,
    )  # fmt: skip
