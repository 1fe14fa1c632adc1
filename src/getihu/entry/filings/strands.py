"""Permits that a change would leave behind: explained before it is handed in, with the way out."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from getihu.entry.filings.check import Objection

_FILE: Final = Path(__file__).parent / "strands.yaml"


@lru_cache
def strand_rows() -> tuple[dict[str, Any], ...]:
    """The rows of strands.yaml."""
    return tuple(yaml.safe_load(_FILE.read_text("utf-8")))


def stranded_permits(
    kind: str, said: Mapping[str, Any], facts: Mapping[str, Any]
) -> Iterable[Objection]:
    """What stands against a change of a shop that holds these permits, unless it says what becomes
    of them (``permit_plan``). A permit nobody delivered a fact about stands against nothing."""
    if said.get("permit_plan"):
        return
    for row in strand_rows():
        if row["kind"] != kind or not facts.get(row["fact"]):
            continue
        for item in row["items"]:
            if item in said and not any(word in str(said[item]) for word in row.get("words", ())):
                yield Objection(f"会把{row['permit']}落下：{row['why']}", row["source"], row["way"])
