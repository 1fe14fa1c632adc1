"""Rows of the small city agree with each other: known traders, days within a trader's life."""

import csv
import json
from datetime import date

import pytest

from getihu.gateways.demo_city.feeds import contract
from getihu.kernel.codes import InvalidCreditCode, normalise_credit_code

DAY_COLUMNS = {
    "annual_reports": "filed_on",
    "penalties": "decided_on",
    "abnormal_marks": "listed_on",
    "permits": "issued_on",
    "honours": "granted_on",
    "intellectual_property": "registered_on",
    "heritage": "listed_on",
    "registration_changes": "changed_on",
    "loans": "granted_on",
    "operator_statuses": "recognised_on",
    "statistics_units": "entered_on",
}


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def rows_of(out, dataset):
    """Rows of every delivery of a dataset as name → cell, without lines of another width."""
    names = [c["name"] for c in contract(dataset).columns] + ["record_status"]
    for folder in sorted(out.glob(f"{dataset}-*")):
        manifest = json.loads((folder / "manifest.json").read_bytes())
        for entry in manifest["files"]:
            encoding = entry["encoding"] or "gb18030"
            text = (folder / entry["name"]).read_bytes().decode(encoding, errors="replace")
            for cells in list(csv.reader(text.splitlines()))[1:]:
                if len(cells) == len(names):
                    yield dict(zip(names, cells, strict=True))


def code_of(row) -> str | None:
    try:
        return normalise_credit_code(row["trader_code"])
    except InvalidCreditCode:
        return None


@pytest.fixture(scope="module")
def lives(small_city):
    """Code → first day and, once gone, last day on the register."""
    out, _ = small_city
    found = {}
    for row in rows_of(out, "registrations"):
        code, started, status_on = code_of(row), day(row["established_on"]), day(row["status_on"])
        if code and started:
            gone = row["status"] in ("注销", "吊销", "撤销")
            found[code] = (started, status_on if gone else None)
    return found


@pytest.mark.parametrize("dataset", sorted(DAY_COLUMNS))
def test_days_lie_within_the_traders_life(small_city, lives, dataset):
    out, _ = small_city
    checked = 0
    for row in rows_of(out, dataset):
        on = day(row[DAY_COLUMNS[dataset]])
        if on is None or code_of(row) not in lives:
            continue
        started, gone = lives[code_of(row)]
        assert started <= on, row
        assert gone is None or on <= gone, row
        checked += 1
    assert checked


@pytest.mark.parametrize("dataset", [*DAY_COLUMNS, "tax_years", "vat_months", "social_insurance"])
def test_nearly_every_row_belongs_to_a_registered_trader(small_city, lives, dataset):
    """The rest: codes spoiled on purpose, and traders whose own registration row is spoiled."""
    out, _ = small_city
    rows = list(rows_of(out, dataset))
    strangers = sum(code_of(row) not in lives for row in rows)
    assert strangers <= max(6, 0.03 * len(rows))


def test_longgang_has_no_towns_and_all_others_may(small_city):
    out, _ = small_city
    towns = {
        row["town_code"] for row in rows_of(out, "registrations") if row["county_code"] == "330383"
    }
    assert towns == {""}


def test_names_hold_rare_place_characters_and_old_towns(small_city):
    out, summary = small_city
    text = "".join(row["address"] for row in rows_of(out, "registrations"))
    assert "垟" in text
    assert "龙港镇" in text
    assert summary.planted()["old_town_name"] > 0


def test_september_and_october_insurance_lack_one_county(small_city):
    out, _ = small_city
    for month in ("2026-09", "2026-10"):
        path = out / f"social_insurance-{month}" / "manifest.json"
        divisions = json.loads(path.read_bytes())["divisions"]
        assert len(divisions) == 11
        assert "330329" not in divisions


def test_a_correction_names_what_it_corrects(small_city):
    _, summary = small_city
    corrected = next(p for p in summary.personas if p["id"] == "corrected")
    corrections = {d.delivery_id: d.corrects for d in summary.deliveries if d.corrects}
    assert corrections["tax_years-2025-02"] == "tax_years-2025-01"
    out, _ = small_city
    sales = [
        row["sales_yuan"]
        for row in rows_of(out, "tax_years")
        if row["trader_code"] == corrected["trader_code"]
    ]
    assert sales == ["120000.00", "1200000.00"]


def test_every_kind_of_dirt_occurs(small_city):
    _, summary = small_city
    expected = {
        "code_lower_case", "code_full_width", "code_blanks", "code_check", "code_transposed",
        "blank_required", "date_impossible", "date_compact", "money_unit", "money_thousands",
        "unknown_label", "cell_extra", "cell_missing", "duplicate_row", "key_conflict",
        "wrong_encoding", "old_town_name", "unregistered_code", "later_corrected",
        "correcting_row", "withdrawn_row", "backdated_row", "resent_delivery",
        "same_id_other_content", "damaged_delivery",
    }  # fmt: skip
    assert expected <= set(summary.planted())
