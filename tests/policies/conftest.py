"""A small demo city with one programme, and the people who run it."""

import json
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import override_settings

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Actor, Duty, Role
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of
from getihu.config.demo_awards import answer_review
from getihu.gateways.demo_city import make_city
from getihu.policies.fairness import flips
from tests.real_city import RealCity

AT = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)
BEFORE = datetime(2026, 10, 1, tzinfo=UTC)
PROGRAMME = "demo.steady_jobs_2026"
RULE = "policies.demo_steady_jobs_2026"
TRADERS = 600


def _make(folder: Path) -> RealCity:
    """As ``tests.real_city.make``, with the demo's own rule, and larger."""
    from django.core import serializers
    from django.db import transaction

    from getihu.dataplane import models, selectors
    from getihu.dataplane import services as dataplane
    from getihu.rulebook import services as rulebook

    inbox, keys = folder / "inbox", folder / "keys" / "departments"
    with override_settings(DATA_DIR=folder, DEPARTMENT_KEYS_DIR=keys), transaction.atomic():
        make_city(inbox, traders=TRADERS, seed=7)
        shutil.copytree(inbox / "keys", keys)
        (folder / "demo.json").write_text("{}")
        dataplane.ingest_directory(inbox, at=AT)
        as_of = selectors.get_published_snapshot().data_until
        dataplane.build_facts(as_of=as_of)
        rulebook.sweep(as_of=as_of)
        tables = (
            models.Delivery,
            models.QuarantineReason,
            models.Snapshot,
            models.SnapshotDelivery,
        )
        rows = serializers.serialize("json", [row for t in tables for row in t.objects.all()])
        transaction.set_rollback(True)
    planted = json.loads((inbox / "personas.json").read_text("utf-8"))
    return RealCity(folder, rows, as_of, {p["id"]: p["trader_code"] for p in planted})


@pytest.fixture(scope="session")
def award_city(tmp_path_factory, django_db_setup, django_db_blocker) -> RealCity:
    with django_db_blocker.unblock():
        return _make(tmp_path_factory.mktemp("awards"))


@pytest.fixture
def city(award_city, settings, tmp_path, monkeypatch) -> RealCity:
    """The city published in this test's database; what the test writes lies in a copy."""
    from django.core import serializers

    monkeypatch.setattr(flips, "SAMPLE", 60)  # the review itself is tried in test_fairness

    folder = tmp_path / "city"
    shutil.copytree(award_city.folder, folder, copy_function=_link)
    settings.DATA_DIR = folder
    settings.DEPARTMENT_KEYS_DIR = folder / "keys" / "departments"
    settings.PAYEE_KEY_FILE = folder / "keys" / "payees.key"
    settings.TREASURY_FOLDER = str(folder / "treasury")
    for row in serializers.deserialize("json", award_city.rows):
        row.save()
    return award_city


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def officer(role: Role, number: int = 1) -> Actor:
    """A person of the city who holds one role."""
    login = f"{role.value}{number}"
    found = Account.objects.filter(login=login).first()
    if found is None:
        key = accounts.open_account(login=login, name="示例", duty=Duty.BUSINESS, at=BEFORE)
        accounts.assign(
            key, role, agency="hrss", division="330300", reason="到岗", at=BEFORE, by=None
        )
        found = Account.objects.get(pk=key)
    return actor_of(found.pk, AT)


def operator(trader_code: str) -> Actor:
    """The operator of a trader, with an account."""
    found = Account.objects.filter(login=trader_code.lower()).first()
    if found is None:
        key = accounts.open_account(
            login=trader_code.lower(), name="示例", duty=Duty.PERSON, at=BEFORE
        )
        accounts.record_ownership(key, trader_code, evidence="登记", at=BEFORE)
        found = Account.objects.get(pk=key)
    return actor_of(found.pk, AT)


@pytest.fixture
def writer(city) -> Actor:
    return officer(Role.POLICY_WRITER)


@pytest.fixture
def supervisor(city) -> Actor:
    """Who has answered what the fair-competition review asks about the demo's policy."""
    found = officer(Role.SUPERVISOR)
    answer_review(RULE, found, AT)
    return found


@pytest.fixture
def cashier(city) -> Actor:
    return officer(Role.FINANCE_OFFICER)


def awarded(writer: Actor, supervisor: Actor, *, total_yuan: Decimal | None = None):
    """A run of the programme, planned, approved, started and allotted."""
    from getihu.policies import services

    dry = services.plan_run(PROGRAMME, by=writer, at=AT)
    services.approve_run(dry.pk, by=supervisor, at=AT)
    run = services.start_run(dry.pk, at=AT, total_yuan=total_yuan)
    return services.allot(run.pk, at=AT)


def confirmed(run, how_many: int | None = None) -> list:
    """The first entitled awards of a run, confirmed by their operators."""
    from getihu.policies import selectors, services
    from getihu.policies.machine import AwardState

    rows = list(run.awards.filter(state=AwardState.ENTITLED.value).order_by("position"))
    for n, award in enumerate(rows[:how_many]):
        services.confirm(
            award.pk,
            number=f"62284800000{n:08}",
            bank="示例银行",
            consents=selectors.consents_needed(award),
            by=operator(award.trader_code),
            at=AT,
        )
    return rows[:how_many]
