"""The command line says what to do instead of showing a traceback."""

import os
import subprocess
import sys
from pathlib import Path

GETIHU = Path(sys.executable).with_name("getihu")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GETIHU_DATA_DIR": str(folder), "PYTHONUTF8": "1"}
    environment.pop("GETIHU_DATABASE_URL", None)
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [str(GETIHU), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_before_set_up_it_names_the_command(tmp_path):
    done = run(tmp_path, "feeds")
    assert (done.returncode, "getihu setup" in done.stderr) == (3, True)
    assert "Traceback" not in done.stderr


def test_a_file_in_the_way_is_named(tmp_path):
    assert run(tmp_path, "setup").returncode == 0
    inbox = tmp_path / "inbox" / "one"
    inbox.mkdir(parents=True)
    (tmp_path / "dataplane").write_text("a file where a folder should be")
    done = run(tmp_path, "ingest", str(inbox.parent))
    assert done.returncode == 3
    assert str(tmp_path / "dataplane") in done.stderr
    assert "Traceback" not in done.stderr
