"""At most one award per family, subject and period, however many write at once."""

import subprocess
import sys

import pytest

from tests.ops.test_work import ROOT, Place, place

__all__ = ["place"]


def start(place: Place, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.policies.writer", *map(str, arguments)]
    return subprocess.Popen(
        command, env=place.environment, cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    said, error = process.communicate(timeout=1800)
    assert process.returncode == 0, error[-2000:]
    return said


def raced(place: Place, writers: int, traders: int, how: str) -> dict[str, int]:
    import json

    finish(start(place, "make", writers))
    if how != "guarded":
        finish(start(place, "unguard"))
    racing = [start(place, "write", number, writers, traders, how) for number in range(writers)]
    for process in racing:
        finish(process)
    return json.loads(finish(start(place, "count")).splitlines()[-1])


def check(place: Place, writers: int, traders: int) -> None:
    found = raced(place, writers, traders, "guarded")
    assert (found["awards"], found["twice"]) == (traders, 0)
    assert found["cents"] == found["reserved"] == found["entered"] == traders * 30_000


def test_writers_at_once_make_one_award_each(place):
    check(place, writers=3, traders=100)


def test_control_without_the_constraint_some_get_two(place):
    if "postgres" not in place.environment["GETIHU_DATABASE_URL"]:
        pytest.skip("SQLite lets one write at a time: looking and writing are one step there")
    assert raced(place, 4, 150, "naive")["twice"] > 0


@pytest.mark.scale
def test_two_hundred_thousand_attempts(place):
    if "postgres" not in place.environment["GETIHU_DATABASE_URL"]:
        pytest.skip("the promise is PostgreSQL's; SQLite lets one write at a time")
    check(place, writers=16, traders=12_500)
