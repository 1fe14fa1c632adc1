"""Writes a small published store for tests, in the layout the intake leaves behind."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from getihu.dataplane.catalogue.facts_sql import StoredDelivery
from getihu.dataplane.contracts import Column, DatasetContract, PersonalClass

ARROW_TYPES = {
    "integer": pa.int64(),
    "year": pa.int32(),
    "money": pa.decimal128(18, 2),
    "decimal": pa.decimal128(18, 4),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "month": pa.date32(),
}
VERSION = [
    ("record_status", pa.string()),
    ("valid_on", pa.date32()),
    ("known_at", pa.timestamp("us")),
    ("delivery_id", pa.string()),
    ("line_no", pa.int32()),
]
DEFAULTS = {
    "boolean": False,
    "date": date(2024, 1, 1),
    "month": date(2024, 1, 1),
    "money": Decimal("0.00"),
    "decimal": Decimal("0.0000"),
    "integer": 0,
    "year": 2024,
}


def read_contracts() -> dict[str, DatasetContract]:
    import getihu.dataplane

    folder = Path(getihu.dataplane.__file__).parent / "datasets"
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        content = yaml.safe_load(path.read_text("utf-8"))
        columns = tuple(
            Column(**(c | {"personal": PersonalClass(c["personal"])})) for c in content["columns"]
        )
        content |= {"key": tuple(content["key"]), "columns": columns}
        found[path.stem] = DatasetContract(**content)
    return found


def at(day: str | date) -> datetime:
    """Nine in the morning in Wenzhou of a day, as an aware moment."""
    return datetime.combine(date.fromisoformat(str(day)), datetime.min.time(), UTC) + timedelta(
        hours=1
    )


@dataclass
class Store:
    """A store folder and the deliveries written to it."""

    folder: Path
    contracts: Mapping[str, DatasetContract]
    deliveries: list[StoredDelivery] = field(default_factory=list)

    def deliver(
        self,
        dataset: str,
        rows: Iterable[Mapping[str, Any]] = (),
        *,
        issued: str | date,
        until: str | date,
        divisions: Sequence[str] = ("330300",),
        waiting: Sequence[str] = (),
        period_from: date | None = None,
        delivery_id: str | None = None,
    ) -> StoredDelivery:
        """Write one delivery: rows by column name (the rest by default), codes in quarantine."""
        contract = self.contracts[dataset]
        name = delivery_id or f"{dataset}-{len(self.deliveries):03d}"
        issued_at = at(issued)
        table = [
            self._row(contract, row, issued_at, name, line) for line, row in enumerate(rows, 2)
        ]
        table.sort(key=lambda row: row["trader_code"])
        delivery = StoredDelivery(
            delivery_id=name,
            dataset=dataset,
            issued_at=issued_at,
            covers_until=date.fromisoformat(str(until)),
            divisions=tuple(divisions),
            period_from=period_from,
            rows=self._write(f"store/{dataset}/{name}.parquet", table, _schema(contract)),
            waiting=self._write_waiting(name, waiting, issued_at) if waiting else None,
        )
        self.deliveries.append(delivery)
        return delivery

    def _row(
        self,
        contract: DatasetContract,
        given: Mapping[str, Any],
        issued_at: datetime,
        delivery_id: str,
        line: int,
    ) -> dict[str, Any]:
        unknown = set(given) - {c.name for c in contract.columns} - {"record_status"}
        assert not unknown, f"{contract.id} 没有列 {unknown}"
        row = {c.name: given.get(c.name, _default(c, line)) for c in contract.columns}
        valid_on = row[contract.valid_on]
        if contract.column(contract.valid_on).type == "month":
            valid_on = (valid_on + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return row | {
            "record_status": given.get("record_status", "active"),
            "valid_on": valid_on,
            "known_at": issued_at.astimezone(UTC).replace(tzinfo=None),
            "delivery_id": delivery_id,
            "line_no": line,
        }

    def _write(self, name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")
        return path

    def _write_waiting(self, name: str, codes: Sequence[str], issued_at: datetime) -> Path:
        known_at = issued_at.astimezone(UTC).replace(tzinfo=None)
        schema = pa.schema(
            [
                ("line_no", pa.int32()),
                ("trader_code", pa.string()),
                ("known_at", pa.timestamp("us")),
            ]
        )
        rows = [
            {"line_no": line, "trader_code": code, "known_at": known_at}
            for line, code in enumerate(codes, 2)
        ]
        return self._write(f"quarantine/{name}.parquet", rows, schema)


def _schema(contract: DatasetContract) -> pa.Schema:
    columns = [(c.name, ARROW_TYPES.get(c.type, pa.string())) for c in contract.columns]
    return pa.schema(columns + VERSION)


def _default(column: Column, line: int) -> Any:
    if not column.required:
        return None
    if column.type == "enum":
        return next(iter(column.values))
    return DEFAULTS.get(column.type, f"{column.name}-{line}")
