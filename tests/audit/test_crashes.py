"""Kill -9 at any step, two sequencers at once, late commits: one tree per size, nothing lost."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connection, transaction

from getihu.audit import selectors, services
from getihu.audit.models import Event
from getihu.audit.services import sequencing
from tests.audit.conftest import AT, event, record, verify_whole

ROOT = Path(__file__).resolve().parents[2]


def kill_everywhere(folder: Path, database: str, *, stride: int, options: tuple = ()) -> dict:
    environment = os.environ | {
        "GETIHU_DATA_DIR": str(folder),
        "GETIHU_DATABASE_URL": database,
        "GETIHU_SECRET_KEY": "for tests only",
        "DJANGO_SETTINGS_MODULE": "tests.audit.settings",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
    }
    command = [sys.executable, "-m", "tests.audit.killed", str(folder), str(stride), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_kills_before_every_ninth_step_lose_and_fork_nothing(tmp_path, own_database):
    report = kill_everywhere(tmp_path, own_database, stride=9)

    assert report["failed"] == 0
    assert report["killed"] >= 4


@pytest.mark.scale
def test_kills_before_every_step_lose_and_fork_nothing(tmp_path, own_database):
    report = kill_everywhere(tmp_path, own_database, stride=1)

    assert report["failed"] == 0
    assert report["killed"] >= 30


@pytest.mark.scale
def test_with_publishing_before_keeping_a_kill_does_harm(tmp_path, own_database):
    assert kill_everywhere(tmp_path, own_database, stride=1, options=("--publish-first",))["failed"]


STEPS = ["assigned", "written", "re-read", "signed", "kept", "published"]


class Stopped(Exception):
    pass


@pytest.mark.django_db
@pytest.mark.parametrize("stop", STEPS)
def test_the_next_run_completes_what_stopped_after(grow, log, stop, tmp_path):
    grow(250)
    assert verify_whole(log, "--witness", tmp_path / "witness") == 0

    def stop_there(step: str) -> None:
        if step == stop:
            raise Stopped

    record(20, first=250)
    with pytest.raises(Stopped):
        services.sequence(AT, reached=stop_there)
    assert verify_whole(log, "--witness", tmp_path / "witness") == 0
    record(5, first=270)
    report = services.sequence(AT)

    assert report.size == 275
    assert verify_whole(log, "--witness", tmp_path / "witness") == 0
    assert selectors.check_log() == []


@pytest.mark.django_db
def test_a_second_sequencer_waits_its_turn(log):
    with sequencing._one_at_a_time(), pytest.raises(services.SequencerRunning):
        services.sequence(AT)


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_not_skipped(data_dir):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: nothing commits late")
    told, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            services.record(event(1))
            told.set()
            may_commit.wait(10)
        connection.close()

    writer = threading.Thread(target=slow)
    writer.start()
    told.wait(10)
    record(1, first=2)
    services.sequence(AT)
    last_id = Event.objects.filter(log_index__isnull=False).latest("id").pk
    may_commit.set()
    writer.join()

    # Control: "number above the last one" would never see it.
    assert list(Event.objects.filter(pk__gt=last_id)) == []
    assert services.sequence(AT).taken == 1
    assert [e.object_ref for e in Event.objects.order_by("log_index")] == [
        "case:2026-000002",
        "case:2026-000001",
    ]


@pytest.mark.django_db(transaction=True)
def test_writers_and_the_sequencer_at_once_lose_and_double_nothing(data_dir):
    services.sequence(AT)
    troubles = []

    def write(first: int) -> None:
        try:
            for number in range(25):
                record(2, first=first + 2 * number)
        except Exception as error:
            troubles.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(1000 * n,)) for n in range(3)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        services.sequence(AT, batch=30)
    services.sequence(AT)

    assert troubles == []
    assert sorted(Event.objects.values_list("log_index", flat=True)) == list(range(150))
    assert Event.objects.values("object_ref").distinct().count() == 150
    assert verify_whole(selectors.log_folder()) == 0


@pytest.mark.django_db
def test_a_database_from_an_old_backup_is_refused(grow, log):
    grow(3)
    checkpoint = (log / "checkpoint").read_bytes()
    backup = transaction.savepoint()
    grow(4)
    newer = (log / "checkpoint").read_bytes()
    transaction.savepoint_rollback(backup)  # the database forgets, the files do not

    with pytest.raises(services.LogRolledBack, match="旧备份"):
        services.sequence(AT)
    assert (log / "checkpoint").read_bytes() == newer != checkpoint


@pytest.mark.django_db
def test_a_missing_checkpoint_file_is_published_again(grow, log):
    grow(3)
    before = (log / "checkpoint").read_bytes()
    (log / "checkpoint").unlink()
    services.sequence(AT)

    assert (log / "checkpoint").read_bytes() == before


@pytest.mark.django_db
def test_damaged_files_stop_the_sequencer_and_are_rebuilt_from_the_database(grow, log):
    grow(300)
    before = {p: p.read_bytes() for p in log.rglob("*") if p.is_file()}
    tile = log / "tile" / "1" / "000.p" / "1"
    tile.write_bytes(bytes(32))
    record(1, first=300)
    with pytest.raises(services.LogDamaged, match="audit rebuild"):
        services.sequence(AT)
    services.rebuild_files(AT)

    assert {p: p.read_bytes() for p in log.rglob("*") if p.is_file()} == before
    assert services.sequence(AT).size == 301


@pytest.mark.django_db
def test_all_files_lost_are_rebuilt_from_the_database(grow, log):
    grow(300)
    before = {p: p.read_bytes() for p in log.rglob("*") if p.is_file()}
    shutil.rmtree(log)
    services.rebuild_files(AT)

    assert {p: p.read_bytes() for p in log.rglob("*") if p.is_file()} == before
