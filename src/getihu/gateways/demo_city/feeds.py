"""One delivery of one department, before it is written: columns, dates, and the dirt asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml

from getihu.gateways.demo_city.columns import Column

STATUS_HEADER = "记录状态"
STATUS_LABELS = ("有效", "撤回")
WHOLE_CITY = ("330300",)


@dataclass(frozen=True)
class Contract:
    """What a department knows of a dataset: its published contract file, as written there."""

    id: str
    department: str
    key: tuple[str, ...]
    columns: tuple[dict[str, Any], ...]

    def headers(self) -> list[str]:
        return [c["header"] for c in self.columns] + [STATUS_HEADER]

    def labels(self, column: str) -> tuple[str, ...]:
        """Return the labels of an enum column in the file, in the contract's order."""
        return tuple(self.column(column)["values"].values())

    def label_index(self, column: str, value: str) -> int:
        return list(self.column(column)["values"]).index(value)

    def column(self, name: str) -> dict[str, Any]:
        return next(c for c in self.columns if c["name"] == name)


@cache
def contract(dataset: str) -> Contract:
    """Read one contract file; departments write by it, so new columns are noticed here."""
    text = (files("getihu.dataplane") / "datasets" / f"{dataset}.yaml").read_text("utf-8")
    raw = yaml.safe_load(text)
    return Contract(raw["id"], raw["department"], tuple(raw["key"]), tuple(raw["columns"]))


@dataclass
class Feed:
    """A delivery to be written. ``traders`` is the trader behind each row.

    ``columns`` by contract column name; ``withdrawn`` marks 撤回 rows; ``dirt`` names the kinds
    to spoil with (None: a clean delivery); ``at_least_one`` plants each kind even in a small
    city; ``spoil`` fixes a kind for a given row. ``notes`` counts honest oddities already in the
    columns (backdated rows, …). ``folder`` differs from the id when a delivery is sent twice.
    """

    delivery_id: str
    dataset: str
    period: str
    issued_at: str
    covers_until: str
    traders: np.ndarray
    columns: dict[str, Column]
    divisions: Sequence[str] = WHOLE_CITY
    corrects: str | None = None
    encoding: str = "utf-8"
    declared: str | None = "utf-8"
    withdrawn: np.ndarray | None = None
    dirt: tuple[str, ...] = ()
    at_least_one: bool = False
    spoil: dict[int, str] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    known_duplicates: int = 0
    rows_per_file: int = 500_000

    def __len__(self) -> int:
        return len(self.traders)

    @property
    def contract(self) -> Contract:
        return contract(self.dataset)


DIRT_OF_CODES = (
    "code_lower_case",
    "code_full_width",
    "code_blanks",
    "code_check",
    "code_transposed",
)
DIRT_OF_CELLS = (
    "blank_required",
    "date_impossible",
    "date_compact",
    "unknown_label",
    "money_unit",
    "money_thousands",
)
DIRT_OF_LINES = ("cell_extra", "cell_missing", "duplicate_row", "key_conflict", "wrong_encoding")
ALL_DIRT = DIRT_OF_CODES + DIRT_OF_CELLS + DIRT_OF_LINES
