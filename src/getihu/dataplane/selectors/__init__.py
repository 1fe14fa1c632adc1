"""Reads of the data plane: deliveries, snapshots, quarantine, facts."""

from getihu.dataplane.catalogue.contracts import load_contracts as dataset_contracts
from getihu.dataplane.engines.duckdb import connect
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
from getihu.dataplane.selectors.facts import (
    AsOfBeforeData,
    FactsNotBuilt,
    UnknownSnapshot,
    UnknownTrader,
    fact_catalogue,
    fact_groups,
    facts_path,
    facts_sql,
    get_trader_facts,
    list_trader_facts,
)
from getihu.dataplane.selectors.records import dataset_sql, list_newest, list_records

__all__ = [
    "AsOfBeforeData",
    "FactsNotBuilt",
    "NothingPublished",
    "UnknownQuarantine",
    "UnknownSnapshot",
    "UnknownTrader",
    "connect",
    "count_quarantine",
    "covered_until",
    "dataset_contracts",
    "dataset_sql",
    "engine",
    "fact_catalogue",
    "fact_groups",
    "facts_path",
    "facts_sql",
    "get_published_snapshot",
    "get_trader_facts",
    "list_deliveries",
    "list_feeds",
    "list_newest",
    "list_quarantined_rows",
    "list_records",
    "list_snapshots",
    "list_trader_facts",
    "quarantine_file",
]
