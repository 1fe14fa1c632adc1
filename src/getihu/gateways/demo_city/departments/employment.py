"""人社 and 公积金: unit insurance month by month, certificates, housing fund."""

from collections.abc import Iterator

import numpy as np

from getihu.gateways.demo_city import calibration, columns
from getihu.gateways.demo_city.columns import MISSING
from getihu.gateways.demo_city.departments.schedule import (
    MONTHS,
    Events,
    at_least,
    event_feeds,
)
from getihu.gateways.demo_city.feeds import ALL_DIRT, WHOLE_CITY, Feed, contract
from getihu.gateways.demo_city.personas import Personas
from getihu.gateways.demo_city.places import Places
from getihu.gateways.demo_city.population import AS_OF, Population

LATE_COUNTY = "330329"
"""泰顺's September and October insurance never came."""

_MONTHS_DELIVERED = 12


def insurance_feeds(population: Population, places: Places, personas: Personas) -> Iterator[Feed]:
    """Yield twelve months of unit insurance; the last two without 泰顺."""
    rng = population.draw("social insurance")
    n = len(population)
    insured, since = _draw_insured(population, personas, rng)
    operator = (rng.random(n) < 0.4).astype(np.int8)
    personas.force("operator_insured", operator, 1)
    young_from = np.where((rng.random(n) < 0.02) & (insured > 1), rng.integers(0, 9, n), 99)
    personas.force("young_from", young_from, 99)
    last = AS_OF.astype("datetime64[M]")
    absent = places.county_codes.index(LATE_COUNTY)
    for back in range(_MONTHS_DELIVERED - 1, -1, -1):
        month = last - back
        end = (month + 1).astype("datetime64[D]") - 1
        there = population.on_register(month.astype("datetime64[D]"), end)
        who = there & (insured > 0) & (since <= month)
        is_partial = back < 2
        if is_partial:
            who &= population.county != absent
        step = rng.choice((-1, 0, 0, 0, 0, 0, 0, 0, 0, 1), n)
        step[: population.personas] = 0
        insured = np.where(insured > 0, np.clip(insured + step, 1, population.employees), 0)
        unpaid = rng.random(n) < 0.03
        unpaid[: population.personas] = False
        traders = np.flatnonzero(who)
        number = _MONTHS_DELIVERED - 1 - back
        young = np.where(young_from[traders] <= number, 1, MISSING)
        codes = [c for c in places.county_codes if c != LATE_COUNTY]
        yield _insurance_month(
            population, month, traders, insured, operator, young, unpaid,
            codes if is_partial else list(WHOLE_CITY), is_first=number == 0,
        )  # fmt: skip


def _draw_insured(
    population: Population, personas: Personas, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return insured people at the start (0: no unit insurance) and the month it began."""
    n = len(population)
    can = (population.employees >= 2) & population.is_active
    chance = np.clip(
        calibration.business("insured_share") * 1.95 * np.exp(0.45 * population.size), 0, 1
    )
    has = can & (rng.random(n) < chance)
    insured = np.where(has, np.maximum(1, np.round(population.employees * 0.7)), 0).astype(np.int64)
    personas.force("insured", insured, 0)
    began = AS_OF.astype("datetime64[M]") - rng.integers(0, 90, n)
    began[: population.personas] = np.datetime64("2020-01", "M")
    opened = population.established.astype("datetime64[M]") + 1
    return insured, np.maximum(began, opened)


def _insurance_month(
    population: Population,
    month: np.datetime64,
    traders: np.ndarray,
    insured: np.ndarray,
    operator: np.ndarray,
    young: np.ndarray,
    unpaid: np.ndarray,
    divisions: list[str],
    *,
    is_first: bool,
) -> Feed:
    end = (month + 1).astype("datetime64[D]") - 1
    return Feed(
        delivery_id=f"social_insurance-{month}",
        dataset="social_insurance",
        period=str(month),
        issued_at=f"{end + 4}T08:40:00+08:00",
        covers_until=str(end),
        divisions=divisions,
        traders=traders,
        encoding="gb18030",
        declared="gb18030",
        dirt=ALL_DIRT if is_first else ("code_check", "cell_missing", "duplicate_row"),
        at_least_one=is_first,
        columns={
            "trader_code": columns.codes(population.codes, traders),
            "month": columns.months(np.full(len(traders), month)),
            "insured_count": columns.whole(insured[traders]),
            "operator_insured": columns.flags(operator[traders]),
            "young_hires": columns.whole(young),
            "fully_paid": columns.flags((~unpaid[traders]).astype(np.int8)),
        },
    )


def fund_feeds(population: Population, personas: Personas) -> Iterator[Feed]:
    """Yield three months of housing fund contributions."""
    rng = population.draw("housing fund")
    n = len(population)
    chance = calibration.business("fund_share") * 1.9
    has = (rng.random(n) < chance) & (population.employees >= 2) & population.is_active
    personas.force("fund", has, False)
    has = at_least(has, 2, population)
    people = np.maximum(1, (population.employees * rng.uniform(0.2, 0.7, n)).astype(np.int64))
    each = rng.integers(300, 1800, n) * 2
    for month in MONTHS:
        there = population.on_register(month.first, month.until)
        traders = np.flatnonzero(has & there)
        yield Feed(
            delivery_id=f"housing_fund-{month.period}",
            dataset="housing_fund",
            period=month.period,
            issued_at=month.issued_at,
            covers_until=str(month.until),
            traders=traders,
            dirt=("code_full_width", "money_thousands"),
            columns={
                "trader_code": columns.codes(population.codes, traders),
                "month": columns.months(np.full(len(traders), month.first)),
                "contributors": columns.whole(people[traders]),
                "paid_yuan": columns.yuan((people * each)[traders]),
            },
        )


def certificate_feeds(population: Population, personas: Personas) -> Iterator[Feed]:
    """Yield certificates: all until July, then month by month."""
    rng = population.draw("certificates")
    n = len(population)
    skilled = population.of_sections("COHQ")
    has = rng.random(n) < np.where(skilled, 0.055, 0.008)
    personas.force("certificate", has, False)
    traders = np.flatnonzero(at_least(has, 4, population))
    m = len(traders)
    schema = contract("certificates")
    kind = rng.choice(3, m, p=[0.75, 0.2, 0.05]).astype(np.int8)
    grade = rng.choice([5, 4, 3, 2, 1], m, p=[0.3, 0.35, 0.25, 0.07, 0.03])
    level = np.where(kind == 0, grade, MISSING)
    # A person may have been certified long before opening the shop.
    on = AS_OF - rng.integers(0, 15 * 365, m)

    def cells(rows: np.ndarray, until: np.datetime64) -> dict[str, columns.Column]:
        return {
            "certificate_no": columns.numbered(
                ["浙温技"], np.zeros(len(rows), np.int8), 3_000_001 + rows
            ),
            "trader_code": columns.codes(population.codes, traders[rows]),
            "kind": columns.labels(schema.labels("kind"), kind[rows]),
            "level": columns.whole(level[rows]),
            "issued_on": columns.dates(on[rows]),
        }

    yield from event_feeds(
        population,
        Events("certificates", traders, on, cells, encoding="gb18030"),
    )
