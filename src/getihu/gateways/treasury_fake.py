"""A treasury of the demo and the tests: pays what it is told, once, and answers as badly as asked.

What it holds lies in a folder, so that it outlives the process. It reads the batch files of
``FileTreasury`` and writes statements, or answers ``HttpTreasury`` behind a small server.
"""

import csv
import hashlib
import io
import json
import random
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from getihu.gateways.treasury import LINE_COLUMNS


@dataclass
class FakeTreasury:
    """``returned`` are orders whose bank sends the money back. Of a statement, ``doubled`` is the
    share of lines that come twice and ``late`` the share that come a day later."""

    folder: Path
    returned: frozenset[str] = frozenset()
    doubled: float = 0.0
    late: float = 0.0
    seed: int = 0
    _paid: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self._file.exists():
            self._paid = json.loads(self._file.read_text("utf-8"))

    @property
    def _file(self) -> Path:
        return self.folder / "paid.json"

    @property
    def paid(self) -> dict[str, int]:
        """Order → cents that really left, each counted once per payment made."""
        return {k: v["cents"] for k, v in self._paid.items() if v["result"] == "paid"}

    def take(self, batch_id: str, orders: list[dict[str, Any]], day: date) -> str:
        """Pay the orders of a batch on a day; returns why not, empty when taken. The same numbers
        again change nothing; the same number with another sum is refused."""
        for order in orders:
            known = self._paid.get(order["order_id"])
            if known and (known["cents"], known["batch"]) != (int(order["cents"]), batch_id):
                return f"指令 {order['order_id']} 已经有不同的内容"
        for order in orders:
            key = order["order_id"]
            if key not in self._paid:
                result = "returned" if key in self.returned else "paid"
                self._paid[key] = {
                    "cents": int(order["cents"]),
                    "batch": batch_id,
                    "result": result,
                    "on": day.isoformat(),
                }
        self._save()
        return ""

    def lines(self, day: date) -> list[dict[str, Any]]:
        """The statement of a day: its payments, those told late of the days before, some twice."""
        told = []
        for key, each in sorted(self._paid.items()):
            days = (day - date.fromisoformat(each["on"])).days
            chance = random.Random(f"{self.seed}|{key}")
            is_late, is_doubled = chance.random() < self.late, chance.random() < self.doubled
            if days != int(is_late):
                continue
            line = {
                "line_id": hashlib.sha256(f"{key}|{each['result']}".encode()).hexdigest()[:24],
                "order_id": key,
                "result": each["result"],
                "cents": each["cents"],
                "on": each["on"],
                "why": "账号不存在" if each["result"] == "returned" else "",
            }
            told += [line, line] if is_doubled else [line]
        random.Random(f"{self.seed}|{day}").shuffle(told)
        return told

    def work_through(self, folder: Path, day: date) -> int:
        """Take every batch file of a ``FileTreasury`` and write the day's statement; returns how
        many files were taken. A file cut off is left where it is."""
        taken = 0
        for path in sorted((folder / "out").glob("*.csv")):
            rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
            *orders, last = rows
            whole = sum(int(row["cents"]) for row in orders)
            if last["order_id"] != "TOTAL" or int(last["cents"]) != whole:
                continue
            taken += not self.take(path.stem, orders, day)
        target = folder / "in" / f"{day.isoformat()}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        out = io.StringIO()
        writer = csv.DictWriter(out, LINE_COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(self.lines(day))
        target.write_text(out.getvalue(), "utf-8-sig")
        return taken

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(self._paid, sort_keys=True), "utf-8")
        unfinished.replace(self._file)
