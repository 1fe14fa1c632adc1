"""One more delivery of the demo's tax office: what it agreed to put right about one trader."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from getihu.dataplane import selectors as dataplane
from getihu.gateways.demo_city.delivering import describe_file, private_key, write_manifest

DATASET = "tax_years"


def write_tax_correction(
    inbox: Path, seed: int, trader_code: str, sales_yuan: Decimal, *, on: date, at: datetime
) -> None:
    """Write a delivery in which one trader's sales of last year are ``sales_yuan`` and all else is
    as it was, signed as the demo city's tax office signs. ``on``: the day the data reach."""
    contract = dataplane.dataset_contracts()[DATASET]
    year = on.year - 1
    records = dataplane.list_records(DATASET, trader_code, as_of=on)
    record = next(r for r in records if r["tax_year"] == year)
    corrects = dataplane.get_trader_facts(trader_code, on).values["annual_sales_yuan"].delivery_id
    record = {**record, "trader_code": trader_code, "sales_yuan": sales_yuan}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(c.header for c in contract.columns), "记录状态"])
    writer.writerow([*(_cell(c.values, record[c.name]) for c in contract.columns), "有效"])
    folder = inbox / f"tax-correction-{at:%Y%m%d}"
    folder.mkdir(parents=True)
    file = folder / "tax_years.csv"
    file.write_text(out.getvalue(), "utf-8")
    manifest: dict[str, object] = {
        "format": "getihu-delivery/1",
        "delivery_id": folder.name,
        "dataset": DATASET,
        "department": contract.department,
        "period": str(year),
        "issued_at": at.isoformat(timespec="seconds"),
        "covers_until": on.isoformat(),
        "divisions": ["330300"],
        "corrects": corrects,
        "files": [describe_file(file, 1, "utf-8")],
    }
    write_manifest(folder, manifest, private_key(seed, contract.department))


def _cell(values: dict[str, str], value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    return values.get(str(value), str(value))
