"""The demo city against the published figures it is drawn from (data/calibration.yaml)."""

import numpy as np
import pytest

from getihu.gateways.demo_city import calibration
from getihu.gateways.demo_city.personas import Personas
from getihu.gateways.demo_city.places import read_places
from getihu.gateways.demo_city.population import AS_OF, assign_codes, draw_population

TRADERS = 50_000


@pytest.fixture(scope="module")
def population():
    places = read_places()
    drawn = draw_population(TRADERS, 7, places)
    Personas(drawn, places)
    assign_codes(drawn, places)
    return drawn


@pytest.fixture(scope="module")
def on_register(population):
    return population.on_register(AS_OF)


def test_as_many_as_asked_for_are_on_the_register(on_register):
    assert on_register.sum() == TRADERS


def test_counties_follow_the_published_counts(population, on_register):
    codes = read_places().county_codes
    shares = np.bincount(population.county[on_register], minlength=12) / TRADERS
    assert shares[codes.index("330326")] == pytest.approx(118_800 / 1_030_000, abs=0.006)
    assert shares[codes.index("330302")] == pytest.approx(113_000 / 1_030_000, abs=0.006)
    assert shares[codes.index("330381")] > shares[codes.index("330305")] * 8


def test_sectors_follow_the_provinces_shares(population, on_register):
    def share(sections: str) -> float:
        return population.of_sections(sections)[on_register].mean()

    assert share("A") == pytest.approx(0.0216, abs=0.004)
    assert share("CE") == pytest.approx(0.1485, abs=0.008)
    assert share("F") == pytest.approx(0.50, abs=0.01)


def test_entries_and_exits_of_a_year_are_those_of_pingyang_2024(population):
    opening = population.on_register(np.datetime64("2024-12-31")).sum()
    year = np.datetime64("2025", "Y")
    entries = (population.established.astype("datetime64[Y]") == year).sum() / opening
    exits = (population.left_on.astype("datetime64[Y]") == year).sum() / opening
    assert entries == pytest.approx(0.194, abs=0.02)
    assert exits == pytest.approx(0.102, abs=0.015)


def test_leaving_is_likeliest_in_the_first_two_years_and_six_in_ten_last_three():
    kept = calibration.survival(np.arange(0, 13).astype(float))
    hazard = -np.diff(np.log(kept))
    assert hazard[:2].min() > hazard[2:].max()
    assert kept[3] == pytest.approx(0.60, abs=0.02)


def test_three_years_of_a_cohort_are_observed_whole(population):
    cohort = population.established.astype("datetime64[M]") == np.datetime64("2023-11")
    alive = np.isnat(population.left_on[cohort]).mean()
    assert alive == pytest.approx(0.60, abs=0.05)


def test_some_traders_date_from_the_eighties(population):
    years = population.established.astype("datetime64[Y]").astype(int) + 1970
    assert years.min() >= 1984
    assert (years < 1990).any()


def test_business_figures_meet_their_sources(population, on_register):
    assert population.turnover_yuan[on_register].mean() == pytest.approx(134_000, rel=0.12)
    assert 1.75 < population.employees[on_register].mean() < 2.1
    assert population.is_active[on_register].mean() == pytest.approx(0.70, abs=0.03)


def test_nobody_leaves_or_changes_before_being_established(population):
    assert (population.established <= AS_OF).all()
    for days in (population.left_on, population.suspended_on, population.converted_on):
        known = ~np.isnat(days)
        assert (days[known] > population.established[known]).all()
        assert (days[known] <= AS_OF).all()


def test_old_offices_stay_in_the_codes(population):
    codes = np.array(population.codes.to_pylist()[: len(population)])
    offices = np.array([code[2:8] for code in codes])
    counties = np.array(read_places().county_codes)[population.county]
    old = population.established < np.datetime64("2015-01-01")
    longgang = offices[old & (counties == "330383")]
    assert (longgang == "330327").mean() > 0.98  # the rest moved in from elsewhere
    assert (offices == "330383").any()
    assert (offices[old & (counties == "330305")] == "330322").mean() > 0.95
    assert "330301" in set(offices)
    assert len(set(codes)) == len(codes)


def test_every_number_states_source_and_quality():
    numbers = calibration.numbers()
    for section in ("stock", "business"):
        for name, entry in numbers[section].items():
            assert entry.get("source") and entry.get("quality"), f"{section}.{name}"
    for name in ("exit_hazard_a_year", "sections"):
        assert numbers[name]["source"] and numbers[name]["quality"]
    assert all(kind.about for kind in calibration.dirt_kinds().values())
