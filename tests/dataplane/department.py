"""A department at work: keys, files, signed manifests."""

import base64
import csv
import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from getihu.dataplane.catalogue.contracts import RECORD_STATUS, load_contracts

CODES = ["92330302MA2ABCDE0T", "92330302MA2ABCDE1X", "92330302MA2ABCDE21"]


@dataclass
class Department:
    """Writes signed deliveries into an inbox; ``keys`` is where its public keys are installed."""

    inbox: Path
    keys: Path
    private: dict[str, Ed25519PrivateKey] = field(default_factory=dict)

    def key(self, department: str) -> Ed25519PrivateKey:
        if department not in self.private:
            key = self.private[department] = Ed25519PrivateKey.generate()
            self.keys.mkdir(parents=True, exist_ok=True)
            pem = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            (self.keys / f"{department}.pem").write_bytes(pem)
        return self.private[department]

    def deliver(
        self,
        dataset: str,
        rows: list[dict[str, str]] | bytes,
        *,
        delivery_id: str | None = None,
        issued_at: str = "2026-11-05T09:00:00+08:00",
        covers_until: str = "2026-10-31",
        period: str | None = None,
        divisions: tuple[str, ...] = ("330300",),
        corrects: str | None = None,
        encoding: str | None = "utf-8",
        folder: str | None = None,
        stated: dict | None = None,
    ) -> Path:
        """Write one signed delivery; ``rows`` are cells by column name, or a whole file."""
        contract = load_contracts()[dataset]
        period = period or covers_until[:7]
        delivery_id = delivery_id or f"{dataset}-{period}"
        target = self.inbox / (folder or delivery_id)
        target.mkdir(parents=True)
        content = rows if isinstance(rows, bytes) else csv_bytes(dataset, rows, encoding or "utf-8")
        (target / f"{dataset}.csv").write_bytes(content)
        sm3 = hashes.Hash(hashes.SM3())
        sm3.update(content)
        file = {
            "name": f"{dataset}.csv",
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "sm3": sm3.finalize().hex(),
            "rows": max(0, len(content.splitlines()) - 1),
            "encoding": encoding,
        }
        manifest = {
            "format": "getihu-delivery/1",
            "delivery_id": delivery_id,
            "dataset": dataset,
            "department": contract.department,
            "period": period,
            "issued_at": issued_at,
            "covers_until": covers_until,
            "divisions": list(divisions),
            "corrects": corrects,
            "files": [file | (stated or {}).get("file", {})],
        } | {k: v for k, v in (stated or {}).items() if k != "file"}
        self.sign(target, contract.department, manifest)
        return target

    def sign(self, folder: Path, department: str, manifest: dict) -> None:
        """Write a manifest, whatever it says, and sign it."""
        raw = json.dumps(manifest).encode()
        (folder / "manifest.json").write_bytes(raw)
        signature = self.key(department).sign(raw)
        (folder / "manifest.sig").write_bytes(base64.b64encode(signature))


def csv_bytes(dataset: str, rows: list[dict[str, str]], encoding: str = "utf-8") -> bytes:
    columns = load_contracts()[dataset].columns
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([c.header for c in columns] + [RECORD_STATUS])
    for row in rows:
        cells = [row.get(c.name, "") for c in columns]
        writer.writerow([*cells, row.get("record_status", "有效")])
    return text.getvalue().encode(encoding)


def registration(code: str, **changes: str) -> dict[str, str]:
    """A plain active shop in 鹿城."""
    return {
        "trader_code": code,
        "name": "鹿城区甲乙面馆",
        "subject_kind": "个体工商户",
        "composition": "个人经营",
        "established_on": "2020-05-10",
        "status": "存续",
        "status_on": "2020-05-10",
        "industry_code": "6210",
        "scope": "餐饮服务",
        "address": "五马街道公园路1号",
        "county_code": "330302",
        "town_code": "330302006",
        "changed_on": "2020-05-10",
    } | changes


def penalty(code: str, number: str, **changes: str) -> dict[str, str]:
    return {
        "decision_no": number,
        "trader_code": code,
        "decided_on": "2026-03-01",
        "kind": "罚款",
        "fine_yuan": "500.00",
        "field": "食品",
    } | changes
