"""The whole city: population, departments, deliveries, and what was planted in them."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from getihu.gateways.demo_city.delivering import Written, write_delivery, write_public_key
from getihu.gateways.demo_city.departments import (
    employment,
    lending,
    market_regulation,
    standing,
    supervision,
    taxation,
)
from getihu.gateways.demo_city.feeds import Feed
from getihu.gateways.demo_city.mishaps import send_again
from getihu.gateways.demo_city.personas import Personas, describe_personas
from getihu.gateways.demo_city.places import Places, read_places
from getihu.gateways.demo_city.population import (
    UNREGISTERED,
    Population,
    assign_codes,
    draw_population,
)
from getihu.gateways.demo_city.wording import Wording

FEWEST_TRADERS = 200
"""Below this a city has no shares to speak of, and the planted traders would be a tenth of it."""

_WRITERS = 2


@dataclass(frozen=True)
class CitySummary:
    """What was made: traders, deliveries, and everything planted, so that a test can look for it.

    ``traders`` are on the register at the as-of date, ``left`` have gone in the last three
    years. ``deliveries`` say what an honest door must count in each folder.
    """

    traders: int
    left: int
    seed: int
    deliveries: tuple[Written, ...]
    personas: tuple[dict[str, str], ...]

    @property
    def rows(self) -> int:
        return sum(d.rows for d in self.deliveries)

    @property
    def bytes(self) -> int:
        return sum(d.bytes for d in self.deliveries)

    @property
    def quarantine_share(self) -> float:
        """Return the part (0–1) of all lines that an honest door holds back."""
        return sum(d.quarantined for d in self.deliveries) / self.rows

    def planted(self) -> dict[str, int]:
        """Return rows planted per kind, over all published deliveries."""
        counts: dict[str, int] = {}
        for delivery in self.deliveries:
            for kind, count in delivery.planted.items():
                counts[kind] = counts.get(kind, 0) + count
        return dict(sorted(counts.items()))


def make_city(
    out: Path, *, traders: int, seed: int, progress: Callable[[str], None] | None = None
) -> CitySummary:
    """Write a city's deliveries, public keys, personas.json and planted.json into ``out``.

    The same seed and size give the same bytes. Raises ValueError below ``FEWEST_TRADERS`` and
    FileExistsError when ``out`` already holds deliveries.
    """
    if traders < FEWEST_TRADERS:
        raise ValueError(f"演示城市至少要 {FEWEST_TRADERS} 户，给的是 {traders} 户")
    if any(out.glob("*/manifest.json")):
        raise FileExistsError(f"{out} 里已有部门数据；请先清空，或另指一个目录")
    say = progress or (lambda message: None)
    out.mkdir(parents=True, exist_ok=True)
    say(f"抽取 {traders} 户")
    places = read_places()
    population = draw_population(traders, seed, places)
    personas = Personas(population, places)
    assign_codes(population, places)
    protected = np.arange(len(population) + UNREGISTERED) < population.personas
    written = []
    with ThreadPoolExecutor(_WRITERS) as writers:
        jobs = []
        for feed in _feeds(population, personas, places):
            jobs.append(writers.submit(write_delivery, feed, out, seed, protected))
            # Two deliveries in hand at a time, or all columns would wait in memory.
            while len([j for j in jobs if not j.done()]) > _WRITERS:
                next(j for j in jobs if not j.done()).result()
            say(f"写 {feed.delivery_id}：{len(feed)} 行")
        written = [job.result() for job in jobs]
    written += send_again(out, written, seed)
    for department in sorted({w.department for w in written}):
        write_public_key(out, seed, department)
    return _conclude(out, population, seed, written)


def _conclude(out: Path, population: Population, seed: int, written: list[Written]) -> CitySummary:
    summary = CitySummary(
        traders=population.registered,
        left=len(population) - population.registered,
        seed=seed,
        deliveries=tuple(written),
        personas=tuple(describe_personas(population)),
    )
    _write_json(out / "personas.json", list(summary.personas))
    _write_json(
        out / "planted.json",
        {
            "traders": summary.traders,
            "left": summary.left,
            "seed": seed,
            "rows": summary.rows,
            "quarantine_share": round(summary.quarantine_share, 6),
            "planted": summary.planted(),
            "deliveries": [asdict(d) for d in written],
        },
    )
    return summary


def _write_json(path: Path, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(text + "\n", "utf-8")


def _feeds(population: Population, personas: Personas, places: Places) -> Iterator[Feed]:
    """Yield every department's deliveries; the largest tables first, so none waits at the end."""
    wording = Wording(population, places)
    changes = market_regulation.draw_changes(population)
    yield from market_regulation.registration_feeds(population, places, changes, wording)
    yield from market_regulation.change_feeds(population, changes)
    in_time, filed = market_regulation.draw_reporters(population, personas)
    yield from market_regulation.report_feeds(population, in_time, filed)
    year = taxation.draw_tax_year(population, personas)
    unregistered = len(population) + np.arange(UNREGISTERED)
    yield from taxation.tax_year_feeds(population, personas, year, unregistered)
    yield from taxation.vat_feeds(population, personas)
    yield from employment.insurance_feeds(population, places, personas)
    yield from employment.fund_feeds(population, personas)
    yield from employment.certificate_feeds(population, personas)
    yield from supervision.mark_feeds(population, personas, in_time, filed)
    yield from supervision.penalty_feeds(population)
    yield from supervision.permit_feeds(population, personas)
    yield from lending.loan_feeds(population, personas)
    for feeds in standing.FEEDS:
        yield from feeds(population)
    yield from standing.status_feeds(population, personas)
