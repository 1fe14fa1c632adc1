"""Reads of delivered records themselves: of one trader, or of everybody as one relation."""

from datetime import date
from typing import Any

from getihu.dataplane.catalogue.contracts import load_contracts
from getihu.dataplane.catalogue.facts_sql import COLUMN_TYPES
from getihu.dataplane.engines.duckdb import quoted, shared
from getihu.dataplane.selectors.deliveries import NothingPublished, find_published_snapshot
from getihu.dataplane.selectors.facts import get_snapshot, stored_deliveries


def list_records(dataset: str, trader_code: str, *, as_of: date) -> list[dict[str, Any]]:
    """Return a trader's records of one dataset that hold on ``as_of``, newest first.

    Grain: one record per key of the dataset's contract (columns by their English names). Of
    several versions of a key the one known last speaks; a withdrawn key is left out. Not for
    kind=state, whose history is a question of dates, not of keys. Raises: NothingPublished.
    Cost: one look-up by code in each file of the dataset in the published snapshot (sorted by code).
    """
    contract = load_contracts()[dataset]
    files = _published_files(dataset)
    if not files:
        return []
    names = [column.name for column in contract.columns]
    found = shared().execute(
        f"""
        with newest as (
            select * from read_parquet($files) where trader_code = $code
            qualify row_number() over (
                partition by {", ".join(contract.key)}
                order by known_at desc, delivery_id desc, line_no desc
            ) = 1
        )
        select {", ".join(names)} from newest
        where record_status = 'active' and valid_on <= $as_of
        order by valid_on desc, {", ".join(contract.key)}
        """,
        {"files": files, "code": trader_code, "as_of": as_of},
    )
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def dataset_sql(dataset: str, snapshot_id: str) -> str:
    """Everybody's records of one dataset in a snapshot, as DuckDB SQL over the stored files.

    Grain and columns as in ``list_records``, ``valid_on`` beside them; of a kind=state dataset the
    newest version of each trader. Nothing delivered gives the same columns without a row. Raises:
    KeyError (no such dataset), UnknownSnapshot.
    """
    contract = load_contracts()[dataset]
    get_snapshot(snapshot_id)
    deliveries = stored_deliveries(snapshot_id)
    files = [quoted(str(d.rows)) for d in deliveries if d.dataset == dataset and d.rows]
    names = ", ".join(column.name for column in contract.columns)
    if not files:
        empty = ", ".join(
            f"CAST(NULL AS {COLUMN_TYPES.get(column.type, 'VARCHAR')}) AS {column.name}"
            for column in contract.columns
        )
        return f"SELECT {empty}, CAST(NULL AS DATE) AS valid_on WHERE false"
    newest = "known_at DESC, delivery_id DESC, line_no DESC"
    if contract.kind == "state":
        newest = f"valid_on DESC, {newest}"
    return (
        f"SELECT {names}, valid_on FROM (SELECT * FROM read_parquet([{', '.join(files)}])"
        f" QUALIFY row_number() OVER (PARTITION BY {', '.join(contract.key)} ORDER BY {newest}) = 1)"
        " WHERE record_status = 'active'"
    )


def list_newest(dataset: str, first: str, last: str, *, as_of: date) -> list[dict[str, Any]]:
    """Return what is known last of every record of the traders from code ``first`` to ``last``,
    by trader; ``is_withdrawn`` says that the department took the record back.

    Grain as ``list_records``. Raises: NothingPublished. Cost: one pass over the part of each file
    that holds these codes.
    """
    contract = load_contracts()[dataset]
    files = _published_files(dataset)
    if not files:
        return []
    names = [column.name for column in contract.columns]
    found = shared().execute(
        f"""
        select {", ".join(names)}, record_status <> 'active' as is_withdrawn
        from read_parquet($files)
        where trader_code between $first and $last and valid_on <= $as_of
        qualify row_number() over (
            partition by trader_code, {", ".join(contract.key)}
            order by known_at desc, delivery_id desc, line_no desc
        ) = 1
        order by trader_code, {", ".join(contract.key)}
        """,
        {"files": files, "first": first, "last": last, "as_of": as_of},
    )
    return [dict(zip([*names, "is_withdrawn"], row, strict=True)) for row in found.fetchall()]


def _published_files(dataset: str) -> list[str]:
    snapshot = find_published_snapshot()
    if snapshot is None:
        raise NothingPublished
    deliveries = stored_deliveries(snapshot.snapshot_id)
    return [str(d.rows) for d in deliveries if d.dataset == dataset and d.rows]
