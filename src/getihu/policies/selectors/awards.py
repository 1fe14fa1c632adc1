"""Reads of awards: runs with their numbers, one award with its history, what an officer may see."""

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Substr

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import within
from getihu.audit import selectors as audit
from getihu.kernel.errors import GetihuError
from getihu.policies.contracts import (
    AWARD_LABELS,
    RUN_LABELS,
    AdjustmentView,
    AwardState,
    AwardView,
    BatchView,
    BudgetView,
    DiscrepancyView,
    Finding,
    InstalmentView,
    MoveView,
    PlaceCount,
    RunState,
    RunView,
    yuan_of,
)
from getihu.policies.machine import IN_ACCOUNT, MOVES
from getihu.policies.models import (
    Adjustment,
    Award,
    AwardRun,
    Batch,
    Budget,
    Discrepancy,
    PayeeAccount,
)
from getihu.policies.programmes import Programme, get_programme, programmes
from getihu.reference import selectors as reference
from getihu.rulebook import selectors as rulebook

# 金融账户是敏感个人信息，要单独同意：个人信息保护法 第二十八、二十九条
ACCOUNT = "account"
OFFICERS = (Role.CASE_OFFICER, Role.SUPERVISOR, Role.FINANCE_OFFICER, Role.POLICY_WRITER)


class UnknownAward(GetihuError):
    """No award has this number, or it is not in reach."""


class UnknownRun(GetihuError):
    """No run has this number."""


def list_programmes() -> list[Programme]:
    """Every programme, by title."""
    return sorted(programmes().values(), key=lambda programme: programme.title)


def award_is(argument: str) -> bool:
    """For notices: whether an award is still in the state a notice tells of."""
    number, _, state = argument.partition(" ")
    return Award.objects.select_for_update().filter(pk=number, state=state).exists()


def list_runs(programme_id: str = "") -> list[RunView]:
    """Runs and dry runs, newest first."""
    runs = AwardRun.objects.order_by("-planned_at")
    return [_run(run) for run in (runs.filter(programme_id=programme_id) if programme_id else runs)]


def get_run(run_id: uuid.UUID | str) -> RunView:
    """One run. Raises UnknownRun."""
    run = AwardRun.objects.filter(pk=run_id).first()
    if run is None:
        raise UnknownRun("没有这一次兑付。处理办法：从列表里选。")
    return _run(run)


def get_award(award_id: uuid.UUID | str, *, actor: Actor | None = None) -> AwardView:
    """One award with its history; with ``actor``, only within reach. Raises UnknownAward."""
    award = visible_awards(actor).filter(pk=award_id).select_related("run").first()
    if award is None:
        raise UnknownAward("没有这笔兑付，或者不在您能看的范围里。")
    return _award(award)


def list_awards_of(trader_codes: Sequence[str]) -> list[AwardView]:
    """The awards of some traders, newest first."""
    rows = Award.objects.filter(trader_code__in=trader_codes).select_related("run")
    return [_award(award) for award in rows.order_by("-entitled_at", "id")]


def consents_of(award_id: uuid.UUID | str, *, actor: Actor) -> dict[str, str]:
    """Key → words of every consent an award needs before it is paid. Raises UnknownAward."""
    award = visible_awards(actor).filter(pk=award_id).select_related("run").first()
    if award is None:
        raise UnknownAward("没有这笔兑付，或者不在您能看的范围里。")
    return consents_needed(award)


def consents_needed(award: Award) -> dict[str, str]:
    """Key → words of every consent an award needs before it is paid."""
    rule = rulebook.get_rule(award.run.rule_id, award.run.as_of)
    needed = {ACCOUNT: "同意用这个账户收款（个人信息保护法第二十九条）"}
    for need in rulebook.consent_needed(rule):
        needed[need.article] = f"同意使用{'、'.join(need.labels)}（{need.article}）"
    return needed


def list_awards(run_id: uuid.UUID | str, state: AwardState, *, limit: int) -> list[AwardView]:
    """Awards of a run in a state, in the order of payment."""
    rows = Award.objects.filter(run__pk=run_id, state=state.value).select_related("run")
    return [_award(award) for award in rows.order_by("position")[:limit]]


def read_slip(award_id: uuid.UUID | str, *, actor: Actor | None = None) -> bytes:
    """The decision slip an award rests on, as it was frozen. Raises UnknownAward."""
    award = visible_awards(actor).filter(pk=award_id).first()
    if award is None:
        raise UnknownAward("没有这笔兑付，或者不在您能看的范围里。")
    return bytes(award.slip)


def sample_slips(limit: int) -> list[tuple[str, bytes, str]]:
    """Award, slip and the slip's fingerprint as noted, of up to ``limit`` awards in an order that
    is nobody's choice; for drills."""
    rows = Award.objects.order_by("slip_sha256", "id").values_list("id", "slip", "slip_sha256")
    return [(str(pk), bytes(slip), noted) for pk, slip, noted in rows[:limit]]


def list_proofs(award_id: uuid.UUID | str, *, actor: Actor) -> list[dict[str, object]]:
    """What the public log holds about an award, each entry opened and proven. Raises
    UnknownAward."""
    get_award(award_id, actor=actor)
    return audit.list_openings(f"award:{award_id}")


def visible_awards(actor: Actor | None) -> QuerySet[Award]:
    """Awards an actor may see; None: all, for jobs. Her own, those she may act for, and for
    officers those in their region."""
    if actor is None:
        return Award.objects.all()
    hers = Q(trader_code__in=[*actor.own, *(code for code, _ in actor.authorised)])
    return Award.objects.filter(hers | within(actor.scope(*OFFICERS), "division"))


@over_the_wall()
def _run(run: AwardRun) -> RunView:
    counts: Counter[AwardState] = Counter()
    for row in run.awards.filter(adjustment=None).values("state").annotate(n=Count("id")):
        counts[AwardState(row["state"])] = row["n"]
    budget = Budget.objects.filter(programme_id=run.programme_id, period=run.period).first()
    mean = yuan_of(run.entitled_cents // run.entitled_count) if run.entitled_count else None
    return RunView(
        id=str(run.pk),
        programme_id=run.programme_id,
        title=get_programme(run.programme_id).title,
        period=run.period,
        rule_id=run.rule_id,
        rule_version=run.rule_version,
        as_of=run.as_of,
        snapshot_id=run.snapshot_id,
        is_dry=run.is_dry,
        state=RunState(run.state),
        state_label=RUN_LABELS[RunState(run.state)],
        entitled_count=run.entitled_count,
        entitled_yuan=yuan_of(run.entitled_cents),
        mean_yuan=mean,
        unknown_count=run.unknown_count,
        already_count=run.already_count,
        unplaced_count=run.unplaced_count,
        list_sha256=run.list_sha256,
        seed=run.seed,
        findings=tuple(Finding(**finding) for finding in run.findings),
        planned_at=run.planned_at,
        approved_at=run.approved_at,
        counts=dict(counts),
        budget=_budget(budget) if budget else None,
        by_application=run.by_application,
    )


def _budget(budget: Budget) -> BudgetView:
    return BudgetView(
        yuan_of(budget.total_cents),
        yuan_of(budget.reserved_cents),
        yuan_of(budget.ordered_cents),
        yuan_of(budget.paid_cents),
        yuan_of(budget.left_cents),
    )


def _award(award: Award) -> AwardView:
    programme = get_programme(award.run.programme_id)
    payee = PayeeAccount.objects.filter(trader_code=award.trader_code, replaced_at=None).first()
    state = AwardState(award.state)
    return AwardView(
        id=str(award.pk),
        programme_id=programme.id,
        title=f"{programme.title}（更正后补发）" if award.adjustment_id else programme.title,
        rule_id=award.run.rule_id,
        trader_code=award.trader_code,
        period=award.period,
        yuan=yuan_of(award.cents),
        state=state,
        state_label=AWARD_LABELS[state],
        position=award.position,
        confirm_until=award.confirm_until,
        account_ending=payee.ending if payee else "",
        bank=payee.bank if payee else "",
        paid_on=award.paid_on,
        slip_sha256=award.slip_sha256,
        moves=tuple(map(_move, award.moves.all())),
    )


_LABELS = {(move.before.value, move.after.value): move.label for move in MOVES}
_FIRST = {
    AwardState.ENTITLED.value: "认定符合，预留资金",
    AwardState.WAITING.value: "认定符合，排队",
}


def _move(move: Any) -> MoveView:
    label = _LABELS.get((move.before, move.after)) or _FIRST.get(move.after, move.after)
    return MoveView(move.at, label, move.side, move.reason, move.article)


# what an office has to do


DISCREPANCY_LABELS = {
    "unknown_order": "没有下达过的付款",
    "amount": "金额不一样",
    "paid_twice": "付了两次",
    "two_answers": "回执前后不一",
    "line_changed": "对账行改过",
    "no_answer": "没有回执",
    "refused": "国库不收",
    "succession": "登记写的延续和已记的主体不一致",
    "two_codes": "同一主体两个代码都认定过",
}
ADJUSTMENT_LABELS = {
    "open": "等负责人决定",
    "proposed": "等第二位负责人同意",
    "left": "不要求退回",
    "claimed": "等退回",
    "settled": "已退清",
    "topping": "已决定补发，等到账",
    "topped": "已补发到账",
}
FEWEST = 10  # 少于这么多户不公布，本项目设定，非官方


def count_paid(since: date, until: date) -> tuple[int, int]:
    """How many awards reached an account in some days (both ends in), and their cents."""
    with over_the_wall():  # only the sums leave
        found = Award.objects.filter(
            state__in=IN_ACCOUNT, paid_on__gte=since, paid_on__lte=until
        ).aggregate(many=Count("pk"), cents=Sum("cents"))
    return found["many"], found["cents"] or 0


def list_batches(run_id: uuid.UUID | str, *, actor: Actor) -> list[BatchView]:
    """The payment lists of a run, newest first."""
    rows = Batch.objects.filter(run__pk=run_id).select_related("prepared_by")
    return [
        BatchView(
            id=str(row.pk),
            count=row.count,
            yuan=yuan_of(row.cents),
            sha256=row.sha256,
            state=_batch_state(row),
            prepared_at=row.prepared_at,
            prepared_by=row.prepared_by.name,
            is_mine=str(row.prepared_by_id) == actor.account_id,
            released_at=row.released_at,
            submitted_at=row.submitted_at,
            tries=row.tries,
            problem=row.problem,
        )
        for row in rows.order_by("-prepared_at")
    ]


def list_sample(run_id: uuid.UUID | str, *, actor: Actor | None = None) -> list[AwardView]:
    """Awards of a run's sample nobody has looked at yet, in order; with ``actor``, in reach."""
    rows = visible_awards(actor).filter(
        run__pk=run_id, is_sampled=True, state=AwardState.CONFIRMED.value, check_made=None
    )
    return [_award(row) for row in rows.select_related("run").order_by("position")]


def list_held(actor: Actor) -> list[AwardView]:
    """Awards in reach that wait for a person's decision, the oldest first."""
    rows = visible_awards(actor).filter(state=AwardState.HELD.value).select_related("run")
    return [_award(row) for row in rows.order_by("entitled_at", "position")]


def list_discrepancies() -> list[DiscrepancyView]:
    """What of the payments does not add up and nobody has settled, the oldest first."""
    rows = Discrepancy.objects.filter(closed_at=None).order_by("found_at", "id")
    return [
        DiscrepancyView(
            row.pk, DISCREPANCY_LABELS.get(row.kind, row.kind), row.about, row.detail, row.found_at
        )
        for row in rows
    ]


def list_adjustments(actor: Actor) -> list[AdjustmentView]:
    """Corrections of paid awards in reach that are not at an end, the oldest first."""
    rows = Adjustment.objects.filter(award__in=visible_awards(actor)).exclude(
        state__in=["left", "settled", "topped"]
    )
    return [
        _adjustment(row, actor)
        for row in rows.select_related("award").prefetch_related("instalments").order_by("id")
    ]


def list_adjustments_of(award_id: uuid.UUID | str, *, actor: Actor) -> list[AdjustmentView]:
    """The corrections of one award in reach that people have decided on."""
    rows = Adjustment.objects.filter(award__in=visible_awards(actor), award=award_id).exclude(
        state__in=["open", "proposed"]
    )
    return [_adjustment(row, actor) for row in rows.select_related("award").order_by("id")]


def given_cents(awards: Sequence[Award]) -> dict[uuid.UUID, int]:
    """Award → what its trader has under it with every correction after it that stands: of an award
    itself all of them, of a top-up those up to it."""
    top_ups = [award for award in awards if award.adjustment_id]
    bases = {award.pk: award for award in awards if not award.adjustment_id}
    standing = Award.objects.exclude(state__in=(AwardState.DECLINED.value, AwardState.ENDED.value))
    rows = standing.filter(adjustment__award__in=bases).values_list("adjustment__award")
    more = dict(rows.annotate(cents=Sum("cents")))
    found = {pk: base.cents + more.get(pk, 0) for pk, base in bases.items()}
    for each in top_ups:
        assert each.adjustment is not None
        base = each.adjustment.award
        earlier = standing.filter(adjustment__award=base, adjustment__lt=each.adjustment_id)
        before = earlier.aggregate(cents=Sum("cents"))["cents"] or 0
        found[each.pk] = base.cents + before + each.cents
    return found


@over_the_wall()
def list_places(run_id: uuid.UUID | str) -> list[PlaceCount]:
    """Awards of a run by county, for everybody to see. Counties with few are left out; when that
    is one alone, the next smallest too, or it could be worked out from the sum."""
    rows = (
        Award.objects.filter(run__pk=run_id, adjustment=None)
        .exclude(state=AwardState.WAITING.value)
        .annotate(county=Substr("division", 1, 6))
        .values("county")
        .annotate(n=Count("id"), cents=Sum("cents"))
        .order_by("county")
    )
    found = list(rows)
    hidden = {row["county"] for row in found if row["n"] < FEWEST}
    if len(hidden) == 1 and len(found) > 1:
        rest = [row for row in found if row["county"] not in hidden]
        hidden.add(min(rest, key=lambda row: row["n"])["county"])
    return [
        PlaceCount(
            reference.division_name(row["county"]) or "地址未知",
            None if row["county"] in hidden else row["n"],
            None if row["county"] in hidden else yuan_of(row["cents"]),
        )
        for row in found
    ]


def _batch_state(row: Batch) -> str:
    if row.withdrawn_at:
        return "withdrawn"
    if row.submitted_at:
        return "submitted"
    return "released" if row.released_at else "prepared"


def _adjustment(row: Adjustment, actor: Actor) -> AdjustmentView:
    return AdjustmentView(
        number=row.pk,
        award_id=str(row.award_id),
        trader_code=row.award.trader_code,
        paid_yuan=yuan_of(row.award.cents),
        should_yuan=None if row.should_cents is None else yuan_of(row.should_cents),
        claim_yuan=yuan_of(row.claim_cents),
        state=row.state,
        state_label=ADJUSTMENT_LABELS[row.state],
        reason=row.reason,
        article=row.article,
        opened_at=row.opened_at,
        given_yuan=yuan_of(given_cents([row.award])[row.award_id]),
        is_mine=str(row.decided_by_id) == actor.account_id,
        instalments=tuple(
            InstalmentView(part.number, part.due_on, yuan_of(part.cents), part.received_on)
            for part in row.instalments.order_by("number")
        ),
    )
