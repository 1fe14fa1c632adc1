"""A5 and A8: it keeps up, and anyone can check all of it in seconds."""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection, transaction

from getihu.audit import selectors, services
from getihu.audit.signers import open_signers
from getihu.audit.tlog import merkle, note
from getihu.audit.tlog.tiles import (
    ENTRIES,
    TileFolder,
    encode_bundle,
    new_tiles,
    write_durably,
)
from tests.audit.conftest import AT, event, record, verify_whole

ROOT = Path(__file__).resolve().parents[2]


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[int(share * (len(times) - 1))]


def write_for(seconds: float, writers: int, per_transaction: int) -> tuple[int, float, list[float]]:
    """Write from several connections while the sequencer runs each second.

    Return events, seconds and how long each transaction took.
    """
    times: list[list[float]] = [[] for _ in range(writers)]
    troubles: list[Exception] = []
    end = time.monotonic() + seconds

    def write(mine: list[float], first: int) -> None:
        try:
            while time.monotonic() < end:
                started = time.monotonic()
                record(per_transaction, first=first)
                mine.append(time.monotonic() - started)
                first += per_transaction
        except Exception as error:
            troubles.append(error)
        finally:
            connection.close()

    started = time.monotonic()
    threads = [
        threading.Thread(target=write, args=(mine, 10_000_000 * n)) for n, mine in enumerate(times)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        services.sequence(AT)
        time.sleep(1)
    services.sequence(AT)
    spent = time.monotonic() - started
    assert troubles == []
    flat = [seconds for mine in times for seconds in mine]
    return len(flat) * per_transaction, spent, flat


@pytest.mark.django_db(transaction=True)
def test_two_seconds_of_writing_are_sequenced_as_they_come(data_dir):
    events, spent, _ = write_for(2, writers=2, per_transaction=10)

    assert selectors.log_status().signed == events
    assert selectors.log_status().waiting == 0
    assert events / spent > 20  # a floor for a busy machine; the number is measured below
    assert verify_whole(selectors.log_folder()) == 0


@pytest.mark.scale
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("per_transaction", [1, 10])
def test_five_hundred_events_a_second(data_dir, per_transaction):
    # SQLite has one writer at a time; more of them only wait for each other.
    writers = 4 if connection.vendor == "postgresql" else 1
    events, spent, times = write_for(60, writers=writers, per_transaction=per_transaction)
    rate, p99 = events / spent, percentile(times, 0.99)

    print(
        f"{connection.vendor}, {per_transaction} a transaction: {rate:.0f} events/s, p99 {p99 * 1000:.0f} ms"
    )
    assert verify_whole(selectors.log_folder()) == 0
    if connection.vendor == "postgresql":
        assert rate >= {1: 74, 10: 500}[per_transaction]


@pytest.mark.django_db
def test_a_batch_of_many_events_takes_few_statements(log, django_assert_max_num_queries):
    with django_assert_max_num_queries(10), transaction.atomic():
        services.record_all(event(number) for number in range(500))


def make_files(folder: Path, size: int) -> None:
    """A log of any size without a database: entries are digests of their numbers."""
    entries = [merkle.leaf_hash(number.to_bytes(8, "big")) for number in range(size)]
    files = TileFolder(folder)
    for tile in new_tiles(0, size):
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        at = tile.number * 256
        if tile.level == ENTRIES:
            path.write_bytes(encode_bundle(entries[at : at + tile.width]))
        elif tile.level == 0:
            leaves = [merkle.leaf_hash(entry) for entry in entries[at : at + tile.width]]
            path.write_bytes(b"".join(leaves))
        else:
            below = [type(tile)(int(tile.level) - 1, at + i) for i in range(tile.width)]
            path.write_bytes(b"".join(merkle.perfect_root(files.hashes(t)) for t in below))
    signers = open_signers(may_create=True)
    root = merkle.root(size, files.subtree(size))
    text = note.checkpoint_text("getihu.example/audit", size, root)
    write_durably(folder / "checkpoint", note.sign(text, signers).encode())
    write_durably(folder / "keys", f"{signers[0].verifier.vkey}\n".encode())


def run_verifier(folder: Path, alone: Path) -> tuple[subprocess.CompletedProcess, float]:
    """Run the verifier by itself: another folder, no path to the platform."""
    program = shutil.copy(ROOT / "tools" / "verify_log.py", alone / "verify_log.py")
    command = [sys.executable, "-I", program, "log", str(folder), "--keys", str(folder / "keys")]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, cwd=alone)
    return done, time.monotonic() - started


def test_the_verifier_stands_alone_and_is_short(data_dir, tmp_path_factory):
    make_files(data_dir / "log", 3000)
    done, _ = run_verifier(data_dir / "log", tmp_path_factory.mktemp("alone"))
    source = (ROOT / "tools" / "verify_log.py").read_text("utf-8")

    assert (done.returncode, done.stdout) == (0, "日志完好：getihu.example/audit 共 3,000 条。\n")
    assert len(source.splitlines()) <= 300
    assert "getihu." not in "".join(line for line in source.splitlines() if "import" in line)


@pytest.mark.scale
def test_a_million_leaves_are_checked_in_ten_seconds(data_dir, tmp_path_factory):
    make_files(data_dir / "log", 1_100_000)
    done, seconds = run_verifier(data_dir / "log", tmp_path_factory.mktemp("alone"))

    print(f"1.1 M leaves in {seconds:.1f} s")
    assert done.returncode == 0
    assert seconds <= 10
