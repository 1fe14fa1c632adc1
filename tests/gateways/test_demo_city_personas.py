"""Each planted trader is decided as its description says, through door, facts and rules."""

import shutil
from datetime import datetime

import pytest

from getihu.dataplane import selectors as dataplane
from getihu.dataplane import services
from getihu.dataplane.contracts import FactState
from getihu.gateways.demo_city import AS_OF
from getihu.rulebook import selectors as rulebook

pytestmark = pytest.mark.django_db(transaction=True)

TYPES = {
    "surviving": "surviving",
    "growing": "growing",
    "developing": "developing",
    "unknown_tax": "unknown",
    "near": "surviving",
    "converted": "not_typed_enterprise",
    "held": "unknown",
    "suspended": "not_typed_suspended",
    "not_reported": "not_typed_no_report",
    "corrected": "growing",
    "new": "surviving",
    "cancelled": "not_typed_left",
}


@pytest.fixture
def city(small_city, data_dir, settings):
    out, summary = small_city
    shutil.copytree(out / "keys", settings.DEPARTMENT_KEYS_DIR)
    services.ingest_directory(out, at=datetime.fromisoformat("2026-11-10T09:00:00+08:00"))
    services.build_facts(as_of=AS_OF)
    return {p["id"]: p["trader_code"] for p in summary.personas}


def test_personas_are_what_their_descriptions_say(city):
    """One test, as one ingest serves all of it."""
    check_types(city)
    check_why_facts_are_unknown(city)
    check_records(city)


def check_types(city):
    found = {
        name: str(rulebook.explain_rule(city[name], "growth.trader_type", as_of=AS_OF).outcome)
        for name in TYPES
    }
    assert found == TYPES


def check_why_facts_are_unknown(city):
    def state(name: str, fact: str) -> FactState:
        return dataplane.get_trader_facts(city[name], AS_OF).values[fact].state

    assert state("held", "annual_sales_yuan") is FactState.HELD
    assert state("unknown_tax", "annual_sales_yuan") is FactState.MISSING
    assert state("late_county", "insured_employees") is FactState.LATE
    assert state("growing", "insured_employees") is FactState.RECORDED


def check_records(city):
    def fact(name: str, fact_name: str):
        return dataplane.get_trader_facts(city[name], AS_OF).values[fact_name].value

    assert fact("longgang", "county_code") == "330383"
    assert fact("longgang", "town_code") is None
    assert city["longgang"][2:8] == "330327"
    assert fact("permit_expiring", "food_permit_expires_on").isoformat() == "2026-12-10"
    assert fact("corrected", "annual_sales_yuan") == 1_200_000
    assert fact("veteran", "operator_is_veteran") is True
