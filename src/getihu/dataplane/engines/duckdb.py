"""DuckDB in-process: explicit settings, one connection per thread, nothing fetched at run time."""

import threading

import duckdb

_SETTINGS = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # Order by rows is part of our meaning: line numbers and sorted snapshots.
    "preserve_insertion_order": True,
}
_local = threading.local()


def connect(*, memory_limit: str | None = None) -> duckdb.DuckDBPyConnection:
    """Return a new in-memory engine; the caller closes it.

    DuckDB holds nothing of record here: it reads and writes files that are named to it.
    """
    config: dict[str, str | bool | int | float | list[str]] = dict(_SETTINGS)
    if memory_limit:
        config["memory_limit"] = memory_limit
    return duckdb.connect(":memory:", config=config)


def shared() -> duckdb.DuckDBPyConnection:
    """Return this thread's engine for short reads of published files."""
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = connect()
    return connection


def quoted(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
