"""388 real Wenzhou households of an old public register go through the registration contract.

The file is for evaluation only: it is read where it lies and never copied. It has a name, a
credit code, a date, a scope and a free-text address, and lacks what today's contract requires.
So it goes through the door twice: once as it is, and once with the columns it lacks filled with
stated stand-ins, so that the checks of the columns it does have can be seen.
"""

import csv
from collections import Counter
from datetime import UTC, datetime

import pytest

from getihu.dataplane import selectors, services
from getihu.reference.selectors import find_town_in_address

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 6, tzinfo=UTC)
# Columns the old register does not have. Stand-ins for this test, no statement about anyone.
STAND_INS = {"status": "存续", "industry_code": "5299"}


@pytest.fixture(scope="module")
def households(shared_dir):
    path = shared_dir / "data" / "04_registrations" / "wenzhou_individual_households.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is for evaluation only and not here: read in place, never copied")
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def adapted(row):
    """What the old register says, under the contract's columns; what it lacks stays empty."""
    place = find_town_in_address(row["address"])
    return {
        "trader_code": row["uscc"],
        "name": row["name"],
        "subject_kind": row["type"],
        "established_on": row["registered_on"],
        "scope": row["scope"],
        "address": row["address"],
        "county_code": place.county_code or "",
        "town_code": place.town_code or "",
    }


def through_the_door(department, rows, monkeypatch, name):
    # The share of bad rows would hold the whole delivery; here we want to see each row's fate.
    monkeypatch.setattr("getihu.dataplane.intake.audit.MAX_QUARANTINED_RATIO", 1.0)
    department.deliver("registrations", rows, delivery_id=name)
    (delivery,) = services.ingest_directory(department.inbox, at=AT).deliveries
    assert delivery.rows_in == delivery.accepted + delivery.quarantined + delivery.duplicate == 388
    reasons = {q.reason_code: q.rows for q in selectors.count_quarantine()}
    return delivery, reasons


def test_as_they_are_none_comes_in_and_each_row_says_what_it_lacks(
    department, households, monkeypatch, capsys
):
    rows = [adapted(row) for row in households]
    delivery, reasons = through_the_door(department, rows, monkeypatch, "old-register")
    assert (delivery.accepted, delivery.quarantined) == (0, 388)
    cells = selectors.list_quarantined_rows("old-register", 0, 5000)
    lacking = Counter(cell.column for cell in cells if cell.reason_code == "blank")
    for column in ("登记状态", "状态日期", "行业代码", "最近变更日期"):
        assert lacking[column] == 388
    with capsys.disabled():
        print(f"\n388 户旧登记原样入库：接收 0，隔离 388，缺 {dict(lacking)}，首因 {reasons}")


def test_with_the_missing_columns_stood_in_most_come_in(
    department, households, monkeypatch, capsys
):
    rows = [
        adapted(row) | STAND_INS | dict.fromkeys(("status_on", "changed_on"), row["registered_on"])
        for row in households
    ]
    delivery, reasons = through_the_door(department, rows, monkeypatch, "old-register-filled")
    towns = sum(bool(row["town_code"]) for row in rows)
    longgang = sum(row["county_code"] == "330383" for row in rows)
    with capsys.disabled():
        print(
            f"\n388 户旧登记补齐缺列后：接收 {delivery.accepted}，隔离 {delivery.quarantined}，"
            f"原因 {reasons}；地址到现行乡镇 {towns}，龙港（无乡镇）{longgang}"
        )
    assert delivery.accepted >= 370
    # What is left: a county the address does not name, and kinds the contract does not know.
    unnamed = sum(not row["county_code"] for row in rows)
    kinds = sum(row["subject_kind"] not in ("个体工商户", "企业") for row in rows)
    assert set(reasons) <= {"blank", "enum"}
    assert delivery.quarantined <= unnamed + kinds
    assert towns >= 360
