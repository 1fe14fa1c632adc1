"""Trades in which the law wants a company. They are marked; nobody is converted by that."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

_FILE: Final = Path(__file__).parent / "forced.yaml"


@dataclass(frozen=True)
class Forced:
    """A trade that needs a company form: which permit, by which document."""

    trade: str
    permit: str
    source: str
    trust: str


@lru_cache
def _entries() -> tuple[tuple[tuple[str, ...], Forced], ...]:
    raw = yaml.safe_load(_FILE.read_text("utf-8"))
    source, trust = raw["source"], raw["trust"]
    return tuple(
        (tuple(each["industries"]), Forced(each["trade"], each["permit"], source, trust))
        for each in raw["trades"]
    )


def forced_by_law(industry_code: str | None) -> Forced | None:
    """The entry a trade falls under; None: the law leaves the form to the trader, or the trade is
    not known."""
    if not industry_code:
        return None
    return next((f for codes, f in _entries() if industry_code.startswith(codes)), None)


def all_forced() -> tuple[Forced, ...]:
    return tuple(forced for _, forced in _entries())
