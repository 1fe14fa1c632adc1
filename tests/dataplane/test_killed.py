"""A kill at any step of an ingest leaves the old snapshot; the next ingest loses and doubles none.

Each attempt is a process of its own on a database of its own, ended by SIGKILL.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dataplane.department import CODES, Department, penalty

INGEST = """
import json, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from getihu.dataplane import selectors, services
from getihu.dataplane.services import ingest

def killed(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

step = sys.argv[2]
if step:
    setattr(ingest, step, killed)
report = services.ingest_directory(Path(sys.argv[1]), at=datetime(2026, 11, 6, tzinfo=UTC))
store = Path(os.environ["GETIHU_DATA_DIR"]) / "dataplane"
print(json.dumps({
    "number": report.snapshot.number,
    "snapshot": report.snapshot.snapshot_id,
    "rows": report.snapshot.rows,
    "statuses": sorted(d.status for d in report.deliveries),
    "stored": sorted(p.name for p in (store / "store").rglob("*.parquet")),
    "left": sorted(p.name for p in store.glob("staging/*")),
}))
"""


@pytest.fixture
def department(tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    return Department(inbox=inbox, keys=tmp_path / "keys" / "departments")


def ingest(folder: Path, step: str = "") -> dict | None:
    """Run one ingest in a process of its own; None when it was killed."""
    environment = os.environ | {
        "GETIHU_DATA_DIR": str(folder),
        "GETIHU_DATABASE_URL": f"sqlite:///{folder / 'getihu.sqlite3'}",
        "GETIHU_SECRET_KEY": "for tests only",
        "DJANGO_SETTINGS_MODULE": "getihu.config.settings",
    }
    command = [sys.executable, "-c", INGEST, str(folder / "inbox"), step]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if step:
        assert done.returncode == -9, done.stderr
        return None
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


STEPS = [
    "check_files", "stage_delivery", "audit", "_move_into_store", "_record", "_insert_snapshot",
]  # fmt: skip


def test_kills_at_every_step_change_nothing_and_the_next_ingest_completes_it(department, tmp_path):
    department.deliver("penalties", [penalty(CODES[0], "文1")], delivery_id="penalties-1")
    before = ingest(tmp_path)
    department.deliver("penalties", [penalty(CODES[1], "文2")], delivery_id="penalties-2")

    # Each starts from what the one before left behind.
    outcomes = [ingest(tmp_path, step) for step in STEPS]
    after = ingest(tmp_path)

    assert (before["number"], before["rows"]) == (1, 1)
    assert outcomes == [None] * len(STEPS)
    assert after["statuses"] == ["duplicate", "published"]
    assert (after["number"], after["rows"]) == (2, 2)
    assert after["stored"] == ["penalties-1.parquet", "penalties-2.parquet"]
    assert after["left"] == []
