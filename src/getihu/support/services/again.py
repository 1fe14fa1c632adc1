"""A linked appeal that goes on where another one ended."""

import secrets
from datetime import datetime

from getihu.accounts.contracts import Actor
from getihu.evaluations import selectors as evaluations
from getihu.support.appeals.routes import office_of
from getihu.support.appeals.subjects import clocks_of
from getihu.support.contracts import BadAppeal, Event, Filed, Side
from getihu.support.models import Appeal, AppealContact
from getihu.support.services.steps import give_to, note, start_clock
from getihu.support.services.telling import tell_of_office

LONGEST = 1000


def file_again(row: Appeal, reason: str, contact: str, *, by: Actor, at: datetime) -> Filed:
    """The same problem, told again: it starts at the office that answered, known as a second time.
    Raises BadAppeal."""
    if len(reason) > LONGEST:
        raise BadAppeal(f"最多 {LONGEST} 个字。处理办法：写短一点再交。")
    code = evaluations.fresh_code()
    again = Appeal(
        number=f"S-{secrets.token_hex(4).upper()}",
        channel=row.channel,
        text=f"{reason}\n（接 {row.number}：{row.text[:500]}）",
        place_text=row.place_text,
        place=row.place,
        trader_code=row.trader_code,
        is_anonymous=row.is_anonymous,
        complainant_id=row.complainant_id,
        code_digest=evaluations.digest_of(evaluations.read_code(code) or ""),
        suggested=[[row.subject, 1.0]] if row.subject else row.suggested,
        barred=row.barred,
        about_account_id=row.about_account_id,
        received_at=at,
        continues=row,
    )
    give_to(again, office_of(row.agency, row.division), at)
    again.save(force_insert=True)
    if contact:
        AppealContact.objects.create(appeal=again, value=contact)
    person = None if row.is_anonymous else by
    event = note(again, Event.RECEIVED, side=Side.COMPLAINANT, by=person, at=at)
    tell_of_office(again, start_clock(again, "answer", clocks_of("").answer, at), event, at)
    return Filed(str(again.pk), again.number, code)
