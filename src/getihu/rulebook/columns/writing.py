"""The decisions of a sweep as a Parquet file: a row per trader, a column per rule."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from getihu.rulebook.columns.sweep import CitySweep, JoinedSweep
from getihu.rulebook.compile.sweep import amount_column, outcome_column
from getihu.rulebook.model.rules import Rule

_YUAN: Final = pa.decimal128(38, 2)
_ROW_GROUP: Final = 122_880
_STRETCH: Final = 4 * _ROW_GROUP
_TRADER: Final = "trader_code"


def write_decisions(
    swept: CitySweep | JoinedSweep, trader_codes: pa.ChunkedArray, target: Path
) -> None:
    """``trader_code``, then per rule the outcome (NULL: does not apply) and what a yes is worth:
    the names, types and values of ``compile.sweep``. Memory: one stretch of traders."""
    writer = None
    for start in range(0, max(1, swept.traders), _STRETCH):
        columns = {_TRADER: trader_codes.slice(start, _STRETCH)}
        columns |= dict(_columns(swept, start, min(swept.traders, start + _STRETCH)))
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(target, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=_ROW_GROUP)
    assert writer is not None
    writer.close()


def _columns(swept: CitySweep | JoinedSweep, start: int, stop: int) -> Iterator[tuple[str, Any]]:
    for rule in swept.rules:
        yield outcome_column(rule.id), _outcomes(swept, rule, start, stop)
        if rule.amount:
            yield amount_column(rule.id), _yuan(swept, rule, start, stop)


def _outcomes(swept: CitySweep | JoinedSweep, rule: Rule, start: int, stop: int) -> pa.Array:
    codes = swept.codes(rule.id, start, stop)
    left_out = codes == 255
    places = pa.array(np.where(left_out, 0, codes).astype(np.int8), mask=left_out)
    return pa.DictionaryArray.from_arrays(places, pa.array(swept.outcomes(rule.id)))


def _yuan(swept: CitySweep | JoinedSweep, rule: Rule, start: int, stop: int) -> pa.Array:
    amounts = swept.amount_of(rule.id)
    first, last = np.searchsorted(amounts.rows, [start, stop])
    known = amounts.cents.known[first:last]
    rows = amounts.rows[first:last][known] - start
    return decimals(stop - start, rows, amounts.cents.values[first:last][known])


def decimals(length: int, rows: npt.NDArray[np.int64], cents: npt.NDArray[Any]) -> pa.Array:
    """Cents at some rows as DECIMAL(38,2), NULL elsewhere."""
    pairs = np.zeros(2 * length, dtype=np.int64)
    valid = np.zeros(length, dtype=bool)
    valid[rows] = True
    pairs[2 * rows], pairs[2 * rows + 1] = _halves(cents)
    mask = np.packbits(valid, bitorder="little")
    buffers = [pa.py_buffer(mask), pa.py_buffer(pairs)]
    return pa.Array.from_buffers(_YUAN, length, buffers)


def _halves(cents: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """128-bit whole numbers as their lower and upper 64 bits."""
    if cents.dtype != object:
        return cents.astype(np.int64), cents.astype(np.int64) >> 63
    lower = np.array([int(c) & (2**64 - 1) for c in cents], dtype=np.uint64).view(np.int64)
    upper = np.array([int(c) >> 64 for c in cents], dtype=np.int64)
    return lower, upper
