"""Reads of ratings: what a rater, an office and the public may see."""

import hashlib
import json
import uuid
from collections import defaultdict
from datetime import date, timedelta

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncMonth

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import within
from getihu.cases import selectors as cases
from getihu.cases.contracts import CaseView, State
from getihu.evaluations.codes import digest_of, fresh_code, read_code
from getihu.evaluations.contracts import (
    BAD,
    GRADE_LABELS,
    WINDOW_VISIT,
    WITHOUT_MATTER,
    FollowUpView,
    Grade,
    Outcome,
    OwnRating,
    PublicStatistics,
    RectificationState,
    RectificationView,
    Standing,
    VisitStanding,
    WindowStatistics,
)
from getihu.evaluations.models import (
    CaseRated,
    FollowUp,
    Rating,
    RatingContact,
    Rectification,
    SealedDay,
    VisitToRate,
)
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference

__all__ = ["digest_of", "fresh_code", "read_code"]

DECIDED = frozenset({State.GRANTED, State.REFUSED, State.NOT_ACCEPTED})
# Fewer ratings than this are not published: among them each could be guessed. 本项目设定，非官方
FEWEST = 10
STATE_LABELS = {
    RectificationState.WAITING: "待回访",
    RectificationState.MENDING: "整改中",
    RectificationState.ENDED: "已反馈",
}
TERMS = {
    RectificationState.WAITING: "rating.callback",
    RectificationState.MENDING: "rating.rectification",
}


class RatingNotFound(GetihuError):
    """No rating has this code, or no rectification this id for this actor."""

    exit_code = 3


def standing_of(view: CaseView, actor: Actor) -> Standing:
    """Whether the actor can rate a case now. Nobody can be asked to, and no rating is put in for
    who gives none."""
    is_rated = cases.get_matter(view.matter_id).is_rated
    if view.state not in DECIDED or not is_rated or not actor.may_apply_for(view.trader_code):
        return Standing.CLOSED
    rated = CaseRated.objects.filter(case=uuid.UUID(view.id)).exists()
    return Standing.RATED if rated else Standing.OPEN


def title_of(matter_id: str) -> str:
    """What a rating is about, in Chinese."""
    return WITHOUT_MATTER.get(matter_id) or cases.get_matter(matter_id).title


def find_visit(ticket: str, *, on: date) -> VisitStanding:
    """The visit a ticket lets its holder rate. Raises RatingNotFound."""
    letters = read_code(ticket)
    rows = VisitToRate.objects.filter(ticket_digest=digest_of(letters)) if letters else None
    row = rows.first() if rows is not None else None
    if row is None:
        raise RatingNotFound("没有这个评价码。处理办法：对照窗口给您的纸条再输一次。")
    return _visit_standing(row, on)


def visit_standing(visit: uuid.UUID | str, *, on: date) -> VisitStanding | None:
    """Whether a visit can be rated; None while it has not ended."""
    row = VisitToRate.objects.filter(pk=visit).first()
    return _visit_standing(row, on) if row else None


def _visit_standing(row: VisitToRate, on: date) -> VisitStanding:
    standing = Standing.CLOSED if on > row.until else Standing.OPEN
    if row.rated_on is not None:
        standing = Standing.RATED
    name = reference.agency_name(row.agency, row.division)
    return VisitStanding(str(row.visit), name, row.until, standing)


@over_the_wall()
def find_own(code: str, *, on: date) -> OwnRating:
    """The rating a code belongs to, with what the office did about it. Raises RatingNotFound."""
    letters = read_code(code)
    row = Rating.objects.filter(code_digest=digest_of(letters)).first() if letters else None
    if row is None:
        raise RatingNotFound(
            "没有这个评价码的评价。处理办法：对照评价时给您的 16 位评价码再输一次。"
        )
    rectification = Rectification.objects.filter(rating=row).select_related("rating").first()
    return OwnRating(
        grade=Grade(row.grade),
        grade_label=GRADE_LABELS[Grade(row.grade)],
        comment=row.comment,
        on=row.on,
        matter_title=title_of(row.matter_id),
        agency_name=reference.agency_name(row.agency, row.division),
        is_bad=Grade(row.grade) in BAD,
        rectification=_view(rectification, on) if rectification else None,
        follow_up=_follow_up(row.pk),
    )


def visible_rectifications(actor: Actor) -> QuerySet[Rectification]:
    """Rectifications of the actor's offices in her regions."""
    found = Q(pk__in=())
    for grant in actor.grants:
        if grant.role in cases.DESK_ROLES:
            found |= within(grant.scope, "rating__division") & Q(rating__agency=grant.agency)
    return Rectification.objects.filter(found).select_related("rating")


def list_rectifications(actor: Actor, *, on: date, limit: int = 200) -> list[RectificationView]:
    """What the actor's offices have to do about bad ratings: by the day it is due, ended last."""
    rows = visible_rectifications(actor).order_by(F("due_on").asc(nulls_last=True), "-ended_at")
    return [_view(row, on) for row in rows[:limit]]


def get_rectification(
    rectification_id: uuid.UUID | str, *, actor: Actor, on: date
) -> RectificationView:
    """One rectification. Raises RatingNotFound."""
    row = visible_rectifications(actor).filter(pk=rectification_id).first()
    if row is None:
        raise RatingNotFound("没有这件整改，或者不归您的机关。处理办法：从整改列表里打开。")
    return _view(row, on)


def count_open(actor: Actor) -> int:
    """How many rectifications wait for the actor's offices."""
    return visible_rectifications(actor).exclude(ended_at__isnull=False).count()


@over_the_wall()
def list_statistics(*, on: date) -> list[PublicStatistics]:
    """The published numbers per matter and agency, over months that were over on ``on``.

    A number is published only with at least ``FEWEST`` others: months are added up until there are
    that many, and what is left waits for the next ones. So the difference between two publications
    is never a handful of ratings either. There is no other cut than this one (by county, by day),
    for from two cuts the handful could be worked out.
    """
    published = []
    asked = Rating.objects.exclude(matter_id__in=WITHOUT_MATTER)
    for (matter_id, agency), months in _by_month(on, asked, "matter_id", "agency").items():
        closed, until = _closed_batches(months)
        total = sum(closed.values())
        good = sum(count for grade, count in closed.items() if grade not in BAD)
        published.append(
            PublicStatistics(
                matter_id=matter_id,
                matter_title=cases.get_matter(matter_id).title,
                agency=agency,
                agency_name=reference.department_name(agency),
                counts={grade: closed.get(grade, 0) for grade in Grade} if total else None,
                total=total or None,
                good_share=good / total if total else None,
                until=until,
            )
        )
    return sorted(published, key=lambda row: (row.matter_title, row.agency))


@over_the_wall()
def list_window_statistics(*, on: date, about: str = WINDOW_VISIT) -> list[WindowStatistics]:
    """The published numbers of visits per agency and place, in batches as ``list_statistics``;
    ``about`` APPEAL: of appeals.

    Visits are published by place alone and cases by matter alone, so that no two cuts of the same
    ratings can be set against each other.
    """
    published = []
    asked = Rating.objects.filter(matter_id=about)
    for (agency, division), months in _by_month(on, asked, "agency", "division").items():
        closed, until = _closed_batches(months)
        total = sum(closed.values())
        good = sum(count for grade, count in closed.items() if grade not in BAD)
        share = good / total if total else None
        published.append(WindowStatistics(agency, division, total or None, share, until))
    return sorted(published, key=lambda row: (row.agency, row.division))


@over_the_wall()
def list_comments(actor: Actor, *, on: date, limit: int = 50) -> list[tuple[str, str]]:
    """What people wrote with the upper three grades to the actor's agencies, as (grade, words),
    out of the published batches and in an order that says nothing."""
    words: list[tuple[uuid.UUID, str, str]] = []
    until = {(row.matter_id, row.agency): row.until for row in list_statistics(on=on) if row.until}
    for (matter_id, agency), last in until.items():
        if agency not in actor.agencies(*cases.DESK_ROLES):
            continue
        rows = Rating.objects.filter(matter_id=matter_id, agency=agency, on__lte=last)
        rows = rows.exclude(comment="").exclude(grade__in=[grade.value for grade in BAD])
        words += [(row.pk, GRADE_LABELS[Grade(row.grade)], row.comment) for row in rows]
    for window in list_window_statistics(on=on):
        hers = any(
            grant.agency == window.agency and grant.scope.covers(window.division)
            for grant in actor.grants
            if grant.role in cases.DESK_ROLES
        )
        if not hers or window.until is None:
            continue
        rows = Rating.objects.filter(
            matter_id=WINDOW_VISIT,
            agency=window.agency,
            division=window.division,
            on__lte=window.until,
        )
        rows = rows.exclude(comment="").exclude(grade__in=[grade.value for grade in BAD])
        words += [(row.pk, GRADE_LABELS[Grade(row.grade)], row.comment) for row in rows]
    return [(grade, comment) for _, grade, comment in sorted(words)[:limit]]


def list_changed_days() -> list[date]:
    """Sealed days whose ratings are no longer those the audit log knows: none, ever."""
    return [
        sealed.day
        for sealed in SealedDay.objects.order_by("day")
        if digest_of_day(sealed.day) != (sealed.count, sealed.digest)
    ]


def digest_of_day(day: date) -> tuple[int, str]:
    """How many ratings a day has, and one SHA-256 over all of them in the order of their random
    ids."""
    rows = (
        Rating.objects.filter(on=day)
        .order_by("id")
        .values_list(
            "id", "matter_id", "agency", "division", "grade", "comment", "channel", "code_digest"
        )
    )
    lines = [json.dumps([str(value) for value in row], ensure_ascii=False) for row in rows]
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()


def is_still(argument: str) -> bool:
    """Whether a rectification is in a state, locked until the transaction ends: asked again before
    a notice goes. ``argument``: id, blank, state."""
    rectification_id, _, state = argument.partition(" ")
    rows = Rectification.objects.select_for_update()
    return rows.filter(pk=rectification_id, state=state).exists()


def _by_month(
    on: date, ratings: QuerySet[Rating], *keys: str
) -> dict[tuple[str, str], dict[date, dict[Grade, int]]]:
    found: dict[tuple[str, str], dict[date, dict[Grade, int]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    rows = (
        ratings.filter(on__lt=on.replace(day=1))
        .annotate(month=TruncMonth("on"))
        .values_list(*keys, "month", "grade")
        .annotate(count=Count("pk"))
    )
    for first, second, month, grade, count in rows:
        found[first, second][month][Grade(grade)] = count
    return found


def _closed_batches(months: dict[date, dict[Grade, int]]) -> tuple[dict[Grade, int], date | None]:
    """The counts of the batches that are full, and the last day of the last of them."""
    closed: dict[Grade, int] = defaultdict(int)
    open_: dict[Grade, int] = defaultdict(int)
    until = None
    for month in sorted(months):
        for grade, count in months[month].items():
            open_[grade] += count
        if sum(open_.values()) >= FEWEST:
            for grade, count in open_.items():
                closed[grade] += count
            open_.clear()
            until = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return closed, until


def _view(row: Rectification, on: date) -> RectificationView:
    rating, state = row.rating, RectificationState(row.state)
    title, source = cases.term_words(TERMS[state]) if state in TERMS else ("", "")
    contact = RatingContact.objects.filter(rating=rating).values_list("value", flat=True).first()
    return RectificationView(
        id=str(row.pk),
        number=row.number,
        matter_title=title_of(rating.matter_id),
        agency_name=reference.agency_name(rating.agency, rating.division),
        division=rating.division,
        grade=Grade(rating.grade),
        grade_label=GRADE_LABELS[Grade(rating.grade)],
        comment=rating.comment,
        contact=contact or "",
        rated_on=rating.on,
        state=state,
        state_label=STATE_LABELS[state],
        term_title=title,
        due_on=row.due_on,
        days_left=(row.due_on - on).days if row.due_on else None,
        is_provisional=row.is_provisional,
        source=source,
        called_back_at=row.called_back_at,
        reply=row.reply,
        ended_at=row.ended_at,
        outcome=Outcome(row.outcome) if row.outcome else None,
        result=row.result,
        follow_up=_follow_up(rating.pk),
    )


def _follow_up(rating_id: uuid.UUID) -> FollowUpView | None:
    row = FollowUp.objects.filter(rating=rating_id).first()
    if row is None:
        return None
    return FollowUpView(Grade(row.grade), GRADE_LABELS[Grade(row.grade)], row.comment, row.on)
