"""Release payments by two people, hand them to the treasury until it has them, and hold its answers
against what was ordered."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.utils.module_loading import import_string

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.kernel.errors import GetihuError
from getihu.policies.contracts import PaymentReport, yuan_of
from getihu.policies.machine import AwardState, Side
from getihu.policies.models import (
    Award,
    AwardRun,
    Batch,
    Discrepancy,
    Order,
    PayeeAccount,
    Statement,
)
from getihu.policies.ports import (
    PaymentBatch,
    PaymentOrder,
    PaymentResult,
    StatementLine,
    Treasury,
    TreasuryRefused,
    TreasuryUnreachable,
)
from getihu.policies.programmes import get_programme
from getihu.policies.services.adjusting import settle_top_up
from getihu.policies.services.checking import batched_ids
from getihu.policies.services.discrepancies import note_discrepancy
from getihu.policies.services.moves import move_award, move_many
from getihu.policies.services.payees import open_account
from getihu.policies.services.rechecking import recheck
from getihu.policies.services.rights import NotNow, check_right
from getihu.policies.services.telling import tell_moved
from getihu.registry import selectors as registry

MAY_PREPARE = frozenset({Role.FINANCE_OFFICER})
MAY_RELEASE = frozenset({Role.FINANCE_OFFICER, Role.SUPERVISOR})
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=4)  # 本项目设定，非官方
LEASE = timedelta(minutes=10)
LONGEST_LOOK_BACK = timedelta(days=31)
CITY_TIME = ZoneInfo("Asia/Shanghai")


class BatchChanged(GetihuError):
    """A batch is no longer what was prepared; nothing of it is paid."""


def treasury() -> Treasury:
    """The treasury the settings name."""
    made: Treasury = import_string(settings.TREASURY)()
    return made


# two people


@over_the_wall()
def prepare_batch(run_id: uuid.UUID | str, *, by: Actor, at: datetime) -> Batch:
    """The first person: put all that is cleared into a batch. Nothing is ordered yet.

    Raises: NotAllowed, NotNow (nothing is cleared).
    """
    check_right(by, MAY_PREPARE, "编制拨付清单")
    with transaction.atomic():
        run = AwardRun.objects.select_for_update().get(pk=run_id)
        awards = list(
            Award.objects.select_for_update()
            .filter(run=run, state=AwardState.CLEARED.value)
            .exclude(orders__result="")
            .order_by("position")
        )
        if not awards:
            raise NotNow("没有抽查通过、等拨付的。处理办法：先抽查、放行。")
        batch = Batch.objects.create(
            run=run,
            count=len(awards),
            cents=sum(award.cents for award in awards),
            sha256="",
            prepared_by_id=by.account_id,
            prepared_at=at,
        )
        Order.objects.bulk_create(_orders(batch, awards), batch_size=500)
        batch.sha256 = file_sha256(batch)
        batch.save(update_fields=["sha256"])
        _record(batch, "batch.prepared", f"account:{by.account_id}", at)
    return batch


@over_the_wall()
def release_batch(
    batch_id: uuid.UUID | str, *, total_yuan: Decimal, by: Actor, at: datetime
) -> tuple[int, int]:
    """The second person types the total and releases: everybody is decided once more, then ordered.

    When somebody has changed since, they are held and nothing is released: prepare again. Returns
    how many were ordered and how many held. Raises: NotAllowed, NotNow, BatchChanged.
    """
    check_right(by, MAY_RELEASE, "下达拨付")
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        _check_releasable(batch, total_yuan, by)
    _hold_changed(batch, at)
    held = batch.orders.exclude(award__state=AwardState.CLEARED.value).count()
    if held:
        _withdraw(batch_id, "job:payments", at)
        return 0, held
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        _check_releasable(batch, total_yuan, by)
        ids = batch.orders.values_list("award_id", flat=True)
        awards = list(
            Award.objects.select_for_update()
            .filter(pk__in=list(ids), state=AwardState.CLEARED.value)
            .order_by("position")
        )
        if len(awards) != batch.count or file_sha256(batch) != batch.sha256:
            raise BatchChanged("清单里有变化，没有下达。处理办法：撤回这份清单，再编一次。")
        move_many(awards, AwardState.ORDERED, side=Side.PERSON, by=by, at=at)
        batch.released_by_id, batch.released_at, batch.next_try_at = by.account_id, at, at
        batch.save(update_fields=["released_by", "released_at", "next_try_at"])
        _record(batch, "batch.released", f"account:{by.account_id}", at)
    return len(awards), 0


@over_the_wall()
def take_batch_back(batch_id: uuid.UUID | str, *, by: Actor, at: datetime) -> None:
    """Take back a batch that was not released; its awards stay cleared. Raises: NotAllowed,
    NotNow."""
    check_right(by, MAY_RELEASE, "撤回拨付清单")
    _withdraw(batch_id, f"account:{by.account_id}", at)


def _withdraw(batch_id: uuid.UUID | str, actor: str, at: datetime) -> None:
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if batch.released_at or batch.withdrawn_at:
            raise NotNow("已经下达或者撤回。")
        batch.orders.all().delete()
        batch.withdrawn_at = at
        batch.save(update_fields=["withdrawn_at"])
        _record(batch, "batch.withdrawn", actor, at)


def payment_batch(batch: Batch) -> PaymentBatch:
    """A batch as the treasury takes it, accounts opened. Raises BatchChanged."""
    rows = batch.orders.select_related("award", "payee_account").defer("award__slip")
    rows = rows.order_by("award__position", "id")
    programme = get_programme(batch.run.programme_id)
    names = registry.list_names([row.award.trader_code for row in rows])
    orders = tuple(
        PaymentOrder(
            order_id=row.id,
            cents=row.cents,
            payee=names.get(row.award.trader_code, row.award.trader_code),
            bank=row.payee_account.bank,
            account=open_account(row.payee_account),
            remark=programme.title,
        )
        for row in rows
    )
    whole = PaymentBatch(str(batch.pk), orders, sum(o.cents for o in orders), batch.sha256)
    if whole.cents != batch.cents or len(orders) != batch.count:
        raise BatchChanged("清单的合计和编制时不一样，没有送出。")
    return whole


def file_sha256(batch: Batch) -> str:
    """A digest of who gets what on which account, in order; accounts by their own row."""
    digest = hashlib.sha256()
    rows = batch.orders.order_by("award__position", "id").values_list(
        "id", "award_id", "award__cents", "cents", "payee_account_id"
    )
    for row in rows.iterator():
        digest.update(("|".join(map(str, row)) + "\n").encode())
    return digest.hexdigest()


def _orders(batch: Batch, awards: Sequence[Award]) -> list[Order]:
    codes = [award.trader_code for award in awards]
    payees = {
        payee.trader_code: payee
        for payee in PayeeAccount.objects.filter(trader_code__in=codes, replaced_at=None)
    }
    tried = Counter(
        Order.objects.filter(award__in=awards, result="returned").values_list("award_id", flat=True)
    )
    return [
        Order(
            id=str(award.pk) if not tried[award.pk] else f"{award.pk}-{tried[award.pk] + 1}",
            award=award,
            batch=batch,
            payee_account=payees[award.trader_code],
            attempt=tried[award.pk] + 1,
            cents=award.cents,
        )
        for award in awards
    ]


def _check_releasable(batch: Batch, total_yuan: Decimal, by: Actor) -> None:
    if batch.released_at or batch.withdrawn_at:
        raise NotNow("这份清单已经下达或者撤回。")
    if str(batch.prepared_by_id) == by.account_id:
        raise NotNow("编清单的人不能自己下达。处理办法：请另一个人核对后下达。")
    if total_yuan != yuan_of(batch.cents):
        raise NotNow("填的合计和清单不一样，没有下达。处理办法：对着清单再核一遍合计。")


def _hold_changed(batch: Batch, at: datetime) -> None:
    """By level: what an interrupted release has held already is left as it is."""
    ids = list(batch.orders.order_by("award__position").values_list("award_id", flat=True))
    for stretch in batched_ids(ids):
        with transaction.atomic():
            awards = list(
                Award.objects.select_for_update().filter(
                    pk__in=stretch, state=AwardState.CLEARED.value
                )
            )
            changed = [check for check in recheck(batch.run, awards) if check.why]
            for check in changed:
                move_award(
                    check.award,
                    AwardState.HELD,
                    side=Side.MACHINE,
                    by=None,
                    at=at,
                    reason=check.why,
                )
                tell_moved(get_programme(batch.run.programme_id), check.award, at=at)


# the treasury


def submit_due(at: datetime, *, limit: int = 20) -> PaymentReport:
    """Hand over released batches whose time has come; several workers may do it at once.

    A lost answer is asked for again under the same numbers: the treasury pays each number once.
    """
    report = PaymentReport()
    due = Batch.objects.filter(next_try_at__lte=at, submitted_at=None, withdrawn_at=None)
    for pk, before in list(due.order_by("next_try_at").values_list("pk", "next_try_at")[:limit]):
        mine = Batch.objects.filter(pk=pk, next_try_at=before).update(next_try_at=at + LEASE)
        if not mine:
            continue  # another worker has it
        batch = Batch.objects.get(pk=pk)
        try:
            treasury().submit(payment_batch(batch))
        except (TreasuryUnreachable, TreasuryRefused, BatchChanged) as error:
            _try_later(batch, error, at)
            report = replace(report, unreachable=report.unreachable + 1)
        else:
            with transaction.atomic():
                done = Batch.objects.filter(pk=pk, submitted_at=None)
                if done.update(submitted_at=at, next_try_at=None, problem=""):
                    _record(batch, "batch.submitted", "job:payments", at)
                    report = replace(report, submitted=report.submitted + 1)
    return report


def _try_later(batch: Batch, error: GetihuError, at: datetime) -> None:
    wait = min(FIRST_RETRY * 2 ** min(batch.tries, 10), LONGEST_RETRY)
    Batch.objects.filter(pk=batch.pk).update(
        tries=batch.tries + 1, next_try_at=at + wait, problem=str(error)[:300]
    )
    if not isinstance(error, TreasuryUnreachable):
        note_discrepancy("refused", f"batch:{batch.pk}", str(error), at)


def reconcile(day: date, *, at: datetime) -> PaymentReport:
    """Hold one day's statement against the orders; may be called again, also on older days.

    Every line that fits pays an award; every line that does not, and every order too long without
    an answer, becomes a discrepancy for a person. Raises TreasuryUnreachable.
    """
    counts: Counter[str] = Counter()
    for line in treasury().statement(day):
        with transaction.atomic():
            counts[_take_line(line, at)] += 1
    counts["found"] += _find_overdue(at)
    return PaymentReport(
        paid=counts["paid"],
        returned=counts["returned"],
        reconciled=counts["paid"],
        found=counts["found"],
    )


def reconcile_recent(at: datetime) -> PaymentReport:
    """``reconcile`` of today and of the days before it for which orders are still open, at most
    ``LONGEST_LOOK_BACK``; nothing is asked while none is open."""
    open_orders = Order.objects.filter(result="", batch__submitted_at__isnull=False)
    first = open_orders.aggregate(first=Min("batch__submitted_at"))["first"]
    if first is None:
        return PaymentReport()
    today = at.astimezone(CITY_TIME).date()
    day = max(first.astimezone(CITY_TIME).date(), today - LONGEST_LOOK_BACK)
    done = PaymentReport()
    while day <= today:
        each = reconcile(day, at=at)
        done = replace(done, paid=done.paid + each.paid, found=done.found + each.found)
        day += timedelta(days=1)
    return done


def _take_line(line: StatementLine, at: datetime) -> str:
    known = Statement.objects.select_for_update().filter(pk=line.line_id).first()
    if known is not None:
        same = (known.order_id, known.result, known.cents, known.on)
        if same == (line.order_id, line.result.value, line.cents, line.on):
            return "again"
        return note_discrepancy("line_changed", f"line:{line.line_id}", "对账行和上次不同", at)
    Statement.objects.create(
        line_id=line.line_id,
        order_id=line.order_id,
        result=line.result.value,
        cents=line.cents,
        on=line.on,
        why=line.why[:200],
    )
    order = Order.objects.select_for_update().filter(pk=line.order_id).first()
    if order is None or order.batch.released_at is None:
        return note_discrepancy("unknown_order", f"line:{line.line_id}", "没有下达过的指令", at)
    if line.cents != order.cents:
        text = f"付 {yuan_of(line.cents)} 元，应付 {yuan_of(order.cents)} 元"
        return note_discrepancy("amount", f"line:{line.line_id}", text, at)
    if order.result:
        kind = "paid_twice" if line.result is PaymentResult.PAID else "two_answers"
        return note_discrepancy(kind, f"line:{line.line_id}", "同一指令又有一行", at)
    order.result, order.answered_on = line.result.value, line.on
    order.save(update_fields=["result", "answered_on"])
    award = Award.objects.select_for_update().get(pk=order.award_id)
    programme = get_programme(award.run.programme_id)
    if line.result is PaymentResult.RETURNED:
        reason = f"银行退回：{line.why}"[:500]
        move_award(award, AwardState.RETURNED, side=Side.MACHINE, by=None, at=at, reason=reason)
        tell_moved(programme, award, at=at)
        return "returned"
    move_award(award, AwardState.PAID, side=Side.MACHINE, by=None, at=at)
    Award.objects.filter(pk=award.pk).update(paid_on=line.on)
    tell_moved(programme, award, at=at)
    move_award(award, AwardState.RECONCILED, side=Side.MACHINE, by=None, at=at)
    settle_top_up(award, at)
    return "paid"


def _find_overdue(at: datetime) -> int:
    found = 0
    open_orders = Order.objects.filter(result="", batch__submitted_at__isnull=False)
    for order in open_orders.select_related("batch__run").iterator():
        term = get_programme(order.batch.run.programme_id).answer_within
        submitted = order.batch.submitted_at
        if submitted and submitted + timedelta(days=term.days) < at:
            text = f"送出 {term.days} 天没有回执"
            found += note_discrepancy("no_answer", f"order:{order.id}", text, at) == "found"
    return found


def close_discrepancy(number: int, *, how: str, by: Actor, at: datetime) -> None:
    """A person says how a discrepancy was settled. Raises: NotAllowed, NotNow."""
    check_right(by, MAY_RELEASE, "处理对账差异")
    if not how.strip():
        raise NotNow("要写明怎么处理的。")
    with transaction.atomic():
        row = Discrepancy.objects.select_for_update().get(pk=number)
        if row.closed_at:
            raise NotNow("已经处理过。")
        row.closed_at, row.how, row.closed_by_id = at, how[:500], by.account_id
        row.save()
        about = f"discrepancy:{row.pk}"
        body = {"kind": row.kind, "how": row.how}
        audit.record(AuditEvent("payment.settled", f"account:{by.account_id}", about, at, body))


def _record(batch: Batch, kind: str, actor: str, at: datetime) -> None:
    body = {
        "run": str(batch.run_id),
        "count": batch.count,
        "cents": batch.cents,
        "sha256": batch.sha256,
    }
    audit.record(AuditEvent(kind, actor, f"batch:{batch.pk}", at, body))
