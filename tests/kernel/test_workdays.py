"""Working days on a small calendar of our own: announced 2026, provisional 2027 and 2028."""

from datetime import date

import pytest

from getihu.kernel.workdays import CalendarUnknown, DayKind, WorkCalendar

CALENDAR = WorkCalendar(
    special={
        date(2026, 10, 1): DayKind.HOLIDAY,
        date(2026, 10, 2): DayKind.HOLIDAY,
        date(2026, 10, 10): DayKind.MAKEUP,
    },
    statutory_days=lambda year: frozenset({date(year, 1, 1)}),
    first_year=2026,
    last_year=2026,
    horizon_year=2028,
)


@pytest.mark.parametrize(
    ("on", "kind", "works"),
    [
        (date(2026, 9, 30), DayKind.WORKDAY, True),
        (date(2026, 10, 1), DayKind.HOLIDAY, False),
        (date(2026, 10, 3), DayKind.WEEKEND, False),
        (date(2026, 10, 10), DayKind.MAKEUP, True),
    ],
)
def test_a_day_is_what_the_notice_says(on, kind, works):
    assert (CALENDAR.day(on).kind, CALENDAR.is_workday(on)) == (kind, works)
    assert not CALENDAR.day(on).provisional


def test_counts_after_the_start_and_counts_the_makeup_day():
    assert CALENDAR.add_workdays(date(2026, 9, 30), 6).on == date(2026, 10, 10)
    assert CALENDAR.count_workdays(date(2026, 9, 30), date(2026, 10, 10)) == 6


def test_no_days_is_the_start_itself():
    assert CALENDAR.add_workdays(date(2026, 10, 3), 0).on == date(2026, 10, 3)
    with pytest.raises(ValueError, match="不能为负"):
        CALENDAR.add_workdays(date(2026, 10, 3), -1)


def test_an_end_on_a_holiday_moves_only_when_asked():
    assert CALENDAR.first_workday_from(date(2026, 10, 1)).on == date(2026, 10, 5)
    assert CALENDAR.first_workday_from(date(2026, 10, 10)).on == date(2026, 10, 10)


def test_a_deadline_that_crosses_into_a_year_not_announced_says_so():
    announced = CALENDAR.add_workdays(date(2026, 12, 28), 3)
    assert (announced.on, announced.provisional, announced.note) == (date(2026, 12, 31), False, "")
    crossing = CALENDAR.add_workdays(date(2026, 12, 28), 4)
    assert (crossing.on, crossing.provisional) == (date(2027, 1, 4), True)
    assert "国务院办公厅尚未公布 2027 年" in crossing.note
    assert "2027—2028 年" in CALENDAR.add_workdays(date(2026, 12, 28), 300).note


@pytest.mark.parametrize("on", [date(2025, 12, 31), date(2029, 1, 1)])
def test_a_year_outside_the_calendar_is_refused(on):
    with pytest.raises(CalendarUnknown, match=f"2026—2028 年，没有 {on.year} 年。处理办法"):
        CALENDAR.day(on)
