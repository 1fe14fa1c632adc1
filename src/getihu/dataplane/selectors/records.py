"""Reads of delivered records themselves, one trader at a time."""

from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from getihu.dataplane.catalogue.contracts import load_contracts
from getihu.dataplane.engines.duckdb import shared
from getihu.dataplane.models import Delivery


def list_records(dataset: str, trader_code: str, *, as_of: date) -> list[dict[str, Any]]:
    """Return a trader's records of one dataset that hold on ``as_of``, newest first.

    Grain: one record per key of the dataset's contract (columns by their English names). Of
    several versions of a key the one known last speaks; a withdrawn key is left out. Not for
    kind=state, whose history is a question of dates, not of keys.
    Cost: one look-up by code in each published file of the dataset (sorted by code).
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
    folder = Path(settings.DATA_DIR) / "dataplane" / "store" / dataset
    published = Delivery.objects.filter(dataset=dataset, status=Delivery.Status.PUBLISHED)
    paths = [folder / f"{name}.parquet" for name in published.values_list("delivery_id", flat=True)]
    return [str(path) for path in paths if path.exists()]
