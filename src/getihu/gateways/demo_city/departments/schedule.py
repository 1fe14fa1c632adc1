"""When departments deliver, and how events are split over the deliveries."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from getihu.gateways.demo_city.columns import Column
from getihu.gateways.demo_city.feeds import Feed
from getihu.gateways.demo_city.population import Population


@dataclass(frozen=True)
class Shipment:
    """One delivery date: what it covers and when it was issued."""

    period: str
    first: np.datetime64
    until: np.datetime64
    issued_at: str


def shipment(period: str, first: str, until: str, issued_at: str) -> Shipment:
    """Return a shipment issued at a Beijing time."""
    day = np.datetime64
    return Shipment(period, day(first, "D"), day(until, "D"), f"{issued_at}+08:00")


STOCK = shipment("2026-07", "1949-10-01", "2026-07-31", "2026-08-06T09:00:00")
MONTHS = (
    shipment("2026-08", "2026-08-01", "2026-08-31", "2026-09-07T09:30:00"),
    shipment("2026-09", "2026-09-01", "2026-09-30", "2026-10-12T09:30:00"),
    shipment("2026-10", "2026-10-01", "2026-10-31", "2026-11-05T09:30:00"),
)
SHIPMENTS = (STOCK, *MONTHS)

FORGOTTEN_SHARE = 0.01
"""Of the events of May to July, those sent only in October with their true, backdated day."""


@dataclass
class Events:
    """One row per event: whose, when, and (NaT: never) when something about it changed later.

    ``columns`` gives the cells of chosen rows as known on a day; what happened after that day
    must not show in it. ``withdrawn`` rows are taken back in October.
    """

    dataset: str
    traders: np.ndarray
    on: np.ndarray
    columns: Callable[[np.ndarray, np.datetime64], dict[str, Column]]
    updated_on: np.ndarray | None = None
    withdrawn: np.ndarray | None = None
    encoding: str = "utf-8"
    stock_dirt: tuple[str, ...] = ()
    month_dirt: tuple[str, ...] = ()
    shipments: tuple[Shipment, ...] = SHIPMENTS
    undeclared_period: str = ""


def event_feeds(population: Population, events: Events) -> Iterator[Feed]:
    """Yield an event dataset's deliveries: all until July, then month by month what is new.

    A row goes with the shipment its day falls in, and again when it was updated.
    """
    rng = population.draw(f"shipping of {events.dataset}")
    fill_empty_months(population, events)
    slot = np.searchsorted([s.until for s in events.shipments], events.on)
    last = len(events.shipments) - 1
    recent = (events.on >= np.datetime64("2026-05-01")) & (slot == 0)
    forgotten = recent & (rng.random(len(slot)) < FORGOTTEN_SHARE)
    forgotten &= events.traders >= population.personas
    slot[forgotten] = last
    for number, part in enumerate(events.shipments):
        due = slot == number
        if events.updated_on is not None and number:
            due |= ((events.updated_on >= part.first) & (events.updated_on <= part.until)) & (
                slot < number
            )
        taken_back = np.zeros(len(slot), dtype=bool)
        if events.withdrawn is not None and number == last:
            taken_back = events.withdrawn & (slot < last)
        rows = np.flatnonzero(due | taken_back)
        declared = None if part.period == events.undeclared_period else events.encoding
        yield Feed(
            delivery_id=f"{events.dataset}-{part.period}",
            dataset=events.dataset,
            period=part.period,
            issued_at=part.issued_at,
            covers_until=str(part.until),
            traders=events.traders[rows],
            encoding=events.encoding,
            declared=declared,
            withdrawn=taken_back[rows].astype(np.int8),
            dirt=events.month_dirt if number else events.stock_dirt,
            notes={
                "backdated_row": int(forgotten.sum()) if number == last else 0,
                "withdrawn_row": int(taken_back.sum()),
            },
            columns=events.columns(rows, part.until),
        )


def fill_empty_months(population: Population, events: Events) -> None:
    """Move one event into each month that has none: an empty file would be held at the door."""
    there = population.established[events.traders] < np.datetime64("2026-07-01")
    there &= np.isnat(population.left_on[events.traders])
    there &= events.traders >= population.personas
    spare = iter(np.flatnonzero(there & (events.on <= events.shipments[0].until)).tolist())
    for part in events.shipments[1:]:
        if not ((events.on >= part.first) & (events.on <= part.until)).any():
            row = next(spare)
            events.on[row] = part.first + 14
            if events.updated_on is not None:
                events.updated_on[row] = np.datetime64("NaT")


def at_least(chosen: np.ndarray, fewest: int, population: Population) -> np.ndarray:
    """Return the choice with long-standing traders added until ``fewest`` of them are in it."""
    old = population.established < np.datetime64("2024-01-01")
    old &= np.isnat(population.left_on)
    old[: population.personas] = False
    lacking = fewest - int((chosen & old).sum())
    if lacking > 0:
        chosen = chosen.copy()
        chosen[np.flatnonzero(old & ~chosen)[:lacking]] = True
    return chosen


def as_known(values: np.ndarray, until: np.datetime64) -> np.ndarray:
    """Return days, with those after ``until`` not yet known (NaT)."""
    return np.where(values <= until, values, np.datetime64("NaT", "D"))
