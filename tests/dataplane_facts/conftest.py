"""The fact groups, and a small store to ask."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from getihu.dataplane import selectors
from getihu.dataplane.catalogue.facts import FactGroup
from getihu.dataplane.catalogue.facts_sql import EVERYONE, Codes, plan_facts
from tests.dataplane_facts.store import Store

COUNTIES = ("330302", "330304", "330382", "330383")
AS_OF = date(2026, 10, 31)

Answer = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def groups() -> Mapping[str, FactGroup]:
    return selectors.fact_groups()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store; every row and delivery is written by the test."""
    return Store(tmp_path, selectors.dataset_contracts())


@pytest.fixture
def city(store: Store) -> Store:
    """Trader A in 鹿城, B in 乐清, registered since 2020; everything else is still undelivered."""
    register(store, A="330302", B="330382")
    return store


@pytest.fixture
def ask(store: Store, groups: Mapping[str, FactGroup]) -> Callable[..., Answer]:
    """Ask the store for facts: trader code → column → value."""

    def answer(
        as_of: date = AS_OF, known_at: datetime | None = None, codes: Codes = EVERYONE
    ) -> Answer:
        return facts_of(store, groups, as_of=as_of, known_at=known_at, codes=codes)

    return answer


def register(store: Store, issued: str = "2026-11-05", **counties: str) -> None:
    rows = [
        {
            "trader_code": code,
            "county_code": county,
            "industry_code": "6210",
            "established_on": date(2020, 3, 31),
            "changed_on": date(2020, 3, 31),
        }
        for code, county in counties.items()
    ]
    store.deliver("registrations", rows, issued=issued, until=AS_OF)


def facts_of(
    store: Store,
    groups: Mapping[str, FactGroup],
    *,
    as_of: date = AS_OF,
    known_at: datetime | None = None,
    codes: Codes = EVERYONE,
) -> Answer:
    plan = plan_facts(
        groups, store.deliveries, COUNTIES, as_of=as_of, known_at=known_at, codes=codes
    )
    traders: dict[int, dict[str, Any]] = {}
    with duckdb.connect(":memory:") as engine:
        engine.execute(f"CREATE TEMP TABLE trader AS {plan.trader}")
        for sql in plan.groups.values():
            found = engine.execute(sql)
            names = [column[0] for column in found.description or []]
            for row in found.fetchall():
                named = dict(zip(names, row, strict=True))
                traders.setdefault(named["n"], {}).update(named)
    return {row["trader_code"]: row for row in traders.values()}
