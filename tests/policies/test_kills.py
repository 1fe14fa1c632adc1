"""kill -9 before any statement from the confirmed award to the reconciled payment: what is done
again ends as if it had never been broken off."""

import os
import signal
import subprocess
import sys

import pytest
from django.db import connection

from getihu.accounts.contracts import Role
from getihu.gateways.treasury_fake import FakeTreasury
from getihu.policies import selectors, services
from getihu.policies.models import Award, AwardMove, Batch, Budget, LedgerEntry, Order
from tests.policies.conftest import awarded, confirmed, officer
from tests.policies.test_award_run import check_money

pytestmark = pytest.mark.django_db(transaction=True)

# Every step looks at what is there and goes on; each process may do less than the one before.
STEPS = """
import os, signal, django
django.setup()
from datetime import datetime, timedelta, UTC
from pathlib import Path
from django.conf import settings
from django.db import connection
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of
from getihu.gateways.treasury_fake import FakeTreasury
from getihu.policies import selectors, services
from getihu.policies.contracts import yuan_of
from getihu.policies.models import AwardRun, Batch
left, at = {steps}, datetime(2026, 11, 9, 2, 0, tzinfo=UTC) + timedelta(minutes=15 * {tries})
def count(execute, sql, params, many, context):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)
who = lambda login: actor_of(Account.objects.get(login=login).pk, at)
run = AwardRun.objects.get(is_dry=False)
checker, cashier, chief = map(who, ("case_officer1", "finance_officer1", "supervisor1"))
with connection.execute_wrapper(count):
    services.draw_sample(run.pk, at=at)
    for award in selectors.list_sample(run.pk):
        services.check_award(award.id, is_right=True, by=checker, at=at)
    if run.awards.filter(state="confirmed").exists():
        services.clear(run.pk, by=checker, at=at)
    if run.awards.filter(state="cleared", orders=None).exists():
        services.prepare_batch(run.pk, by=cashier, at=at)
    for batch in Batch.objects.filter(released_at=None, withdrawn_at=None):
        services.release_batch(batch.pk, total_yuan=yuan_of(batch.cents), by=chief, at=at)
    services.submit_due(at)
    FakeTreasury(settings.DATA_DIR / "bank").work_through(Path(settings.TREASURY_FOLDER), at.date())
    services.reconcile(at.date(), at=at)
"""


def _killed_to_the_end(settings, stride: int) -> int:
    """Run the steps again and again, killed ``stride`` statements later each time; how many."""
    name = connection.settings_dict["NAME"]
    address = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        address = f"{os.environ['GETIHU_DATABASE_URL'].rpartition('/')[0]}/{name}"
    environment = {
        **os.environ,
        "GETIHU_DATA_DIR": str(settings.DATA_DIR),
        "GETIHU_DATABASE_URL": address,
        "DJANGO_SETTINGS_MODULE": "getihu.config.settings",
    }
    connection.close()
    killed, steps = 0, 2
    while True:
        code = subprocess.run(
            [sys.executable, "-c", STEPS.format(steps=steps, tries=killed)],
            env=environment,
            timeout=600,
        ).returncode
        if code == 0:
            return killed
        assert code == -signal.SIGKILL
        killed, steps = killed + 1, steps + stride
        assert killed < 200


def check_killed(settings, writer, supervisor, stride: int) -> None:
    run = awarded(writer, supervisor)
    officer(Role.CASE_OFFICER), officer(Role.FINANCE_OFFICER)
    wanted = {award.pk: award.cents for award in confirmed(run, 8)}
    before = services.result_sha256(run)
    assert _killed_to_the_end(settings, stride) >= 3
    done = Award.objects.filter(pk__in=wanted)
    assert set(done.values_list("state", flat=True)) == {"reconciled"}
    orders = Order.objects.values_list("award_id", "cents", "result")
    assert sorted(orders) == sorted((pk, cents, "paid") for pk, cents in wanted.items())
    paid = FakeTreasury(settings.DATA_DIR / "bank").paid
    assert sum(paid.values()) == sum(wanted.values())
    assert Batch.objects.filter(withdrawn_at=None).count() == 1
    budget = Budget.objects.get()
    check_money(budget)
    assert budget.paid_cents == sum(wanted.values())
    assert services.result_sha256(run) == before
    # Each award made each step once: confirmed, cleared, ordered, paid, reconciled.
    for pk in wanted:
        assert AwardMove.objects.filter(award=pk).count() == 6
        assert LedgerEntry.objects.filter(award=pk).count() == 3
    assert selectors.list_discrepancies() == []


def test_killed_between_confirmation_and_reconciliation(city, writer, supervisor, settings):
    check_killed(settings, writer, supervisor, stride=70)


@pytest.mark.scale
def test_killed_before_nearly_every_statement(city, writer, supervisor, settings):
    check_killed(settings, writer, supervisor, stride=9)
