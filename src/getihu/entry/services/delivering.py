"""The night's delivery of the register: what was filed here goes back through the door every
department uses, with a signed manifest, so that the facts of the city follow.

A delivery holds one row for each trader whose entry changed since the last one: by a filing, or
because a suspension began or ran out. The data plane keeps versions, so a row more is no harm.
"""

import base64
import csv
import hashlib
import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from getihu.dataplane import selectors as dataplane
from getihu.entry.filings.kinds import BASELINE
from getihu.entry.filings.register import NONE, RegisterEntry, fold
from getihu.entry.models import Filing
from getihu.entry.selectors.register import as_fact, list_suspended_ever
from getihu.entry.services.filing import CITY_TIME
from getihu.kernel.errors import GetihuError

DATASET: Final = "registrations"
DEPARTMENT: Final = "amr"
PREFIX: Final = "register-"
_STATUS_HEADER: Final = "记录状态"
_NO_NAME: Final = "无字号"


class NoKey(GetihuError):
    """There is no key to sign the register's deliveries with, or it is of another kind."""


def deliver_register(inbox: Path, *, on: date, at: datetime, key_file: Path) -> str | None:
    """Write the delivery of a day into ``inbox``, for ``getihu ingest``; returns its id, None when
    nothing changed since the last. ``on``: the day the entries stand for, not after ``at``.

    What filings do not say (an area, a scope from before) is taken from the department's newest
    row; a trader whose row would lack a required item is left to the department's own delivery.
    Raises: NoKey, FileExistsError (the day was delivered already and waits in the inbox).
    """
    key = _read_key(key_file)
    since = _last_issued()
    rows = [row for code in _changed(since, on) if (row := _row(code, on)) is not None]
    if not rows:
        return None
    delivery_id = f"{PREFIX}{at:%Y%m%d%H%M%S}"
    folder = inbox / delivery_id
    folder.mkdir(parents=True)
    text = _as_csv(rows)
    (folder / f"{DATASET}.csv").write_bytes(text)
    manifest = _manifest(delivery_id, text, len(rows), on, at)
    raw = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    (folder / "manifest.json").write_bytes(raw)
    (folder / "manifest.sig").write_bytes(base64.b64encode(key.sign(raw)) + b"\n")
    return delivery_id


def _read_key(path: Path) -> Ed25519PrivateKey:
    fix = f"把登记机关的 Ed25519 私钥放到 {path}，公钥放进部门公钥目录的 {DEPARTMENT}.pem。"
    if not path.exists():
        raise NoKey(f"没有给登记数据签名的私钥。处理办法：{fix}")
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise NoKey(f"{path} 不是 Ed25519 私钥。处理办法：{fix}")
    return key


def _last_issued() -> datetime | None:
    """When the last delivery of ours that counts was signed; None: never."""
    issued = [
        each.issued_at
        for each in dataplane.list_deliveries(10_000)
        if each.delivery_id.startswith(PREFIX) and each.status == "published" and each.issued_at
    ]
    return max(issued, default=None)


def _changed(since: datetime | None, on: date) -> list[str]:
    """Traders with a filing since then, and those whose state changes with the day alone."""
    filed = Filing.objects.exclude(kind=BASELINE)
    if since is not None:
        filed = filed.filter(filed_at__gt=since)
    codes = set(filed.values_list("trader_code", flat=True))
    # A filing may count from a later day, and a suspension may end by itself: look at both.
    codes |= set(list_suspended_ever())
    codes |= set(
        Filing.objects.exclude(kind=BASELINE)
        .filter(effective_on__gt=since.date() if since else date.min, effective_on__lte=on)
        .values_list("trader_code", flat=True)
    )
    return sorted(codes)


def _row(trader_code: str, on: date) -> dict[str, str] | None:
    facts = [
        as_fact(f) for f in Filing.objects.filter(trader_code=trader_code).order_by("sequence")
    ]
    entry = fold(trader_code, facts, until=on)
    status = entry.status_on(on)
    if status == NONE or entry.established_on is None:
        return None
    known = next(iter(dataplane.list_records(DATASET, trader_code, as_of=on)), {})
    is_company = entry.company_form is not None
    row = {
        "trader_code": trader_code,
        "name": entry.name or known.get("name") or _NO_NAME,
        "subject_kind": "enterprise" if is_company else known.get("subject_kind") or "individual",
        "composition": None if is_company else entry.form or known.get("composition"),
        "established_on": entry.established_on,
        "status": status,
        "status_on": _status_on(entry, status, on),
        "industry_code": entry.industry_code or known.get("industry_code"),
        "scope": entry.scope or known.get("scope"),
        "address": entry.premises or known.get("address"),
        "county_code": entry.county_code,
        "town_code": _town(entry, known),
        "premises_m2": None if entry.premises else known.get("premises_m2"),
        "converted_on": entry.converted_on or known.get("converted_on"),
        "changed_on": _changed_on(facts, entry, on),
    }
    columns = dataplane.dataset_contracts()[DATASET].columns
    if any(column.required and row[column.name] in (None, "") for column in columns):
        return None
    return {c.name: _cell(row[c.name], dict(c.values)) for c in columns}


def _town(entry: RegisterEntry, known: dict[str, Any]) -> str | None:
    """The town; of a shop that moved without saying to which, none rather than the old one."""
    if entry.town_code and entry.town_code.startswith(entry.county_code or "-"):
        return entry.town_code
    return None if entry.premises else known.get("town_code")


def _status_on(entry: RegisterEntry, status: str, on: date) -> date:
    if status == "suspended":
        rest = entry.suspension_on(on)
        assert rest is not None
        return rest.from_on
    if status == "active":
        over = [s.last_day for s in entry.suspensions if s.last_day and s.last_day < on]
        assert entry.established_on is not None
        return date.fromordinal(max(over).toordinal() + 1) if over else entry.established_on
    return entry.ended_on or on


def _changed_on(facts: list[Any], entry: RegisterEntry, on: date) -> date:
    """The last day anything of the entry changed: by a filing, or by a suspension's own end."""
    days = [f.effective_on for f in facts if f.effective_on <= on]
    days += [s.from_on for s in entry.suspensions if s.from_on <= on]
    days += [
        date.fromordinal(s.last_day.toordinal() + 1)
        for s in entry.suspensions
        if s.last_day and s.last_day < on
    ]
    return max(days)


def _cell(value: Any, values: dict[str, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return values.get(str(value), str(value)).replace("\n", " ")


def _as_csv(rows: list[dict[str, str]]) -> bytes:
    columns = dataplane.dataset_contracts()[DATASET].columns
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(column.header for column in columns), _STATUS_HEADER])
    writer.writerows([[*(row[column.name] for column in columns), "有效"] for row in rows])
    return out.getvalue().encode()


def _manifest(
    delivery_id: str, text: bytes, rows: int, on: date, at: datetime
) -> dict[str, object]:
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(text)
    file = {
        "name": f"{DATASET}.csv",
        "bytes": len(text),
        "sha256": hashlib.sha256(text).hexdigest(),
        "sm3": sm3.finalize().hex(),
        "rows": rows,
        "encoding": "utf-8",
    }
    return {
        "format": "getihu-delivery/1",
        "delivery_id": delivery_id,
        "dataset": DATASET,
        "department": DEPARTMENT,
        "period": f"{on:%Y-%m}",
        "issued_at": at.astimezone(CITY_TIME).isoformat(),
        "covers_until": on.isoformat(),
        "divisions": ["330300"],
        "corrects": None,
        "files": [file],
    }
