"""What is told of an appeal: in the same transaction, once, while it is true."""

import uuid
from datetime import date, datetime

from getihu.accounts.selectors import list_officers, list_operators
from getihu.cases.selectors import DESK_ROLES, term_words
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.support.appeals.routes import office_of
from getihu.support.models import Appeal, AppealClock, AppealEvent

HERS = (Channel.IN_APP, Channel.SMS)


def tell_her(row: Appeal, template: str, event: AppealEvent, at: datetime, **values: str) -> None:
    """Tell whoever told the problem. Who left no account reads it by her code, or is called."""
    for person in _hers(row):
        notifications.queue(
            NoticeRequest(
                obligation=f"appeal:{row.pk}",
                stage=f"{template} {event.pk}",
                recipient=person,
                template_id=template,
                values={"number": row.number, **values},
                channels=HERS if template in _BY_PHONE else (Channel.IN_APP,),
                guard="appeal_is",
                guard_argument=f"{row.pk} {row.state}",
            ),
            at=at,
        )


_BY_PHONE = ("appeal.with_office", "appeal.answered")


def tell_of_office(row: Appeal, clock: AppealClock, event: AppealEvent, at: datetime) -> None:
    """Who has it now, until when, by what; and the owner that it is hers."""
    article = term_words(clock.term_id)[1]
    office = office_of(row.agency, row.division).name
    tell_her(
        row, "appeal.with_office", event, at,
        office=office, due=day_words(clock.due_on), article=article,
    )  # fmt: skip
    tell_owner(row, "appeal.to_handle", clock, at, stage=f"handle {event.pk}")


def tell_owner(row: Appeal, template: str, clock: AppealClock, at: datetime, *, stage: str) -> None:
    notifications.queue(
        NoticeRequest(
            obligation=f"appeal:{row.pk}",
            stage=stage,
            recipient=row.owner_id,
            template_id=template,
            values={
                "number": row.number,
                "due": day_words(clock.due_on),
                "article": term_words(clock.term_id)[1],
            },
            guard="appeal_is",
            guard_argument=f"{row.pk} {row.state}",
        ),
        at=at,
    )


def tell_joint(row: Appeal, agency: str, division: str, at: datetime) -> None:
    people = {o for role in DESK_ROLES for o in list_officers(role, agency, division, at)}
    for person in sorted(people):
        notifications.queue(
            NoticeRequest(
                obligation=f"appeal:{row.pk}",
                stage=f"joint {agency} {division}",
                recipient=person,
                template_id="appeal.joint",
                values={"number": row.number, "office": office_of(row.agency, row.division).name},
            ),
            at=at,
        )


def _hers(row: Appeal) -> list[uuid.UUID]:
    if row.complainant_id:
        return [row.complainant_id]
    if row.trader_code:
        return list_operators([row.trader_code]).get(row.trader_code, [])
    return []


def day_words(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"
