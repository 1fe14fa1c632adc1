"""A repair network of the demo and the tests: takes each number once, and grants after some days.

What it holds lies in a folder, so that it outlives the process. It works through the files of
``FolderNetwork``, or answers ``HttpNetwork`` behind a small server.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any


@dataclass
class FakeRepairNetwork:
    """``refused`` are records it says no to; a decision takes ``days``, a recognised one none."""

    folder: Path
    prefix: str = "XF"
    days: int = 3
    refused: frozenset[str] = frozenset()

    def take(self, number: str, content: dict[str, Any], day: date) -> str:
        """Keep an application; returns why not, empty when taken. The same again changes nothing;
        another one under the same number is refused."""
        held = self._held()
        if number in held:
            return "" if held[number]["content"] == content else "同一编号已经有不同的申请"
        receipt = f"{self.prefix}{len(held) + 1:06}"
        held[number] = {"content": content, "on": day.isoformat(), "receipt": receipt}
        self._save(held)
        return ""

    def answer(self, number: str, day: date) -> dict[str, Any] | None:
        """How an application stands on a day; None for an unknown number."""
        held = self._held().get(number)
        if held is None:
            return None
        taken = date.fromisoformat(held["on"])
        due = taken if held["content"].get("recognises") else taken + timedelta(days=self.days)
        if day < due:
            return {"state": "received", "receipt": held["receipt"], "on": held["on"], "why": ""}
        is_refused = held["content"]["record"] in self.refused
        return {
            "state": "refused" if is_refused else "granted",
            "receipt": held["receipt"],
            "on": due.isoformat(),
            "why": "材料和决定书不一致" if is_refused else "",
        }

    def work_through(self, folder: Path, day: date) -> int:
        """Take every application of a ``FolderNetwork`` and write its answer of the day; returns
        how many. A file cut off is left where it is."""
        done = 0
        for path in sorted((folder / "out").glob("*.json")):
            try:
                content = json.loads(path.read_text("utf-8"))
            except ValueError:
                continue
            self.take(path.stem, content, day)
            target = folder / "in" / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            told = json.dumps(self.answer(path.stem, day), ensure_ascii=False)
            unfinished = target.with_suffix(".unfinished")
            unfinished.write_text(told, "utf-8")
            unfinished.replace(target)
            done += 1
        return done

    def _held(self) -> dict[str, Any]:
        path = self.folder / "applications.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else {}

    def _save(self, held: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "applications.json"
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(held, ensure_ascii=False, sort_keys=True), "utf-8")
        unfinished.replace(path)
