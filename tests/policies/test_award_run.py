"""One award run from the dry run to the reconciled payment."""

import hashlib
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from getihu.accounts.contracts import Role
from getihu.audit.models import Event
from getihu.dataplane import selectors as dataplane
from getihu.gateways.treasury_fake import FakeTreasury
from getihu.policies import selectors, services
from getihu.policies.contracts import yuan_of
from getihu.policies.machine import AwardState
from getihu.policies.models import Award, Budget, Discrepancy, LedgerEntry
from getihu.rulebook import services as rulebook
from tests.policies.conftest import AT, PROGRAMME, awarded, confirmed, officer, operator

pytestmark = pytest.mark.django_db


def states(run) -> dict[str, int]:
    return {state.value: n for state, n in selectors.get_run(run.pk).counts.items()}


def check_money(budget: Budget) -> None:
    """Awards = ledger = budget, to the cent."""
    entries = LedgerEntry.objects.filter(budget=budget)
    for account in ("reserved", "ordered", "paid"):
        into = entries.filter(target=account).aggregate(n=Sum("cents"))["n"] or 0
        out = entries.filter(source=account).aggregate(n=Sum("cents"))["n"] or 0
        assert into - out == getattr(budget, f"{account}_cents")
    open_states = {
        "reserved_cents": ["entitled", "confirmed", "cleared", "held", "returned"],
        "ordered_cents": ["ordered"],
        "paid_cents": ["paid", "reconciled"],
    }
    for field, names in open_states.items():
        owed = Award.objects.filter(budget=budget, state__in=names).aggregate(n=Sum("cents"))["n"]
        assert (owed or 0) == getattr(budget, field)


def test_from_the_dry_run_to_money_in_the_account(city, writer, supervisor, cashier, settings):
    dry = services.plan_run(PROGRAMME, by=writer, at=AT)
    assert dry.state == "planned"
    assert dry.entitled_count > 20
    assert not Award.objects.exists()
    services.approve_run(dry.pk, by=supervisor, at=AT)
    half = Decimal(dry.entitled_cents // 200)
    run = services.start_run(dry.pk, at=AT, total_yuan=half)
    assert run.findings == []
    run = services.allot(run.pk, at=AT)
    found = states(run)
    assert found["entitled"] and found["waiting"]
    assert found["entitled"] + found["waiting"] == run.entitled_count
    budget = Budget.objects.get()
    check_money(budget)
    assert budget.left_cents < 150_000  # what is left is less than the next one needs

    confirmed(run)
    size = services.draw_sample(run.pk, at=AT)
    assert size == 5
    with pytest.raises(services.SampleOpen):
        services.clear(run.pk, by=officer(Role.CASE_OFFICER), at=AT)
    for award in run.awards.filter(is_sampled=True):
        services.check_award(award.pk, is_right=True, by=officer(Role.CASE_OFFICER), at=AT)
    cleared, held = services.clear(run.pk, by=officer(Role.CASE_OFFICER), at=AT)
    assert (cleared, held) == (found["entitled"], 0)

    batch = services.prepare_batch(run.pk, by=cashier, at=AT)
    total = yuan_of(batch.cents)
    with pytest.raises(services.NotNow, match="不能自己"):
        services.release_batch(batch.pk, total_yuan=total, by=cashier, at=AT)
    with pytest.raises(services.NotNow, match="合计"):
        services.release_batch(batch.pk, total_yuan=total + 1, by=supervisor, at=AT)
    assert services.release_batch(batch.pk, total_yuan=total, by=supervisor, at=AT) == (cleared, 0)
    assert services.submit_due(AT).submitted == 1
    assert services.submit_due(AT).submitted == 0

    bank = FakeTreasury(city_folder(settings) / "bank")
    day = AT.date()
    assert bank.work_through(city_folder(settings) / "treasury", day) == 1
    report = services.reconcile(day, at=AT)
    assert (report.paid, report.found) == (cleared, 0)
    assert states(run) == {"reconciled": cleared, "waiting": found["waiting"]}
    assert sum(bank.paid.values()) == batch.cents
    again = services.reconcile(day, at=AT + timedelta(days=1))
    assert (again.paid, again.found) == (0, 0)
    assert not Discrepancy.objects.exists()
    check_money(Budget.objects.get())
    award = run.awards.filter(state="reconciled").first()
    kinds = [e.kind for e in Event.objects.filter(object_ref=f"award:{award.pk}").order_by("id")]
    assert kinds == [
        "award.entitled",
        "award.confirmed",
        "award.consented",
        "award.cleared",
        "award.ordered",
        "award.paid",
        "award.reconciled",
    ]
    replayed = rulebook.replay(bytes(award.slip)).slip
    assert (replayed.content, replayed.sha256) == (bytes(award.slip), award.slip_sha256)


def city_folder(settings):
    return settings.DATA_DIR


def test_a_second_run_gives_nobody_a_second_award(city, writer, supervisor):
    first = awarded(writer, supervisor)
    count = Award.objects.count()
    dry = services.plan_run(PROGRAMME, by=writer, at=AT)
    assert dry.state == "halted" or dry.entitled_count == 0
    assert Award.objects.count() == count == first.entitled_count


def test_who_says_no_leaves_the_money_to_who_waits(city, writer, supervisor):
    run = awarded(writer, supervisor, total_yuan=Decimal(6000))
    (first, *_) = run.awards.filter(state="entitled").order_by("position")
    waiting = run.awards.filter(state="waiting").order_by("position").first()
    services.decline(first.pk, by=operator(first.trader_code), at=AT)
    assert services.serve_waiting(PROGRAMME, run.period, at=AT) >= 0
    left = Budget.objects.get().left_cents
    waiting.refresh_from_db()
    assert (waiting.state == "entitled") or left < waiting.cents
    check_money(Budget.objects.get())
    services.change_mind(first.pk, by=operator(first.trader_code), at=AT)
    first.refresh_from_db()
    assert first.state == AwardState.WAITING.value


def test_the_database_refuses_what_the_table_of_moves_does_not_allow(city, writer, supervisor):
    run = awarded(writer, supervisor)
    award = run.awards.first()
    for change in ({"state": "paid"}, {"state": "cleared"}, {"cents": 1}, {"slip": b"x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Award.objects.filter(pk=award.pk).update(**change)


def test_an_order_of_the_queue_that_anyone_can_make_again(city, writer, supervisor):
    run = awarded(writer, supervisor)
    rows = list(run.awards.order_by("position"))
    facts = {
        t.trader_code: t.values["established_on"].value
        for t in dataplane.list_trader_facts(
            [r.trader_code for r in rows], run.as_of, run.snapshot_id, facts=["established_on"]
        )
    }
    draw = lambda code: hashlib.sha256(f"{run.seed}|{code}".encode()).hexdigest()  # noqa: E731
    wanted = sorted((r.trader_code for r in rows), key=lambda c: (facts[c], draw(c)))
    assert [r.trader_code for r in rows] == wanted
