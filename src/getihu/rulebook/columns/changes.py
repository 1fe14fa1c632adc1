"""Some traders' facts changed: decide them again and say who moves from where to where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from getihu.rulebook.columns.city import CityColumns, TableColumns
from getihu.rulebook.columns.sweep import CitySweep, sweep_columns
from getihu.rulebook.model.cases import NOT_APPLICABLE


@dataclass(frozen=True)
class PoolDifference:
    """One rule: traders by (outcome before, outcome after), and who they are."""

    moves: dict[tuple[str, str], int]
    traders: dict[tuple[str, str], tuple[str, ...]]


def redecide(
    swept: CitySweep, columns: CityColumns, changes: Mapping[str, Mapping[str, Any]]
) -> dict[str, PoolDifference]:
    """Rule id → who moves, for the rules that move anybody.

    ``changes``: trader code → the facts that changed (None: now unknown). Codes that are not in
    the city are left out. Cost: that of the changed traders, whatever the size of the city.
    """
    places = {code: columns.row_of(code) for code in changes}
    codes = [code for code, place in places.items() if place is not None]
    rows = np.array([places[code] for code in codes], dtype=np.int64)
    if not codes:
        return {}
    table = _table(columns, _facts(swept), rows, [changes[code] for code in codes])
    some = TableColumns(table, swept.columns.parts(swept.as_of).simple)
    after = sweep_columns(some, swept.rules, swept.as_of)
    before, now = swept.codes_at(rows), after.codes_at(np.arange(len(rows)))
    found = {}
    for rule_id in swept.plan.rules:
        names = (*swept.outcomes(rule_id), NOT_APPLICABLE)
        old, new = before[rule_id], now[rule_id]
        moved = np.flatnonzero(old != new)
        if len(moved):
            found[rule_id] = _difference(names, codes, old, new, moved)
    return found


def _facts(swept: CitySweep) -> list[str]:
    """The facts the plan looked at."""
    leaves = swept.plan.leaves
    named = set(leaves.by_fact)
    for leaf in leaves.of_rows:
        named |= set(leaves.parts.facts(leaf.node))
    return sorted(named)


def _table(
    columns: CityColumns,
    facts: list[str],
    rows: npt.NDArray[np.int64],
    changes: list[Mapping[str, Any]],
) -> pa.Table:
    """The changed traders' facts, what did not change as it was."""
    found = {"trader": pa.array(rows)}
    for fact in facts:
        column = columns.column(fact)
        assert column is not None
        codes = column.codes[rows].astype(np.int64)
        values = column.known.take(pa.array(codes - 1, mask=codes == 0))
        changed = [number for number, change in enumerate(changes) if fact in change]
        if changed:
            listed = values.to_pylist()
            for number in changed:
                listed[number] = changes[number][fact]
            values = pa.array(listed, type=columns.types[fact])
        found[fact] = values
    return pa.table(found)


def _difference(
    names: tuple[str, ...],
    codes: list[str],
    old: npt.NDArray[np.uint8],
    new: npt.NDArray[np.uint8],
    moved: npt.NDArray[np.int64],
) -> PoolDifference:
    who: dict[tuple[str, str], list[str]] = {}
    for number in moved.tolist():
        before, after = (names[min(int(c[number]), len(names) - 1)] for c in (old, new))
        who.setdefault((before, after), []).append(codes[number])
    moves = Counter({move: len(traders) for move, traders in who.items()})
    return PoolDifference(dict(moves), {move: tuple(t) for move, t in who.items()})
