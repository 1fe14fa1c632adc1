"""The states of an appeal (诉求) and the moves between them.

The table is also in the database (``support_allowed_move``), where a trigger refuses every other
move, whoever writes. What ended is not opened again: a new appeal continues it.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    RECEIVED = "received"
    ASSIGNED = "assigned"
    PASSED_ON = "passed_on"
    GAP = "gap"
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"


STATE_LABELS = {
    State.RECEIVED: "已收到，待分类交办",
    State.ASSIGNED: "已交办，办理中",
    State.PASSED_ON: "已转办，待接办",
    State.GAP: "没有主管部门，待联席会议明确",
    State.ANSWERED: "已答复，等您确认",
    State.CLOSED: "已办结",
    State.REOPENED: "没有解决，已重新提出",
    State.WITHDRAWN: "已撤回",
}


class Side(StrEnum):
    """Who may make a move."""

    COMPLAINANT = "complainant"  # 诉求人
    OFFICE = "office"  # 现在承办的机关
    LEAD = "lead"  # 联席会议办公室
    LAW = "law"  # 期限届满


@dataclass(frozen=True)
class Move:
    """One allowed move. ``needs_reason``: a written reason is part of it."""

    before: State
    after: State
    by: frozenset[Side]
    needs_reason: bool = False


_HERS, _OFFICE, _LEAD = (frozenset({side}) for side in (Side.COMPLAINANT, Side.OFFICE, Side.LEAD))
MOVES = (
    Move(State.RECEIVED, State.ASSIGNED, _OFFICE),
    Move(State.RECEIVED, State.GAP, _OFFICE, needs_reason=True),
    Move(State.RECEIVED, State.WITHDRAWN, _HERS),
    Move(State.ASSIGNED, State.PASSED_ON, _OFFICE, needs_reason=True),
    Move(State.ASSIGNED, State.GAP, _OFFICE, needs_reason=True),
    Move(State.ASSIGNED, State.ANSWERED, _OFFICE),
    Move(State.ASSIGNED, State.WITHDRAWN, _HERS),
    Move(State.PASSED_ON, State.ASSIGNED, _OFFICE),
    Move(State.PASSED_ON, State.GAP, _OFFICE, needs_reason=True),
    Move(State.PASSED_ON, State.WITHDRAWN, _HERS),
    Move(State.GAP, State.ASSIGNED, _LEAD, needs_reason=True),
    Move(State.GAP, State.ANSWERED, _LEAD),
    Move(State.GAP, State.WITHDRAWN, _HERS),
    Move(State.ANSWERED, State.CLOSED, frozenset({Side.COMPLAINANT, Side.LAW})),
    Move(State.ANSWERED, State.REOPENED, _HERS, needs_reason=True),
)
_BY_ENDS = {(move.before, move.after): move for move in MOVES}
FINAL = frozenset(State) - {move.before for move in MOVES}
# Something is still to be done by an office.
OPEN = frozenset({State.RECEIVED, State.ASSIGNED, State.PASSED_ON, State.GAP})


def find_move(before: State, after: State) -> Move | None:
    """The move between two states; None when there is none."""
    return _BY_ENDS.get((before, after))
