"""Recorded, absent, missing, late, held, undelivered: an unknown is NULL, never zero or false."""

from datetime import date
from decimal import Decimal

import pytest

from tests.dataplane_facts.store import at

FINE = {"trader_code": "A", "kind": "fine", "fine_yuan": Decimal("500.00")}


def test_a_record_speaks(city, ask):
    city.deliver(
        "penalties",
        [FINE | {"decided_on": date(2026, 8, 1), "decision_no": "1"}],
        issued="2026-11-05",
        until="2026-10-31",
    )
    row = ask()["A"]
    assert row["penalties__state"] == "recorded"
    assert row["penalties__recorded_on"] == date(2026, 8, 1)
    assert row["penalties__delivery_id"] == "penalties-001"
    assert (row["penalties_12m"], row["fines_24m_yuan"]) == (1, Decimal("500.00"))


def test_no_record_in_a_complete_delivery_is_zero_false_or_none(city, ask):
    city.deliver("penalties", issued="2026-11-05", until="2026-10-31")
    city.deliver("abnormal_marks", issued="2026-11-05", until="2026-10-31")
    row = ask()["B"]
    assert row["penalties__state"] == "absent"
    assert row["penalties_12m"] == 0
    assert row["last_penalty_on"] is None
    assert row["is_marked_abnormal"] is False
    assert row["penalties__covered_until"] == date(2026, 10, 31)


def test_no_tax_record_stays_unknown(city, ask):
    city.deliver("tax_years", issued="2026-11-05", until="2026-10-31")
    row = ask()["A"]
    assert row["tax_year__state"] == "missing"
    assert (row["tax_paid_yuan"], row["paid_tax_last_year"]) == (None, None)


def test_nothing_delivered_for_the_county_is_unknown(city, ask):
    city.deliver("penalties", issued="2026-11-05", until="2026-10-31", divisions=["330302"])
    answer = ask()
    assert answer["A"]["penalties_12m"] == 0
    assert answer["B"]["penalties__state"] == "undelivered"
    assert answer["B"]["penalties_12m"] is None
    assert answer["B"]["penalties__covered_until"] is None


@pytest.mark.parametrize(
    ("until", "state", "count"),
    [
        # One month and 20 days of grace after 10 September: 30 October.
        ("2026-09-11", "recorded", 1),
        ("2026-09-10", "late", None),
    ],
)
def test_a_delivery_that_does_not_reach_the_date_is_late(city, ask, until, state, count):
    city.deliver(
        "penalties",
        [FINE | {"decided_on": date(2026, 8, 1), "decision_no": "1"}],
        issued="2026-09-20",
        until=until,
    )
    row = ask()["A"]
    assert (row["penalties__state"], row["penalties_12m"]) == (state, count)
    assert row["penalties__covered_until"] == date.fromisoformat(until)


def test_one_late_county_does_not_make_the_others_late(city, ask):
    rows = [
        FINE | {"trader_code": code, "decided_on": date(2026, 8, 1), "decision_no": code}
        for code in "AB"
    ]
    city.deliver("penalties", rows, issued="2026-09-01", until="2026-08-31")
    city.deliver("penalties", issued="2026-11-05", until="2026-10-31", divisions=["330302"])
    answer = ask()
    assert (answer["A"]["penalties__state"], answer["A"]["penalties_12m"]) == ("recorded", 1)
    assert (answer["B"]["penalties__state"], answer["B"]["penalties_12m"]) == ("late", None)


def test_a_newer_quarantined_row_holds_the_trader(city, ask):
    city.deliver(
        "penalties",
        [FINE | {"decided_on": date(2026, 8, 1), "decision_no": "1"}],
        issued="2026-10-05",
        until="2026-09-30",
    )
    held = city.deliver("penalties", issued="2026-11-05", until="2026-10-31", waiting=["A"])
    answer = ask()
    assert answer["A"]["penalties__state"] == "held"
    assert answer["A"]["penalties_12m"] is None
    assert answer["A"]["penalties__delivery_id"] == held.delivery_id
    assert answer["B"]["penalties__state"] == "absent"


def test_a_row_accepted_later_releases_the_trader(city, ask):
    city.deliver("penalties", issued="2026-10-05", until="2026-09-30", waiting=["A"])
    city.deliver(
        "penalties",
        [FINE | {"decided_on": date(2026, 8, 1), "decision_no": "1"}],
        issued="2026-11-05",
        until="2026-10-31",
    )
    assert ask()["A"]["penalties__state"] == "recorded"
    before = ask(known_at=at("2026-10-20"))
    assert before == {}  # the register itself was delivered later


def test_a_row_quarantined_beside_an_accepted_one_holds_the_trader(city, ask):
    """Two penalties came, one can be read: one is not the answer."""
    city.deliver(
        "penalties",
        [FINE | {"decided_on": date(2026, 8, 1), "decision_no": "1"}],
        issued="2026-11-05",
        until="2026-10-31",
        waiting=["A"],
    )
    assert ask()["A"]["penalties__state"] == "held"


def test_a_held_registration_leaves_the_trader_but_not_his_facts(city, ask):
    city.deliver("registrations", issued="2026-11-10", until="2026-10-31", waiting=["A"])
    answer = ask()
    assert answer["A"]["registration__state"] == "held"
    assert (answer["A"]["registration_status"], answer["A"]["county_code"]) == (None, None)
    assert answer["B"]["registration_status"] == "active"
