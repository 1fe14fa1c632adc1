"""Kill -9 at any step between the confirmation and the reconciled payment: the next run ends in the
same payment file, the same ledger, one payment each, and no confirmation is lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.policies.conftest import _link

pytestmark = pytest.mark.django_db  # the city is made in the tests' own database
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kill(award_city, tmp_path, own_database):
    """Runs ``tests.policies.killed`` on a copy of the city and a database of its own."""

    def kill(stride: int, *options: str) -> dict:
        shutil.copytree(award_city.folder, tmp_path / "city", copy_function=_link)
        (tmp_path / "rows.json").write_text(award_city.rows, "utf-8")
        environment = os.environ | {
            "GETIHU_DATA_DIR": str(tmp_path / "city"),
            "GETIHU_DATABASE_URL": own_database,
            "GETIHU_SECRET_KEY": "for tests only",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
        }
        command = [sys.executable, "-m", "tests.policies.killed", str(tmp_path), str(stride)]
        done = subprocess.run(
            [*command, *options], env=environment, capture_output=True, text=True, cwd=ROOT
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict = json.loads(done.stdout.splitlines()[-1])
        return found

    return kill


def is_paid_once_each(seen: dict) -> bool:
    states = [state for _, state, *_ in seen["awards"]]
    return (
        len(seen["files"]) == 1
        and len(seen["orders"]) == len(seen["paid"]) == states.count("reconciled") == 2
        and len(seen["accounts"]) == 2
        and not seen["discrepancies"]
    )


def test_a_kill_at_any_step_resumes_to_the_same_payment_file_and_ledger(kill):
    report = kill(40)

    assert report["wrong"] == {}
    assert report["killed"] >= 5
    assert is_paid_once_each(report["seen"])


@pytest.mark.scale
def test_a_kill_at_every_single_step_resumes_to_the_same_payment_file_and_ledger(kill):
    report = kill(1)

    assert report["wrong"] == {}
    assert report["killed"] == report["steps"]["reconcile"] >= 150


@pytest.mark.scale
def test_a_kill_while_somebody_who_changed_is_held_resumes_too(kill):
    report = kill(1, "--from", "release", "--changed")

    assert report["wrong"] == {}
    assert [order[3] for order in report["seen"]["orders"]] == ["1"]


def test_control_a_statement_line_kept_before_its_meaning_is_lost_by_a_kill(kill):
    assert kill(3, "--from", "reconcile", "--commit-early")["wrong"]
