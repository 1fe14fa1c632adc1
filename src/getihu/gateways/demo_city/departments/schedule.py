"""When departments deliver, and how events are split over the deliveries."""

from dataclasses import dataclass

import numpy as np

STOCK_UNTIL = np.datetime64("2026-07-31", "D")


@dataclass(frozen=True)
class Shipment:
    """One delivery date: what it covers and when it was issued."""

    period: str
    first: np.datetime64
    until: np.datetime64
    issued_at: str


def _shipment(period: str, first: str, until: str, issued_at: str) -> Shipment:
    day = np.datetime64
    return Shipment(period, day(first, "D"), day(until, "D"), f"{issued_at}+08:00")


STOCK = _shipment("2026-07", "1949-10-01", "2026-07-31", "2026-08-06T09:00:00")
MONTHS = (
    _shipment("2026-08", "2026-08-01", "2026-08-31", "2026-09-07T09:30:00"),
    _shipment("2026-09", "2026-09-01", "2026-09-30", "2026-10-12T09:30:00"),
    _shipment("2026-10", "2026-10-01", "2026-10-31", "2026-11-05T09:30:00"),
)
SHIPMENTS = (STOCK, *MONTHS)


def split_by_shipment(
    on: np.ndarray, rng: np.random.Generator, backdated: float = 0.01
) -> tuple[list[np.ndarray], int]:
    """Return the rows of each shipment, and how many came late into the last one.

    A row goes with the shipment its day falls in; of those of May to July some were forgotten
    and come only in October, with their true (backdated) day.
    """
    slot = np.searchsorted([s.until for s in SHIPMENTS], on)
    recent = (on >= np.datetime64("2026-05-01")) & (slot == 0)
    forgotten = recent & (rng.random(len(on)) < backdated)
    slot[forgotten] = len(SHIPMENTS) - 1
    return [np.flatnonzero(slot == s) for s in range(len(SHIPMENTS))], int(forgotten.sum())
