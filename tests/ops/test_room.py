"""X4: a full disk or database is told before, refuses writes in words, leaves nothing half done, and
heals by itself."""

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError

from getihu.config import cli_ops, room
from getihu.kernel.room import is_passing

ROOT = Path(__file__).resolve().parents[2]
TINY = "64m"
NOTHING_LOST = {"broken": 0, "part_files": 0, "wrong_files": 0, "database": "ok", "log": []}


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of its own with little room; only the administrator may make one."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={TINY},mode=755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a small file system can be mounted by the administrator alone")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def embedded(own_database):
    if own_database.startswith("postgres"):
        pytest.skip("the disk of a PostgreSQL is not the service's; its errors are tried below")
    return own_database.removeprefix("sqlite:///")


def run(folder: Path, database: str, *options: str, reserve: str = "8") -> dict:
    target = folder / "getihu.sqlite3"
    if str(target) != database:
        shutil.copyfile(database, target)
    environment = os.environ | {
        "GETIHU_DATA_DIR": str(folder),
        "GETIHU_DATABASE_URL": f"sqlite:///{target}",
        "GETIHU_SECRET_KEY": "for tests only",
        "GETIHU_ROOM_RESERVE_MB": reserve,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.ops.full", *options],
        env=environment, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def check_nothing_half_done(report: dict) -> None:
    state = report["state"]
    assert state["kept"] == state["events"] == report["acknowledged"]
    assert {name: state[name] for name in NOTHING_LOST} == NOTHING_LOST
    for page in report["pages"]:
        assert "没有办，也没有办一半" in page
        assert not any(word in page for word in ("Traceback", "sqlite", "Errno", "/tiny"))


def check_rounds(rounds: list[dict]) -> None:
    for told in rounds:
        assert told["well"] == [302, 200, [200, "well"]]
        assert told["filling"] == [302, 200, [200, "filling"]]
        # Reading goes on from the reserve: its looks are recorded.
        assert told["reserve"] == [503, 200, 200, [503, "full"]]
        assert told["full"] == [503, 503, 200, [503, "full"]]
        assert told["again"] == [302, 200, [200, "well"]]


def test_a_disk_that_runs_full_is_told_refuses_and_heals(tiny_disk, embedded):
    report = run(tiny_disk, embedded, "disk", "2")

    check_rounds(report["seen"])
    check_nothing_half_done(report)


@pytest.mark.scale
def test_twenty_times_full(tiny_disk, embedded):
    report = run(tiny_disk, embedded, "disk", "20")

    check_rounds(report["seen"])
    check_nothing_half_done(report)


def test_without_a_reserve_nothing_is_half_done_but_nobody_is_warned_off(tiny_disk, embedded):
    report = run(tiny_disk, embedded, "disk", "1", reserve="0")

    (told,) = report["seen"]
    assert told["reserve"][:2] == [302, 200]  # control: writes eat what reading needs
    assert told["full"][:2] == [503, 503]
    assert told["again"][:2] == [302, 200]
    check_nothing_half_done(report)


def test_control_unrecognised_it_is_called_a_fault_of_ours(tiny_disk, embedded):
    report = run(tiny_disk, embedded, "disk", "1", "--no-telling", reserve="0")

    assert report["seen"][0]["full"][:2] == [500, 500]


def test_a_database_that_may_not_grow_refuses_and_heals(tmp_path, embedded):
    report = run(tmp_path, embedded, "pages", "3")

    assert [told["last"] for told in report["seen"]] == [503] * 3
    assert [told["again"] for told in report["seen"]] == [302] * 3
    assert [told["health"] for told in report["seen"]] == [[503, "full"]] * 3
    check_nothing_half_done(report)


def test_a_file_cut_short_is_never_taken_for_whole(tmp_path, embedded):
    report = run(tmp_path, embedded, "file", "2")

    assert report["seen"] == [{"short": 503, "read": 200, "again": 302}] * 2
    check_nothing_half_done(report)


def test_control_written_in_place_a_part_lies_where_a_whole_is_looked_for(tmp_path, embedded):
    report = run(tmp_path, embedded, "file", "1", "--plain-files")

    assert report["state"]["wrong_files"] > 0


def sqlite_error(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.ENOENT, "x"), False),
        (sqlite_error("SQLITE_FULL"), True),
        (sqlite_error("SQLITE_IOERR_WRITE"), True),
        (sqlite_error("SQLITE_CORRUPT"), False),
        (psycopg.errors.DiskFull("x"), True),
        (psycopg.errors.CannotConnectNow("x"), True),
        (psycopg.errors.AdminShutdown("x"), True),
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.errors.UniqueViolation("x"), False),
        (psycopg.ProgrammingError("x"), False),
        (ValueError("x"), False),
        (None, False),
    ],
    ids=lambda value: getattr(value, "sqlite_errorname", None) or type(value).__name__,
)
def test_what_passes_by_itself_is_told_from_what_is_ours_to_mend(error, passing):
    wrapped = OperationalError("told by Django")
    wrapped.__cause__ = error

    assert is_passing(error) is passing
    assert is_passing(wrapped) is passing


@pytest.mark.parametrize("path", ["/data/", "/api/snapshots"])
def test_a_database_out_of_reach_is_answered_without_it(client, monkeypatch, path):
    from getihu.dataplane import selectors

    def gone(*_args, **_more):
        raise OperationalError from psycopg.OperationalError("server closed, password=geheim")

    for name in ("get_published_snapshot", "list_deliveries", "list_snapshots", "list_arrivals"):
        monkeypatch.setattr(selectors, name, gone, raising=False)
    monkeypatch.setattr("getihu.portal.selectors.get_data_page", gone)
    client.raise_request_exception = False
    answer = client.get(path)

    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "没有办一半" in answer.content.decode()
    assert "geheim" not in answer.content.decode()


def test_health_names_no_number_and_says_down_without_a_database(client, monkeypatch):
    def gone():
        raise OperationalError("host=10.0.0.1")

    monkeypatch.setattr(room, "room", gone)
    answer = client.get("/health")

    assert (answer.status_code, answer.json()) == (503, {"state": "down"})


@pytest.mark.django_db
def test_the_worker_says_it_too(settings):
    assert cli_ops._room_left() == ""
    settings.ROOM = {"reserve_mb": 0, "warn_percent": 101}
    assert "请腾出空间" in cli_ops._room_left()
