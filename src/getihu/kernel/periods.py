"""Dates, periods and statutory terms. A term always carries its unit and its law.

The trap: 行政许可法 §82 counts all its days as working days, 行政处罚法 §85 only its 2, 3, 5 and
7 days, 市场主体登记管理条例 writes 工作日 where it means them. So a unit has no default.
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from getihu.kernel.errors import GetihuError
from getihu.kernel.workdays import Deadline, WorkCalendar


class LegalUnit(StrEnum):
    WORKING_DAY = "working_day"  # 工作日
    NATURAL_DAY = "natural_day"  # 日（自然日）
    MONTH = "month"  # 月
    YEAR = "year"  # 年


class InvalidPeriod(GetihuError):
    """A period that ends before it begins."""


@dataclass(frozen=True)
class Period:
    """From a date (included) until a date (excluded; None = no end known)."""

    from_: date
    until: date | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.from_:
            raise InvalidPeriod(f"期间的终止日 {self.until} 不晚于起始日 {self.from_}")

    def __contains__(self, day: date) -> bool:
        return self.from_ <= day and (self.until is None or day < self.until)

    def overlaps(self, other: "Period") -> bool:
        return (other.until is None or self.from_ < other.until) and (
            self.until is None or other.from_ < self.until
        )


@dataclass(frozen=True)
class Term:
    """A statutory term: how many of which unit, by which article. None of the three has a default.

    ``source`` names document and article, e.g. 市场主体登记管理条例第十九条.
    Raises InvalidPeriod when the amount is not positive or the source is empty.
    """

    amount: int
    unit: LegalUnit
    source: str

    def __post_init__(self) -> None:
        if not isinstance(self.unit, LegalUnit):
            known = "、".join(unit.value for unit in LegalUnit)
            raise InvalidPeriod(f"期限单位“{self.unit}”不存在。处理办法：写明 {known} 之一")
        if self.amount < 1:
            raise InvalidPeriod(f"期限 {self.amount} 不是正数。处理办法：核对法条")
        if not self.source:
            raise InvalidPeriod("期限没有法源。处理办法：写明文件和条款")

    def deadline(self, start: date, work_calendar: WorkCalendar) -> Deadline:
        """Return the last day of the term; the start day itself is not counted (民法典 §201).

        A term of natural days, months or years may end on a holiday. Where the law then moves
        its end (民法典 §203, 民事诉讼法 §85), call ``WorkCalendar.first_workday_from``: 行政 terms
        of an authority have no such rule, so it is never done silently.
        """
        if self.unit is LegalUnit.WORKING_DAY:
            return work_calendar.add_workdays(start, self.amount)
        if self.unit is LegalUnit.NATURAL_DAY:
            return Deadline(start + timedelta(days=self.amount))
        months = self.amount * (12 if self.unit is LegalUnit.YEAR else 1)
        return Deadline(add_months(start, months))


def add_months(day: date, months: int) -> date:
    """Return the same day of the month, ``months`` later; the last day where there is none.

    >>> add_months(date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def month_end(day: date) -> date:
    """Return the last day of the month ``day`` lies in."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def full_months_between(start: date, end: date) -> int:
    """Return how many whole months have passed from ``start`` to ``end`` (negative if before)."""
    if end < start:
        return -full_months_between(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if add_months(start, months) <= end else months - 1
