"""The working calendar: what was announced, and what the law alone says of later years."""

from datetime import date
from functools import lru_cache

import holidays

from getihu.kernel.workdays import DayKind, WorkCalendar
from getihu.reference.selectors.tables import read_rows

# The lunar tables of the holiday library end with this century.
HORIZON_YEAR = 2099


@lru_cache
def work_calendar() -> WorkCalendar:
    """Return the working calendar: 2004–2026 as announced, later years provisional to 2099.

    Source: the announced years from the yearly notices of the State Council's General Office
    (``data/special_days.csv``); later years from 全国年节及纪念日放假办法.
    """
    special = {
        date.fromisoformat(row["date"]): DayKind(row["kind"])
        for row in read_rows("special_days.csv")
    }
    years = [day.year for day in special]
    return WorkCalendar(special, _statutory_days, min(years), max(years), HORIZON_YEAR)


@lru_cache
def _statutory_days(year: int) -> frozenset[date]:
    """Days off by law, with the day given for one that falls on a weekend (§6 of the rule)."""
    return frozenset(holidays.country_holidays("CN", years=year))
