"""Builds the facts table of a date: one typed row per trader, from every department's rows."""

import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from getihu.dataplane.catalogue.facts import REGISTRATION
from getihu.dataplane.catalogue.facts_sql import Codes, FactsPlan
from getihu.dataplane.engines.duckdb import connect, quoted
from getihu.dataplane.selectors.facts import (
    fact_groups,
    facts_file,
    get_facts_plan,
    get_snapshot,
    stored_deliveries,
)

MEMORY_LIMIT: Final = "3GB"
"""What the engine may take before it spills to disk."""
STRETCH: Final = 400_000
"""Traders worked out at a time: bounds memory, and lets writing go on beside computing."""
ROW_GROUP: Final = 32_768
"""Rows per row group of the file: one trader's row is found by reading one of them."""


def build_facts(
    *,
    as_of: date,
    snapshot_id: str | None = None,
    known_at: datetime | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write ``facts/<snapshot>/<as_of>.parquet`` and return its path; a second call is free.

    The table depends only on the snapshot, ``as_of`` and ``known_at`` (aware; None: everything in
    the snapshot). It appears whole or not at all.
    Raises: AsOfBeforeData, NothingPublished, UnknownSnapshot, InvalidInput (a fact file is wrong).
    Cost: reads every stored row once; memory in proportion to a stretch of traders, not the city.
    """
    say = progress or (lambda _: None)
    snapshot = get_snapshot(snapshot_id).snapshot_id
    target = facts_file(snapshot, as_of, known_at)
    if target.exists():
        say(f"{as_of} 的事实表已有（快照 {snapshot}）")
        return target
    plans = [
        get_facts_plan(as_of, snapshot, known_at=known_at, codes=codes)
        for codes in _stretches(snapshot)
    ]
    started = time.monotonic()
    say(f"计算 {as_of} 的事实（快照 {snapshot}）")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        traders = _write(plans, partial, say)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    say(f"事实表：{traders:,} 户，用时 {time.monotonic() - started:.1f} 秒")
    return target


def _stretches(snapshot_id: str) -> list[Codes]:
    """Ranges of codes with about ``STRETCH`` traders each, cut along the largest register file."""
    files = [
        d.rows
        for d in stored_deliveries(snapshot_id)
        if d.dataset == fact_groups()[REGISTRATION].contract.id and d.rows
    ]
    if not files:
        return [Codes()]
    largest = max(files, key=lambda path: path.stat().st_size)
    with connect() as engine:
        cuts = engine.execute(
            f"SELECT DISTINCT trader_code FROM read_parquet({quoted(str(largest))},"
            f" file_row_number = true) WHERE file_row_number > 0"
            f" AND file_row_number % {STRETCH} = 0 ORDER BY trader_code"
        ).fetchall()
    edges = [None, *(row[0] for row in cuts), None]
    return [Codes(from_=low, until=high) for low, high in itertools.pairwise(edges)]


def _write(plans: list[FactsPlan], path: Path, say: Callable[[str], None]) -> int:
    """Compute stretch after stretch while a second thread writes the one before."""
    ready: queue.Queue[pa.Table | None] = queue.Queue(maxsize=1)
    writer = _Writer(path, ready)
    writer.start()
    traders = 0
    try:
        for table in _tables(plans):
            traders += table.num_rows
            say(f"事实：{traders:,} 户")
            ready.put(table)
            if writer.error:
                break
    finally:
        ready.put(None)
        writer.join()
    if writer.error:
        raise writer.error
    return traders


def _tables(plans: list[FactsPlan]) -> Iterator[pa.Table]:
    engine: duckdb.DuckDBPyConnection = connect(memory_limit=MEMORY_LIMIT)
    try:
        spill = Path(settings.DATA_DIR) / "dataplane" / "spill"
        engine.execute(f"SET temp_directory = {quoted(str(spill))}")
        engine.execute("SET parquet_metadata_cache = true")  # the same files, stretch by stretch
        for plan in plans:
            yield _side_by_side(engine, plan)
    finally:
        engine.close()


def _side_by_side(engine: duckdb.DuckDBPyConnection, plan: FactsPlan) -> pa.Table:
    """The groups' columns beside each other; every group gives the same traders in one order."""
    engine.execute(f"CREATE OR REPLACE TEMP TABLE trader AS {plan.trader}")
    columns: dict[str, pa.ChunkedArray] = {}
    numbers: pa.ChunkedArray | None = None
    for name, sql in plan.groups.items():
        found: pa.Table = engine.execute(sql).to_arrow_table()
        numbers = found["n"] if numbers is None else numbers
        if not found["n"].equals(numbers):
            raise AssertionError(f"事实组 {name} 的户与登记不一致：relation 每户只能给一行")
        columns |= {column: found[column] for column in plan.columns[name]}
    return pa.table(columns)


class _Writer(threading.Thread):
    """Writes tables from a queue into one Parquet file; None ends it."""

    def __init__(self, path: Path, ready: "queue.Queue[pa.Table | None]") -> None:
        super().__init__(name="facts-writer")
        self.path, self.ready = path, ready
        self.error: Exception | None = None

    def run(self) -> None:
        waiting = iter(self.ready.get, None)
        try:
            with self.path.open("wb") as handle:
                self._write_all(handle, waiting)
                handle.flush()
                os.fsync(handle.fileno())
        except Exception as error:  # handed to the thread that waits for this one
            self.error = error
        for _ in waiting:  # never leave that thread at a full queue
            pass

    def _write_all(self, handle: BinaryIO, waiting: Iterator[pa.Table]) -> None:
        first = next(waiting, None)
        if first is None:
            return
        with pq.ParquetWriter(
            handle,
            first.schema,
            compression="zstd",
            store_decimal_as_integer=True,
            write_statistics=["trader_code"],  # the one column readers look rows up by
        ) as writer:
            for table in itertools.chain([first], waiting):
                writer.write_table(table, row_group_size=ROW_GROUP)
