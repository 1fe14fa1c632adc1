"""What goes into and comes out of the ratings.

Five grades and the two that are bad: Zhejiang's rules of October 2019 (trust mark G). The text of
GB/T 39735-2020 could not be had (X); the codes 5 to 1 are those of the star field in a provincial
interface made after it. Its fields that name who applied, by whom it was handled and the serial
number of the case are left out on purpose: with them a rating leads back to the rater.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum


class Grade(IntEnum):
    """The five grades (五级评价); the number is what goes to other systems."""

    VERY_SATISFIED = 5
    SATISFIED = 4
    FAIRLY_SATISFIED = 3
    DISSATISFIED = 2
    VERY_DISSATISFIED = 1


GRADE_LABELS = {
    Grade.VERY_SATISFIED: "非常满意",
    Grade.SATISFIED: "满意",
    Grade.FAIRLY_SATISFIED: "基本满意",
    Grade.DISSATISFIED: "不满意",
    Grade.VERY_DISSATISFIED: "非常不满意",
}
BAD = frozenset({Grade.DISSATISFIED, Grade.VERY_DISSATISFIED})


class RatingChannel(StrEnum):
    """Where a rating came from."""

    WEB = "web"  # 网上，一事一评
    WINDOW = "window"  # 现场，一次一评


# What a rating of a visit is about, in the place of a matter.
WINDOW_VISIT, WINDOW_VISIT_TITLE = "window.visit", "窗口接待"
APPEAL, APPEAL_TITLE = "appeal", "诉求办理"
WITHOUT_MATTER = {WINDOW_VISIT: WINDOW_VISIT_TITLE, APPEAL: APPEAL_TITLE}


class Standing(StrEnum):
    """Whether a case can be rated by the one who asks."""

    OPEN = "open"  # decided and not rated yet
    RATED = "rated"
    CLOSED = "closed"  # not decided, a matter without rating, or not hers to rate


class RectificationState(StrEnum):
    WAITING = "waiting"  # 待回访
    MENDING = "mending"  # 整改中
    ENDED = "ended"  # 已反馈


class Outcome(StrEnum):
    MENDED = "mended"  # 已整改
    UNFOUNDED = "unfounded"  # 经核实不需要整改


@dataclass(frozen=True)
class RectificationView:
    """A rectification as its office sees it: what was said, never by whom or about which case.

    ``contact`` is what the rater chose to leave; empty for none, and once it was erased.
    ``due_on`` is the last day of the clock that runs; None once ended. ``days_left`` below zero is
    late. ``source`` is the rule behind the clock.
    """

    id: str
    number: str
    matter_title: str
    agency_name: str
    division: str
    grade: Grade
    grade_label: str
    comment: str
    contact: str
    rated_on: date
    state: RectificationState
    state_label: str
    term_title: str
    due_on: date | None
    days_left: int | None
    is_provisional: bool
    source: str
    called_back_at: datetime | None
    reply: str
    ended_at: datetime | None
    outcome: Outcome | None
    result: str
    follow_up: "FollowUpView | None"


@dataclass(frozen=True)
class FollowUpView:
    """The one rating after the rating (追评)."""

    grade: Grade
    grade_label: str
    comment: str
    on: date


@dataclass(frozen=True)
class OwnRating:
    """A rating as its rater sees it, by the code only she holds."""

    grade: Grade
    grade_label: str
    comment: str
    on: date
    matter_title: str
    agency_name: str
    is_bad: bool
    rectification: RectificationView | None
    follow_up: FollowUpView | None


@dataclass(frozen=True)
class PublicStatistics:
    """The ratings of one matter at one agency that may be published.

    ``counts`` by grade, ``total`` their sum, over whole months up to and including the month of
    ``until`` (its last day). All None where there are too few so far: unknown, not zero.
    ``good_share`` is the share of the three upper grades (好评率), from 0 to 1.
    """

    matter_id: str
    matter_title: str
    agency: str
    agency_name: str
    counts: dict[Grade, int] | None
    total: int | None
    good_share: float | None
    until: date | None


@dataclass(frozen=True)
class VisitStanding:
    """A visit as its rater sees it."""

    visit: str
    agency_name: str
    until: date
    standing: Standing


@dataclass(frozen=True)
class WindowStatistics:
    """The ratings of visits to the windows of an agency in a place, up to and including ``until``.
    All None where there are too few so far: unknown, not zero."""

    agency: str
    division: str
    total: int | None
    good_share: float | None
    until: date | None


@dataclass(frozen=True)
class SweepReport:
    """What one pass over the ratings did."""

    opened: int = 0
    escalated: int = 0
    sealed: int = 0
