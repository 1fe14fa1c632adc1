"""Cells of at least ten traders, and what may be said of them. Pure: rows come in.

A trader is in one cell of an edition, so no cell can be taken from another. A cell of which fewer
than ten members came, left or changed since the edition before keeps the figures it had.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LEAST: Final = 10  # 本项目设定，非官方
# Trade by how many digits of GB/T 4754, place by how many of the division; finest first. 0: all.
LEVELS: Final = ((4, 9), (3, 9), (2, 9), (4, 6), (3, 6), (2, 6), (2, 4), (0, 6), (0, 4))
# Figures of neighbours: fact, label, lower bounds of the bands after the first, words of the bands.
FIGURES: Final[tuple[tuple[str, str, tuple[int, ...], tuple[str, ...]], ...]] = (
    ("annual_employees", "从业人数", (2, 5, 10), ("1人", "2—4人", "5—9人", "10人以上")),
    (
        "premises_m2",
        "经营面积",
        (30, 100, 300),
        ("30平方米以下", "30—100平方米", "100—300平方米", "300平方米以上"),
    ),
    ("registered_months", "开了多久", (12, 36, 120), ("不满1年", "1—3年", "3—10年", "10年以上")),
)
Bands = tuple[int | None, ...]  # per figure the number of the band; None: unknown


@dataclass(frozen=True)
class Member:
    """One trader as the cells see her."""

    trader_code: str
    industry: str
    place: str
    bands: Bands


@dataclass(frozen=True)
class Cell:
    """What is said of a cell. ``at_least``: its size rounded down to tens; ``tenths``: per figure
    the share of each band in tenths, empty where fewer than ten are known."""

    key: str
    at_least: int
    tenths: tuple[tuple[int, ...], ...]


def member(row: Mapping[str, Any]) -> Member:
    """A row of the facts table as a member; its place is the town, else the county."""
    return Member(
        row["trader_code"],
        row["industry_code"] or "",
        row["town_code"] or row["county_code"] or "",
        tuple(band_of(row[fact], bounds) for fact, _, bounds, _ in FIGURES),
    )


def band_of(value: Any, bounds: Sequence[int]) -> int | None:
    """The number of the band a value lies in; None: unknown."""
    return None if value is None else sum(value >= bound for bound in bounds)


def divide(members: Iterable[Member]) -> dict[str, list[Member]]:
    """Cell → its members, at least ten each; who finds no nine others is in none. Who fits no fine
    cell goes on to a coarser one with the others left, never with those already placed."""
    left, cells = list(members), {}
    for digits, length in LEVELS:
        groups: dict[str, list[Member]] = defaultdict(list)
        for each in left:
            groups[_key(each, digits, length)].append(each)
        left = []
        for key, group in groups.items():
            if len(group) >= LEAST and key:
                cells[key] = group
            else:
                left += group
    return cells


def measure(key: str, members: Sequence[Member]) -> Cell:
    """What may be said of a cell."""
    return Cell(
        key,
        len(members) // LEAST * LEAST,
        tuple(_tenths([m.bands[n] for m in members], len(figure[3])) for n, figure in _NUMBERED),
    )


def keep_quiet(
    cells: Mapping[str, list[Member]],
    before: Mapping[str, Mapping[str, Bands]],
    said: Mapping[str, Cell],
) -> dict[str, tuple[Cell, bool, dict[str, Bands]]]:
    """Cell → what is said of it, whether the edition before stands, and the members it speaks of.

    ``before``: cell → code → bands of the members the edition before spoke of; ``said``: its cells.
    """
    found = {}
    for key, members in cells.items():
        now = {m.trader_code: m.bands for m in members}
        old = before.get(key)
        if key in said and old is not None and 0 < _changed(now, old) < LEAST:
            found[key] = (said[key], True, dict(old))
        else:
            found[key] = (measure(key, members), False, now)
    return found


def _changed(now: Mapping[str, Bands], old: Mapping[str, Bands]) -> int:
    """How many came, left or are in another band."""
    return sum(now.get(code) != old.get(code) for code in now.keys() | old.keys())


def _key(each: Member, digits: int, length: int) -> str:
    """Empty where the place is not known that finely: 龙港 has no towns, its cells are the city's."""
    if (len(each.place) < length and length == 9) or not each.place:
        return ""
    if digits and len(each.industry) < digits:
        return ""
    return f"{each.industry[:digits]}@{each.place[:length]}"


def _tenths(bands: Sequence[int | None], many: int) -> tuple[int, ...]:
    known = Counter(band for band in bands if band is not None)
    total = sum(known.values())
    if total < LEAST:
        return ()
    return tuple(round(10 * known[band] / total) for band in range(many))


_NUMBERED: Final = tuple(enumerate(FIGURES))
