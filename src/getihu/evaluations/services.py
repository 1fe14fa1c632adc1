"""What people do with ratings, and what happens because a day came. Every function is one
transaction or one per row; times are passed in."""

import secrets
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import list_officers
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases import selectors as cases
from getihu.evaluations.codes import digest_of, fresh_code, read_code
from getihu.evaluations.contracts import (
    BAD,
    WINDOW_VISIT,
    Grade,
    Outcome,
    RatingChannel,
    RectificationState,
    Standing,
    SweepReport,
)
from getihu.evaluations.models import (
    BAD_GRADES,
    CaseRated,
    FollowUp,
    Rating,
    RatingContact,
    Rectification,
    RectificationLate,
    SealedDay,
    VisitToRate,
)
from getihu.evaluations.selectors import (
    TERMS,
    RatingNotFound,
    digest_of_day,
    list_changed_days,
    standing_of,
    title_of,
    visible_rectifications,
)
from getihu.kernel.errors import GetihuError
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest

CITY_TIME = ZoneInfo("Asia/Shanghai")
VISIT_DAYS = 30  # a visit can be rated so long; 本项目设定，非官方
LONGEST_COMMENT, LONGEST_CONTACT = 500, 100
JOB = "job:ratings"


class BadRating(GetihuError):
    """This rating, reply or result cannot be taken as it is."""


class AlreadyRated(GetihuError):
    """The case has its one rating, or the rating its one follow-up."""


class RatingsNotSwept(GetihuError):
    """Bad ratings that could not be worked; every other one was."""


class RatingsChanged(GetihuError):
    """Ratings of a sealed day are not those the audit log knows."""


@over_the_wall()
def rate(
    case_id: uuid.UUID,
    *,
    grade: Grade,
    code: str,
    comment: str = "",
    contact: str = "",
    by: Actor,
    at: datetime,
) -> bool:
    """Give a decided case its one rating. ``code`` is the rater's: sent again with the same code
    nothing more happens, so a form sent twice counts once.

    A contact is kept only with a bad grade, for calling back; returns whether it was kept. The log
    learns here that the case was rated, not how: the ratings of a day go into it together
    (``sweep_ratings``). Raises CaseNotFound, BadRating, AlreadyRated.
    """
    letters = read_code(code)
    if letters is None:
        raise BadRating("评价码不完整。处理办法：刷新页面再评。")
    comment, contact = comment.strip(), contact.strip()
    if len(comment) > LONGEST_COMMENT or len(contact) > LONGEST_CONTACT:
        raise BadRating(f"写得太长了，最多 {LONGEST_COMMENT} 个字。处理办法：写短一点再交。")
    day = _day_of(at)
    view = cases.get_case(case_id, actor=by, on=day)
    standing = standing_of(view, by)
    if standing is Standing.CLOSED:
        raise BadRating("办结以后由经营者或受托人评价，这一件现在不能评。")
    digest = digest_of(letters)
    keeps = bool(contact) and grade in BAD
    try:
        with transaction.atomic():
            CaseRated.objects.create(case_id=case_id, on=day)
            rating = Rating.objects.create(
                matter_id=view.matter_id,
                agency=view.agency,
                division=view.division,
                on=day,
                grade=grade.value,
                comment=comment,
                channel=RatingChannel.WEB.value,
                code_digest=digest,
            )
            if keeps:
                RatingContact.objects.create(rating=rating, value=contact)
            _log("evaluation.case_rated", f"account:{by.account_id}", f"case:{view.number}", at)
    except IntegrityError:
        before = Rating.objects.filter(code_digest=digest).first()
        if not CaseRated.objects.filter(case=case_id).exists():
            raise BadRating("评价码用过了。处理办法：刷新页面再评。") from None
        if before is None:
            raise AlreadyRated("这一件已经评过了，每件只评一次。") from None
        return RatingContact.objects.filter(rating=before).exists()
    return keeps


@transaction.atomic
def open_visit_rating(
    visit: uuid.UUID,
    *,
    number: str,
    agency: str,
    division: str,
    at: datetime,
    decided_case: uuid.UUID | None = None,
    about: str | None = None,
) -> None:
    """Let a visit that ended be rated once, for ``VISIT_DAYS``. ``decided_case`` was decided in
    it: the two have one rating together. ``about``: ``APPEAL`` for an appeal that was closed.
    Again: no change."""
    VisitToRate.objects.get_or_create(
        visit=visit,
        defaults={
            "number": number,
            "agency": agency,
            "division": division,
            "until": _day_of(at) + timedelta(days=VISIT_DAYS),
            "case": decided_case,
            "about": about,
        },
    )


@transaction.atomic
def hand_ticket(visit: uuid.UUID) -> str:
    """A new code that lets its holder rate a visit, for a slip of paper; an earlier one is void.

    Whoever prints it knows the code of the visit, never the rating: the rater gets another code
    with it. Raises RatingNotFound, AlreadyRated.
    """
    row = VisitToRate.objects.select_for_update().filter(pk=visit).first()
    if row is None:
        raise RatingNotFound("这次接待还没有结束，不能评。处理办法：先答复，再给评价码。")
    if row.rated_on is not None:
        raise AlreadyRated("这一次已经评过了，每次只评一次。")
    code = fresh_code()
    row.ticket_digest = digest_of(read_code(code) or "")
    row.save(update_fields=["ticket_digest"])
    return code


@over_the_wall()
def rate_visit(
    visit: uuid.UUID,
    *,
    grade: Grade,
    code: str,
    comment: str = "",
    contact: str = "",
    at: datetime,
) -> bool:
    """Give a visit its one rating (一次一评); whoever calls has checked the ticket or the visitor.

    As ``rate``: ``code`` is the rater's own, the same form again counts once, and returns whether a
    contact was kept. The log learns only the day. Raises RatingNotFound, BadRating, AlreadyRated.
    """
    letters = read_code(code)
    if letters is None:
        raise BadRating("评价码不完整。处理办法：刷新页面再评。")
    comment, contact = comment.strip(), contact.strip()
    if len(comment) > LONGEST_COMMENT or len(contact) > LONGEST_CONTACT:
        raise BadRating(f"写得太长了，最多 {LONGEST_COMMENT} 个字。处理办法：写短一点再交。")
    day, digest, keeps = _day_of(at), digest_of(letters), bool(contact) and grade in BAD
    try:
        with transaction.atomic():
            row = VisitToRate.objects.select_for_update().filter(pk=visit).first()
            if row is None or day > row.until:
                raise RatingNotFound("没有这次接待，或者过了评价的时间。处理办法：请窗口核对。")
            if row.rated_on is not None:
                raise IntegrityError("rated before")
            row.rated_on = day
            row.save(update_fields=["rated_on"])
            if row.case is not None:  # decided at the counter: one rating for both
                CaseRated.objects.create(case_id=row.case, on=day)
            rating = Rating.objects.create(
                matter_id=row.about or WINDOW_VISIT,
                agency=row.agency,
                division=row.division,
                on=day,
                grade=grade.value,
                comment=comment,
                channel=RatingChannel.WINDOW.value,
                code_digest=digest,
            )
            if keeps:
                RatingContact.objects.create(rating=rating, value=contact)
            _log("evaluation.visit_rated", "rater:unnamed", f"visit:{row.number}", _midnight(at))
    except IntegrityError:
        before = Rating.objects.filter(code_digest=digest).first()
        if before is None:
            raise AlreadyRated("这一次已经评过了，每次只评一次。") from None
        if not VisitToRate.objects.filter(pk=visit, rated_on__isnull=False).exists():
            raise BadRating("评价码用过了。处理办法：刷新页面再评。") from None
        return RatingContact.objects.filter(rating=before).exists()
    return keeps


@over_the_wall()
def follow_up(code: str, *, grade: Grade, comment: str = "", at: datetime) -> None:
    """Rate once more, by the code: what one thinks now (追评). Raises RatingNotFound, BadRating,
    AlreadyRated."""
    letters = read_code(code)
    rating = Rating.objects.filter(code_digest=digest_of(letters)).first() if letters else None
    if rating is None:
        raise RatingNotFound("没有这个评价码的评价。处理办法：对照评价码再输一次。")
    if len(comment.strip()) > LONGEST_COMMENT:
        raise BadRating(f"最多 {LONGEST_COMMENT} 个字。处理办法：写短一点再交。")
    try:
        with transaction.atomic():
            FollowUp.objects.create(
                rating=rating, on=_day_of(at), grade=grade.value, comment=comment.strip()
            )
            # The rater has no name here; the day alone, as with the rating.
            _log(
                "evaluation.followed_up", "rater:unnamed", f"rating:{rating.pk}",
                _midnight(at), grade=grade.value,
            )  # fmt: skip
    except IntegrityError:
        raise AlreadyRated("已经追评过了，每条评价只能追评一次。") from None


@transaction.atomic
def call_back(rectification_id: uuid.UUID, *, reply: str, by: Actor, at: datetime) -> None:
    """Note that the rater was called back, and what was found; the days for mending begin.

    Where no contact was left, ``reply`` is the calling back: the rater reads it by her code.
    Raises RatingNotFound, BadRating.
    """
    row = _locked(rectification_id, by)
    if row.state != RectificationState.WAITING:
        raise BadRating("已经回访过了。处理办法：打开这件整改，看现在到了哪一步。")
    if not reply.strip():
        raise BadRating("要写明回访和核实的情况，评价人凭评价码能看到。")
    row.state, row.reply = RectificationState.MENDING.value, reply.strip()
    row.called_back_at, row.called_back_by_id = at, uuid.UUID(by.account_id)
    _start_clock(row, _day_of(at))
    row.save()
    _log_step(row, "rectification.called_back", by, at)


@transaction.atomic
def report_result(
    rectification_id: uuid.UUID, *, outcome: Outcome, result: str, by: Actor, at: datetime
) -> None:
    """Report to the rater what was mended; or that nothing was wrong, which only a superior who
    did not handle it may say. The rating itself stays and counts. Raises RatingNotFound, BadRating.
    """
    row = _locked(rectification_id, by)
    if row.state != RectificationState.MENDING:
        raise BadRating("先回访，再反馈整改结果；反馈只有一次。")
    if not result.strip():
        raise BadRating("要写明整改了什么，评价人凭评价码能看到。")
    if outcome is Outcome.UNFOUNDED and not _is_superior(row, by):
        raise BadRating("“不需要整改”要由没有经手的负责人认定。处理办法：请负责人办理。")
    row.state, row.due_on, row.is_provisional = RectificationState.ENDED.value, None, False
    row.outcome, row.result = outcome.value, result.strip()
    row.ended_at, row.ended_by_id = at, uuid.UUID(by.account_id)
    row.save()
    _log_step(row, "rectification.ended", by, at, outcome=outcome.value)


def sweep_ratings(at: datetime, *, limit: int = 200) -> SweepReport:
    """Do what is due by now: open rectifications, tell superiors of late ones, seal
    finished days. By level, so several workers may do it at once, again, and after any stop.

    A rating that cannot be worked is left for the next time and holds up no other. Raises, after
    everything else was done, RatingsNotSwept when only such are left, RatingsChanged.
    """
    failed: list[Exception] = []
    report = SweepReport(
        opened=_open_rectifications(at, limit, failed),
        escalated=_escalate_late(at, limit, failed),
        sealed=_seal_days(at),
    )
    # Once a day is enough: it reads every rating there is.
    if report.sealed and (changed := list_changed_days()):
        days = "、".join(str(day) for day in changed)
        raise RatingsChanged(f"{days}的评价和审计日志对不上。处理办法：停用并查数据库的改动。")
    if failed and not report.opened + report.escalated:
        raise RatingsNotSwept(f"{len(failed)} 条差评没有能开整改或升级，下一轮再试。") from failed[
            0
        ]
    return report


def _open_rectifications(at: datetime, limit: int, failed: list[Exception]) -> int:
    """Apart from the rating's own transaction, so that the log does not set them side by side."""
    without = ~Exists(Rectification.objects.filter(rating=OuterRef("pk")))
    due = Rating.objects.filter(without, grade__in=BAD_GRADES).order_by("on", "id")[:limit]
    return sum(_tried(partial(_open_one, rating, at), failed) for rating in due)


def _open_one(rating: Rating, at: datetime) -> bool:
    row = Rectification(number=f"R-{secrets.token_hex(4).upper()}", rating=rating)
    _start_clock(row, rating.on)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _log(
                "rectification.opened", JOB, f"rectification:{row.number}", at,
                matter=rating.matter_id, agency=rating.agency, division=rating.division,
                grade=rating.grade, due=str(row.due_on),
            )  # fmt: skip
            _tell(row, (Role.WINDOW_OFFICER, Role.CASE_OFFICER), "rating.to_rectify", at)
    except IntegrityError:
        if Rectification.objects.filter(rating=rating).exists():
            return False  # another worker was first
        raise
    return True


def _escalate_late(at: datetime, limit: int, failed: list[Exception]) -> int:
    told = RectificationLate.objects.filter(rectification=OuterRef("pk"), state=OuterRef("state"))
    late = Rectification.objects.filter(~Exists(told), due_on__lt=_day_of(at))
    numbers = late.values_list("pk", flat=True)[:limit]
    return sum(_tried(partial(_escalate_one, pk, at), failed) for pk in numbers)


def _tried(do: Callable[[], bool], failed: list[Exception]) -> bool:
    try:
        return do()
    except Exception as error:  # told at the end: one must not hold up the others
        failed.append(error)
        return False


def _escalate_one(rectification_id: uuid.UUID, at: datetime) -> bool:
    try:
        with transaction.atomic():
            rows = Rectification.objects.select_for_update().select_related("rating")
            row = rows.get(pk=rectification_id)
            if row.due_on is None or row.due_on >= _day_of(at):
                return False
            RectificationLate.objects.create(rectification=row, state=row.state, at=at)
            _log("rectification.late", JOB, f"rectification:{row.number}", at, step=row.state)
            _tell(row, (Role.SUPERVISOR,), "rating.late", at)
    except IntegrityError:
        return False
    return True


@transaction.atomic
def erase_contacts(before: datetime, *, at: datetime) -> int:
    """Erase where raters wanted to be called back, of rectifications that ended before a moment."""
    over = Rectification.objects.filter(ended_at__lt=before)
    count, _ = RatingContact.objects.filter(rating__in=over.values("rating")).delete()
    if count:
        _log("evaluation.contacts_erased", JOB, "ratings:contacts", at, count=count)
    return count


def _seal_days(at: datetime) -> int:
    today = _day_of(at)
    sealed = SealedDay.objects.filter(day=OuterRef("on"))
    days = Rating.objects.filter(~Exists(sealed), on__lt=today).values_list("on", flat=True)
    return sum(_seal_one(day, at) for day in sorted(set(days)))


def _seal_one(day: date, at: datetime) -> bool:
    count, digest = digest_of_day(day)
    try:
        with transaction.atomic():
            SealedDay.objects.create(day=day, count=count, digest=digest)
            _log("evaluation.day_sealed", JOB, f"day:{day}", at, count=count, sha256=digest)
    except IntegrityError:
        return False
    return True


def _start_clock(row: Rectification, started_on: date) -> None:
    due = cases.due_after(TERMS[RectificationState(row.state)], started_on)
    row.due_on, row.is_provisional = due.on, due.provisional


def _locked(rectification_id: uuid.UUID, by: Actor) -> Rectification:
    if not visible_rectifications(by).filter(pk=rectification_id).exists():
        raise RatingNotFound("没有这件整改，或者不归您的机关。处理办法：从整改列表里打开。")
    rows = Rectification.objects.select_for_update().select_related("rating")
    return rows.get(pk=rectification_id)


def _is_superior(row: Rectification, by: Actor) -> bool:
    return str(row.called_back_by_id) != by.account_id and any(
        grant.role is Role.SUPERVISOR
        and grant.agency == row.rating.agency
        and grant.scope.covers(row.rating.division)
        for grant in by.grants
    )


def _tell(row: Rectification, roles: tuple[Role, ...], template: str, at: datetime) -> None:
    rating = row.rating
    people = {o for r in roles for o in list_officers(r, rating.agency, rating.division, at)}
    due = row.due_on
    assert due is not None
    for officer in sorted(people):
        notifications.queue(
            NoticeRequest(
                obligation=f"rectification:{row.pk}",
                stage=f"{template} {row.state}",
                recipient=officer,
                template_id=template,
                values={
                    "matter": title_of(rating.matter_id),
                    "number": row.number,
                    "due": f"{due.year}年{due.month}月{due.day}日",
                    "article": cases.term_words(TERMS[RectificationState(row.state)])[1],
                },
                channels=(Channel.IN_APP,),
                guard="rectification_is",
                guard_argument=f"{row.pk} {row.state}",
            ),
            at=at,
        )


def _log_step(row: Rectification, kind: str, by: Actor, at: datetime, **body: str) -> None:
    _log(kind, f"account:{by.account_id}", f"rectification:{row.number}", at, **body)


def _log(kind: str, actor: str, of: str, at: datetime, **body: str | int) -> None:
    audit.record(AuditEvent(kind=kind, actor=actor, object=of, at=at, body=body))


def _day_of(at: datetime) -> date:
    return at.astimezone(CITY_TIME).date()


def _midnight(at: datetime) -> datetime:
    return at.astimezone(CITY_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
