"""Reads of the data plane: deliveries, snapshots, quarantine, facts."""

from getihu.dataplane.catalogue.contracts import load_contracts as dataset_contracts
from getihu.dataplane.engines.duckdb import shared as engine
from getihu.dataplane.selectors.deliveries import (
    NothingPublished,
    UnknownQuarantine,
    count_quarantine,
    covered_until,
    get_published_snapshot,
    list_deliveries,
    list_feeds,
    list_quarantined_rows,
    list_snapshots,
    quarantine_file,
)
from getihu.dataplane.selectors.records import list_records

__all__ = [
    "NothingPublished",
    "UnknownQuarantine",
    "count_quarantine",
    "covered_until",
    "dataset_contracts",
    "engine",
    "get_published_snapshot",
    "list_deliveries",
    "list_feeds",
    "list_quarantined_rows",
    "list_records",
    "list_snapshots",
    "quarantine_file",
]
