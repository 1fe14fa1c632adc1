"""Working days with 调休. Years not announced yet are provisional and say so."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from getihu.kernel.errors import GetihuError


class DayKind(StrEnum):
    WORKDAY = "workday"  # 普通工作日
    WEEKEND = "weekend"  # 周末
    HOLIDAY = "holiday"  # 放假（含调休）
    MAKEUP = "makeup"  # 调休上班


@dataclass(frozen=True)
class Day:
    """What a day is. ``provisional``: the State Council's notice for its year is not out yet."""

    on: date
    kind: DayKind
    provisional: bool = False

    @property
    def is_workday(self) -> bool:
        return self.kind in (DayKind.WORKDAY, DayKind.MAKEUP)


@dataclass(frozen=True)
class Deadline:
    """The last day of a term; ``note`` says in Chinese why it may still move."""

    on: date
    provisional: bool = False
    note: str = ""


class CalendarUnknown(GetihuError):
    """A year the calendar knows nothing about."""


@dataclass(frozen=True)
class WorkCalendar:
    """Announced special days, and statutory days of the years after.

    ``special`` maps a day to holiday or makeup for the announced years ``first_year`` to
    ``last_year``. ``statutory_days`` gives the days off that the law alone fixes for a later year
    up to ``horizon_year``, without 调休: those years are provisional, and a stored deadline that
    rests on one is computed again once ``last_year`` has reached it.
    """

    special: Mapping[date, DayKind]
    statutory_days: Callable[[int], Set[date]]
    first_year: int
    last_year: int
    horizon_year: int

    def day(self, on: date) -> Day:
        """Return what the day is.

        Raises CalendarUnknown before ``first_year`` and after ``horizon_year``.
        """
        if not self.first_year <= on.year <= self.horizon_year:
            raise CalendarUnknown(
                f"工作日历只有 {self.first_year}—{self.horizon_year} 年，没有 {on.year} 年。"
                "处理办法：核对日期；确需更早的年份，请补录国务院办公厅当年的放假通知。"
            )
        if on.year <= self.last_year:
            return Day(on, self.special.get(on) or _weekly(on))
        if on in self.statutory_days(on.year):
            return Day(on, DayKind.HOLIDAY, provisional=True)
        return Day(on, _weekly(on), provisional=True)

    def is_workday(self, on: date) -> bool:
        """Return whether people work on the day; provisional years included, see ``day``."""
        return self.day(on).is_workday

    def add_workdays(self, start: date, count: int) -> Deadline:
        """Return the ``count``-th working day after ``start`` (which is not counted itself).

        Provisional, with a note, as soon as one counted day lies in a year not announced.
        """
        if count < 0:
            raise ValueError("工作日数不能为负")
        on, left = start, count
        while left:
            on += timedelta(days=1)
            left -= self.is_workday(on)
        return self._deadline(start, on)

    def workday_before(self, end: date, count: int) -> date:
        """Return the ``count``-th working day before ``end`` (which is not counted itself)."""
        if count < 0:
            raise ValueError("工作日数不能为负")
        on, left = end, count
        while left:
            on -= timedelta(days=1)
            left -= self.is_workday(on)
        return on

    def first_workday_from(self, on: date) -> Deadline:
        """Return the day itself when it is a working day, else the next one (民法典 §203)."""
        found = on
        while not self.is_workday(found):
            found += timedelta(days=1)
        return self._deadline(on, found)

    def count_workdays(self, after: date, until: date) -> int:
        """Return the number of working days after ``after`` up to and including ``until``."""
        span = (until - after).days
        return sum(self.is_workday(after + timedelta(days=i)) for i in range(1, span + 1))

    def _deadline(self, start: date, on: date) -> Deadline:
        if not self.day(on).provisional:
            return Deadline(on)
        first = max(start.year, self.last_year + 1)
        years = f"{first}" if first == on.year else f"{first}—{on.year}"
        return Deadline(
            on,
            True,
            f"国务院办公厅尚未公布 {years} 年的放假和调休安排，"
            "本日期按周末和法定节假日暂计，公布后重新计算。",
        )


def _weekly(on: date) -> DayKind:
    return DayKind.WEEKEND if on.weekday() >= 5 else DayKind.WORKDAY
