"""The published numbers and assumptions the city is drawn from (``data/``), typed."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml

AS_OF = date(2026, 10, 31)
"""The day the demo city stands at: its newest deliveries cover up to here."""


@dataclass(frozen=True)
class Trade:
    """One GB/T 4754 class as it occurs in the city.

    ``share`` is its part of all traders (0–1); ``permit`` the licence it mostly needs, if any.
    """

    industry_code: str
    section: str
    share: float
    words: tuple[str, ...]
    suffixes: tuple[str, ...]
    phrases: tuple[str, ...]
    verb: str
    permit: str


@dataclass(frozen=True)
class DirtKind:
    """One kind of bad cell or line: share of rows, what the door must do, what it is."""

    name: str
    rate: float
    outcome: str
    about: str


def rows(name: str) -> Iterator[dict[str, str]]:
    """Read one shipped CSV file."""
    text = (files(__package__) / "data" / name).read_text("utf-8")
    yield from csv.DictReader(text.splitlines())


@cache
def numbers() -> dict[str, Any]:
    """Return ``calibration.yaml`` as read."""
    return yaml.safe_load((files(__package__) / "data" / "calibration.yaml").read_text("utf-8"))


def business(name: str) -> float:
    """Return one number of the section ``business``."""
    return float(numbers()["business"][name]["value"])


@cache
def trades() -> tuple[Trade, ...]:
    """Return the city's trades; their shares add up to one."""
    sections = numbers()["sections"]["value"]
    lines = list(rows("trades.csv"))
    weights = {s: sum(float(r["weight"]) for r in lines if r["section"] == s) for s in sections}
    whole = sum(sections.values())
    return tuple(
        Trade(
            industry_code=r["industry_code"],
            section=r["section"],
            share=float(r["weight"]) / weights[r["section"]] * sections[r["section"]] / whole,
            words=tuple(r["words"].split("|")),
            suffixes=tuple(r["suffixes"].split("|")),
            phrases=tuple(r["phrases"].split("|")),
            verb=r["verb"],
            permit=r["permit"],
        )
        for r in lines
    )


@cache
def dirt_kinds() -> dict[str, DirtKind]:
    """Return every kind of dirt by name."""
    return {
        name: DirtKind(name, float(k["rate"]), k["outcome"], k["about"])
        for name, k in numbers()["dirt"].items()
    }


def county_shares() -> dict[str, float]:
    """Return county code → share of the city's traders (0–1), published counts first."""
    counties = numbers()["counties"]
    total = counties["city_total"]["value"]
    published = {code: c["value"] / total for code, c in counties["published"].items()}
    residents = counties["residents_10k"]["value"]
    rest = sum(people for code, people in residents.items() if code not in published)
    left = 1 - sum(published.values())
    return {code: published.get(code, left * people / rest) for code, people in residents.items()}


def survival(years: np.ndarray) -> np.ndarray:
    """Return the share of traders still on the register so many years after establishment."""
    hazard = numbers()["exit_hazard_a_year"]["value"]
    edges = np.arange(len(hazard), dtype=float)
    spent = np.zeros_like(years, dtype=float)
    for start, rate in zip(edges, hazard, strict=True):
        end = start + 1 if start < edges[-1] else np.inf
        spent += rate * np.clip(years - start, 0, end - start)
    return np.exp(-spent)


@cache
def month_weights() -> np.ndarray:
    """Return how registrations spread over January to December (mean 1)."""
    counts = np.zeros(12)
    for row in rows("registration_month_counts.csv"):
        if row["uscc_prefix"] == "92":
            counts[int(row["month"]) - 1] = int(row["rows"])
    return counts / counts.mean()
