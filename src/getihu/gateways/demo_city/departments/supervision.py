"""市场监管: penalties, marks of abnormality, permits."""

from collections.abc import Iterator

import numpy as np

from getihu.gateways.demo_city import calibration, columns
from getihu.gateways.demo_city.columns import MISSING, Column
from getihu.gateways.demo_city.departments.schedule import Events, as_known, at_least, event_feeds
from getihu.gateways.demo_city.feeds import DIRT_OF_CODES, DIRT_OF_LINES, Feed, contract
from getihu.gateways.demo_city.personas import Personas
from getihu.gateways.demo_city.population import AS_OF, NEVER, Population

_PERMIT_YEARS = 5
_FOOD_TRADES = ("13", "512", "5213", "522", "62")


def penalty_feeds(population: Population) -> Iterator[Feed]:
    """Yield five years of penalties; some repaired, a few withdrawn again in October."""
    rng = population.draw("penalties")
    since = np.maximum(population.established, np.datetime64("2021-11-01"))
    until = np.where(np.isnat(population.left_on), AS_OF, population.left_on)
    days = np.clip((until - since).astype(int), 0, None)
    count = rng.poisson(calibration.business("penalties_a_year") * days / 365.25)
    count[: population.personas] = 0
    count = np.maximum(count, at_least(count > 0, 6, population))
    trader = np.repeat(np.arange(len(population)), count)
    m = len(trader)
    on = since[trader] + (rng.random(m) * (days[trader] + 1)).astype(int)
    kind = rng.choice(6, m, p=[0.28, 0.02, 0.62, 0.05, 0.02, 0.01]).astype(np.int8)
    fine = np.where(kind == 2, np.round(rng.lognormal(7.2, 1.0, m), -2) + 100, MISSING)
    of_food = population.in_industries(_FOOD_TRADES)[trader]
    other = rng.choice(9, m, p=[0.1, 0.04, 0.03, 0.15, 0.15, 0.13, 0.2, 0.15, 0.05])
    field = np.where(of_food & (rng.random(m) < 0.7), 0, other).astype(np.int8)
    repaired = on + 90 + rng.integers(0, 300, m)
    repaired = np.where((rng.random(m) < 0.35) & (repaired <= AS_OF), repaired, NEVER)
    withdrawn = np.zeros(m, dtype=bool)
    withdrawn[rng.choice(m, max(1, m // 500), replace=False)] = True
    schema = contract("penalties")
    years = on.astype("datetime64[Y]").astype(int) + 1970
    heads = [f"温市监处罚〔{year}〕" for year in range(2020, 2027)]

    def cells(rows: np.ndarray, known: np.datetime64) -> dict[str, Column]:
        return {
            "decision_no": columns.numbered(heads, years[rows] - 2020, 1 + rows, "号"),
            "trader_code": columns.codes(population.codes, trader[rows]),
            "decided_on": columns.dates(on[rows]),
            "kind": columns.labels(schema.labels("kind"), kind[rows]),
            "fine_yuan": columns.yuan(fine[rows].astype(np.int64)),
            "field": columns.labels(schema.labels("field"), field[rows]),
            "repaired_on": columns.dates(as_known(repaired[rows], known)),
        }

    yield from event_feeds(
        population,
        Events(
            "penalties", trader, on, cells, updated_on=repaired, withdrawn=withdrawn,
            encoding="gb18030", stock_dirt=(*DIRT_OF_CODES, *DIRT_OF_LINES),
        ),
    )  # fmt: skip


def mark_feeds(
    population: Population, personas: Personas, in_time: np.ndarray, filed: np.ndarray
) -> Iterator[Feed]:
    """Yield marks: for no report (July), for premises where nobody is, and serious breaches."""
    rng = population.draw("abnormal marks")
    n = len(population)
    was_there = population.established <= np.datetime64("2025-12-31")
    there = was_there & (
        np.isnat(population.left_on) | (population.left_on > np.datetime64("2026-07-20"))
    )
    silent = there & ~in_time & (rng.random(n) < 0.6)
    personas.force("is_marked", silent, False)
    lost = (rng.random(n) < 0.006) & there
    serious = at_least((rng.random(n) < 0.0002) & there, 1, population)
    lost[: population.personas] = False
    trader = np.concatenate([np.flatnonzero(w) for w in (silent, lost, serious)])
    sizes = [int(w.sum()) for w in (silent, lost, serious)]
    m = len(trader)
    reason = np.repeat(np.array([0, 1, 3], dtype=np.int8), sizes)
    recent = AS_OF - rng.integers(0, 900, m)
    on = np.where(reason == 0, np.datetime64("2026-07-06") + rng.integers(0, 10, m), recent)
    on = np.maximum(on, population.established[trader] + 10)
    removed = np.where(reason == 0, filed[trader] + 3, on + rng.integers(60, 900, m))
    is_lifted = (removed <= AS_OF) & (reason != 3) & (removed > on)
    removed = np.where(is_lifted, removed, NEVER)
    schema = contract("abnormal_marks")

    def cells(rows: np.ndarray, known: np.datetime64) -> dict[str, Column]:
        return {
            "mark_no": columns.numbered(["温异"], np.zeros(len(rows), np.int8), 500_001 + rows),
            "trader_code": columns.codes(population.codes, trader[rows]),
            "list": columns.labels(schema.labels("list"), (reason[rows] == 3).astype(np.int8)),
            "reason": columns.labels(schema.labels("reason"), reason[rows]),
            "listed_on": columns.dates(on[rows]),
            "removed_on": columns.dates(as_known(removed[rows], known)),
        }

    yield from event_feeds(
        population,
        Events("abnormal_marks", trader, on, cells, updated_on=removed, encoding="gb18030"),
    )


def permit_feeds(population: Population, personas: Personas) -> Iterator[Feed]:
    """Yield permits: the latest of each kind a shop needs, ended when it left."""
    rng = population.draw("permits")
    trader, kind = _needed_permits(population, personas, rng)
    m = len(trader)
    schema = contract("permits")
    kinds = list(schema.column("kind")["values"])
    first = np.maximum(population.established[trader], np.datetime64("2016-01-01"))
    period = int(_PERMIT_YEARS * 365.25)
    until = np.where(np.isnat(population.left_on[trader]), AS_OF, population.left_on[trader])
    renewals = np.clip((until - first).astype(int) // period, 0, None)
    # Some let the last permit run out.
    renewals = np.where(rng.random(m) < 0.05, np.clip(renewals - 1, 0, None), renewals)
    issued = np.minimum(first + renewals * period + rng.integers(0, 20, m), until)
    for row, last_day in personas.rows_with("catering_permit").items():
        issued[trader == row] = np.datetime64(last_day) - period + 1
    ended = population.left_on[trader]
    unlimited = kind == kinds.index("prepackaged")

    def cells(rows: np.ndarray, known: np.datetime64) -> dict[str, Column]:
        expires = np.where(unlimited[rows], NEVER, issued[rows] + period - 1)
        return {
            "permit_no": columns.numbered(["JY1330", "XC330", "BA330", "WS330", "YC330", "TZ330"],
                                          kind[rows], 10_000_001 + rows),
            "trader_code": columns.codes(population.codes, trader[rows]),
            "kind": columns.labels(schema.labels("kind"), kind[rows]),
            "issued_on": columns.dates(issued[rows]),
            "expires_on": columns.dates(expires),
            "ended_on": columns.dates(as_known(ended[rows], known)),
        }  # fmt: skip

    yield from event_feeds(
        population,
        Events(
            "permits", trader, issued, cells, updated_on=ended, encoding="gb18030",
            stock_dirt=(*DIRT_OF_CODES, "date_impossible", "date_compact", "unknown_label"),
        ),
    )  # fmt: skip


def _needed_permits(
    population: Population, personas: Personas, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return trader and kind of each permit; nine in ten of those who need one hold it."""
    trades = calibration.trades()
    kinds = list(contract("permits").column("kind")["values"])
    of_trade = {"food": "food", "catering": "food", "small_catering": "small_catering",
                "prepackaged": "prepackaged", "tobacco": "prepackaged", "hygiene": "hygiene"}  # fmt: skip
    need = np.array([kinds.index(of_trade[t.permit]) if t.permit else -1 for t in trades])
    tobacco = np.array([t.permit == "tobacco" for t in trades])[population.trade]
    n = len(population)
    first = need[population.trade]
    holds = (first >= 0) & (rng.random(n) < 0.9)
    smokes = tobacco & (rng.random(n) < 0.55)
    special = population.of_sections("C") & (rng.random(n) < 0.03)
    planted = np.zeros(n, dtype=bool)
    planted[list(personas.rows_with("catering_permit"))] = True
    for chosen in (holds, smokes, special):
        chosen[: population.personas] = False
    holds = at_least(holds | planted, 4, population)
    parts = [
        (np.flatnonzero(holds), np.where(first >= 0, first, 0)[holds]),
        (np.flatnonzero(smokes), np.full(int(smokes.sum()), kinds.index("tobacco"))),
        (np.flatnonzero(special), np.full(int(special.sum()), kinds.index("special"))),
    ]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
