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
    """One test, as one ingest serves all of it."""
    _, summary = small_city
    check_every_count(summary, report)
    late = {d.delivery_id for d in report.deliveries if d.is_late and d.status == "published"}
    assert late == {"loans-2026-08", "loans-2026-09"}
    assert report.snapshot.data_until.isoformat() == "2026-10-31"


def check_every_count(summary, report):
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
