"""The files of a draw: kept by their digest, given out as one dossier anybody can check."""

import json
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from django.conf import settings

from getihu.audit import selectors as audit
from getihu.kernel.errors import GetihuError
from getihu.supervision.contracts import PlanState
from getihu.supervision.draws.texts import canonical_json, digest
from getihu.supervision.models import Plan

DOSSIER_FILES: Final = (
    "commitment.json",
    "frame.csv",
    "excluded.csv",
    "inspectors.csv",
    "conflicts.csv",
    "chance.json",
    "result.csv",
    "log.json",
)


class TextDamaged(GetihuError):
    """A kept list is gone or is not what was committed to."""


def keep_text(text: str) -> str:
    """Keep a list by its digest, safe against a power cut; returns the digest."""
    name = digest(text)
    path = _folder() / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent, suffix=".unfinished")
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    return name


def read_text(sha256: str) -> str:
    """Raises TextDamaged."""
    path = _folder() / sha256
    text = path.read_text("ascii") if path.exists() else ""
    if digest(text) != sha256:
        raise TextDamaged(f"冻结的清单 {sha256[:12]} 不在了或者被改过。处理办法：从备份放回。")
    return text


def program_sha256() -> str:
    """Digest of the program anybody checks a draw with; it is committed to before chance is."""
    return digest(verifier_text())


def verifier_text() -> str:
    """The stand-alone program, as it is handed out."""
    return (Path(__file__).parents[1] / "verify_draw.py").read_text("utf-8")


def list_files(plan: Plan) -> tuple[str, ...]:
    """Names of the files a dossier has so far. What is not public yet is not in it: the lists come
    with the commitment, the result once it is published."""
    return tuple(_files(plan))


def dossier(plan: Plan) -> dict[str, str]:
    """File name → text, as far as the plan has come. Raises TextDamaged."""
    return {name: read() for name, read in _files(plan).items()}


def find_file(plan: Plan, name: str) -> str | None:
    """One file of the dossier; None where the plan has none of this name, or not yet."""
    read = _files(plan).get(name)
    return read() if read else None


def _files(plan: Plan) -> dict[str, Callable[[], str]]:
    if plan.commitment is None:
        return {}
    told, text = json.loads(plan.commitment), plan.commitment
    files: dict[str, Callable[[], str]] = {"commitment.json": lambda: text}
    for part in ("frame", "excluded", "inspectors", "conflicts"):
        files[f"{part}.csv"] = partial(read_text, told[part]["sha256"])
    if plan.seed:
        files["chance.json"] = partial(_chance, plan)
    if plan.state == PlanState.PUBLISHED:
        files["result.csv"] = partial(read_text, str(plan.result_sha256))
    files["log.json"] = partial(_log, plan)
    return files


def _chance(plan: Plan) -> str:
    return canonical_json(
        {
            "kind": plan.chance_kind,
            "digits": plan.chance_digits,
            "fallback": plan.is_fallback,
            "seed": plan.seed,
        }
    )


def _log(plan: Plan) -> str:
    return json.dumps(audit.list_openings(f"draw:{plan.pk}"), ensure_ascii=True) + "\n"


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "supervision" / "draws"
