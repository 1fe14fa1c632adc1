"""人行: business loans. August's and September's files come long after they are due."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from getihu.gateways.demo_city import calibration, columns
from getihu.gateways.demo_city.columns import MISSING, Column
from getihu.gateways.demo_city.departments.schedule import (
    MONTHS,
    STOCK,
    Events,
    as_known,
    at_least,
    event_feeds,
)
from getihu.gateways.demo_city.feeds import Feed, contract
from getihu.gateways.demo_city.personas import Personas
from getihu.gateways.demo_city.population import AS_OF, NEVER, Population

_LATE = (
    replace(MONTHS[0], issued_at="2026-10-19T17:20:00+08:00"),
    replace(MONTHS[1], issued_at="2026-10-28T17:20:00+08:00"),
    MONTHS[2],
)
_SERVICE_LOANS_FROM = np.datetime64("2025-03-16")


def loan_feeds(population: Population, personas: Personas) -> Iterator[Feed]:
    """Yield loan contracts of three years; a settled one is sent again with its day."""
    rng = population.draw("loans")
    n = len(population)
    base = calibration.business("loan_share") * np.clip(0.75 * np.exp(0.55 * population.size), 0, 8)
    has = (rng.random(n) < base) & (population.established < np.datetime64("2026-06-01"))
    personas.force("loan", has, False)
    has = at_least(has, 6, population)
    count = np.where(has, 1 + rng.poisson(0.5, n), 0)
    trader = np.repeat(np.arange(n), count)
    m = len(trader)
    is_first_contract = np.r_[True, trader[1:] != trader[:-1]]
    # Contracts of one trader follow each other: sort their days.
    on = _loan_days(population, trader, rng)
    order = np.lexsort((on, trader))
    on = on[order]
    amount = np.clip(np.round(rng.lognormal(11.9, 0.9, m) / 10_000), 1, 500) * 10_000
    rate = rng.integers(300, 660, m)
    rate = np.where(rng.random(m) < 0.03, MISSING, rate)
    kind = rng.choice(4, m, p=[0.42, 0.28, 0.24, 0.06]).astype(np.int8)
    serves = population.of_sections("HORPQ")[trader] & (on >= _SERVICE_LOANS_FROM)
    purpose = np.where(serves & (rng.random(m) < 0.25), rng.integers(0, 2, m),
                       rng.choice(4, m, p=[0.01, 0.02, 0.9, 0.07])).astype(np.int8)  # fmt: skip
    bank = (rng.random(m) < 0.6).astype(np.int8)
    first = np.where(is_first_contract & (rng.random(m) < 0.45), 1, 0).astype(np.int8)
    overdue = (rng.random(m) < 0.015).astype(np.int8)
    back = on + 365 + rng.integers(-30, 10, m)
    settled = np.where((overdue == 0) & (rng.random(m) < 0.92) & (back <= AS_OF), back, NEVER)
    schema = contract("loans")

    def cells(rows: np.ndarray, known: np.datetime64) -> dict[str, Column]:
        return {
            "contract_no": columns.numbered(
                ["温贷"], np.zeros(len(rows), np.int8), 7_000_001 + rows
            ),
            "trader_code": columns.codes(population.codes, trader[rows]),
            "granted_on": columns.dates(on[rows]),
            "amount_yuan": columns.yuan(amount[rows].astype(np.int64)),
            "annual_rate": columns.scaled(rate[rows], 4),
            "kind": columns.labels(schema.labels("kind"), kind[rows]),
            "purpose": columns.labels(schema.labels("purpose"), purpose[rows]),
            "bank_kind": columns.labels(schema.labels("bank_kind"), bank[rows]),
            "is_first_loan": columns.flags(first[rows]),
            "is_overdue": columns.flags(overdue[rows]),
            "settled_on": columns.dates(as_known(settled[rows], known)),
        }

    yield from event_feeds(
        population,
        Events(
            "loans", trader, on, cells, updated_on=settled, shipments=(STOCK, *_LATE),
            stock_dirt=("money_unit", "money_thousands", "code_check", "duplicate_row"),
        ),
    )  # fmt: skip


def _loan_days(population: Population, trader: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    first = np.maximum(population.established[trader] + 60, AS_OF - 3 * 365)
    until = np.where(np.isnat(population.left_on[trader]), AS_OF, population.left_on[trader])
    length = np.clip((until - first).astype(int), 0, None)
    return np.minimum(first, until) + (rng.random(len(trader)) * (length + 1)).astype(int)
