"""市场监管: the register, its changes, annual reports, penalties and marks of abnormality."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from getihu.gateways.demo_city import calibration, columns
from getihu.gateways.demo_city.columns import MISSING
from getihu.gateways.demo_city.departments.schedule import (
    MONTHS,
    STOCK,
    Events,
    Shipment,
    at_least,
    event_feeds,
)
from getihu.gateways.demo_city.feeds import ALL_DIRT, DIRT_OF_CODES, Feed, contract
from getihu.gateways.demo_city.personas import Personas
from getihu.gateways.demo_city.places import LONGGANG, Places
from getihu.gateways.demo_city.population import AS_OF, NEVER, Population
from getihu.gateways.demo_city.wording import Wording

_CHANGE_KINDS = ("operator", "name", "premises", "scope", "form")
_CHANGE_SHARES = (0.10, 0.15, 0.30, 0.42, 0.03)


@dataclass(frozen=True)
class Changes:
    """Change registrations, one row per change, by trader and kind (of ``_CHANGE_KINDS``)."""

    trader: np.ndarray
    kind: np.ndarray
    on: np.ndarray


def draw_changes(population: Population) -> Changes:
    """Draw every change since establishment: about six in a hundred traders change a year."""
    rng = population.draw("registration changes")
    until = np.where(np.isnat(population.left_on), AS_OF, population.left_on)
    days = np.clip((until - population.established).astype(int) - 30, 0, None)
    count = rng.poisson(calibration.business("changes_a_year") * days / 365.25)
    count[: population.personas] = 0
    trader = np.repeat(np.arange(len(population)), count)
    on = population.established[trader] + 30 + (rng.random(len(trader)) * days[trader]).astype(int)
    kind = rng.choice(len(_CHANGE_KINDS), len(trader), p=_CHANGE_SHARES).astype(np.int8)
    return Changes(trader, kind, on)


def registration_feeds(
    population: Population, places: Places, changes: Changes, wording: Wording
) -> Iterator[Feed]:
    """Yield the whole register at the end of July, then what was new or changed each month."""
    stock = np.flatnonzero(population.established <= STOCK.until)
    yield _registrations(population, places, changes, wording, STOCK, stock)
    for month in MONTHS:
        changed_on = _state_dates(population, changes, month.until)[2]
        rows = np.flatnonzero((changed_on >= month.first) & (changed_on <= month.until))
        yield _registrations(population, places, changes, wording, month, rows)


def _state_dates(
    population: Population, changes: Changes, until: np.datetime64
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return status (index into the contract's labels), its day, and the day of last change."""
    left = population.left_on <= until
    suspended = (population.suspended_on <= until) & ~left
    status = np.where(left, 2 + population.left_how, np.where(suspended, 1, 0))
    status_on = np.where(
        left,
        population.left_on,
        np.where(suspended, population.suspended_on, population.established),
    )
    last = status_on.copy()
    known = changes.on <= until
    np.maximum.at(last, changes.trader[known], changes.on[known])
    converted = population.converted_on <= until
    last = np.where(converted, np.maximum(last, population.converted_on), last)
    # Not yet established at that day: no state, and never chosen.
    last = np.where(population.established <= until, last, NEVER)
    return status.astype(np.int8), status_on, last


def _registrations(
    population: Population,
    places: Places,
    changes: Changes,
    wording: Wording,
    shipment: Shipment,
    traders: np.ndarray,
) -> Feed:
    schema = contract("registrations")
    status, status_on, changed_on = (
        c[traders] for c in _state_dates(population, changes, shipment.until)
    )
    converted = np.where(population.converted_on <= shipment.until, population.converted_on, NEVER)[
        traders
    ]
    is_enterprise = ~np.isnat(converted)
    composition = np.where(population.wording[traders] % 100 < 93, 0, 1)
    older = {
        name: _to_be_changed(changes, len(population), name, shipment.until)[traders]
        for name in ("name", "premises", "scope")
    }
    villages = places.villages
    town_codes = [v.town_code for v in villages]
    area = population.premises_dm2[traders]
    in_longgang = population.county == places.county_codes.index(LONGGANG)
    is_stock = shipment is STOCK
    return Feed(
        delivery_id=f"registrations-{shipment.period}",
        dataset="registrations",
        period=shipment.period,
        issued_at=shipment.issued_at,
        covers_until=str(shipment.until),
        traders=traders,
        encoding="gb18030",
        declared="gb18030",
        dirt=ALL_DIRT if is_stock else ("code_lower_case", "cell_extra", "duplicate_row"),
        at_least_one=is_stock,
        notes={"old_town_name": int(wording.has_old_place(traders).sum())},
        columns={
            "trader_code": columns.codes(population.codes, traders),
            "name": lambda rows: wording.names(traders[rows], older["name"][rows]),
            "subject_kind": columns.labels(
                schema.labels("subject_kind"), is_enterprise.astype(np.int8)
            ),
            "composition": columns.labels(
                schema.labels("composition"), np.where(is_enterprise, -1, composition)
            ),
            "established_on": columns.dates(population.established[traders]),
            "status": columns.labels(schema.labels("status"), status),
            "status_on": columns.dates(status_on),
            "industry_code": columns.labels(
                [t.industry_code for t in calibration.trades()], population.trade[traders]
            ),
            "scope": lambda rows: wording.scopes(traders[rows], older["scope"][rows]),
            "address": lambda rows: wording.addresses(traders[rows], older["premises"][rows]),
            "county_code": columns.labels(places.county_codes, population.county[traders]),
            "town_code": columns.labels(
                town_codes,
                np.where(in_longgang[traders], -1, population.village[traders]),
            ),
            "premises_m2": columns.scaled(np.where(area < 0, MISSING, area), 1),
            "converted_on": columns.dates(converted),
            "changed_on": columns.dates(changed_on),
        },
    )


def _to_be_changed(changes: Changes, n: int, kind: str, until: np.datetime64) -> np.ndarray:
    """Return who still has the old name, premises or scope on that day."""
    later = (changes.on > until) & (changes.kind == _CHANGE_KINDS.index(kind))
    out = np.zeros(n, dtype=bool)
    out[changes.trader[later]] = True
    return out


def change_feeds(population: Population, changes: Changes) -> Iterator[Feed]:
    """Yield the change records: all until July, then month by month."""
    schema = contract("registration_changes")
    years = changes.on.astype("datetime64[Y]").astype(int) + 1970
    heads = [f"变字{year}" for year in range(1980, 2028)]
    kinds = np.array([schema.label_index("kind", k) for k in _CHANGE_KINDS])

    def cells(rows: np.ndarray, until: np.datetime64) -> dict[str, columns.Column]:
        return {
            "change_no": columns.numbered(heads, years[rows] - 1980, 100_001 + rows),
            "trader_code": columns.codes(population.codes, changes.trader[rows]),
            "kind": columns.labels(schema.labels("kind"), kinds[changes.kind[rows]]),
            "changed_on": columns.dates(changes.on[rows]),
        }

    yield from event_feeds(
        population,
        Events(
            "registration_changes", changes.trader, changes.on, cells, encoding="gb18030",
            stock_dirt=DIRT_OF_CODES,
            # One clerk forgets to say which encoding the file has.
            undeclared_period="2026-09",
        ),
    )  # fmt: skip


def draw_reporters(population: Population, personas: Personas) -> tuple[np.ndarray, np.ndarray]:
    """Return who filed the report of 2025 in time, and the day each filer filed (NaT: never)."""
    rng = population.draw("annual reports 2025")
    n = len(population)
    obliged = population.on_register(np.datetime64("2025-12-31"), np.datetime64("2026-06-30"))
    chance = np.where(
        population.is_active,
        calibration.business("reports_if_active"),
        calibration.business("reports_if_not"),
    )
    in_time = obliged & (rng.random(n) < chance)
    personas.force("reports", in_time, True)
    in_time &= obliged
    # Most report in the last weeks: the day is the latest of three draws.
    day = np.max(rng.random((3, n)), axis=0)
    filed = np.datetime64("2026-01-01") + (day * 181).astype(int)
    made_up = obliged & ~in_time & (rng.random(n) < 0.04)
    personas.force("reports_late", made_up, False)
    made_up = at_least(made_up, 2, population) & ~in_time
    late_day = np.datetime64("2026-07-02") + rng.integers(0, 118, n)
    still_there = np.isnat(population.left_on) | (population.left_on > late_day)
    filed = np.where(in_time, filed, np.where(made_up & still_there, late_day, NEVER))
    return in_time, filed


def report_feeds(population: Population, in_time: np.ndarray, filed: np.ndarray) -> Iterator[Feed]:
    """Yield the reports of 2024, those of 2025 filed in time, and those made up later.

    What was made up supplements the first delivery and says so (``corrects``); alone it would
    look like a year in which nearly nobody reported.
    """
    rng = population.draw("annual reports 2024")
    n = len(population)
    obliged = population.on_register(np.datetime64("2024-12-31"), np.datetime64("2025-06-30"))
    before = obliged & (rng.random(n) < np.where(population.is_active, 0.9, 0.2))
    day = np.max(rng.random((3, n)), axis=0)
    filed_before = np.datetime64("2025-01-01") + (day * 181).astype(int)
    yield _reports(population, 2024, before, filed_before, "2025-07-18", "2025-06-30", "01")
    yield _reports(population, 2025, in_time, filed, "2026-07-16", "2026-06-30", "01")
    made_up = ~np.isnat(filed) & ~in_time
    yield _reports(population, 2025, made_up, filed, "2026-11-03", "2026-10-31", "02")


def _reports(
    population: Population,
    year: int,
    who: np.ndarray,
    filed: np.ndarray,
    issued: str,
    until: str,
    number: str,
) -> Feed:
    traders = np.flatnonzero(who)
    rng = population.draw(f"annual report cells {year} {number}")
    m = len(traders)
    persona = traders < population.personas
    drift = 1.0 if year == 2025 else rng.lognormal(-0.05, 0.3, m)
    turnover = np.round(population.turnover_yuan[traders] * drift, -2).astype(np.int64)
    turnover[(rng.random(m) < 0.08) & ~persona] = MISSING
    employees = population.employees[traders].astype(np.int64)
    employees[(rng.random(m) < 0.03) & ~persona] = MISSING
    online = (rng.random(m) < 0.13).astype(np.int8)
    online[(rng.random(m) < 0.1) & ~persona] = -1
    public = np.where(rng.random(m) < 0.05, -1, rng.random(m) < 0.6).astype(np.int8)
    return Feed(
        delivery_id=f"annual_reports-{year}-{number}",
        dataset="annual_reports",
        period=str(year),
        issued_at=f"{issued}T10:00:00+08:00",
        covers_until=until,
        traders=traders,
        corrects=None if number == "01" else f"annual_reports-{year}-01",
        encoding="gb18030",
        declared="gb18030",
        dirt=ALL_DIRT if year == 2025 and number == "01" else (),
        columns={
            "trader_code": columns.codes(population.codes, traders),
            "report_year": columns.whole(np.full(m, year)),
            "filed_on": columns.dates(filed[traders]),
            "turnover_yuan": columns.yuan(turnover),
            "employees": columns.whole(employees),
            "has_online_shop": columns.flags(online),
            "is_public": columns.flags(public),
        },
    )
