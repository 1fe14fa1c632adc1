"""A small demo city that came in through the real door, made once per session and reused.

The files stay where they were made; the bookkeeping rows are put into each test's database.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core import serializers
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model
from django.test import override_settings

TRADERS = 500
SEED = 20261031
AT = datetime(2026, 11, 6, tzinfo=UTC)


@dataclass(frozen=True)
class RealCity:
    """Where the city lies, its bookkeeping rows as JSON, and the planted traders by situation."""

    folder: Path
    rows: str
    as_of: date
    personas: dict[str, str]


def make(folder: Path) -> RealCity:
    """Make, ingest and decide a city in ``folder``; leaves the database as it was."""
    from getihu.dataplane import models, selectors
    from getihu.dataplane import services as dataplane
    from getihu.gateways.demo_city import make_city
    from getihu.rulebook import services as rulebook

    inbox, keys = folder / "inbox", folder / "keys" / "departments"
    with override_settings(DATA_DIR=folder, DEPARTMENT_KEYS_DIR=keys), transaction.atomic():
        make_city(inbox, traders=TRADERS, seed=SEED)
        shutil.copytree(inbox / "keys", keys)
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
    personas = {persona["id"]: persona["trader_code"] for persona in planted}
    return RealCity(folder, rows, as_of, personas)


def count_on(*tables: type[Model]) -> None:
    """Rows came with their numbers: the database goes on behind them, not among them."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)


@pytest.fixture(scope="session")
def made_city(tmp_path_factory, django_db_setup, django_db_blocker) -> RealCity:
    with django_db_blocker.unblock():
        return make(tmp_path_factory.mktemp("city"))


@pytest.fixture
def real_city(made_city) -> Iterator[RealCity]:
    """The city, published in this test's database; the test carries the django_db mark."""
    tables = set()
    for row in serializers.deserialize("json", made_city.rows):
        row.save()
        tables.add(type(row.object))
    count_on(*tables)
    keys = made_city.folder / "keys" / "departments"
    with override_settings(DATA_DIR=made_city.folder, DEPARTMENT_KEYS_DIR=keys):
        yield made_city
