"""Plan a run: who is entitled to what, in which order; and stop what looks wrong before money moves.

A dry run shows the numbers; a second person approves them. The run that awards is planned afresh
on the newest data and halts when it is too far from what was approved.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.audit import selectors as audited
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.dataplane import selectors as dataplane
from getihu.dataplane import services as dataplane_services
from getihu.kernel.errors import GetihuError
from getihu.policies.contracts import Finding, RunState
from getihu.policies.library.documents import document_of
from getihu.policies.models import AwardRun, Budget
from getihu.policies.programmes import Programme, get_programme
from getihu.policies.services.reviewing import review_rule
from getihu.policies.services.rights import NotAllowed, NotNow, check_right
from getihu.policies.services.subjects import subjects_of, who_have
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as rulebook_services
from getihu.rulebook.contracts import Granted

JOB = "job:awards"
MAY_PLAN = frozenset({Role.POLICY_WRITER, Role.SUPERVISOR})
MAY_APPROVE = frozenset({Role.SUPERVISOR})


class NotAwardable(GetihuError):
    """The rule or the programme cannot be paid out without an application as it is."""


@dataclass(frozen=True)
class Line:
    """One trader on a run's list, in the order of payment."""

    trader_code: str
    cents: int
    division: str


@over_the_wall()
def plan_run(programme_id: str, *, as_of: date | None = None, by: Actor, at: datetime) -> AwardRun:
    """A dry run: decides the whole city and writes down who would get what. Nothing is awarded.

    Raises: NotAllowed, UnknownProgramme, NotAwardable; as ``rulebook.services.sweep``.
    """
    check_right(by, MAY_PLAN, "试算兑付")
    run = _plan(programme_id, as_of, at)
    run.is_dry, run.planned_by_id = True, by.account_id
    run.state = (RunState.HALTED if run.findings else RunState.PLANNED).value
    return _keep(run, f"account:{by.account_id}")


@over_the_wall()
def approve_run(run_id: uuid.UUID | str, *, by: Actor, at: datetime) -> AwardRun:
    """A second person approves a dry run's numbers. Raises: NotAllowed, NotNow."""
    check_right(by, MAY_APPROVE, "批准试算")
    with transaction.atomic():
        run = AwardRun.objects.select_for_update().get(pk=run_id)
        if not run.is_dry or run.state != RunState.PLANNED:
            raise NotNow("只有没有问题、还没批准的试算可以批准。")
        if str(run.planned_by_id) == by.account_id:
            raise NotAllowed("试算的人不能自己批准。处理办法：请另一位负责人批准。")
        run.state, run.approved_at, run.seed = RunState.APPROVED.value, at, _seed(run)
        run.approved_by_id = by.account_id
        run.save()
        record_run(run, "award_run.approved", f"account:{by.account_id}", at)
    return run


@over_the_wall()
def start_run(
    approved_id: uuid.UUID | str,
    *,
    as_of: date | None = None,
    at: datetime,
    total_yuan: Decimal | None = None,
) -> AwardRun:
    """Plan the run that awards and hold it against the approved dry run; it is ALLOTTING when it
    may go on, HALTED with findings when not.

    ``total_yuan``: by default the rule's budget. Raises: NotNow (not approved, another version of
    the rule); as ``plan_run``.
    """
    approved = AwardRun.objects.get(pk=approved_id)
    if not approved.is_dry or approved.state != RunState.APPROVED:
        raise NotNow("先要有批准过的试算。处理办法：试算，再请另一位负责人批准。")
    run = _plan(approved.programme_id, as_of or approved.as_of, at, approved.seed)
    programme = get_programme(run.programme_id)
    findings = [*run.findings, *map(asdict, _compare(programme, run, approved))]
    run.is_dry, run.approved_run, run.findings = False, approved, findings
    run.state = (RunState.HALTED if findings else RunState.ALLOTTING).value
    with transaction.atomic():
        _keep(run, JOB)
        if not findings:
            open_budget(run, total_yuan)
    return run


@over_the_wall()
def begin_run(approved_id: uuid.UUID | str, *, by: Actor, at: datetime) -> AwardRun:
    """``start_run`` by a person. Raises also NotAllowed."""
    check_right(by, MAY_PLAN, "开始兑付")
    return start_run(approved_id, at=at)


@over_the_wall()
def cancel_run(run_id: uuid.UUID | str, *, reason: str, by: Actor, at: datetime) -> None:
    """Take back a dry run, or a run that was halted. Raises: NotAllowed, NotNow."""
    check_right(by, MAY_PLAN, "取消")
    with transaction.atomic():
        run = AwardRun.objects.select_for_update().get(pk=run_id)
        if not reason.strip():
            raise NotNow("取消要写明理由。")
        if run.state not in (RunState.PLANNED, RunState.APPROVED, RunState.HALTED):
            raise NotNow("已经开始认定的不能取消。")
        run.state, run.ended_at = RunState.CANCELLED.value, at
        run.save()
        record_run(run, "award_run.cancelled", f"account:{by.account_id}", at, reason=reason)


def record_run(run: AwardRun, kind: str, actor: str, at: datetime, **more: str) -> None:
    body = {
        "programme": run.programme_id,
        "period": run.period,
        "rule": run.rule_id,
        "version": run.rule_version,
        "snapshot": run.snapshot_id,
        "as_of": run.as_of,
        "count": run.entitled_count,
        "cents": run.entitled_cents,
        "list_sha256": run.list_sha256,
        **more,
    }
    audit.record(AuditEvent(kind, actor, f"award_run:{run.pk}", at, body))


def period_of(programme: Programme, as_of: date) -> str:
    return str(as_of.year) if programme.period == "year" else "once"


def _plan(programme_id: str, as_of: date | None, at: datetime, seed: str = "") -> AwardRun:
    programme = get_programme(programme_id)
    snapshot = dataplane.get_published_snapshot()
    as_of = as_of or snapshot.data_until
    if programme.by == "application":
        raise NotAwardable(f"{programme.id} 按申请逐件决定，不用试算。处理办法：在案件里准予。")
    rule = check_payable(programme, as_of, snapshot.data_until)
    decide_city(rule.id, rule.version, as_of, snapshot.snapshot_id)
    assert rule.budget is not None
    asked = [key.removeprefix("-") for key in rule.budget.order if key != "amount"]
    granted = rulebook.list_granted(rule.id, as_of, snapshot.snapshot_id, facts=asked)
    counts = rulebook.sweep_counts(as_of, snapshot.snapshot_id)[rule.id]
    run = AwardRun(
        programme_id=programme.id,
        period=period_of(programme, as_of),
        family=rule.group.id if rule.group else rule.id,
        rule_id=rule.id,
        rule_version=rule.version,
        as_of=as_of,
        snapshot_id=snapshot.snapshot_id,
        unknown_count=counts.get("unknown", 0),
        planned_at=at,
        seed=seed,
    )
    findings = _check_rows(programme, granted, counts)
    rest = _without_award(run, [each for each in granted if each.yuan is not None])
    run.already_count = len(granted) - len(rest)
    # The budget is cut when awards are made; here everybody gets a place.
    unlimited = replace(rule.budget, yuan=None, places=None)
    placed = rulebook.queue(unlimited, (_claim(each) for each in rest), run.seed)
    divisions = {each.trader_code: each.division for each in rest}
    lines = [
        Line(c.trader_code, int(c.yuan.scaleb(2)), divisions[c.trader_code]) for c in placed.served
    ]
    run.unplaced_count = len(placed.unplaced)
    run.entitled_count = len(lines)
    run.entitled_cents = sum(line.cents for line in lines)
    run.findings = [asdict(finding) for finding in findings]
    run.list_sha256 = write_list(run, lines)
    return run


def check_payable(programme: Programme, as_of: date, data_until: date) -> Any:
    """The rule, if money may follow it as the programme says. Raises NotAwardable."""
    rule = rulebook.get_rule(programme.rule, as_of)
    by_data = programme.by == "data"
    waiting = rulebook_services.list_waiting_rules(as_of)
    wrong = {
        "规则没有写给多少钱": rule.amount is None,
        "规则没有写预算和先后次序（budget）": rule.budget is None or rule.budget.yuan is None,
        "来源条款不全，不能自动兑付": bool(rule.incomplete),
        "来源称为旧政策，是否还有效待核": bool(document_of(rule.source.document).doubt),
        "规则要问申请人或者工作人员，数据定不了": by_data and bool(rule.inputs),
        "规则要工作人员填写发生了什么，申请人的回答定不了": any(
            each.asked_of != "applicant" for each in rule.inputs
        )
        and not by_data,
        f"规则在 {as_of} 不在有效期内": not rule.in_force(as_of),
        f"判定日期 {as_of} 晚于数据截止日 {data_until}": as_of > data_until,
        "规则的新版本还没有漂移报告": rule.id in waiting,
        "公平竞争审查还有问题没有答复（getihu fairness）": not review_rule(
            rule.id, as_of=as_of
        ).is_answered,
        "规则的案例没有全部通过": not all(c.passed for c in rulebook_services.run_cases(rule.id)),
    }
    found = [text for text, is_so in wrong.items() if is_so]
    if found:
        how = "免申即享" if by_data else "按申请兑付"
        raise NotAwardable(f"{programme.id} 不能{how}：{'；'.join(found)}。")
    return rule


def decide_city(rule_id: str, version: str, as_of: date, snapshot_id: str) -> None:
    """Sweep the city, unless this version of the rule has been swept on this ground."""
    if rulebook.swept_versions(as_of, snapshot_id).get(rule_id) == version:
        return
    try:
        dataplane.facts_path(as_of, snapshot_id)
    except dataplane.FactsNotBuilt:
        dataplane_services.build_facts(as_of=as_of)
    rulebook_services.sweep(as_of=as_of, snapshot_id=snapshot_id)


def _check_rows(
    programme: Programme, granted: Sequence[Granted], counts: dict[str, int]
) -> list[Finding]:
    """What is wrong with the rows themselves: twice the same trader, sums outside the bounds."""
    findings = []
    twice = [code for code, n in Counter(g.trader_code for g in granted).items() if n > 1]
    if twice or len(granted) != counts.get("yes", 0):
        text = f"名单和判定结果对不上：{len(twice)} 户出现两次，{len(granted)} 行对 {counts.get('yes', 0)} 户。"
        findings.append(Finding("rows", text))
    bounds = programme.pays
    outside = [
        g
        for g in granted
        if g.yuan is not None and not bounds.least_yuan <= g.yuan <= bounds.most_yuan
    ]
    if outside:
        text = (
            f"{len(outside)} 户的金额不在 {bounds.least_yuan:,}–{bounds.most_yuan:,} 元以内"
            f"（{bounds.source}）。规则的单位或公式可能写错了。"
        )
        findings.append(Finding("bounds", text))
    unclear = sum(g.yuan is None for g in granted)
    if unclear:
        findings.append(Finding("amount", f"{unclear} 户符合，但算不出金额。"))
    if not granted:
        findings.append(Finding("empty", "一户也没有。数据可能没有送到，或者规则写错了。"))
    return findings


def _compare(programme: Programme, run: AwardRun, approved: AwardRun) -> list[Finding]:
    """The breaker: count, sum and mean against the dry run somebody approved."""
    findings = []
    if run.rule_version != approved.rule_version:
        findings.append(Finding("version", "规则换了版本。处理办法：重新试算，再批准。"))
    if run.period != approved.period:
        findings.append(Finding("period", f"所属期变了：{approved.period} → {run.period}。"))
    # Who has an award already was counted in the dry run too, if it is the same city.
    count = run.entitled_count + run.already_count
    before = approved.entitled_count + approved.already_count
    breaker = programme.breaker
    findings += _too_far("户数", count, before, breaker.count)
    if run.already_count == approved.already_count:
        findings += _too_far("金额", run.entitled_cents, approved.entitled_cents, breaker.sum)
    if run.entitled_count and approved.entitled_count:
        mean, mean_before = (r.entitled_cents / r.entitled_count for r in (run, approved))
        findings += _too_far("户均", mean, mean_before, breaker.mean)
    return findings


def _too_far(what: str, now: float, before: float, share: Decimal) -> list[Finding]:
    if abs(now - before) <= float(share) * before:
        return []
    change = f"{(now - before) / before:+.1%}" if before else "从零开始"
    return [Finding("breaker", f"{what}和批准的试算差得太多：{change}，上限 ±{share:.0%}。")]


def _without_award(run: AwardRun, granted: list[Granted]) -> list[Granted]:
    """Without those who have an award of the family in the period, under any of their codes; of one
    subject's codes the one with the most (就高不重复)."""
    subjects = subjects_of([each.trader_code for each in granted])
    have = who_have(run.family, run.period)
    best: dict[str, Granted] = {}
    for each in sorted(granted, key=lambda g: (-(g.yuan or 0), g.trader_code)):
        best.setdefault(subjects[each.trader_code], each)
    return [
        g
        for g in granted
        if subjects[g.trader_code] not in have and best[subjects[g.trader_code]] is g
    ]


def _claim(granted: Granted) -> rulebook.Claim:
    assert granted.yuan is not None
    return rulebook.Claim(granted.trader_code, granted.yuan, granted.facts)


def _seed(run: AwardRun) -> str:
    """What draws between equals: of the approved list and of the public log as it stood at the
    approval, so that nobody can choose it and anybody can make it again."""
    checkpoint = audited.find_checkpoint()
    root = checkpoint.root.hex() if checkpoint else ""
    return hashlib.sha256(f"{run.list_sha256}|{root}".encode()).hexdigest()


def _keep(run: AwardRun, actor: str) -> AwardRun:
    with transaction.atomic():
        run.save(force_insert=True)
        kind = "planned" if run.is_dry else "halted" if run.findings else "started"
        record_run(run, f"award_run.{kind}", actor, run.planned_at)
    return run


def open_budget(run: AwardRun, total_yuan: Decimal | None = None) -> None:
    """The budget of a run's programme and period, as its rule says, unless it is there."""
    rule = rulebook.get_rule(run.rule_id, run.as_of)
    assert rule.budget is not None
    total = total_yuan if total_yuan is not None else rule.budget.yuan
    assert total is not None
    Budget.objects.get_or_create(
        programme_id=run.programme_id,
        period=run.period,
        defaults={"total_cents": int(total.scaleb(2))},
    )


# the list


def list_path(run: AwardRun) -> Path:
    return Path(settings.DATA_DIR) / "policies" / "runs" / f"{run.pk}.parquet"


def write_list(run: AwardRun, lines: Sequence[Line]) -> str:
    """Write a run's list; returns its SHA-256, which says the same whatever the file format."""
    path = list_path(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            "trader_code": [line.trader_code for line in lines],
            "cents": pa.array([line.cents for line in lines], pa.int64()),
            "division": [line.division for line in lines],
        }
    )
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(table, unfinished, compression="zstd")
    unfinished.replace(path)
    return _list_sha256(lines)


def read_list(run: AwardRun) -> list[Line]:
    """A run's list. Raises NotNow when it is not the one that was written down."""
    table = pq.read_table(list_path(run))
    lines = [Line(**row) for row in table.to_pylist()]
    if _list_sha256(lines) != run.list_sha256:
        raise NotNow("名单文件和试算时的指纹不一样，已停下。处理办法：从备份恢复，或者重新试算。")
    return lines


def _list_sha256(lines: Sequence[Line]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line.trader_code},{line.cents}\n".encode())
    return digest.hexdigest()
