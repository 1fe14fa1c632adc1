"""Working days with 调休. Years not announced yet are provisional and say so."""

from collections.abc import Mapping
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
    """A year before the first one the calendar knows."""


@dataclass(frozen=True)
class WorkCalendar:
    """Announced special days, and statutory days of the years after.

    ``special`` maps a day to holiday or makeup for the announced years ``first_year`` to
    ``last_year``; ``expected`` holds statutory holidays of later years, without 调休.
    """

    special: Mapping[date, DayKind]
    expected: Mapping[date, DayKind]
    first_year: int
    last_year: int

    def day(self, on: date) -> Day:
        """Return what the day is. Raises CalendarUnknown before ``first_year``."""
        if on.year < self.first_year:
            raise CalendarUnknown(
                f"工作日历从 {self.first_year} 年起，没有 {on.year} 年。"
                "处理办法：核对日期；确需更早的年份，请补录国务院办公厅当年的放假通知。"
            )
        provisional = on.year > self.last_year
        table = self.expected if provisional else self.special
        kind = table.get(on) or (DayKind.WEEKEND if on.weekday() >= 5 else DayKind.WORKDAY)
        return Day(on, kind, provisional)

    def is_workday(self, on: date) -> bool:
        return self.day(on).is_workday

    def add_workdays(self, start: date, count: int) -> Deadline:
        """Return the ``count``-th working day after ``start`` (which is not counted itself)."""
        if count < 0:
            raise ValueError("工作日数不能为负")
        on, left, provisional = start, count, self.day(start).provisional
        while left:
            on += timedelta(days=1)
            day = self.day(on)
            provisional = provisional or day.provisional
            left -= day.is_workday
        return Deadline(on, provisional, self._note(on) if provisional else "")

    def count_workdays(self, after: date, until: date) -> int:
        """Return the number of working days after ``after`` up to and including ``until``."""
        span = (until - after).days
        return sum(self.is_workday(after + timedelta(days=i)) for i in range(1, span + 1))

    def _note(self, on: date) -> str:
        return (
            f"国务院办公厅尚未公布 {on.year} 年的放假和调休安排，"
            "本日期按周末和法定节假日暂计，公布后重新计算。"
        )
