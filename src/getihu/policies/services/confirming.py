"""What a trader says to an award: yes with an account, no, or yes after all."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from getihu.accounts.contracts import Actor
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.policies.machine import AwardState, Side
from getihu.policies.models import Award, PayeeAccount
from getihu.policies.programmes import get_programme
from getihu.policies.selectors import consents_needed
from getihu.policies.services.moves import IllegalMove, in_reach, move_award
from getihu.policies.services.payees import keep_account
from getihu.policies.services.rechecking import recheck
from getihu.policies.services.rights import NotAllowed
from getihu.policies.services.telling import tell_moved

NOT_HERS = "这不是您的店，也没有授权您代办。处理办法：请经营者本人办，或者授权您。"


class ConsentMissing(IllegalMove):
    """Something of hers may be used only with her own consent, which she has not given."""


def confirm(
    award_id: uuid.UUID | str,
    *,
    number: str = "",
    bank: str = "",
    consents: Collection[str],
    by: Actor,
    at: datetime,
) -> Award:
    """The operator wants the money on an account: a new one, or the one in use. Decided again
    first: what has changed waits for a person, and is told.

    Raises: NotAllowed, IllegalMove, ConsentMissing, BadAccount.
    """
    with transaction.atomic():
        award = _hers(award_id, by)
        lacking = [words for key, words in consents_needed(award).items() if key not in consents]
        if lacking:
            raise ConsentMissing(f"还没有勾选：{'；'.join(lacking)}。处理办法：勾选以后再确认。")
        (checked,) = recheck(award.run, [award])
        if checked.why and award.state == AwardState.ENTITLED:
            move_award(
                award, AwardState.HELD, side=Side.MACHINE, by=None, at=at, reason=checked.why
            )
            tell_moved(get_programme(award.run.programme_id), award, at=at)
            return award
        if number:
            keep_account(award.trader_code, number=number, bank=bank, by=by, at=at)
        elif find_payee(award.trader_code) is None:
            raise IllegalMove("还没有收款账户。处理办法：填上账号和开户银行。")
        move_award(award, AwardState.CONFIRMED, side=Side.TRADER, by=by, at=at)
        audit.record(
            AuditEvent(
                "award.consented",
                f"account:{by.account_id}",
                f"award:{award.pk}",
                at,
                {"consents": sorted(consents)},
            )
        )
    return award


def decline(award_id: uuid.UUID | str, *, by: Actor, at: datetime) -> Award:
    """The operator does not want it; the money goes to who waits. Raises: NotAllowed, IllegalMove."""
    return _say(award_id, AwardState.DECLINED, by, at)


def change_mind(award_id: uuid.UUID | str, *, by: Actor, at: datetime) -> Award:
    """She wants it after all: back to her place in the queue. Raises: NotAllowed, IllegalMove."""
    return _say(award_id, AwardState.WAITING, by, at)


def find_payee(trader_code: str) -> PayeeAccount | None:
    return PayeeAccount.objects.filter(trader_code=trader_code, replaced_at=None).first()


def _say(award_id: uuid.UUID | str, after: AwardState, by: Actor, at: datetime) -> Award:
    with transaction.atomic():
        award = _hers(award_id, by)
        move_award(award, after, side=Side.TRADER, by=by, at=at)
    return award


def _hers(award_id: uuid.UUID | str, by: Actor) -> Award:
    """The award, held until the transaction ends. One of another's and one that is not there are
    told alike. Raises NotAllowed."""
    try:
        award = in_reach(award_id, by)
    except IllegalMove:
        raise NotAllowed(NOT_HERS) from None
    if not by.may_apply_for(award.trader_code):
        raise NotAllowed(NOT_HERS)
    return award
