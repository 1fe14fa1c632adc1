"""What a trader is told of her neighbours: the bands of her cell in the newest edition."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from getihu.dataplane import selectors as dataplane
from getihu.growth.contracts.profile import Band, Neighbours
from getihu.growth.neighbours.cells import FIGURES, Bands, Cell, band_of
from getihu.reference import selectors as reference


def editions_folder() -> Path:
    return Path(settings.DATA_DIR) / "growth" / "neighbours"


@dataclass(frozen=True)
class Edition:
    """One quarter's neighbours. ``spoken_of``: cell → code → bands its figures rest on; ``placed``:
    code → the cell a trader is in now. Neither is ever shown."""

    name: str
    as_of: date
    cells: Mapping[str, Cell]
    held: set[str]
    spoken_of: Mapping[str, Mapping[str, Bands]]
    placed: Mapping[str, str]

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "as_of": self.as_of.isoformat(),
            "cells": {k: [c.at_least, c.tenths] for k, c in self.cells.items()},
            "held": sorted(self.held),
            "spoken_of": self.spoken_of,
            "placed": self.placed,
        }


def read_edition(*, before: str = "") -> Edition | None:
    """The newest edition, or the newest before one; None where there is none."""
    names = sorted(path.stem for path in editions_folder().glob("*.json") if path.stem[0] != ".")
    names = [name for name in names if not before or name < before]
    if not names:
        return None
    path = editions_folder() / f"{names[-1]}.json"
    return _read(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: str, _stamp: int) -> Edition:
    raw = json.loads(Path(path).read_text("utf-8"))
    cells = {
        key: Cell(key, at_least, tuple(map(tuple, tenths)))
        for key, (at_least, tenths) in raw["cells"].items()
    }
    spoken = {
        key: {code: tuple(bands) for code, bands in who.items()}
        for key, who in raw["spoken_of"].items()
    }
    return Edition(
        raw["name"],
        date.fromisoformat(raw["as_of"]),
        cells,
        set(raw["held"]),
        spoken,
        raw["placed"],
    )


def find_neighbours(trader_code: str) -> Neighbours | None:
    """The bands of her cell; None before the first edition, or where fewer than ten are alike."""
    edition = read_edition()
    key = edition.placed.get(trader_code, "") if edition else ""
    if edition is None or key not in edition.cells:
        return None
    cell = edition.cells[key]
    trade, _, place = key.partition("@")
    facts = dataplane.get_trader_facts(
        trader_code, dataplane.get_published_snapshot().data_until
    ).scalars()
    figures = []
    for (fact, label, bounds, words), tenths in zip(FIGURES, cell.tenths, strict=True):
        mine = band_of(facts[fact], bounds)
        bands = tuple(
            Band(word, share, number == mine)
            for number, (word, share) in enumerate(zip(words, tenths, strict=False))
        )
        figures.append((label, bands))
    return Neighbours(
        _trade_words(trade),
        _place_words(place),
        edition.name,
        cell.at_least,
        key in edition.held,
        tuple(figures),
    )


def _trade_words(code: str) -> str:
    found = reference.get_industry(code) if code else None
    return found.name if found else ("同一大类行业" if code else "各行各业")


def _place_words(code: str) -> str:
    if len(code) == 4:
        return "温州市"
    town = reference.get_town(code) if len(code) == 9 else None
    return town.name if town else reference.division_name(code) or code
