"""A small city drawn at random, written and published as the intake would."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from getihu.dataplane.contracts import Column, DatasetContract
from getihu.dataplane.models import Delivery, Snapshot, SnapshotDelivery
from tests.dataplane_facts.store import Store, at

COUNTIES = ("330302", "330304", "330382", "330383")
MONTHS = [date(2025 + n // 12, n % 12 + 1, 1) for n in range(22)]


def draw_city(store: Store, *, traders: int, seed: int) -> list[str]:
    """Write a base delivery and two corrections of every dataset; return the traders' codes."""
    rng = Random(seed)
    codes = [f"92330302MA2{n:07d}" for n in range(traders)]
    for dataset, contract in store.contracts.items():
        base = [_row(contract, rng, codes) for _ in range(traders * 3)]
        if dataset == "registrations":
            base += [_row(contract, rng, [code]) for code in codes[:-2]]
        # A key twice in one file never passes the intake.
        base = list({tuple(row[k] for k in contract.key): row for row in base}.values())
        later = [_row(contract, rng, codes) for _ in range(traders // 4)]
        later += [dict(row, record_status="withdrawn") for row in base[:3]]
        first, until = ("2026-08-31",) * 2 if dataset == "loans" else ("2026-09-30", "2026-10-31")
        store.deliver(dataset, base, issued="2026-10-08", until=first, waiting=codes[:2])
        store.deliver(dataset, later, issued="2026-11-03", until=until, divisions=COUNTIES[:3])
        store.deliver(dataset, base[:5], issued="2026-11-05", until=until, waiting=codes[2:4])
    return codes


def _row(contract: DatasetContract, rng: Random, codes: list[str]) -> dict[str, Any]:
    return {column.name: _cell(column, contract, rng, codes) for column in contract.columns}


def _cell(column: Column, contract: DatasetContract, rng: Random, codes: list[str]) -> Any:
    if not column.required and rng.random() < 0.3:
        return None
    if column.name in contract.key and column.type == "text":
        return f"{contract.id}-{rng.randrange(10**6)}"
    drawn = {
        "credit_code": lambda: rng.choice(codes),
        "county": lambda: rng.choice(COUNTIES),
        "industry": lambda: str(rng.randrange(5100, 6300)),
        "enum": lambda: rng.choice(list(column.values)),
        "integer": lambda: rng.randrange(6),
        "year": lambda: rng.choice([2023, 2024, 2025]),
        "money": lambda: Decimal(rng.randrange(10**7)) / 100,
        "decimal": lambda: Decimal(rng.randrange(10**4)) / 10_000,
        "boolean": lambda: rng.random() < 0.5,
        "date": lambda: date(2023, 1, 1) + timedelta(days=rng.randrange(1500)),
        "month": lambda: rng.choice(MONTHS),
    }.get(column.type, lambda: f"{column.name}{rng.randrange(50)}")
    return drawn()


def publish(store: Store, *, number: int = 1, snapshot_id: str = "s0123456789ab") -> Snapshot:
    """Insert the bookkeeping of the deliveries written, as one published snapshot."""
    snapshot = Snapshot.objects.create(
        number=number,
        snapshot_id=snapshot_id,
        published_at=at("2026-11-06"),
        data_until=date(2026, 10, 31),
        row_count=0,
    )
    for d in store.deliveries:
        row, _ = Delivery.objects.get_or_create(
            delivery_id=d.delivery_id,
            status="published",
            defaults={
                "content_sha256": "0" * 64,
                "dataset": d.dataset,
                "department": store.contracts[d.dataset].department,
                "period": "2026-09",
                "issued_at": d.issued_at,
                "received_at": d.issued_at,
                "covers_until": d.covers_until,
                "divisions": list(d.divisions),
                "rows_in": 2,
                "accepted": 1 if d.rows else 0,
                "quarantined": 1 if d.waiting else 0,
                "duplicate": 2 - bool(d.rows) - bool(d.waiting),
            },
        )
        SnapshotDelivery.objects.create(snapshot=snapshot, delivery=row)
    return snapshot
