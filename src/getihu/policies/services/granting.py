"""快享快办 ends in money: what people grant on an application is paid like what data decide, from
the same budget, once, released by two people, through the same treasury."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from getihu.accounts.contracts import Actor
from getihu.cases.ports import CaseFile
from getihu.dataplane import selectors as dataplane
from getihu.policies.contracts import RunState
from getihu.policies.machine import AwardState, Side
from getihu.policies.models import Award, AwardRun, Budget, LedgerEntry
from getihu.policies.programmes import Programme, programmes
from getihu.policies.selectors.applications import APPLICATION, written_of
from getihu.policies.services.allotting import CITY_TIME, award_id
from getihu.policies.services.moves import move_total, note_moves
from getihu.policies.services.planning import check_payable, open_budget, period_of, record_run
from getihu.policies.services.rights import NotNow
from getihu.policies.services.subjects import subjects_of, who_have
from getihu.policies.services.telling import tell_entitled
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as rulebook_services
from getihu.rulebook.contracts import Slip, Truth


class GrantsArePaid:
    """Hangs the money on granted applications, in the transaction of the grant itself."""

    def before_submission(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        """Nobody applies for nothing: raises NotNow where she has the year's award already."""
        programme = _programme(case)
        if programme is None:
            return
        rule = rulebook.get_rule(programme.rule)
        family = rule.group.id if rule.group else rule.id
        as_of = dataplane.get_published_snapshot().data_until
        _check_first(family, period_of(programme, as_of), case.trader_code)

    def granted(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        """Award what was granted. Raises NotNow, NotAwardable: then nothing is granted."""
        programme = _programme(case)
        if programme is not None:
            award_grant(programme, case, by=by, at=at)


def find_programme(rule_id: str) -> Programme | None:
    """The programme by which applications for a policy are paid; None: they are not paid here."""
    found = (p for p in programmes().values() if p.rule == rule_id and p.by == "application")
    return next(found, None)


@transaction.atomic
def award_grant(programme: Programme, case: CaseFile, *, by: Actor, at: datetime) -> Award:
    """The award of one granted application, decided on the newest data with her answers, with its
    money set aside or its place in the queue. Once: again it is the same award.

    Raises: NotAwardable (the policy cannot be paid as it is), NotNow (data and answers do not
    decide it for her, the amount is outside the bounds, or she has one of the family already).
    """
    known = Award.objects.filter(case_id=case.case_id).first()
    if known is not None:
        return known
    snapshot = dataplane.get_published_snapshot()
    rule = check_payable(programme, snapshot.data_until, snapshot.data_until)
    answers = rulebook.read_answers(rule.id, written_of(_form(case)))
    slip = rulebook_services.issue_slip(
        case.trader_code,
        rule.id,
        as_of=snapshot.data_until,
        snapshot_id=snapshot.snapshot_id,
        answers=answers,
    )
    cents = _cents(programme, slip)
    run = _run_of(programme, rule, slip, at)
    open_budget(run)
    budget = Budget.objects.select_for_update().get(programme_id=programme.id, period=run.period)
    _check_first(run.family, run.period, case.trader_code)
    subject = subjects_of([case.trader_code])[case.trader_code]
    queued = Award.objects.filter(budget=budget, state=AwardState.WAITING.value).exists()
    fits = not queued and cents <= budget.left_cents
    last = run.awards.aggregate(last=Max("position"))["last"] or 0
    try:
        with transaction.atomic():
            made = Award.objects.create(
                id=award_id(run.family, subject, run.period),
                run=run,
                budget=budget,
                family=run.family,
                subject=subject,
                period=run.period,
                trader_code=case.trader_code,
                division=case.division,
                position=last + 1,
                cents=cents,
                state=(AwardState.ENTITLED if fits else AwardState.WAITING).value,
                slip_sha256=slip.sha256,
                slip=slip.content,
                confirm_until=at.astimezone(CITY_TIME).date()
                + timedelta(programme.confirm_within.days),
                entitled_at=at,
                case_id=case.case_id,
            )
    except IntegrityError:
        raise _second() from None
    run.entitled_count, run.entitled_cents = last + 1, run.entitled_cents + cents
    run.save(update_fields=["entitled_count", "entitled_cents"])
    if fits:
        move_total(budget.pk, "left", "reserved", cents)
        LedgerEntry.objects.create(
            budget=budget, award=made, source="left", target="reserved", cents=cents, at=at
        )
    note_moves([made], "", side=Side.PERSON, by=by, at=at, reason=f"申请 {case.number} 获准")
    if fits:
        tell_entitled(programme, [made], at=at)
    return made


def _programme(case: CaseFile) -> Programme | None:
    if case.matter_id != APPLICATION:
        return None
    return find_programme(str(case.form.get("policy", "")))


def _form(case: CaseFile) -> Mapping[str, object]:
    return {"answers": case.form.get("answers") or json.dumps({})}


def _cents(programme: Programme, slip: Slip) -> int:
    """What the slip gives. Raises NotNow in the words an officer needs."""
    if slip.outcome != Truth.YES:
        why = "不符合" if slip.outcome == Truth.NO else "还缺数据，判断不了"
        raise NotNow(
            f"按最新数据和申请人的回答，这项政策{why}，不能准予并付钱。处理办法：缺的请申请人补正，"
            "部门数据有误的先更正；认为应当由人决定的，走人工复查。"
        )
    yuan = slip.amount_yuan
    if yuan is None:
        raise NotNow("符合，但算不出金额。处理办法：请申请人补上金额要用的回答。")
    bounds = programme.pays
    if not bounds.least_yuan <= yuan <= bounds.most_yuan:
        raise NotNow(
            f"金额 {yuan:,} 元不在 {bounds.least_yuan:,}–{bounds.most_yuan:,} 元以内"
            f"（{bounds.source}），没有付。处理办法：核对申请人的回答。"
        )
    return int(Decimal(yuan).scaleb(2))


def _run_of(programme: Programme, rule: Any, slip: Slip, at: datetime) -> AwardRun:
    """The run of all that is granted on one day's data by one version of the rule."""
    run, is_new = AwardRun.objects.get_or_create(
        programme_id=programme.id,
        period=period_of(programme, slip.as_of),
        rule_version=slip.rule_version,
        as_of=slip.as_of,
        snapshot_id=slip.snapshot_id,
        by_application=True,
        defaults={
            "id": uuid.uuid4(),
            "family": rule.group.id if rule.group else rule.id,
            "rule_id": rule.id,
            "state": RunState.ALLOTTED.value,
            "is_dry": False,
            "planned_at": at,
        },
    )
    run = AwardRun.objects.select_for_update().get(pk=run.pk)
    if is_new:
        record_run(run, "award_run.opened", "job:awards", at)
    return run


def _check_first(family: str, period: str, trader_code: str) -> None:
    subject = subjects_of([trader_code])[trader_code]
    if subject in who_have(family, period, [subject]):
        raise _second()


def _second() -> NotNow:
    return NotNow(
        "这一期同类的钱已经认定过一次（同一主体换过代码的也算），不能再给。处理办法：在“我的兑付”里看那一笔。"
    )
