"""Reads of delivered records themselves, one trader at a time."""

from datetime import date
from typing import Any

from getihu.dataplane.catalogue.contracts import load_contracts
from getihu.dataplane.engines.duckdb import shared
from getihu.dataplane.selectors.deliveries import NothingPublished, find_published_snapshot
from getihu.dataplane.selectors.facts import stored_deliveries


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


def _published_files(dataset: str) -> list[str]:
    snapshot = find_published_snapshot()
    if snapshot is None:
        raise NothingPublished
    deliveries = stored_deliveries(snapshot.snapshot_id)
    return [str(d.rows) for d in deliveries if d.dataset == dataset and d.rows]
