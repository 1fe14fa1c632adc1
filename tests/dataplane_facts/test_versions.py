"""Which row speaks: against a plain list walked by hand, over random histories."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from getihu.dataplane import selectors
from getihu.dataplane.catalogue.facts import FactGroup
from getihu.dataplane.catalogue.facts_sql import Codes
from tests.dataplane_facts.conftest import COUNTIES, facts_of, register
from tests.dataplane_facts.store import Store, at

FIRST = date(2025, 1, 1)
days = st.integers(0, 700).map(lambda n: FIRST + timedelta(days=n))
statuses = st.sampled_from(["active", "active", "active", "withdrawn"])

penalty_rows = st.fixed_dictionaries(
    {
        "decision_no": st.sampled_from("123"),
        "trader_code": st.sampled_from("AB"),
        "decided_on": days,
        "kind": st.sampled_from(["warning", "fine"]),
        "fine_yuan": st.sampled_from([None, Decimal("100.00"), Decimal("250.50")]),
        "repaired_on": st.none() | days,
        "record_status": statuses,
    }
)
state_rows = st.fixed_dictionaries(
    {
        "trader_code": st.sampled_from("AB"),
        "status": st.sampled_from(["active", "suspended", "cancelled"]),
        "county_code": st.sampled_from(COUNTIES),
        "changed_on": days,
        "record_status": statuses,
    }
)


def groups_of(*names: str) -> dict[str, FactGroup]:
    """Only the groups a test is about: planning all of them takes most of the time."""
    return {name: selectors.fact_groups()[name] for name in names}


def history(rows: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Any]]:
    """Deliveries issued on any day in any order, each with a few rows."""
    return st.lists(st.tuples(days, st.lists(rows, max_size=4)), min_size=1, max_size=5)


def known_rows(told: list[Any], asked: datetime) -> list[dict[str, Any]]:
    """Every row issued by the moment asked, oldest version first."""
    found = [
        row | {"known": at(issued), "delivery": number, "line": line}
        for number, (issued, rows) in enumerate(told)
        for line, row in enumerate(rows)
        if at(issued) <= asked
    ]
    return sorted(found, key=lambda r: (r["known"], r["delivery"], r["line"]))


def expected_penalties(told: list[Any], as_of: date, asked: datetime) -> dict[str, Any]:
    newest: dict[str, dict[str, Any]] = {}
    for row in known_rows(told, asked):
        newest[row["decision_no"]] = row
    counted = [
        r for r in newest.values() if r["record_status"] == "active" and r["decided_on"] <= as_of
    ]
    found = {}
    for code in "AB":
        mine = [r for r in counted if r["trader_code"] == code]
        unrepaired = [
            r
            for r in mine
            if r["kind"] == "fine" and (r["repaired_on"] is None or r["repaired_on"] > as_of)
        ]
        found[code] = {
            "last_penalty_on": max((r["decided_on"] for r in mine), default=None),
            "fines_24m_yuan": sum((r["fine_yuan"] or Decimal(0) for r in mine), Decimal(0)),
            "unrepaired_fines_24m": len(unrepaired),
            "penalties__state": "recorded" if mine else "absent",
        }
    return found


@settings(max_examples=150, deadline=None)
@given(told=history(penalty_rows), as_of=days, asked=days.map(at))
def test_events_speak_as_a_plain_list_says(tmp_path_factory, told, as_of, asked):
    """Backdated, corrected, moved to another trader, withdrawn and late rows; any two dates."""
    store = penalties_store(tmp_path_factory.mktemp("store"), told)
    groups = groups_of("registration", "penalties")
    expected = expected_penalties(told, as_of, asked)
    whole = facts_of(store, groups, as_of=as_of, known_at=asked)
    assert {c: {n: whole[c][n] for n in expected[c]} for c in "AB"} == expected
    alone = facts_of(store, groups, as_of=as_of, known_at=asked, codes=Codes(one="A"))
    assert alone == {"A": whole["A"]}


def penalties_store(folder: Path, told: list[Any]) -> Store:
    store = Store(folder, selectors.dataset_contracts())
    register(store, issued="2020-01-01", A="330302", B="330382")
    # Coverage beyond every date asked, so that no group is late.
    store.deliver("penalties", issued="2020-01-01", until="2027-12-31")
    for number, (issued, rows) in enumerate(told):
        store.deliver(
            "penalties", rows, issued=issued, until=issued, delivery_id=f"penalties-{number}"
        )
    return store


def expected_states(told: list[Any], as_of: date, asked: datetime) -> dict[str, Any]:
    found = {}
    for code in "AB":
        mine = [
            r
            for r in known_rows(told, asked)
            if r["trader_code"] == code and r["changed_on"] <= as_of
        ]
        newest = max(mine, key=lambda r: r["changed_on"], default=None)
        # max() keeps the first of equals; of equal days the version known last speaks.
        same_day = [r for r in mine if newest and r["changed_on"] == newest["changed_on"]]
        if same_day and same_day[-1]["record_status"] == "active":
            found[code] = (same_day[-1]["status"], same_day[-1]["county_code"])
    return found


@settings(max_examples=150, deadline=None)
@given(told=history(state_rows), as_of=days, asked=days.map(at))
def test_states_speak_as_a_plain_list_says(tmp_path_factory, told, as_of, asked):
    store = Store(tmp_path_factory.mktemp("store"), selectors.dataset_contracts())
    store.deliver("registrations", issued="2020-01-01", until="2027-12-31")
    for number, (issued, rows) in enumerate(told):
        store.deliver(
            "registrations",
            rows,
            issued=issued,
            until=issued,
            delivery_id=f"registrations-{number}",
        )
    answer = facts_of(store, groups_of("registration"), as_of=as_of, known_at=asked)
    found = {c: (row["registration_status"], row["county_code"]) for c, row in answer.items()}
    assert found == expected_states(told, as_of, asked)


@settings(max_examples=25, deadline=None)
@given(told=history(penalty_rows), as_of=days, data=st.data())
def test_order_of_arrival_does_not_matter(tmp_path_factory, told, as_of, data):
    store = penalties_store(tmp_path_factory.mktemp("store"), told)
    groups = groups_of("registration", "penalties")
    before = facts_of(store, groups, as_of=as_of)
    store.deliveries = data.draw(st.permutations(store.deliveries))
    assert facts_of(store, groups, as_of=as_of) == before


def test_what_is_valid_or_known_later_changes_nothing(city, ask):
    fine = {"trader_code": "A", "decision_no": "1", "decided_on": date(2026, 8, 1)}
    city.deliver("penalties", [fine], issued="2026-11-05", until="2026-10-31")
    before = ask(known_at=at("2026-11-06"))
    later = [
        fine | {"decision_no": "2", "decided_on": date(2026, 11, 1)},
        fine | {"record_status": "withdrawn"},
    ]
    city.deliver("penalties", later, issued="2026-11-07", until="2026-11-30")
    assert ask(known_at=at("2026-11-06")) == before
    assert ask()["A"]["penalties__state"] == "absent"


@pytest.mark.parametrize(
    ("issued", "known", "expected"),
    [("2026-09-01", "2026-10-01", 2), ("2026-11-01", "2026-10-01", 1)],
    ids=["known in time", "known later"],
)
def test_a_backdated_row_counts_from_its_known_time(city, ask, issued, known, expected):
    city.deliveries[0] = city.deliver(
        "registrations",
        [{"trader_code": "A", "county_code": "330302", "changed_on": date(2020, 1, 1)}],
        issued="2026-08-01",
        until="2026-09-30",
    )
    first = {"trader_code": "A", "decision_no": "1", "decided_on": date(2026, 6, 1)}
    city.deliver("penalties", [first], issued="2026-08-01", until="2026-09-30")
    backdated = first | {"decision_no": "2", "decided_on": date(2026, 5, 1)}
    city.deliver("penalties", [backdated], issued=issued, until="2026-09-30")
    answer = ask(as_of=date(2026, 9, 30), known_at=at(known))
    assert answer["A"]["penalties_12m"] == expected
