"""名特优新: recommended with consent or declared, checked, visited, judged blind, published, decided;
for a term, and assessed again in its last year."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import actor_of, list_operators
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases import selectors as case_reads
from getihu.cases import services as cases
from getihu.cases.ports import CaseFile
from getihu.dataplane import selectors as dataplane
from getihu.growth.catalogue.jury import scoring
from getihu.growth.catalogue.pools import LEVEL_LABELS, get_pool
from getihu.growth.catalogue.windows import NoWindow, Window, find_window
from getihu.growth.models import Juror, Jury, Membership, PoolPlaces, Recommendation
from getihu.growth.selectors.pools import is_member, members_now, months_after
from getihu.growth.selectors.recognition import (
    KIND_LABELS,
    PRIVILEGES,
    RECOGNITION,
    jury_is_complete,
)
from getihu.growth.selectors.types import last_published, types_path
from getihu.growth.services.pooling import belief, enter
from getihu.growth.services.rights import NotAllowed, NotNow, check_tender, day_of
from getihu.kernel.errors import GetihuError
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.reference import selectors as reference
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook

DEFAULT_TERM_MONTHS = 36
# What jurors see: facts that say how a shop is run, never which shop it is.
SHEET = (
    "registered_months",
    "annual_employees",
    "insured_employees",
    "honours_held",
    "trademarks_held",
    "patents_held",
    "uses_geographical_indication",
    "heritage_items",
    "is_heritage_inheritor",
    "is_old_brand",
    "skill_certificates",
    "has_online_shop",
    "is_safe_consumption_unit",
    "fined_or_worse_12m",
)


class NotEligible(GetihuError):
    """She cannot apply as things are; the reason says which condition, when and what would help."""


@over_the_wall()
@transaction.atomic
def recommend(
    trader_code: str, kind: str, reason: str, *, by: Actor, at: datetime
) -> Recommendation:
    """A department recommends a trader; she is asked, and nothing follows without her consent
    (总体方案: 部门推荐须经经营者本人同意). Raises: NotAllowed, NoWindow, NotNow."""
    county = _county(trader_code)
    window = _window(county, at)
    grants = [
        g
        for g in by.grants
        if g.role in (Role.CASE_OFFICER, Role.SUPERVISOR) and g.scope.covers(county)
    ]
    if not grants:
        raise NotAllowed("推荐由本县（市、区）部门的经办人员或负责人办理。")
    if kind not in KIND_LABELS or not reason.strip():
        raise NotNow("推荐要选一类，并写明理由。")
    try:
        with transaction.atomic():
            row = Recommendation.objects.create(
                window_id=window.id,
                trader_code=trader_code,
                kind=kind,
                department=grants[0].agency,
                reason=reason.strip()[:500],
                by_id=by.account_id,
                at=at,
            )
    except IntegrityError:
        raise NotNow("这一户这一类已经推荐过。") from None
    for account in list_operators([trader_code]).get(trader_code, ()):
        notifications.queue(
            NoticeRequest(
                obligation=f"recommendation:{row.pk}",
                stage="asked",
                recipient=account,
                template_id="growth.recommended",
                values={
                    "department": reference.department_name(row.department),
                    "kind": KIND_LABELS[kind],
                    "reason": row.reason,
                },
                channels=(Channel.IN_APP, Channel.SMS, Channel.EMAIL),
                guard="recommendation_is_open",
                guard_argument=str(row.pk),
            ),
            at=at,
        )
    _record("recommendation.made", f"recommendation:{row.pk}", by, at, pool=kind)
    return row


@over_the_wall()
@transaction.atomic
def answer_recommendation(
    recommendation_id: uuid.UUID | str,
    *,
    consents: bool,
    statement: str = "",
    by: Actor,
    at: datetime,
) -> uuid.UUID | None:
    """The owner says yes, which hands the recommendation in as her case, or no. Returns the case.
    Raises: NotAllowed, NotNow, NotEligible."""
    row = Recommendation.objects.select_for_update().get(pk=recommendation_id)
    if row.trader_code not in by.own:
        raise NotAllowed("是不是同意推荐，只能由经营者本人回答。")
    if row.answer:
        raise NotNow("已经回答过了。")
    row.answer, row.answered_at = ("yes" if consents else "no"), at
    row.answered_by_id = by.account_id
    row.save()
    _record("recommendation.answered", f"recommendation:{row.pk}", by, at, answer=row.answer)
    if not consents:
        return None
    case = open_recognition(row.trader_code, by=by, at=at)
    form = {
        "kind": row.kind,
        "level": "county",
        "way": "recommended",
        "statement": statement.strip() or row.reason,
    }
    cases.save_draft(case, form, by=by)
    cases.submit(case, by=by, at=at)
    Recommendation.objects.filter(pk=row.pk).update(case_id=case)
    return case


def open_recognition(trader_code: str, *, by: Actor, at: datetime) -> uuid.UUID:
    """Open a draft while the county's window is open. Raises: NoWindow, NotAllowed."""
    trader = registry.get_trader(trader_code)
    _window(trader.county_code or "", at)
    place = trader.town_code or trader.county_code or ""
    return cases.open_draft(RECOGNITION, trader_code, place=place, by=by, at=at)


# the jury


@transaction.atomic
def seat_jury(
    case_id: uuid.UUID | str, account_ids: Sequence[uuid.UUID | str], *, by: Actor, at: datetime
) -> Jury:
    """Ask people to judge a case. They see a sheet without name, code or address. Whoever applies
    for the shop or seats the jury cannot sit on it. Raises: NotAllowed, NotNow, CaseNotFound."""
    view = case_reads.get_case(case_id, actor=by, on=day_of(at))
    check_tender(by, view.division[:6], "请评委", Role.SUPERVISOR)
    if view.matter_id != RECOGNITION or view.state != "accepted":
        raise NotNow("只有受理了的认定才请评委。")
    asked = [str(each) for each in dict.fromkeys(account_ids)]
    if len(asked) < scoring().least_jurors.value:
        raise NotNow(f"至少要 {scoring().least_jurors.value} 位评委。")
    owners = {str(each) for each in list_operators([view.trader_code]).get(view.trader_code, ())}
    if owners & set(asked) or by.account_id in asked:
        raise NotNow("申报人和请评委的人不能当评委。")
    for account in asked:
        if not actor_of(account, at).roles:
            raise NotNow("评委要有职务。处理办法：从名单里选。")
    if Jury.objects.filter(pk=case_id).exists():
        raise NotNow("已经请过评委。")
    jury = Jury.objects.create(
        case_id=view.id,
        kind=str(view.form.get("kind", "")),
        sheet=blind_sheet(view.trader_code, str(view.form.get("statement", ""))),
        opened_at=at,
        opened_by_id=by.account_id,
    )
    Juror.objects.bulk_create(Juror(jury=jury, account_id=account) for account in asked)
    _record("jury.seated", f"case:{view.number}", by, at, jurors=str(len(asked)))
    return jury


def blind_sheet(trader_code: str, statement: str) -> list[tuple[str, str]]:
    """What jurors see of a shop: facts on how it is run, and what its owner says of it with the
    shop's name taken out. Neither name, code, address nor who runs it."""
    trader = registry.get_trader(trader_code)
    as_of = dataplane.get_published_snapshot().data_until
    facts = dataplane.get_trader_facts(trader_code, as_of)
    catalogue = dataplane.fact_catalogue()
    lines = [("行业", trader.industry_name)]
    for name in SHEET:
        lines.append((catalogue[name].label, _shown(facts.values[name].value)))
    said = statement
    for hidden in (trader.name, trader_code, trader.town_name or ""):
        if len(hidden) > 1:
            said = said.replace(hidden, "本店")
    return [*lines, ("申报人说", said)]


def _shown(value: Any) -> str:
    if value is None:
        return "未知"
    return (
        {True: "是", False: "否"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )


@transaction.atomic
def declare(case_id: uuid.UUID | str, *, has_conflict: bool, by: Actor, at: datetime) -> None:
    """A juror says whether she has a conflict of interest, before she may score; once."""
    seat = _seat(case_id, by)
    if seat.has_conflict is not None:
        raise NotNow("已经申明过了。")
    seat.has_conflict, seat.declared_at = has_conflict, at
    seat.save(update_fields=["has_conflict", "declared_at"])
    _record("jury.declared", f"jury:{case_id}", by, at, conflict=str(has_conflict).lower())


@transaction.atomic
def score(case_id: uuid.UUID | str, points: Mapping[str, int], *, by: Actor, at: datetime) -> None:
    """A juror scores, once; nobody reads it before all are in. Raises: NotAllowed, NotNow."""
    seat = _seat(case_id, by)
    if seat.has_conflict is None:
        raise NotNow("先申明有没有利害关系。")
    if seat.has_conflict:
        raise NotAllowed("您申明了利害关系，这一件不打分。")
    if seat.scored_at is not None:
        raise NotNow("已经打过分，不能再改。")
    limits = {c.id: c.most for c in scoring().criteria}
    if set(points) != set(limits) or any(not 0 <= points[c] <= limits[c] for c in limits):
        raise NotNow("每一项都要打分，不能超过该项的满分。")
    seat.scores, seat.scored_at = dict(points), at
    seat.save(update_fields=["scores", "scored_at"])
    _record("jury.scored", f"jury:{case_id}", by, at)


def _seat(case_id: uuid.UUID | str, by: Actor) -> Juror:
    rows = Juror.objects.select_for_update().filter(account=uuid.UUID(by.account_id))
    seat = rows.filter(jury_id=uuid.UUID(str(case_id))).first()
    if seat is None:
        raise NotAllowed("您不是这一件的评委。")
    return seat


# what the case waits for, and what follows from it


class RecognitionGate:
    """What must be true before a step passes: scores of the jury, days of publication, objections."""

    @over_the_wall()
    def before_stage_passes(
        self, case: CaseFile, stage_id: str, *, by: Actor, at: datetime
    ) -> None:
        if case.matter_id != RECOGNITION:
            return
        if stage_id == "joint_review":
            _check_jury(case)
        elif stage_id == "publicity":
            self._check_published_long_enough(case, by, at)

    def _check_published_long_enough(self, case: CaseFile, by: Actor, at: datetime) -> None:
        view = case_reads.get_case(case.case_id, actor=by, on=day_of(at))
        clock = next((s.clock for s in view.stages if s.stage_id == "publicity"), None)
        if clock is None or day_of(at) <= case_reads.due_after(clock.term_id, clock.started_on).on:
            raise NotNow("公示期还没有满。处理办法：期满以后再办。")


def _check_jury(case: CaseFile) -> None:
    jury = Jury.objects.filter(pk=case.case_id).first()
    if jury is None:
        raise NotNow("还没有请评委。处理办法：负责人先请评委打分。")
    jurors = list(jury.jurors.all())
    if not jury_is_complete(jurors):
        raise NotNow("评委还没有都打完分。")
    totals = [sum(j.scores.values()) for j in jurors if j.scores]
    if sum(totals) / len(totals) < scoring().pass_mark.value:
        raise NotNow(
            f"平均分没有到 {scoring().pass_mark.value} 分。处理办法：不通过，并写明理由和依据。"
        )


class RecognitionFollows:
    """Looks before an application is handed in; a granted one becomes a membership for a term."""

    @over_the_wall()
    def before_submission(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if case.matter_id in PRIVILEGES:
            _check_privileged(case, at)
        if case.matter_id == RECOGNITION:
            _check_eligible(case, at)

    @over_the_wall()
    def granted(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if case.matter_id == RECOGNITION:
            _recognise(case, by, at)


def _check_privileged(case: CaseFile, at: datetime) -> None:
    pools_with = [kind for kind in KIND_LABELS if case.matter_id in get_pool(kind).privileges]
    if not any(is_member(kind, case.trader_code, day_of(at)) for kind in pools_with):
        raise NotEligible(
            "这项支持给“名特优新”个体工商户（方案第11条），您现在还没有被认定。"
            "处理办法：申报窗口开的时候申报，认定以后再来。"
        )


def _check_eligible(case: CaseFile, at: datetime) -> None:
    """Window, not in already, and the county's visible conditions: a clear no is said at once, with
    the clause; what cannot be known is left to people."""
    county = case.division[:6]
    window = _window(county, at)
    kind = str(case.form.get("kind"))
    level = str(case.form.get("level"))
    if (
        members_now(day_of(at))
        .filter(pool_id=kind, level=level, trader_code=case.trader_code)
        .exists()
    ):
        raise NotEligible(f"您已经是{LEVEL_LABELS[level]}“{KIND_LABELS[kind]}”，不用再申报。")
    if window.rule and (why := _refused_by(window.rule, case.trader_code)):
        raise NotEligible(why)
    if case.form.get("way") == "declared":
        _check_type(case.trader_code)


def _refused_by(rule_id: str, trader_code: str) -> str:
    decision = rulebook.explain_rule(trader_code, rule_id)
    if not decision.applies or decision.outcome != "no":
        return ""
    failing = [c for c in decision.clauses if c.id in decision.deciding and c.result == "no"]
    told = "；".join(f"{c.label}（{c.article}）" for c in failing)
    return f"现在还不能申报：{told}。依据：{decision.source.document}。处理办法：看“怎样就可以”。"


def _check_type(trader_code: str) -> None:
    """By the national frame one declares oneself from 成长型 and 发展型; a department may recommend
    others. An unknown type is no refusal."""
    from getihu.growth.selectors.types import type_of

    found = type_of(trader_code)
    if found is not None and found[0] == "surviving":
        raise NotEligible(
            "自主申报原则上从成长型和发展型中认定（国市监注发〔2024〕10号总体方案），您现在是生存型。"
            "处理办法：可以请部门推荐，推荐不受分型限制；退役军人、高校毕业生、残疾人、返乡农民工可以放宽。"
        )


def _recognise(case: CaseFile, by: Actor, at: datetime) -> None:
    kind, level = str(case.form["kind"]), str(case.form["level"])
    county, on = case.division[:6], day_of(at)
    pool = get_pool(kind)
    window = find_window(county, on)
    began = window.counts_from if window and window.counts_from else on
    months = DEFAULT_TERM_MONTHS
    for standard in (pool.term_months, window.term_months if window else None):
        months = standard.value if standard else months
    until = months_after(began, months)
    _take_place(kind, level, county, on)
    enter(
        [
            belief(
                kind,
                level,
                case.trader_code,
                county,
                valid_from=began,
                valid_until=until,
                at=at,
                why="recognised",
                ground=f"办件 {case.number}",
                by=by,
            )
        ]
    )
    _record("pool.recognised", f"case:{case.number}", by, at, pool=kind, level=level)
    for account in list_operators([case.trader_code]).get(case.trader_code, ()):
        notifications.queue(
            NoticeRequest(
                obligation=f"recognition:{case.case_id}",
                stage="recognised",
                recipient=account,
                template_id="growth.recognised",
                values={
                    "kind": KIND_LABELS[kind],
                    "level": LEVEL_LABELS[level],
                    "until": until.isoformat(),
                },
                channels=(Channel.IN_APP, Channel.SMS, Channel.EMAIL),
            ),
            at=at,
        )


def _take_place(kind: str, level: str, county: str, on: date) -> None:
    """One place of the county's quota; the database refuses one too many."""
    quota = get_pool(kind).quota
    if quota is None:
        return
    base = quota_base(county, quota.of)
    if base is None:
        return  # no types published yet: nothing to take a share of
    row, _ = PoolPlaces.objects.get_or_create(
        quota_id=quota.id,
        level=level,
        county_code=county,
        year=on.year,
        defaults={"base_count": base, "places": max(1, int(base * quota.share.value))},
    )
    try:
        with transaction.atomic():
            PoolPlaces.objects.filter(pk=row.pk).update(taken=F("taken") + 1)
    except IntegrityError:
        raise NotNow(
            f"本县（市、区）{on.year} 年的名额（{row.places} 户，{quota.share.source}）已经满了。"
            "处理办法：等有人退出，或者下一年度。"
        ) from None


def quota_base(county_code: str, of: str) -> int | None:
    """What a quota is a share of, in a county; None before any types are published."""
    review = last_published()
    if review is None:
        return None
    kinds = "('growing', 'developing')" if of == "growing_and_developing" else None
    where = f"type IN {kinds}" if kinds else "NOT starts_with(type, 'not_typed_left')"
    row = (
        dataplane.engine()
        .execute(
            f"SELECT count(*) FROM read_parquet(?) WHERE county_code = ? AND {where}",
            [str(types_path(review.pk)), county_code],
        )
        .fetchone()
    )
    return int(row[0]) if row else None


@over_the_wall()
@transaction.atomic
def assess(
    pool_id: str,
    level: str,
    trader_code: str,
    *,
    still_fits: bool,
    reason: str,
    article: str = "",
    by: Actor,
    at: datetime,
) -> date:
    """In the last year of a term a person assesses: it still fits and is extended by another term,
    or it ends on its day, with reason and article. Returns the last day's end.

    Raises: NotAllowed, NotNow.
    """
    on = day_of(at)
    rows = members_now(on).filter(pool_id=pool_id, level=level, trader_code=trader_code)
    row = rows.select_for_update().first()
    if row is None or row.valid_until is None:
        raise NotNow("没有这一户的有效期。")
    check_tender(by, row.county_code, "评估", Role.SUPERVISOR)
    if on < months_after(row.valid_until, -12):
        raise NotNow("还没有到最后一年。处理办法：最后一年再评估（咸宁市申报通知）。")
    if not reason.strip() or (not still_fits and not article.strip()):
        raise NotNow("评估要写理由；不延续的还要写依据的条款。")
    body = {"still_fits": still_fits, "pool": pool_id, "level": level, "article": article}
    audit.record(
        AuditEvent("pool.assessed", f"account:{by.account_id}", f"membership:{row.pk}", at, body)
    )
    if not still_fits:
        return row.valid_until
    term = get_pool(pool_id).term_months
    until = months_after(row.valid_until, term.value if term else DEFAULT_TERM_MONTHS)
    Membership.objects.filter(pk=row.pk).update(known_until=at)
    enter(
        [
            belief(
                pool_id,
                level,
                trader_code,
                row.county_code,
                valid_from=row.valid_from,
                valid_until=until,
                at=at,
                why="extended",
                ground=reason[:200],
                by=by,
            )
        ]
    )
    return until


def _window(county: str, at: datetime) -> Window:
    window = find_window(county, day_of(at))
    if window is None:
        name = reference.division_name(county) or "您所在的县（市、区）"
        raise NoWindow(
            f"{name}现在没有开申报窗口。处理办法：看“申报时间”，开窗时再来；收到开窗通知可以先打开通知。"
        )
    return window


def _county(trader_code: str) -> str:
    return registry.get_trader(trader_code).county_code or ""


def _record(kind: str, object_: str, by: Actor, at: datetime, **body: str) -> None:
    audit.record(AuditEvent(kind, f"account:{by.account_id}", object_, at, body))
