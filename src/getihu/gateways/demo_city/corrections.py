"""One more delivery of a demo city's department: what it agreed to put right about one trader."""

import csv
import io
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from getihu.dataplane import selectors as dataplane
from getihu.gateways.demo_city.delivering import describe_file, private_key, write_manifest


def write_tax_correction(
    inbox: Path, seed: int, trader_code: str, sales_yuan: Decimal, *, on: date, at: datetime
) -> None:
    """Write a delivery in which one trader's sales of last year are ``sales_yuan`` and all else is
    as it was, signed as the demo city's tax office signs. ``on``: the day the data reach."""
    corrects = dataplane.get_trader_facts(trader_code, on).values["annual_sales_yuan"].delivery_id
    records = dataplane.list_records("tax_years", trader_code, as_of=on)
    record = next(r for r in records if r["tax_year"] == on.year - 1)
    changed = {**record, "sales_yuan": sales_yuan}
    _write(inbox, seed, "tax_years", trader_code, changed, str(on.year - 1), corrects, on, at)


def write_staff_correction(
    inbox: Path, seed: int, trader_code: str, employees: int, *, on: date, at: datetime
) -> None:
    """Write a delivery in which one trader's newest annual report has so many ``employees``, signed
    as the demo city's market regulator signs. ``on``: the day the data reach."""
    corrects = dataplane.get_trader_facts(trader_code, on).values["annual_employees"].delivery_id
    records = dataplane.list_records("annual_reports", trader_code, as_of=on)
    record = max(records, key=lambda r: r["report_year"])
    changed, period = {**record, "employees": employees}, str(record["report_year"])
    _write(inbox, seed, "annual_reports", trader_code, changed, period, corrects, on, at)


def _write(
    inbox: Path,
    seed: int,
    dataset: str,
    trader_code: str,
    record: Mapping[str, object],
    period: str,
    corrects: str | None,
    on: date,
    at: datetime,
) -> None:
    contract = dataplane.dataset_contracts()[dataset]
    row = {**record, "trader_code": trader_code}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(c.header for c in contract.columns), "记录状态"])
    writer.writerow([*(_cell(c.values, row[c.name]) for c in contract.columns), "有效"])
    kind = "tax" if dataset == "tax_years" else dataset.replace("_", "-")
    folder = inbox / f"{kind}-correction-{at:%Y%m%d}"
    folder.mkdir(parents=True)
    file = folder / f"{dataset}.csv"
    file.write_text(out.getvalue(), "utf-8")
    manifest: dict[str, object] = {
        "format": "getihu-delivery/1",
        "delivery_id": folder.name,
        "dataset": dataset,
        "department": contract.department,
        "period": period,
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
