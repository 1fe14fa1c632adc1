"""Which parts of an installation came from a demo city, and taking exactly those away again.

``demo.json`` in the data folder lists the demo's deliveries and the digests of its keys. Anything
else in the folder is somebody's: then nothing is removed.
"""

import hashlib
import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from getihu.kernel.errors import GetihuError

MARK = "demo.json"
FOLDERS = (
    "dataplane",
    "demo",
    "rulebook/whatif",
    "audit",
    "files",
    "policies",
    "treasury",
    "growth",
    "supervision",
    "insight",
    "repairs",
)


class NotADemo(GetihuError):
    """The installation holds data or keys that no demo city made."""


def is_ready(settings: Any, traders: int, seed: int) -> bool:
    """Whether just this demo city lies complete in the data folder."""
    wanted = {"traders": traders, "seed": seed, "complete": True}
    mark = _read_mark(settings)
    return {key: mark.get(key) for key in wanted} == wanted


def note(settings: Any, inbox: Path, traders: int, seed: int, *, complete: bool) -> None:
    """Write down what in this installation is the demo's, before any of it is taken in."""
    deliveries = sorted(
        json.loads(path.read_text("utf-8"))["delivery_id"]
        for path in inbox.glob("*/manifest.json")
        if _is_json(path)
    )
    before = _read_mark(settings)
    mark = {
        "traders": traders,
        "seed": seed,
        "complete": complete,
        "deliveries": deliveries,
        "keys": {path.name: _digest(path) for path in sorted((inbox / "keys").glob("*.pem"))},
        # What the demo's licences are signed with goes with it: it must sign nothing real.
        "signs_alone": before.get("signs_alone", not Path(settings.PASSPORT_KEY_DIR).exists()),
    }
    target = settings.DATA_DIR / MARK
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(mark, ensure_ascii=False, indent=1), "utf-8")


def _note_again(settings: Any, mark: dict[str, Any]) -> None:
    """What a department of the demo sent later is the demo's as well."""
    inbox = settings.DATA_DIR / "demo" / "inbox"
    note(settings, inbox, mark["traders"], mark["seed"], complete=mark["complete"])


def record_consents(*, at: datetime) -> int:
    """Note the consents the demo's traders signed on paper with their annual reports: all but one
    in twenty. Who owns an account in the demo decides for herself."""
    from getihu.dataplane import selectors as dataplane
    from getihu.registry import services as registry
    from getihu.registry.contracts import Purpose
    from getihu.rulebook import selectors as rulebook

    as_of = dataplane.get_published_snapshot().data_until
    found = dataplane.engine().execute(
        "select trader_code from read_parquet($path) where hash(trader_code) % 20 <> 0",
        {"path": str(dataplane.facts_path(as_of))},
    )
    codes = [row[0] for row in found.fetchall()]
    articles = sorted(set(rulebook.protected_facts().values()))
    return registry.record_paper_consents(codes, [Purpose.PROFILE], articles, at=at)


def open_cast(settings: Any, *, at: datetime) -> None:
    """Open the people one signs in as, owners of the city's planted traders, and their cases.
    They have been there for some weeks, so that cases have a history. Again: no change."""
    from django.core.management import call_command

    from getihu.accounts import services as accounts
    from getihu.config.demo_awards import open_awards, push_policies, read_cast
    from getihu.config.demo_bundles import open_bundles
    from getihu.config.demo_cases import HISTORY_DAYS, open_cases
    from getihu.config.demo_growth import open_growth
    from getihu.config.demo_passport import open_wallets
    from getihu.config.demo_story import open_story
    from getihu.config.demo_supervision import open_supervision
    from getihu.config.demo_support import open_support
    from getihu.config.demo_window import open_window
    from getihu.insight import services as insight

    call_command("migrate", verbosity=0)
    personas = settings.DATA_DIR / "demo" / "inbox" / "personas.json"
    planted = json.loads(personas.read_text("utf-8")) if personas.exists() else []
    began = at - timedelta(days=HISTORY_DAYS)
    if accounts.open_demo_cast([persona["trader_code"] for persona in planted], at=began):
        open_cases(settings, at=at)
        open_bundles(settings, at=at)
        open_window(settings, at=at)
        open_awards(settings, at=at)
        open_growth(settings, at=at)
        open_supervision(settings, at=at)
        open_support(at=at)
        mark = _read_mark(settings)
        open_story(settings, at=at, seed=mark.get("seed"), note=lambda: _note_again(settings, mark))
        push_policies(at=at)
        open_wallets(read_cast(at), at=at)
    insight.measure_daily(at)
    insight.write_due_report(at)


def remove(settings: Any) -> None:
    """Empty the installation of its demo city; of an empty one, nothing.

    Raises NotADemo when a delivery, a key or an account in it is not the demo's; then nothing is
    touched. Raises IngestRunning while deliveries are being taken in.
    """
    from django.core.management import call_command

    from getihu.audit import services as audit
    from getihu.dataplane import services as dataplane

    call_command("migrate", verbosity=0)
    with dataplane.store_alone():
        mark = _read_mark(settings)
        _check_deliveries(settings, mark)
        _check_keys(settings, mark)
        with audit.demo_starts_over():
            call_command("flush", interactive=False, verbosity=0)
        for name in mark.get("keys", {}):
            (settings.DEPARTMENT_KEYS_DIR / name).unlink(missing_ok=True)
        if mark.get("signs_alone"):
            shutil.rmtree(settings.PASSPORT_KEY_DIR, ignore_errors=True)
            Path(settings.WALLET_KEY_FILE).unlink(missing_ok=True)
        for folder in FOLDERS:
            shutil.rmtree(settings.DATA_DIR / folder, ignore_errors=True)
        (settings.DATA_DIR / MARK).unlink(missing_ok=True)


def _check_deliveries(settings: Any, mark: dict[str, Any]) -> None:
    from getihu.dataplane import selectors

    kept = {d.delivery_id for d in selectors.list_deliveries(100_000) if d.status != "rejected"}
    foreign = sorted(kept - set(mark.get("deliveries", [])))
    if foreign:
        raise NotADemo(
            f"{settings.DATA_DIR} 里有 {len(foreign)} 批不属于演示城市的部门数据"
            f"（如 {foreign[0]}），什么也没有删。处理办法：用 GETIHU_DATA_DIR 另指一个目录。"
        )


def _check_keys(settings: Any, mark: dict[str, Any]) -> None:
    ours = mark.get("keys", {})
    foreign = [
        path.name
        for path in sorted(settings.DEPARTMENT_KEYS_DIR.glob("*"))
        if ours.get(path.name) != _digest(path)
    ]
    if foreign:
        raise NotADemo(
            f"{settings.DEPARTMENT_KEYS_DIR} 里有不属于演示城市的公钥（{foreign[0]}），什么也没有删。"
            "处理办法：用 GETIHU_DATA_DIR 另指一个目录给演示城市。"
        )


def _read_mark(settings: Any) -> dict[str, Any]:
    path = settings.DATA_DIR / MARK
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _is_json(path: Path) -> bool:
    """One planted delivery has a damaged manifest; it is never taken in."""
    try:
        return "delivery_id" in json.loads(path.read_text("utf-8"))
    except ValueError:
        return False


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
