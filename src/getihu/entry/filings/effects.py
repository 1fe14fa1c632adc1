"""What follows from a filing, for one shop: what goes along, stays, is lost, must be done first."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

_FILE: Final = Path(__file__).parent / "effects.yaml"
# In the order they are read: what to do first, what is lost, what goes along, what stays.
FATES: Final = {"first": "先要办", "ends": "会失去", "moves": "跟着走", "stays": "不变"}


@dataclass(frozen=True)
class Effect:
    """One thing and its fate. ``is_certain``: False where whether it concerns this shop is not
    known, because nobody delivered the fact."""

    about: str
    fate: str
    fate_label: str
    text: str
    source: str
    is_certain: bool


@lru_cache
def _effects() -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = yaml.safe_load(_FILE.read_text("utf-8"))
    return found


def rehearsed() -> tuple[str, ...]:
    """The kinds of filings whose effects are told beforehand."""
    return tuple(_effects())


def effects_of(kind: str, facts: Mapping[str, Any]) -> tuple[Effect, ...]:
    """What a filing does to a shop of which these facts are known, heaviest first. What surely
    does not concern it is left out; what is not known is told with that."""
    found = []
    for each in _effects().get(kind, []):
        fact = facts.get(each["when"]) if "when" in each else True
        if fact is None or fact:
            fate = each["fate"]
            text, source = each["text"], each["source"]
            found.append(Effect(each["about"], fate, FATES[fate], text, source, fact is not None))
    return tuple(sorted(found, key=lambda effect: list(FATES).index(effect.fate)))
