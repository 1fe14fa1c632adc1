"""The states of an award and the moves between them.

The table is also in the database (``policies_allowed_move``), where a trigger refuses every other
move. The machine may give, only people take: every move that ends an award without payment is a
person's, the trader's own or a named officer's with a written reason.
"""

from dataclasses import dataclass
from enum import StrEnum


class AwardState(StrEnum):
    WAITING = "waiting"
    ENTITLED = "entitled"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"
    ORDERED = "ordered"
    PAID = "paid"
    RECONCILED = "reconciled"
    RETURNED = "returned"
    HELD = "held"
    DECLINED = "declined"
    ENDED = "ended"


IN_ACCOUNT = (AwardState.PAID.value, AwardState.RECONCILED.value)
AWARD_LABELS = {
    AwardState.WAITING: "排队等预算",
    AwardState.ENTITLED: "等您确认收款账户",
    AwardState.CONFIRMED: "已确认，等抽查",
    AwardState.CLEARED: "抽查通过，等拨付",
    AwardState.ORDERED: "已下达拨付",
    AwardState.PAID: "已到账，等对账",
    AwardState.RECONCILED: "已到账",
    AwardState.RETURNED: "银行退回，请改账户",
    AwardState.HELD: "条件有变化，等工作人员核实",
    AwardState.DECLINED: "您已放弃",
    AwardState.ENDED: "已终止",
}


class Side(StrEnum):
    """Who may make a move."""

    MACHINE = "machine"
    TRADER = "trader"
    PERSON = "person"  # a named officer


@dataclass(frozen=True)
class Move:
    before: AwardState
    after: AwardState
    by: Side
    label: str
    needs_reason: bool = False


_S, _M, _T, _P = AwardState, Side.MACHINE, Side.TRADER, Side.PERSON

MOVES = (
    Move(_S.WAITING, _S.ENTITLED, _M, "预算到位"),
    Move(_S.ENTITLED, _S.CONFIRMED, _T, "确认收款账户"),
    Move(_S.CONFIRMED, _S.CLEARED, _M, "抽查通过"),
    Move(_S.CLEARED, _S.ORDERED, _P, "下达拨付"),
    Move(_S.ORDERED, _S.PAID, _M, "银行回执：已付"),
    Move(_S.ORDERED, _S.RETURNED, _M, "银行回执：退回"),
    Move(_S.PAID, _S.RECONCILED, _M, "对账一致"),
    Move(_S.RETURNED, _S.CONFIRMED, _T, "改好收款账户"),
    # What a re-check finds changed waits for a person; it is no refusal.
    Move(_S.WAITING, _S.HELD, _M, "复核发现变化"),
    Move(_S.ENTITLED, _S.HELD, _M, "复核发现变化"),
    Move(_S.CONFIRMED, _S.HELD, _M, "复核发现变化"),
    Move(_S.CLEARED, _S.HELD, _M, "复核发现变化"),
    Move(_S.HELD, _S.ENTITLED, _P, "核实后恢复", needs_reason=True),
    Move(_S.HELD, _S.ENDED, _P, "终止", needs_reason=True),
    Move(_S.WAITING, _S.ENDED, _P, "终止", needs_reason=True),
    Move(_S.ENTITLED, _S.ENDED, _P, "终止", needs_reason=True),
    Move(_S.RETURNED, _S.ENDED, _P, "终止", needs_reason=True),
    Move(_S.WAITING, _S.DECLINED, _T, "放弃"),
    Move(_S.ENTITLED, _S.DECLINED, _T, "放弃"),
    Move(_S.CONFIRMED, _S.DECLINED, _T, "放弃"),
    Move(_S.DECLINED, _S.WAITING, _T, "改变主意，重新排队"),
    Move(_S.ENDED, _S.WAITING, _P, "复查后恢复排队", needs_reason=True),
)

# States in which the award's money is set aside in the budget's ``reserved``.
RESERVED = frozenset({_S.ENTITLED, _S.CONFIRMED, _S.CLEARED, _S.HELD, _S.RETURNED})
FIRST = frozenset({_S.WAITING, _S.ENTITLED})
PAID_OUT = frozenset({_S.PAID, _S.RECONCILED})
OPEN = frozenset(_S) - {_S.RECONCILED, _S.DECLINED, _S.ENDED}


def find_move(before: AwardState, after: AwardState, side: Side) -> Move | None:
    """The move of the table, when this side may make it; else None."""
    moves = (m for m in MOVES if (m.before, m.after, m.by) == (before, after, side))
    return next(moves, None)
