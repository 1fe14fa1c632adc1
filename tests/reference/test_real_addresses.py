"""The 388 published registrations of Wenzhou: how far their addresses lead.

The register (1980–2004) is for evaluation only: it is read in place and never copied.
"""

import csv
from collections import Counter

import pytest

from getihu.reference import selectors


@pytest.fixture(scope="module")
def households(shared_dir):
    path = shared_dir / "data" / "04_registrations" / "wenzhou_individual_households.csv"
    if not path.is_file():
        pytest.skip(f"evaluation data not found: {path}")
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def outcome(match):
    if match.town_code:
        return "town"
    if match.county_code == "330383":
        return "longgang"
    return "county" if match.county_code else "none"


def test_most_real_addresses_reach_a_current_town(households, record_property):
    matches = [selectors.find_town_in_address(row["address"]) for row in households]
    reached = Counter(outcome(match) for match in matches)
    record_property("addresses", dict(reached))
    record_property("rules", dict(Counter(m.how for m in matches if m.town_code)))
    print(
        f"\n388 户真实地址：到现辖乡镇 {reached['town']}，龙港市（无乡镇）{reached['longgang']}，"
        f"只到县区 {reached['county']}，不明 {reached['none']}"
    )
    assert sum(reached.values()) == 388
    assert reached["town"] >= 366
    assert reached["none"] <= 5


def test_a_town_found_lies_in_the_county_found(households):
    matches = [selectors.find_town_in_address(row["address"]) for row in households]
    counties = {m.town_code[:6] == m.county_code for m in matches if m.town_code}
    assert counties == {True}


def test_longgang_addresses_give_the_county_and_no_town(households):
    of_longgang = [row for row in households if "龙港" in row["address"]]
    matches = [selectors.find_town_in_address(row["address"]) for row in of_longgang]
    assert len(matches) == 6
    assert {(m.county_code, m.town_code) for m in matches} == {("330383", None)}
    # Their credit codes still carry 苍南: the code does not say where a shop is.
    assert {row["uscc"][2:8] for row in of_longgang} == {"330327"}


def test_the_code_of_an_old_registration_often_disagrees_with_the_address(households):
    disagreeing = [
        row
        for row in households
        if (county := selectors.find_town_in_address(row["address"]).county_code)
        and selectors.current_division(row["uscc"][2:8]) not in (None, county)
    ]
    ambiguous = [r for r in households if selectors.get_former_division(r["uscc"][2:8])]
    print(f"\n代码所指县区与地址不符 {len(disagreeing)} 户，代码不能说明现辖区 {len(ambiguous)} 户")
    assert len(ambiguous) > 20
