"""The states of a case and the moves between them: one table for every matter.

The table is also in the database (``cases_allowed_move``), where a trigger refuses every other
move, whoever writes. A state without a way out is final: a case that ended is not opened again, a
new one refers to it.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    CORRECTION = "correction"
    ACCEPTED = "accepted"
    GRANTED = "granted"
    REFUSED = "refused"
    NOT_ACCEPTED = "not_accepted"
    WITHDRAWN = "withdrawn"
    DISCARDED = "discarded"


STATE_LABELS = {
    State.DRAFT: "草稿",
    State.SUBMITTED: "已提交，待受理",
    State.CORRECTION: "等您补材料",
    State.ACCEPTED: "已受理，办理中",
    State.GRANTED: "已办结",
    State.REFUSED: "不予办理",
    State.NOT_ACCEPTED: "不予受理",
    State.WITHDRAWN: "已撤回",
    State.DISCARDED: "草稿已删除",
}


class Side(StrEnum):
    """Who may make a move."""

    APPLICANT = "applicant"  # 申请人
    AGENCY = "agency"  # 承办机关
    LAW = "law"  # 期限届满，依法视为


@dataclass(frozen=True)
class Move:
    """One allowed move. ``needs_reason``: a written reason with its article is part of it."""

    before: State
    after: State
    by: frozenset[Side]
    label: str
    needs_reason: bool = False


_APPLICANT, _AGENCY = frozenset({Side.APPLICANT}), frozenset({Side.AGENCY})
_AGENCY_OR_LAW = frozenset({Side.AGENCY, Side.LAW})

MOVES = (
    Move(State.DRAFT, State.SUBMITTED, _APPLICANT, "提交"),
    Move(State.DRAFT, State.DISCARDED, _APPLICANT, "删除草稿"),
    Move(State.SUBMITTED, State.CORRECTION, _AGENCY, "一次告知补正"),
    Move(State.SUBMITTED, State.ACCEPTED, _AGENCY_OR_LAW, "受理"),
    Move(State.SUBMITTED, State.NOT_ACCEPTED, _AGENCY, "不予受理", needs_reason=True),
    Move(State.SUBMITTED, State.WITHDRAWN, _APPLICANT, "撤回"),
    Move(State.CORRECTION, State.SUBMITTED, _APPLICANT, "补齐材料"),
    Move(State.CORRECTION, State.WITHDRAWN, _APPLICANT, "撤回"),
    Move(State.ACCEPTED, State.GRANTED, _AGENCY_OR_LAW, "准予"),
    Move(State.ACCEPTED, State.REFUSED, _AGENCY, "不予准许", needs_reason=True),
    Move(State.ACCEPTED, State.WITHDRAWN, _APPLICANT, "撤回"),
)
_BY_ENDS = {(move.before, move.after): move for move in MOVES}
FINAL = frozenset(State) - {move.before for move in MOVES}


def find_move(before: State, after: State) -> Move | None:
    """The move between two states; None when there is none."""
    return _BY_ENDS.get((before, after))


def moves_from(state: State, side: Side) -> tuple[Move, ...]:
    """What one side can do with a case now."""
    return tuple(move for move in MOVES if move.before is state and side in move.by)
