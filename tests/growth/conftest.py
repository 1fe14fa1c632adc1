"""People who tend pools, a city typed twice, and pools on facts made by hand."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from django.core import serializers
from django.db import transaction
from django.test import override_settings

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Actor, Duty, Role
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of
from getihu.growth.services import pooling
from tests.real_city import RealCity, made_city

__all__ = ["made_city"]

AT = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)  # a Monday morning in Wenzhou
BEFORE = datetime(2026, 1, 5, tzinfo=UTC)
SUMMER, AUTUMN = date(2026, 8, 31), date(2026, 10, 31)
LUCHENG, YUEQING = "330302", "330382"


def days(count: int) -> datetime:
    return AT + timedelta(days=count)


def officer(role: Role, number: int = 1, *, agency: str = "amr", division: str = LUCHENG) -> Actor:
    login = f"{role.value}-{agency}-{division}-{number}"
    found = Account.objects.filter(login=login).first()
    if found is None:
        key = accounts.open_account(login=login, name="示例", duty=Duty.BUSINESS, at=BEFORE)
        accounts.assign(
            key, role, agency=agency, division=division, reason="到岗", at=BEFORE, by=None
        )
        found = Account.objects.get(pk=key)
    return actor_of(found.pk, AT)


def operator(trader_code: str) -> Actor:
    login = f"op-{trader_code}".lower()
    found = Account.objects.filter(login=login).first()
    if found is None:
        key = accounts.open_account(login=login, name="示例", duty=Duty.PERSON, at=BEFORE)
        accounts.record_ownership(key, trader_code, evidence="登记", at=BEFORE)
        found = Account.objects.get(pk=key)
    return actor_of(found.pk, AT)


@pytest.fixture
def clerk() -> Actor:
    return officer(Role.CASE_OFFICER)


@pytest.fixture
def chief() -> Actor:
    return officer(Role.SUPERVISOR)


# pools on facts made by hand


def code(number: int) -> str:
    return f"92330302MA{number:08}"


@pytest.fixture
def facts_say(monkeypatch, tmp_path, settings):
    """What the rule says of whom, by hand: ``facts_say(day, yes=[…], unknown=[…], no=[…])``."""
    settings.DATA_DIR = tmp_path

    def say(day: date, *, yes=(), no=(), unknown=(), county: str = LUCHENG, moved=None) -> None:
        rows = [(code(n), "yes") for n in yes]
        rows += [(code(n), "no") for n in no] + [(code(n), "unknown") for n in unknown]
        table = pa.table(
            {
                "trader_code": [c for c, _ in rows],
                "county_code": [(moved or {}).get(c, county) for c, _ in rows],
                "outcome": [outcome for _, outcome in rows],
            }
        )
        ground = pooling.Ground(day, f"s{day:%m%d}", "a" * 64, table)
        monkeypatch.setattr(pooling, "_ground", lambda pool, as_of: ground)

    return say


# a city typed twice


@pytest.fixture(scope="session")
def typed_city(made_city, django_db_setup, django_db_blocker) -> RealCity:
    """The small city, decided as of the summer as well."""
    from getihu.dataplane import services as dataplane
    from getihu.rulebook import services as rulebook

    keys = made_city.folder / "keys" / "departments"
    with (
        django_db_blocker.unblock(),
        override_settings(DATA_DIR=made_city.folder, DEPARTMENT_KEYS_DIR=keys),
        transaction.atomic(),
    ):
        for row in serializers.deserialize("json", made_city.rows):
            row.save()
        dataplane.build_facts(as_of=SUMMER)
        rulebook.sweep(as_of=SUMMER)
        transaction.set_rollback(True)
    return made_city


@pytest.fixture
def city(typed_city, settings, tmp_path) -> RealCity:
    """The city in this test's database; what the test writes lies in a copy. It is a demo's, so
    that its window for applying is open."""
    folder = tmp_path / "city"
    shutil.copytree(typed_city.folder, folder, copy_function=_link)
    (folder / "demo.json").write_text(json.dumps({}))
    settings.DATA_DIR = folder
    settings.DEPARTMENT_KEYS_DIR = folder / "keys" / "departments"
    for row in serializers.deserialize("json", typed_city.rows):
        row.save()
    return typed_city


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def publish_summer() -> None:
    """The first review, as of the summer, told and published."""
    from getihu.growth import services

    services.review_types(as_of=SUMMER, at=days(-60))
    assert services.publish_types(at=days(-30)) is not None
