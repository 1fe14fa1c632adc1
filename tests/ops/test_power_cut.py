"""X2: what was acknowledged is there after a power cut.

The data folder lies on a file system of its own in an image. At some moment everything is stopped
and the image is copied: what was written and not made safe is in memory alone, and so not in it. The
copy is mounted (the file system recovers by its own journal), the database opens and recovers, and
everything is looked at. What this does not do: tear a sector, re-order or lose writes inside the
drive, a drive that says it has kept what it has not, a kernel that dies half way in its own code.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CUTS = int(os.environ.get("CUTS", "100"))
SIZE = 192 * 1024**2
SOUND = {"missing": 0, "broken": 0, "sound": "ok", "log": []}


def call(*command: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    done = call("mount", "-o", "loop", image, folder)
    if done.returncode:
        pytest.skip(f"no image can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        for _ in range(50):
            if call("umount", folder).returncode == 0:
                break
            time.sleep(0.1)
        else:
            call("umount", "-l", folder)


@pytest.fixture
def image(tmp_path) -> Path:
    """An empty file system in a file, where the administrator may mount one."""
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("a file system in an image can be mounted by the administrator alone")
    made = tmp_path / "image"
    with made.open("wb") as file:
        file.truncate(SIZE)
    assert call("mkfs.ext4", "-q", "-F", made).returncode == 0
    return made


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "GETIHU_DATA_DIR": str(folder),
        "GETIHU_DATABASE_URL": f"sqlite:///{folder / 'getihu.sqlite3'}",
        "GETIHU_SECRET_KEY": "for tests only",
        "GETIHU_ROOM_RESERVE_MB": "0",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
    }


def copy_at_rest(image: Path, copy: Path) -> None:
    """A copy during which nothing reached the image: equal to a second one."""
    for _ in range(20):
        before = image.stat().st_mtime_ns
        shutil.copyfile(image, copy)
        if image.stat().st_mtime_ns == before:
            return
        time.sleep(0.05)
    raise AssertionError("the image was never at rest")


def cut(image: Path, tmp_path: Path, database: str, cuts: int, *options: str) -> list[dict]:
    """The power goes ``cuts`` times while one program writes; what each copy shows afterwards."""
    if database.startswith("postgres"):
        pytest.skip("the database of this run does not lie in the image")
    live, dead, copy = tmp_path / "live", tmp_path / "dead", tmp_path / "copy"
    seen = []
    with mounted(image, live):
        shutil.copyfile(database.removeprefix("sqlite:///"), live / "getihu.sqlite3")
        call("sync", "-f", live)
        command = [sys.executable, "-m", "tests.ops.cut", "write", *options]
        told = tmp_path / "told"
        with told.open("wb") as out:
            writer = subprocess.Popen(command, env=environment(live), stdout=out, cwd=ROOT)
        try:
            wait_for(lambda: told.stat().st_size > 0 or writer.poll() is not None, 60)
            for number in range(cuts):
                time.sleep(0.25 + 0.037 * (number % 7))
                assert writer.poll() is None, "the writer ended by itself"
                writer.send_signal(signal.SIGSTOP)
                acknowledged = len(told.read_bytes().split())
                copy_at_rest(image, copy)
                writer.send_signal(signal.SIGCONT)
                seen.append({"told": acknowledged, **look(copy, dead, acknowledged)})
        finally:
            writer.kill()
            writer.wait()
    return seen


def look(copy: Path, dead: Path, acknowledged: int) -> dict:
    with mounted(copy, dead):
        command = [sys.executable, "-m", "tests.ops.cut", "look", str(acknowledged)]
        done = subprocess.run(
            command, env=environment(dead), capture_output=True, text=True, cwd=ROOT
        )
    assert done.returncode == 0, done.stderr[-1500:]
    return json.loads(done.stdout.splitlines()[-1])


def wait_for(is_so: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def lost_nothing(seen: list[dict]) -> bool:
    return all({name: told[name] for name in SOUND} == SOUND for told in seen)


def test_what_was_told_is_there_after_a_cut(image, tmp_path, own_database):
    seen = cut(image, tmp_path, own_database, 3)

    assert seen[-1]["told"] > 0
    assert lost_nothing(seen), seen


@pytest.mark.scale
def test_a_hundred_cuts_lose_nothing(image, tmp_path, own_database):
    seen = cut(image, tmp_path, own_database, CUTS)

    print(f"{len(seen)} cuts, {seen[-1]['told']} acknowledged")
    assert lost_nothing(seen), [told for told in seen if not lost_nothing([told])][:3]


def test_control_not_waiting_for_the_disk_loses_what_was_told(image, tmp_path, own_database):
    seen = cut(image, tmp_path, own_database, 3, "--careless")

    assert not lost_nothing(seen)
