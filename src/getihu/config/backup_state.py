"""Prints, as JSON, what a restored copy holds: run by the drill in a process of its own.

With a folder of slips it decides each again from the copy alone, and those that awards rest on.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import django

MOST_AWARDS = 100  # a sample; 本项目设定，非官方


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "getihu.config.settings")
    django.setup()
    from getihu.audit import selectors as audited
    from getihu.config import backup

    findings = [str(finding) for finding in audited.check_log()]
    slips = list(_slips(Path(sys.argv[1]))) if len(sys.argv) > 1 else []
    differing = [problem for name, slip, noted in slips if (problem := _replay(name, slip, noted))]
    told = {"findings": findings, "replayed": len(slips), "differing": differing}
    json.dump({**backup.read_state(), **told}, sys.stdout)


def _slips(folder: Path) -> Iterator[tuple[str, bytes, str]]:
    """What it is, its bytes, and the fingerprint it had."""
    from getihu.policies import selectors

    for path in sorted(folder.glob("*.json")):
        yield f"decision {path.stem[:12]}", path.read_bytes(), path.stem
    for award, slip, noted in selectors.sample_slips(MOST_AWARDS):
        yield f"award {award}", slip, noted


def _replay(name: str, slip: bytes, noted: str) -> str:
    """Why a slip does not come out again byte by byte; empty when it does."""
    from getihu.kernel.errors import GetihuError
    from getihu.rulebook import services

    try:
        again = services.replay(slip).slip.sha256
    except GetihuError as error:
        return f"{name}: {type(error).__name__}"
    return "" if again == noted else f"{name}: fingerprint"


if __name__ == "__main__":
    main()
