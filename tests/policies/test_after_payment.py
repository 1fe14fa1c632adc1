"""What comes after the money: answers that do not fit, corrections, claims; and kills on the way."""

import os
import random
import signal
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from getihu.accounts.contracts import Role
from getihu.gateways.treasury_fake import FakeTreasury
from getihu.policies import selectors, services
from getihu.policies.contracts import yuan_of
from getihu.policies.machine import MOVES, AwardState, Side
from getihu.policies.models import (
    Adjustment,
    Award,
    Budget,
    Discrepancy,
    LedgerEntry,
)
from getihu.policies.ports import PaymentResult, StatementLine
from getihu.policies.services import adjusting, moves, paying, rechecking
from tests.policies.conftest import AT, awarded, confirmed, officer, operator
from tests.policies.test_award_run import check_money

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(city, writer, supervisor, cashier, settings):
    """A run with eight awards paid."""
    run = awarded(writer, supervisor)
    confirmed(run, 8)
    release(run, cashier, supervisor)
    services.submit_due(AT)
    bank(settings).work_through(settings.DATA_DIR / "treasury", AT.date())
    services.reconcile(AT.date(), at=AT)
    return run


def release(run, cashier, supervisor):
    checker = officer(Role.CASE_OFFICER)
    services.draw_sample(run.pk, at=AT)
    for award in selectors.list_sample(run.pk):
        services.check_award(award.id, is_right=True, by=checker, at=AT)
    services.clear(run.pk, by=checker, at=AT)
    batch = services.prepare_batch(run.pk, by=cashier, at=AT)
    services.release_batch(batch.pk, total_yuan=yuan_of(batch.cents), by=supervisor, at=AT)
    return batch


def bank(settings, **how) -> FakeTreasury:
    return FakeTreasury(settings.DATA_DIR / "bank", **how)


def test_lines_that_do_not_fit_become_discrepancies_and_pay_nobody(
    city, writer, supervisor, cashier, monkeypatch
):
    run = awarded(writer, supervisor)
    confirmed(run, 6)
    batch = release(run, cashier, supervisor)
    services.submit_due(AT)
    orders = list(batch.orders.order_by("id"))
    day = AT.date()

    def line(name: str, order: str, cents: int, result=PaymentResult.PAID) -> StatementLine:
        return StatementLine(name, order, result, cents, day)

    told = [
        line("1", orders[0].id, orders[0].cents),
        line("1", orders[0].id, orders[0].cents),  # the same line twice: nothing
        line("2", orders[0].id, orders[0].cents),  # the same order twice
        line("3", orders[1].id, orders[1].cents * 100),
        line("4", "nobody-ordered-this", 100),
        line("5", orders[2].id, orders[2].cents, PaymentResult.RETURNED),
    ]

    class Told:
        def statement(self, asked: date) -> list[StatementLine]:
            return told if asked == day else []

    monkeypatch.setattr(paying, "treasury", Told)
    report = services.reconcile(day, at=AT)
    assert (report.paid, report.returned) == (1, 1)
    kinds = sorted(Discrepancy.objects.values_list("kind", flat=True))
    assert kinds == ["amount", "paid_twice", "unknown_order"]
    later = AT + timedelta(days=4)
    services.reconcile(day, at=later)
    open_orders = batch.orders.filter(result="").count()
    assert Discrepancy.objects.filter(kind="no_answer").count() == open_orders == 4
    check_money(Budget.objects.get())
    for row in selectors.list_discrepancies():
        services.close_discrepancy(row.number, how="已和国库核对", by=supervisor, at=later)
    assert selectors.list_discrepancies() == []


def test_money_the_bank_returns_is_kept_and_paid_to_a_new_account_under_a_new_number(
    city, writer, supervisor, cashier, settings
):
    run = awarded(writer, supervisor)
    first, *_ = confirmed(run, 6)
    release(run, cashier, supervisor)
    services.submit_due(AT)
    treasury = settings.DATA_DIR / "treasury"
    bank(settings, returned=frozenset({str(first.pk)})).work_through(treasury, AT.date())
    services.reconcile(AT.date(), at=AT)
    first.refresh_from_db()
    assert first.state == AwardState.RETURNED.value
    check_money(Budget.objects.get())
    services.confirm(
        first.pk,
        number="6228480000099999",
        bank="另一家银行",
        consents=["account"],
        by=operator(first.trader_code),
        at=AT,
    )
    services.clear(run.pk, by=officer(Role.CASE_OFFICER), at=AT)
    batch = services.prepare_batch(run.pk, by=cashier, at=AT)
    assert [order.id for order in batch.orders.all()] == [f"{first.pk}-2"]
    services.release_batch(batch.pk, total_yuan=yuan_of(batch.cents), by=supervisor, at=AT)
    services.submit_due(AT)
    day = AT.date() + timedelta(days=1)
    bank(settings).work_through(treasury, day)
    services.reconcile(day, at=AT + timedelta(days=1))
    first.refresh_from_db()
    assert first.state == AwardState.RECONCILED.value
    check_money(Budget.objects.get())


def corrected(monkeypatch, trader_code: str, cents: int | None) -> None:
    """As if the newest data said another amount for one trader (None: unknown)."""
    real = rechecking.recheck

    class Changed(rechecking.Recheck):
        @property
        def cents(self) -> int | None:
            return cents

    def recheck(run, awards):
        return [
            Changed(c.award, c.outcome, c.yuan, c.snapshot_id, "按更正后的数据金额不同")
            if c.award.trader_code == trader_code
            else c
            for c in real(run, awards)
        ]

    monkeypatch.setattr(adjusting, "recheck", recheck)


def test_a_correction_opens_an_adjustment_and_only_people_take(paid, supervisor, monkeypatch):
    award = paid.awards.filter(state="reconciled", cents__gte=60_000).first()
    corrected(monkeypatch, award.trader_code, award.cents - 30_000)
    assert services.look_for_corrections(paid.pk, at=AT) == 1
    assert services.look_for_corrections(paid.pk, at=AT) == 0
    (row,) = Adjustment.objects.all()
    assert (row.state, row.should_cents) == ("open", award.cents - 30_000)
    award.refresh_from_db()
    assert award.state == "reconciled"  # nothing was paid or taken by the machine
    parts = services.monthly_parts(Decimal("300.00"), 3, date(2026, 12, 10))
    assert [str(each) for _, each in parts] == ["100.00", "100.00", "100.00"]
    how = {"reason": "参保人数更正", "article": "预算法 第九十三条", "by": supervisor, "at": AT}
    with pytest.raises(services.BadClaim, match="不能超过"):
        services.claim(row.pk, yuan=Decimal(301), parts=[(date(2026, 12, 1), Decimal(301))], **how)
    with pytest.raises(services.BadClaim, match="理由"):
        services.claim(row.pk, yuan=Decimal(300), parts=parts, **{**how, "article": ""})
    with pytest.raises(services.NotAllowed):
        services.claim(
            row.pk, yuan=Decimal(300), parts=parts, **{**how, "by": officer(Role.CASE_OFFICER)}
        )
    assert services.claim(row.pk, yuan=Decimal(300), parts=parts, **how) == "claimed"
    for number in (1, 2, 3):
        services.receive(row.pk, number, on=date(2026, 12, 1), by=supervisor, at=AT)
    row.refresh_from_db()
    assert row.state == "settled"


def test_above_the_limit_a_second_person_must_agree(paid, supervisor, monkeypatch):
    award = paid.awards.filter(state="reconciled").order_by("-cents").first()
    corrected(monkeypatch, award.trader_code, 0)
    services.look_for_corrections(paid.pk, at=AT)
    (row,) = Adjustment.objects.all()
    yuan = yuan_of(award.cents)
    if yuan <= 1000:
        pytest.skip("nobody was paid more than the limit in this city")
    parts = [(date(2026, 12, 10), yuan)]
    how = {"reason": "不符合", "article": "预算法 第九十三条", "at": AT}
    assert services.claim(row.pk, yuan=yuan, parts=parts, by=supervisor, **how) == "proposed"
    with pytest.raises(services.NotNow, match="不能自己"):
        services.agree(row.pk, by=supervisor, at=AT)
    services.agree(row.pk, by=officer(Role.SUPERVISOR, 2), at=AT)
    row.refresh_from_db()
    assert row.state == "claimed"


def test_nobody_can_claim_what_is_not_known(paid, supervisor, monkeypatch):
    award = paid.awards.filter(state="reconciled").first()
    corrected(monkeypatch, award.trader_code, None)
    services.look_for_corrections(paid.pk, at=AT)
    (row,) = Adjustment.objects.all()
    with pytest.raises(services.BadClaim, match="缺数据"):
        services.claim(
            row.pk,
            yuan=Decimal(1),
            parts=[(date(2026, 12, 1), Decimal(1))],
            reason="x",
            article="x",
            by=supervisor,
            at=AT,
        )
    services.leave(row.pk, reason="说不清，不要求退回", by=supervisor, at=AT)


def test_the_database_wants_a_person_behind_every_claim(paid):
    award = paid.awards.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        Adjustment.objects.create(
            award=award,
            snapshot_id="s",
            should_cents=0,
            slip_sha256="x",
            slip=b"",
            state="claimed",
            opened_at=AT,
        )


def test_what_changes_before_payment_is_held_and_only_a_person_ends_it(
    city, writer, supervisor, monkeypatch
):
    from getihu.policies.services import confirming

    run = awarded(writer, supervisor)
    award = run.awards.order_by("position").first()
    real = rechecking.recheck

    def changed(run, awards):
        return [
            rechecking.Recheck(c.award, "unknown", None, c.snapshot_id, "现在缺数据，判断不了")
            for c in real(run, awards)
        ]

    monkeypatch.setattr(confirming, "recheck", changed)
    services.confirm(
        award.pk,
        number="6228480000000001",
        bank="示例银行",
        consents=["account"],
        by=operator(award.trader_code),
        at=AT,
    )
    award.refresh_from_db()
    assert award.state == "held"
    check_money(Budget.objects.get())
    by = officer(Role.CASE_OFFICER)
    with pytest.raises(services.IllegalMove, match="理由"):
        services.decide_held(award.pk, give=False, reason="", article="", by=by, at=AT)
    with pytest.raises(services.NotAllowed):
        services.decide_held(award.pk, give=False, reason="x", article="y", by=writer, at=AT)
    services.decide_held(award.pk, give=False, reason="已注销", article="第一条", by=by, at=AT)
    award.refresh_from_db()
    assert award.state == "ended"
    assert award.moves.last().by_id is not None
    check_money(Budget.objects.get())


def test_no_consent_no_payment(city, writer, supervisor):
    run = awarded(writer, supervisor)
    award = run.awards.order_by("position").first()
    hers = operator(award.trader_code)
    with pytest.raises(services.ConsentMissing):
        services.confirm(
            award.pk, number="6228480000000001", bank="示例", consents=[], by=hers, at=AT
        )
    with pytest.raises(services.NotAllowed):
        services.confirm(
            award.pk,
            number="6228480000000001",
            bank="示例",
            consents=["account"],
            by=operator("92330302MA2ABC001M"),
            at=AT,
        )
    with pytest.raises(services.BadAccount):
        services.confirm(award.pk, number="12", bank="示例", consents=["account"], by=hers, at=AT)


def test_every_adverse_move_is_a_person_s():
    """The machine may give, only people take."""
    adverse = {AwardState.ENDED, AwardState.DECLINED}
    assert {move.by for move in MOVES if move.after in adverse} == {Side.PERSON, Side.TRADER}
    assert all(move.needs_reason for move in MOVES if move.after is AwardState.ENDED)


def test_random_steps_over_the_whole_table_lose_no_cent(city, writer, supervisor):
    """A walk over the whole table of moves, with people who try everything at any time."""
    run = awarded(writer, supervisor, total_yuan=Decimal(9000))
    dice, by = random.Random(11), officer(Role.CASE_OFFICER)
    awards = list(run.awards.order_by("position")[:30])
    done = refused = 0
    for _ in range(1500):
        award = dice.choice(awards)
        move = dice.choice(MOVES)
        award.refresh_from_db()
        try:
            with transaction.atomic():
                moves.move_award(
                    award,
                    move.after,
                    side=move.by,
                    by=None if move.by is Side.MACHINE else by,
                    at=AT,
                    reason="x",
                    article="y",
                )
            done += 1
        except (services.IllegalMove, services.BudgetEmpty):
            refused += 1
    assert done > 100 < refused
    budget = Budget.objects.get()
    check_money(budget)
    assert budget.left_cents >= 0


def test_the_budget_is_never_overspent_even_by_raw_sql(city, writer, supervisor):
    awarded(writer, supervisor, total_yuan=Decimal(6000))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE policies_budget SET reserved_cents = total_cents + 1")
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.update(cents=1)
    assert Award.objects.filter(state="waiting").exists()


KILLED = """
import os, signal, django
django.setup()
from django.db import connection
from getihu.policies import services
from getihu.policies.models import AwardRun
left = {steps}
def count(execute, sql, params, many, context):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)
from datetime import datetime, UTC
from getihu.policies.services import allotting
allotting.STRETCH = 10
run = AwardRun.objects.get(is_dry=False)
with connection.execute_wrapper(count):
    services.allot(run.pk, at=datetime(2026, 11, 9, 2, 0, tzinfo=UTC))
"""


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_and_resumed_it_ends_with_the_same_hash(
    city, writer, supervisor, settings
):
    """One process after another is killed before a statement, further on each time."""
    dry = services.plan_run("demo.steady_jobs_2026", by=writer, at=AT)
    services.approve_run(dry.pk, by=supervisor, at=AT)
    run = services.start_run(dry.pk, at=AT, total_yuan=Decimal(9000))
    name = connection.settings_dict["NAME"]
    address = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        here = os.environ["GETIHU_DATABASE_URL"]
        address = f"{here.rpartition('/')[0]}/{name}"
    environment = {
        **os.environ,
        "GETIHU_DATA_DIR": str(settings.DATA_DIR),
        "GETIHU_DATABASE_URL": address,
        "DJANGO_SETTINGS_MODULE": "getihu.config.settings",
    }
    connection.close()
    killed, steps = 0, 6
    while True:
        code = subprocess.run(
            [sys.executable, "-c", KILLED.format(steps=steps)], env=environment, timeout=120
        ).returncode
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed, steps = killed + 1, steps + 19
        assert killed < 60
    assert killed >= 4
    run.refresh_from_db()
    broken = services.result_sha256(run)
    assert run.state == "allotted"
    check_money(Budget.objects.get())
    entries = list(run.awards.order_by("position").values_list("pk", "cents", "slip_sha256"))
    # The same run, never interrupted.
    for model in (LedgerEntry, moves.AwardMove):
        model.objects.all().delete()
    Award.objects.all().delete()
    Budget.objects.update(reserved_cents=0)
    type(run).objects.filter(pk=run.pk).update(state="allotting")
    whole = services.allot(run.pk, at=AT)
    assert entries == list(
        whole.awards.order_by("position").values_list("pk", "cents", "slip_sha256")
    )
    assert services.result_sha256(whole) == broken
