"""Reads of recognitions: criteria side by side, windows, recommendations, juries, terms."""

import uuid
from datetime import date

from django.db.models import F

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.cases import selectors as cases
from getihu.growth.catalogue.jury import scoring
from getihu.growth.catalogue.pools import LEVEL_LABELS, all_pools
from getihu.growth.catalogue.windows import Window, find_window, windows
from getihu.growth.contracts import (
    CriteriaView,
    JurorSeat,
    JuryView,
    RecommendationView,
    Term,
)
from getihu.growth.models import Juror, Jury, Recommendation
from getihu.growth.selectors.pools import ASSESSED_MONTHS, members_now, months_after
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook

RECOGNITION = "growth.recognition"
KIND_LABELS = {"famous": "知名", "special": "特色", "fine": "优质", "emerging": "新兴"}
PRIVILEGES = ("growth.platform_traffic", "growth.honour_publicity", "growth.finance_support")
# The rules that hold places' criteria, in the order they are shown; the national frame first.
CRITERIA = (
    "growth.type_for_entry",
    "growth.yueqing_entry",
    "growth.longgang_entry",
    "growth.chaozhou_entry",
    "growth.dandong_entry",
    "growth.nantong_known",
    "growth.shaoguan_incentive",
    "growth.xianning_term",
)


class JuryNotFound(GetihuError):
    """There is no such jury, or this person does not sit on it."""

    exit_code = 3


def list_criteria() -> list[CriteriaView]:
    """What each place asks, as its rule says it, side by side."""
    return [_criteria(rule_id) for rule_id in CRITERIA]


def _criteria(rule_id: str) -> CriteriaView:
    rule = rulebook.get_rule(rule_id)
    return CriteriaView(
        rule_id=rule.id,
        title=rule.title,
        region=rulebook.applies_to(rule),
        document=rule.source.document,
        url=rule.source.url,
        trust=rule.source.trust,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        incomplete=rule.incomplete,
        parts=tuple((head, tuple(lines)) for head, lines in rulebook.rule_in_words(rule)),
    )


def list_windows(on: date) -> list[tuple[Window, str, bool]]:
    """Every window with the name of its place and whether it is open, the newest first."""
    rows = sorted(windows().values(), key=lambda w: w.opens_on, reverse=True)
    return [
        (w, reference.division_name(w.region) or f"外地（{w.region}）", w.is_open(on)) for w in rows
    ]


def open_window(county_code: str, on: date) -> Window | None:
    return find_window(county_code, on)


def list_recommendations_of(trader_code: str) -> list[RecommendationView]:
    """What departments recommend a trader for, the newest first."""
    rows = Recommendation.objects.filter(trader_code=trader_code).order_by("-at")
    return [_recommendation(row) for row in rows[:20]]


@over_the_wall()
def recommendation_is_open(argument: str) -> bool:
    """Whether a recommendation still waits for its owner's answer: asked before a notice goes."""
    rows = Recommendation.objects.select_for_update().filter(pk=argument, answer="")
    return rows.exists()


def _recommendation(row: Recommendation) -> RecommendationView:
    window = windows().get(row.window_id)
    return RecommendationView(
        id=row.pk,
        window_id=row.window_id,
        window_title=window.title if window else row.window_id,
        trader_code=row.trader_code,
        kind=row.kind,
        kind_label=KIND_LABELS.get(row.kind, row.kind),
        department_name=reference.department_name(row.department),
        reason=row.reason,
        at=row.at,
        answer=row.answer,
        case_id=row.case_id,
    )


# juries


def get_jury(case_id: uuid.UUID | str, *, actor: Actor) -> JuryView:
    """A jury for one of its jurors, or for an officer who may see the case. While a score is out,
    nobody reads any but whether it is given. Raises: JuryNotFound, CaseNotFound."""
    row = Jury.objects.filter(pk=case_id).first()
    if row is None:
        raise JuryNotFound("这件还没有评审。处理办法：由负责人先请评委。")
    mine = Juror.objects.filter(jury=row, account=_account(actor)).exists()
    if not mine:
        cases.get_case(case_id, actor=actor, on=row.opened_at.date())
    return jury_view(row, actor.account_id)


def jury_view(row: Jury, account_id: str = "") -> JuryView:
    jurors = list(row.jurors.select_related("account").order_by("pk"))
    complete = jury_is_complete(jurors)
    seats = [
        JurorSeat(
            str(juror.account_id),
            juror.account.name,
            juror.has_conflict,
            juror.scored_at is not None,
            sum(juror.scores.values()) if complete and juror.scores else None,
        )
        for juror in jurors
    ]
    totals = [seat.total for seat in seats if seat.total is not None]
    standards = scoring()
    return JuryView(
        case_id=row.case_id,
        kind=row.kind,
        kind_label=KIND_LABELS.get(row.kind, row.kind),
        sheet=tuple((label, value) for label, value in row.sheet),
        criteria=tuple((c.id, c.label, c.most) for c in standards.criteria),
        seats=tuple(seats),
        is_complete=complete,
        mean=round(sum(totals) / len(totals)) if complete and totals else None,
        pass_mark=standards.pass_mark.value,
        my_seat=next((seat for seat in seats if seat.account_id == account_id), None),
    )


def jury_is_complete(jurors: list[Juror]) -> bool:
    """Everybody has said whether she has a conflict, those without have scored, and they are
    enough."""
    if any(juror.has_conflict is None for juror in jurors):
        return False
    free = [juror for juror in jurors if not juror.has_conflict]
    enough = len(free) >= scoring().least_jurors.value
    return enough and all(juror.scored_at is not None for juror in free)


def list_seats(actor: Actor) -> list[tuple[uuid.UUID, str, str]]:
    """Juries a person sits on: case, kind, what is asked of her next (empty: nothing)."""
    rows = Juror.objects.filter(account=_account(actor)).select_related("jury")
    return [
        (row.jury_id, KIND_LABELS.get(row.jury.kind, row.jury.kind), _next(row))
        for row in rows.order_by(F("scored_at").asc(nulls_first=True), "-pk")[:100]
    ]


def _account(actor: Actor) -> uuid.UUID | None:
    return uuid.UUID(actor.account_id) if actor.account_id else None


def _next(row: Juror) -> str:
    if row.has_conflict is None:
        return "申明有没有利害关系"
    if row.has_conflict or row.scored_at is not None:
        return ""
    return "打分"


# terms


def list_terms(actor: Actor, on: date) -> list[Term]:
    """Recognitions in the counties an officer tends that end within a year, the first to end
    first. 咸宁市申报通知: assessed in the last year, extended when it still fits."""
    scope = actor.scope(Role.CASE_OFFICER, Role.SUPERVISOR)
    last = months_after(on, ASSESSED_MONTHS)
    rows = [
        row
        for row in members_now(on)
        .filter(
            valid_until__isnull=False, valid_until__lte=last, why__in=("recognised", "extended")
        )
        .order_by("valid_until", "pk")[:500]
        if scope.covers(row.county_code)
    ]
    names = registry.list_names([row.trader_code for row in rows]) if rows else {}
    found = []
    for row in rows:
        assert row.valid_until is not None
        pool = all_pools().get(row.pool_id)
        assess = months_after(row.valid_until, -ASSESSED_MONTHS)
        found.append(
            Term(
                row.pool_id,
                pool.title if pool else row.pool_id,
                row.level,
                LEVEL_LABELS[row.level],
                row.trader_code,
                names.get(row.trader_code, ""),
                row.valid_from,
                row.valid_until,
                assess,
                assess <= on,
            )
        )
    return found
