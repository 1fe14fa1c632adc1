"""Public code lists: complete, current, and honest about what a code does not say."""

import csv
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest

from getihu.kernel.periods import LegalUnit, Term, add_months
from getihu.kernel.workdays import CalendarUnknown, DayKind
from getihu.reference import selectors


def test_wenzhou_has_twelve_counties_and_longgang_has_no_towns():
    counties = {county.code for county in selectors.list_counties()}
    assert len(counties) == 12
    assert "330383" in counties
    assert selectors.list_towns("330383") == ()
    assert len(selectors.list_towns()) == 190


@pytest.mark.parametrize(
    ("code", "today"),
    [("330322", "330305"), ("330302", "330302"), ("330301", None), ("330300", None),
     ("330327", None), ("330000", None), ("999999", None)],
)  # fmt: skip
def test_an_old_registrar_code_says_only_what_it_can(code, today):
    assert selectors.current_division(code) == today


def test_a_code_that_may_be_two_places_says_why():
    former = selectors.get_former_division("330327")
    assert former is not None
    assert "龙港" in former.note


def test_industry_classes_are_four_digits():
    assert selectors.is_industry_code("6210")
    assert not selectors.is_industry_code("62")
    assert selectors.get_industry("H").name.startswith("住宿和餐饮")
    assert len(selectors.list_industry_classes()) > 1300


def test_the_calendar_agrees_with_another_hand_on_every_announced_day():
    calendar = selectors.work_calendar()
    on, wrong = date(calendar.first_year, 1, 1), []
    while on.year <= calendar.last_year:
        if calendar.is_workday(on) != chinese_calendar.is_workday(on):
            wrong.append(on)
        on += timedelta(days=1)
    assert wrong == []
    assert (on - date(2004, 1, 1)).days == 8401


def test_the_calendar_agrees_with_the_published_list(shared_dir):
    path = shared_dir / "data" / "10_calendar" / "cn_special_days_2024_2026.csv"
    calendar = selectors.work_calendar()
    kinds = {"holiday": DayKind.HOLIDAY, "workday_makeup": DayKind.MAKEUP}
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) > 100
    assert [
        r["date"]
        for r in rows
        if r["kind"] in kinds
        and calendar.day(date.fromisoformat(r["date"])).kind is not kinds[r["kind"]]
    ] == []


def test_working_days_skip_the_holiday_and_count_the_makeup_day():
    five = Term(5, LegalUnit.WORKING_DAY, "例")
    deadline = five.deadline(date(2026, 9, 30), selectors.work_calendar())
    assert (deadline.on, deadline.provisional) == (date(2026, 10, 13), False)


def test_a_deadline_in_a_year_not_announced_is_provisional_and_says_so():
    deadline = selectors.work_calendar().add_workdays(date(2026, 12, 25), 10)
    assert deadline.provisional
    assert "国务院办公厅尚未公布 2027 年" in deadline.note
    assert not selectors.work_calendar().is_workday(date(2027, 10, 1))


def test_a_year_before_the_calendar_is_refused():
    with pytest.raises(CalendarUnknown, match="2003"):
        selectors.work_calendar().day(date(2003, 5, 1))


@pytest.mark.parametrize(
    ("unit", "end"),
    [
        (LegalUnit.WORKING_DAY, date(2026, 6, 12)),
        (LegalUnit.NATURAL_DAY, date(2026, 6, 10)),
        (LegalUnit.MONTH, date(2027, 3, 31)),
        (LegalUnit.YEAR, date(2036, 5, 31)),
    ],
)
def test_the_same_number_ends_elsewhere_in_another_unit(unit, end):
    assert Term(10, unit, "例").deadline(date(2026, 5, 31), selectors.work_calendar()).on == end


def test_the_calendar_ends_with_the_century():
    assert selectors.work_calendar().day(date(2099, 10, 1)).kind is DayKind.HOLIDAY
    with pytest.raises(CalendarUnknown, match="2100"):
        selectors.work_calendar().day(date(2100, 1, 4))


def test_every_special_day_has_a_chinese_name():
    path = Path(selectors.__file__).parent.parent / "data" / "special_days.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["kind"] for row in rows} == {"holiday", "makeup"}
    assert [row for row in rows if not row["holiday"]] == []
    assert {row["date"][:4] for row in rows} == {str(year) for year in range(2004, 2027)}


def test_months_of_the_published_table_have_as_many_working_days(shared_dir):
    path = shared_dir / "data" / "10_calendar" / "cn_workdays_per_month_2024_2026.csv"
    calendar = selectors.work_calendar()
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    firsts = [date.fromisoformat(f"{row['month']}-01") for row in rows]
    ours = [
        calendar.count_workdays(first - timedelta(days=1), add_months(first, 1) - timedelta(days=1))
        for first in firsts
    ]
    assert len(rows) == 36
    assert ours == [int(row["workdays"]) for row in rows]


def test_every_village_lies_in_a_county_and_those_of_longgang_in_no_town():
    villages = selectors.list_villages()
    counties = {county.code for county in selectors.list_counties()}
    assert len(villages) == 3699
    assert {village.county_code for village in villages} == counties
    assert len(selectors.list_villages("330383")) == 104
    assert {village.town_code for village in selectors.list_villages("330383")} == {None}
    without_town = [v.name for v in villages if not v.town_code and v.county_code != "330383"]
    assert len(without_town) == 1


def test_the_lists_are_whole():
    assert len(selectors.list_divisions()) == 3348
    assert selectors.get_division("441900").level == 2
    assert len(selectors.list_division_changes()) == 120
    assert sum(town.kind == "other" for town in selectors.list_towns()) == 5


def test_names_are_found_and_unknown_codes_show_themselves():
    assert selectors.division_name("330302") == "鹿城区"
    assert selectors.division_name("330302006") == "五马街道"
    assert selectors.division_name("999999") == "999999"
    assert selectors.get_division("999999") is None
    assert selectors.department_name("hrss", short=True) == "人社"
    assert selectors.department_name("nobody") == "nobody"
