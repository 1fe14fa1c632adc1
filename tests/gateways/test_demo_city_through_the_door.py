"""What the demo city planted is what the real door finds: delivery by delivery, no more, no less."""

import shutil
from datetime import datetime

import pytest

from getihu.dataplane import services

RECEIVED_AT = datetime.fromisoformat("2026-11-10T09:00:00+08:00")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def report(small_city, data_dir, settings):
    out, _ = small_city
    shutil.copytree(out / "keys", settings.DEPARTMENT_KEYS_DIR)
    return services.ingest_directory(out, at=RECEIVED_AT)


def test_the_door_finds_exactly_what_was_planted(small_city, report):
    _, summary = small_city
    found = sorted(
        (d.delivery_id, d.status, d.rows_in, d.accepted, d.quarantined, d.duplicate)
        for d in report.deliveries
        if d.status != "rejected"
    )
    planted = sorted(
        (d.delivery_id, d.status, d.rows, d.accepted, d.quarantined, d.duplicate)
        for d in summary.deliveries
        if d.status != "rejected"
    )
    assert found == planted
    rejected = [d.folder for d in summary.deliveries if d.status == "rejected"]
    assert [d.delivery_id for d in report.deliveries if d.status == "rejected"] == rejected


def test_late_files_are_called_late(report):
    late = {d.delivery_id for d in report.deliveries if d.is_late and d.status == "published"}
    assert late == {"loans-2026-08", "loans-2026-09"}


def test_the_city_stands_at_the_end_of_october(report):
    assert report.snapshot.data_until.isoformat() == "2026-10-31"
