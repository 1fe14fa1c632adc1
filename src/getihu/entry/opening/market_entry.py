"""Whether a sole trader may enter a trade at all, by the statutes that were read."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from getihu.entry.opening.verdicts import Verdict
from getihu.reference import selectors as reference

_FILE: Final = Path(__file__).parent / "market_entry.yaml"
_DUTIES: Final = Path(__file__).parent / "duties.yaml"
_NOT_READ: Final = (
    "市场准入负面清单的原文没有读到；法条没有另外要求的，清单没有另外规定就可以做（待核）"
)


@dataclass(frozen=True)
class MarketEntry:
    """What the statutes say of one trade. ``only``: the part of the class the row speaks of, empty
    when it is the whole class. ``is_listed`` False: no row; open unless the list says otherwise."""

    industry_code: str
    name: str
    verdict: Verdict
    title: str
    why: str
    only: str
    law: str
    way: str
    trust: str
    is_listed: bool


@dataclass(frozen=True)
class Duty:
    """What a trade must keep to once it is open, with its article."""

    text: str
    source: str


@lru_cache
def market_rows() -> tuple[dict[str, Any], ...]:
    """The rows of market_entry.yaml."""
    return tuple(yaml.safe_load(_FILE.read_text("utf-8")))


@lru_cache
def _duty_rows() -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load(_DUTIES.read_text("utf-8")))


def market_entries(industry_code: str) -> list[MarketEntry]:
    """What is said of a class: one entry for each row about it; without a row, one that says so."""
    industry = reference.get_industry(industry_code)
    name = industry.name if industry else industry_code
    rows = [row for row in market_rows() if industry_code.startswith(tuple(row["trades"]))]
    if not rows:
        listed = Verdict()
        return [
            MarketEntry(industry_code, name, listed, name, _NOT_READ, "", "", "", "X", False),
        ]
    return [
        MarketEntry(
            industry_code,
            name,
            Verdict("open", False) if row.get("only") else Verdict(str(row["verdict"])),
            str(row["title"]),
            str(row["why"]),
            str(row.get("only", "")),
            str(row["law"]),
            str(row["way"]),
            str(row["trust"]),
            True,
        )
        for row in rows
    ]


def duties_of(industry_codes: tuple[str, ...]) -> list[Duty]:
    """What trades must keep to once they are open, each once."""
    return [
        Duty(str(row["text"]), str(row["source"]))
        for row in _duty_rows()
        if not row["trades"]
        or any(code.startswith(tuple(row["trades"])) for code in industry_codes)
    ]
