"""Honours, trade marks and patents (市监), heritage (文广旅), statuses (退役军人), units (统计)."""

from collections.abc import Callable, Iterator

import numpy as np

from getihu.gateways.demo_city import columns
from getihu.gateways.demo_city.columns import Column
from getihu.gateways.demo_city.departments.schedule import (
    Events,
    as_known,
    at_least,
    event_feeds,
    shipment,
)
from getihu.gateways.demo_city.feeds import Feed, contract
from getihu.gateways.demo_city.personas import Personas
from getihu.gateways.demo_city.population import AS_OF, NEVER, Population

_YEARLY = (
    shipment("2025", "1949-10-01", "2025-12-31", "2026-02-10T10:00:00"),
    shipment("2026", "2026-01-01", "2026-10-31", "2026-11-04T10:00:00"),
)


def _since(
    population: Population, traders: np.ndarray, rng: np.random.Generator, years: int
) -> np.ndarray:
    """Draw a day within the last years, after the trader was established and before it left."""
    first = np.maximum(population.established[traders] + 30, AS_OF - years * 365)
    until = np.where(np.isnat(population.left_on[traders]), AS_OF, population.left_on[traders])
    length = np.clip((until - first).astype(int), 0, None)
    return np.minimum(first, until) + (rng.random(len(traders)) * (length + 1)).astype(int)


def honour_feeds(population: Population) -> Iterator[Feed]:
    """Yield honours, mostly of the larger and older."""
    rng = population.draw("honours")
    chosen = rng.random(len(population)) < np.where(population.size > 1, 0.012, 0.0015)
    traders = _chosen(population, chosen, 4)
    m = len(traders)
    kind = rng.choice(5, m, p=[0.04, 0.5, 0.16, 0.2, 0.1]).astype(np.int8)
    level = rng.choice(4, m, p=[0.002, 0.048, 0.25, 0.7]).astype(np.int8)
    on = _since(population, traders, rng, 8)
    gone = on + rng.integers(200, 2000, m)
    withdrawn_on = np.where((rng.random(m) < 0.03) & (gone <= AS_OF), gone, NEVER)
    schema = contract("honours")

    def cells(rows: np.ndarray, known: np.datetime64) -> dict[str, Column]:
        return {
            "honour_no": _number("温誉", rows),
            "trader_code": columns.codes(population.codes, traders[rows]),
            "kind": columns.labels(schema.labels("kind"), kind[rows]),
            "level": columns.labels(schema.labels("level"), level[rows]),
            "granted_on": columns.dates(on[rows]),
            "withdrawn_on": columns.dates(as_known(withdrawn_on[rows], known)),
        }

    yield from event_feeds(
        population,
        Events("honours", traders, on, cells, updated_on=withdrawn_on, encoding="gb18030"),
    )


def right_feeds(population: Population) -> Iterator[Feed]:
    """Yield registered trade marks, patents and geographical indications."""
    rng = population.draw("intellectual property")
    makes = population.of_sections("CFHA")
    base = np.where(makes, 0.018, 0.004) * np.where(population.size > 1, 3.0, 0.8)
    traders = _chosen(population, rng.random(len(population)) < base, 4)
    m = len(traders)
    kind = rng.choice(3, m, p=[0.93, 0.05, 0.02]).astype(np.int8)
    on = _since(population, traders, rng, 9)
    expires = np.where(kind == 2, NEVER, on + 3652)
    schema = contract("intellectual_property")

    def cells(rows: np.ndarray, known: np.datetime64) -> dict[str, Column]:
        return {
            "right_no": _number("知产", rows),
            "trader_code": columns.codes(population.codes, traders[rows]),
            "kind": columns.labels(schema.labels("kind"), kind[rows]),
            "registered_on": columns.dates(on[rows]),
            "expires_on": columns.dates(expires[rows]),
        }

    yield from event_feeds(
        population, Events("intellectual_property", traders, on, cells, encoding="gb18030")
    )


def heritage_feeds(population: Population) -> Iterator[Feed]:
    """Yield intangible heritage: to the end of 2025, and what 2026 added."""
    rng = population.draw("heritage")
    makes = population.of_sections("CHR")
    traders = _chosen(population, makes & (rng.random(len(population)) < 0.0005), 3)
    m = len(traders)
    kind = (rng.random(m) < 0.6).astype(np.int8)
    level = rng.choice(4, m, p=[0.02, 0.1, 0.33, 0.55]).astype(np.int8)
    on = _since(population, traders, rng, 12)
    schema = contract("heritage")

    def cells(rows: np.ndarray, known: np.datetime64) -> dict[str, Column]:
        return {
            "item_no": _number("温非遗", rows),
            "trader_code": columns.codes(population.codes, traders[rows]),
            "kind": columns.labels(schema.labels("kind"), kind[rows]),
            "level": columns.labels(schema.labels("level"), level[rows]),
            "listed_on": columns.dates(on[rows]),
        }

    yield from event_feeds(
        population,
        Events("heritage", traders, on, cells, encoding="gb18030", shipments=_YEARLY),
    )


def status_feeds(population: Population, personas: Personas) -> Iterator[Feed]:
    """Yield operators recognised as veterans, transferred cadres or dependants."""
    rng = population.draw("operator statuses")
    planted = personas.rows_with("status")
    chosen = rng.random(len(population)) < 0.007
    traders = np.concatenate([list(planted), _chosen(population, chosen, 4)]).astype(np.int64)
    m = len(traders)
    kind = rng.choice(3, m, p=[0.9, 0.04, 0.06]).astype(np.int8)
    kind[: len(planted)] = list(planted.values())
    on = population.established[traders] + rng.integers(5, 60, m)
    gone = population.left_on[traders]
    on = np.minimum(on, np.where(np.isnat(gone), AS_OF, gone))
    schema = contract("operator_statuses")

    def cells(rows: np.ndarray, known: np.datetime64) -> dict[str, Column]:
        return {
            "recognition_no": _number("温退役", rows),
            "trader_code": columns.codes(population.codes, traders[rows]),
            "kind": columns.labels(schema.labels("kind"), kind[rows]),
            "recognised_on": columns.dates(on[rows]),
        }

    yield from event_feeds(population, Events("operator_statuses", traders, on, cells))


def statistics_feeds(population: Population) -> Iterator[Feed]:
    """Yield traders above the statistical quota of trade and catering, by turnover."""
    rng = population.draw("statistics units")
    quota = np.full(len(population), 10**12)
    quota[population.in_industries(("51",))] = 20_000_000
    quota[population.in_industries(("52",))] = 5_000_000
    quota[population.in_industries(("61", "62"))] = 2_000_000
    above = (population.turnover_yuan >= quota) & (rng.random(len(population)) < 0.6)
    traders = _chosen(population, above, 3)
    m = len(traders)
    on = _since(population, traders, rng, 6)
    later = on + rng.integers(400, 1500, m)
    left_on = np.where((rng.random(m) < 0.1) & (later <= AS_OF), later, NEVER)

    def cells(rows: np.ndarray, known: np.datetime64) -> dict[str, Column]:
        return {
            "unit_no": _number("温统", rows),
            "trader_code": columns.codes(population.codes, traders[rows]),
            "entered_on": columns.dates(on[rows]),
            "left_on": columns.dates(as_known(left_on[rows], known)),
        }

    yield from event_feeds(
        population,
        Events("statistics_units", traders, on, cells, updated_on=left_on, shipments=_YEARLY),
    )


def _chosen(population: Population, chosen: np.ndarray, fewest: int) -> np.ndarray:
    """Return the chosen traders but the planted ones, at least so many."""
    chosen = chosen.copy()
    chosen[: population.personas] = False
    return np.flatnonzero(at_least(chosen, fewest, population))


def _number(head: str, rows: np.ndarray) -> Column:
    return columns.numbered([head], np.zeros(len(rows), np.int8), 100_001 + rows)


FEEDS: tuple[Callable[[Population], Iterator[Feed]], ...] = (
    honour_feeds,
    right_feeds,
    heritage_feeds,
    statistics_feeds,
)
"""Those that need nothing but the population."""
