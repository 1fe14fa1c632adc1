"""Builds the facts table of a date: one typed row per trader, from every department's rows."""

import os
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Final

import duckdb
from django.conf import settings

from getihu.dataplane.engines.duckdb import connect, quoted
from getihu.dataplane.selectors.facts import facts_file, facts_sql, get_snapshot

MEMORY_LIMIT: Final = "4GB"
"""What the build may take before DuckDB spills to disk."""


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
    """
    say = progress or (lambda _: None)
    snapshot = get_snapshot(snapshot_id)
    target = facts_file(snapshot.snapshot_id, as_of, known_at)
    if target.exists():
        say(f"{as_of} 的事实表已有（快照 {snapshot.snapshot_id}）")
        return target
    sql = facts_sql(as_of, snapshot.snapshot_id, known_at=known_at)
    started = time.monotonic()
    say(f"计算 {as_of} 的事实（快照 {snapshot.snapshot_id}）")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        traders = _write(sql, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    say(f"事实表：{traders:,} 户，用时 {time.monotonic() - started:.1f} 秒")
    return target


def _write(sql: str, path: Path) -> int:
    engine: duckdb.DuckDBPyConnection = connect(memory_limit=MEMORY_LIMIT)
    try:
        spill = Path(settings.DATA_DIR) / "dataplane" / "spill"
        engine.execute(f"SET temp_directory = {quoted(str(spill))}")
        row = engine.execute(
            f"COPY ({sql}) TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd)"
        ).fetchone()
    finally:
        engine.close()
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
    return int(row[0]) if row else 0
