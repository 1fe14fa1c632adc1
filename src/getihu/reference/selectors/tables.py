"""Reads the shipped code lists, row by row."""

import csv
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent.parent / "data"


def read_rows(name: str) -> Iterator[dict[str, str]]:
    """Return the rows of one shipped list, by column name."""
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)
