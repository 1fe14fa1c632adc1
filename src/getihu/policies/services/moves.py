"""One move of an award: the state, the money, the note and the log, in the caller's transaction."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import F

from getihu.accounts.contracts import Actor
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.kernel.errors import GetihuError
from getihu.policies.machine import RESERVED, AwardState, Side, find_move
from getihu.policies.models import Award, AwardMove, Budget, LedgerEntry
from getihu.policies.selectors.awards import visible_awards

JOB = "job:awards"
_LEFT = F("total_cents") - F("reserved_cents") - F("ordered_cents") - F("paid_cents")


class IllegalMove(GetihuError):
    """The award is in a state in which this cannot happen."""


class BudgetEmpty(GetihuError):
    """There is not enough money left."""


def account_of(state: AwardState) -> str:
    """The account of the budget in which an award's money lies in a state."""
    if state in RESERVED:
        return "reserved"
    if state is AwardState.ORDERED:
        return "ordered"
    if state in (AwardState.PAID, AwardState.RECONCILED):
        return "paid"
    return "left"


def move_money(
    budget_id: int, source: str, target: str, cents: int, *, award: Award | None, at: datetime
) -> None:
    """Move cents between accounts of a budget and note it. Raises BudgetEmpty when the source has
    less."""
    if source == target:
        return
    move_total(budget_id, source, target, cents)
    LedgerEntry.objects.create(
        budget_id=budget_id, award=award, source=source, target=target, cents=cents, at=at
    )


def move_award(
    award: Award,
    after: AwardState,
    *,
    side: Side,
    by: Actor | None,
    at: datetime,
    reason: str = "",
    article: str = "",
) -> None:
    """Make one move of the table with its money. Raises IllegalMove, BudgetEmpty."""
    before = AwardState(award.state)
    move = find_move(before, after, side)
    if move is None or (side is not Side.MACHINE and by is None):
        raise IllegalMove("这笔兑付现在的状态不能这样办。处理办法：刷新页面，看现在到哪一步。")
    if move.needs_reason and not (reason.strip() and article.strip()):
        raise IllegalMove(f"“{move.label}”要写明理由和依据的条款。")
    changed = Award.objects.filter(pk=award.pk, state=before.value).update(state=after.value)
    if not changed:
        raise IllegalMove("刚刚有人办过这一步。处理办法：刷新页面。")
    award.state = after.value
    money = (account_of(before), account_of(after))
    move_money(award.budget_id, *money, award.cents, award=award, at=at)
    note_moves([award], before.value, side=side, by=by, at=at, reason=reason, article=article)


def note_moves(
    awards: Iterable[Award],
    before: str,
    *,
    side: Side,
    by: Actor | None,
    at: datetime,
    reason: str = "",
    article: str = "",
) -> None:
    """Write down that awards have moved, and tell the log."""
    awards = list(awards)
    AwardMove.objects.bulk_create(
        [
            AwardMove(
                award=award,
                before=before,
                after=award.state,
                side=side.value,
                by_id=by.account_id if by else None,
                at=at,
                reason=reason,
                article=article,
            )
            for award in awards
        ],
        batch_size=500,
    )
    audit.record_all(
        AuditEvent(
            f"award.{award.state}",
            f"account:{by.account_id}" if by else JOB,
            f"award:{award.pk}",
            at,
            {
                "before": before,
                "cents": award.cents,
                "run": str(award.run_id),
                "slip_sha256": award.slip_sha256,
                "article": article,
            },
        )
        for award in awards
    )


def locked(award_id: uuid.UUID | str) -> Award:
    """The award, held until the transaction ends. Raises IllegalMove when there is none."""
    found = Award.objects.select_for_update().filter(pk=award_id).first()
    if found is None:
        raise IllegalMove("没有这笔兑付。处理办法：核对编号。")
    return found


def in_reach(award_id: uuid.UUID | str, by: Actor) -> Award:
    """The award, held until the transaction ends, when it is hers or of a place her office reaches.
    Raises IllegalMove as for one that is not there."""
    if not visible_awards(by).filter(pk=award_id).exists():
        raise IllegalMove("没有这笔兑付。处理办法：核对编号。")
    return locked(award_id)


def move_many(
    awards: list[Award],
    after: AwardState,
    *,
    side: Side,
    by: Actor | None,
    at: datetime,
) -> int:
    """Several awards of one state and one budget with few statements; returns how many moved.

    Who moved meanwhile is left alone. Call it in a transaction that holds the awards.
    """
    if not awards:
        return 0
    before = AwardState(awards[0].state)
    if find_move(before, after, side) is None:
        raise IllegalMove("这一步不在流程里。")
    ids = [award.pk for award in awards]
    moved = Award.objects.filter(pk__in=ids, state=before.value).update(state=after.value)
    if moved != len(awards):
        raise IllegalMove("刚刚有人办过其中一笔。处理办法：再运行一次。")
    money = (account_of(before), account_of(after))
    if money[0] != money[1]:
        cents = sum(award.cents for award in awards)
        move_total(awards[0].budget_id, *money, cents)
        LedgerEntry.objects.bulk_create(
            [
                LedgerEntry(
                    budget_id=award.budget_id,
                    award=award,
                    source=money[0],
                    target=money[1],
                    cents=award.cents,
                    at=at,
                )
                for award in awards
            ],
            batch_size=500,
        )
    for award in awards:
        award.state = after.value
    note_moves(awards, before.value, side=side, by=by, at=at)
    return moved


def move_total(budget_id: int, source: str, target: str, cents: int) -> None:
    """The sum of several awards between accounts; their entries are the caller's. Raises
    BudgetEmpty: the update names its condition, and the database holds the same as a constraint."""
    wanted = Budget.objects.filter(pk=budget_id)
    if source == "left":
        wanted = wanted.annotate(left=_LEFT).filter(left__gte=cents)
    else:
        wanted = wanted.filter(**{f"{source}_cents__gte": cents})
    changed = {
        f"{name}_cents": F(f"{name}_cents") + sign * cents
        for name, sign in ((source, -1), (target, 1))
        if name != "left"
    }
    if not wanted.update(**changed):
        raise BudgetEmpty("预算里剩下的钱不够。")
