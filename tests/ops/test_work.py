"""Workers in processes of their own: several at once, killed anywhere, after three days of stop."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASES = 6


class Place:
    """A database and a folder of their own, and programs that run on them."""

    def __init__(self, folder: Path, database: str) -> None:
        self.environment = os.environ | {
            "GETIHU_DATA_DIR": str(folder),
            "GETIHU_DATABASE_URL": database,
            "GETIHU_SECRET_KEY": "for tests only",
            "DJANGO_SETTINGS_MODULE": "tests.audit.settings",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
        }

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.ops.worker", *map(str, arguments)]
        return subprocess.Popen(
            command, env=self.environment, cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: object) -> str:
        process = self.start(*arguments)
        said, error = process.communicate(timeout=300)
        assert process.returncode == 0, error[-2000:]
        return said

    def count(self) -> dict:
        return json.loads(self.run("count").splitlines()[-1])


@pytest.fixture
def place(tmp_path: Path, own_database: str) -> Place:
    return Place(tmp_path, own_database)


WHOLE = {
    "escalated": CASES,
    "twice": 0,
    "missed": 0,
    "accepted": CASES,
    "unsent": 0,
    "unlogged": 0,
    "findings": [],
}


def test_workers_at_once_killed_anywhere_after_three_days_do_all_once(place):
    place.run("make", CASES)
    # Control: before the workers ran, the count sees everything undone.
    assert place.count()["missed"] == CASES
    dice = random.Random(5)

    ended = []
    for _ in range(2):
        workers = [place.start("work", dice.randint(3, 120)) for _ in range(2)]
        ended += [(w.communicate(timeout=300), w.returncode)[1] for w in workers]
    assert ended.count(-signal.SIGKILL) >= 2
    place.run("work")
    assert place.count() == WHOLE
    place.run("work")  # once more changes nothing
    assert place.count() == WHOLE


def test_control_a_step_noted_before_it_is_done_is_lost_by_a_kill(place):
    place.run("make", 2)
    place.start("mark-first").communicate(timeout=300)
    place.run("work")

    assert place.count()["accepted"] == 0


def test_the_command_works_and_stops_when_told(place):
    place.run("make", 1)
    command = [str(Path(sys.executable).with_name("getihu")), "work", "--every", "0.2"]
    process = subprocess.Popen(command, env=place.environment, text=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.readline()  # the first pass is over
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert process.returncode == 0
    assert "收进日志" in said
    assert place.count()["unlogged"] == 0
