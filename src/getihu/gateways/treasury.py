"""The treasury over files in a folder, or over HTTP. Either passes the same contract tests.

No treasury publishes its interface; these forms are 本项目设定，非官方: a city fills in its own.
"""

import csv
import hashlib
import hmac
import io
import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from getihu.policies.ports import (
    PaymentBatch,
    PaymentResult,
    StatementLine,
    Treasury,
    TreasuryRefused,
    TreasuryUnreachable,
)

ORDER_COLUMNS = ("order_id", "cents", "payee", "bank", "account", "remark")
LINE_COLUMNS = ("line_id", "order_id", "result", "cents", "on", "why")
TIMEOUT_SECONDS = 30.0


def from_settings() -> Treasury:
    """HTTP when its address is configured, else files."""
    http = settings.TREASURY_HTTP
    if http["url"]:
        return HttpTreasury(http["url"], http["key_id"], http["secret"])
    return FileTreasury(Path(settings.TREASURY_FOLDER))


class FileTreasury:
    """Batches as CSV files in ``out``, statements as ``<day>.csv`` files in ``in``.

    The last line of a batch file states count and sum, so that a file cut off is seen.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def submit(self, batch: PaymentBatch) -> None:
        target = self.folder / "out" / f"{batch.batch_id}.csv"
        content = batch_file(batch)
        try:
            if target.exists():
                if target.read_bytes() != content:
                    raise TreasuryRefused("同一批号已经送过不同的清单。")
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.{os.getpid()}")
            with unfinished.open("wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        except OSError as error:
            raise TreasuryUnreachable(f"写不了拨付文件：{error.strerror}。") from error

    def statement(self, day: date) -> Sequence[StatementLine]:
        path = self.folder / "in" / f"{day.isoformat()}.csv"
        try:
            text = path.read_text("utf-8-sig") if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise TreasuryUnreachable(f"读不了对账文件 {path.name}。") from error
        return [_line(row, path.name) for row in csv.DictReader(io.StringIO(text))]


class HttpTreasury:
    """Batches and statements as JSON, signed with HMAC-SHA256 over method, path and body."""

    def __init__(self, url: str, key_id: str, secret: str) -> None:
        self._url, self._key_id, self._secret = url.rstrip("/"), key_id, secret.encode()

    def submit(self, batch: PaymentBatch) -> None:
        body = {
            "batch_id": batch.batch_id,
            "cents": batch.cents,
            "sha256": batch.sha256,
            "orders": [{c: getattr(order, c) for c in ORDER_COLUMNS} for order in batch.orders],
        }
        self._ask("PUT", f"/batches/{batch.batch_id}", body)

    def statement(self, day: date) -> Sequence[StatementLine]:
        found = self._ask("GET", f"/statements/{day.isoformat()}")
        return [_line(row, "statement") for row in found["lines"]]

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        signed = f"{method}\n{path}\n".encode() + hashlib.sha256(content).hexdigest().encode()
        headers = {
            "Content-Type": "application/json",
            "X-Key": self._key_id,
            "X-Signature": hmac.new(self._secret, signed, "sha256").hexdigest(),
        }
        try:
            answer = requests.request(
                method, self._url + path, data=content, headers=headers, timeout=TIMEOUT_SECONDS
            )
            if answer.status_code in (409, 422):
                raise TreasuryRefused(str(answer.json().get("why", "国库不收这一批。")))
            answer.raise_for_status()
            return answer.json()
        except (requests.RequestException, ValueError, KeyError) as error:
            raise TreasuryUnreachable("国库系统没有回答，或者回答读不懂。") from error


def batch_file(batch: PaymentBatch) -> bytes:
    """The payment file of a batch: one row per order, a last row with count and sum."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(ORDER_COLUMNS)
    for order in batch.orders:
        rows.writerow([getattr(order, column) for column in ORDER_COLUMNS])
    rows.writerow(["TOTAL", batch.cents, len(batch.orders), "", "", batch.sha256])
    return out.getvalue().encode("utf-8-sig")


def _line(row: dict[str, Any], where: str) -> StatementLine:
    try:
        return StatementLine(
            line_id=str(row["line_id"]),
            order_id=str(row["order_id"]),
            result=PaymentResult(row["result"]),
            cents=int(row["cents"]),
            on=date.fromisoformat(str(row["on"])),
            why=str(row.get("why") or ""),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise TreasuryUnreachable(f"{where} 里有一行读不懂，整份没有收。") from error
