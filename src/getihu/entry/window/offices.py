"""Offices with their hours, and the slots of a day by the working calendar with 调休."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from getihu.kernel.errors import GetihuError, InvalidInput, Problem
from getihu.kernel.workdays import DayKind, WorkCalendar
from getihu.reference import selectors as reference

CITY_TIME = ZoneInfo("Asia/Shanghai")
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Period = tuple[Clock, Clock]


class UnknownOffice(GetihuError):
    """No office has this id."""

    exit_code = 3


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Times(_Strict):
    hours: tuple[Period, ...] | None = None
    weekend_hours: tuple[Period, ...] | None = None
    slot_minutes: Annotated[int, Field(ge=5, le=240)] | None = None
    counters: Annotated[int, Field(ge=1, le=50)] | None = None
    bookable_workdays: Annotated[int, Field(ge=1, le=60)] | None = None
    source: str | None = None

    @model_validator(mode="after")
    def in_order(self) -> "_Times":
        for periods in (self.hours or (), self.weekend_hours or ()):
            ends = [text for period in periods for text in period]
            if ends != sorted(set(ends)):
                raise ValueError("时间要从早到晚，不能重叠")
        return self


class _Entry(_Times):
    """One office, or with ``level: county`` one in each county."""

    agency: str
    level: Literal["county"] | None = None
    division: Annotated[str, Field(pattern=r"^3303[0-9]{2}([0-9]{3})?$")] | None = None
    name: str = ""
    address: str = ""

    @model_validator(mode="after")
    def one_place(self) -> "_Entry":
        if (self.level is None) == (self.division is None):
            raise ValueError("level 和 division 写一个")
        return self


class _File(_Strict):
    default: _Times
    offices: tuple[_Entry, ...]


@dataclass(frozen=True)
class Office:
    """An office. ``hours`` on working days, ``weekend_hours`` on weekends that are no holiday;
    ``counters`` is how many are received at once; ``address`` empty: not told."""

    id: str
    name: str
    agency: str
    division: str
    hours: tuple[tuple[time, time], ...]
    weekend_hours: tuple[tuple[time, time], ...]
    slot_minutes: int
    counters: int
    bookable_workdays: int
    address: str
    source: str


@dataclass(frozen=True)
class SlotTime:
    """When a slot begins and ends (half-open)."""

    starts_at: datetime
    ends_at: datetime


def list_offices() -> tuple[Office, ...]:
    """Every office, by division. Raises InvalidInput for a broken file."""
    path = Path(getattr(settings, "OFFICES_FILE", "") or Path(__file__).parent / "offices.yaml")
    return _read(path, path.stat().st_mtime_ns)


def get_office(office_id: str) -> Office:
    """One office. Raises UnknownOffice."""
    for office in list_offices():
        if office.id == office_id:
            return office
    raise UnknownOffice("没有这个办事窗口。处理办法：从列表里选一个。")


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> tuple[Office, ...]:
    try:
        raw: Any = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
        listed = _File.model_validate(raw)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        fix = "检查缩进、冒号和引号。"
        raise InvalidInput([Problem("不是有效的 YAML", str(path), line, fix=fix)]) from None
    except ValidationError as error:
        raise InvalidInput([_problem(one, path) for one in error.errors()]) from None
    return tuple(sorted(_made(listed), key=lambda office: office.id))


def _problem(one: Any, path: Path) -> Problem:
    where = ".".join(map(str, one["loc"]))
    return Problem(str(one["msg"]), str(path), field=where, fix="对照 entry/window/offices.yaml。")


def _made(listed: _File) -> Iterable[Office]:
    for entry in listed.offices:
        counties = [each.code for each in reference.list_counties()]
        for division in [entry.division] if entry.division else counties:
            yield _office(entry, listed.default, division)


def _office(entry: _Entry, default: _Times, division: str) -> Office:
    def said(name: str) -> Any:
        own = getattr(entry, name)
        return own if own is not None else getattr(default, name)

    agency = reference.agency_name(entry.agency, division)
    return Office(
        id=f"{entry.agency}-{division}",
        name=entry.name or f"{agency}办事窗口",
        agency=entry.agency,
        division=division,
        hours=_periods(said("hours")),
        weekend_hours=_periods(said("weekend_hours")),
        slot_minutes=said("slot_minutes"),
        counters=said("counters"),
        bookable_workdays=said("bookable_workdays"),
        address=entry.address,
        source=said("source") or "",
    )


def _periods(periods: tuple[Period, ...] | None) -> tuple[tuple[time, time], ...]:
    return tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in periods or ())


def slots_of(office: Office, on: date, calendar: WorkCalendar) -> list[SlotTime]:
    """The slots of a day, in order; none on a day the office is not open. A rest that is too short
    for a slot is left out."""
    day = calendar.day(on)
    weekend = office.weekend_hours if day.kind is DayKind.WEEKEND else ()
    length = timedelta(minutes=office.slot_minutes)
    found = []
    for opens, closes in office.hours if day.is_workday else weekend:
        start = datetime.combine(on, opens, CITY_TIME)
        end = datetime.combine(on, closes, CITY_TIME)
        while start + length <= end:
            found.append(SlotTime(start, start + length))
            start += length
    return found


def open_days(office: Office, today: date, calendar: WorkCalendar) -> list[date]:
    """Today and the days on which the office is open, as far ahead as it takes appointments."""
    found, on = [], today
    last = calendar.add_workdays(today, office.bookable_workdays).on
    while on <= last:
        if slots_of(office, on, calendar):
            found.append(on)
        on += timedelta(days=1)
    return found


def is_closed_because(on: date, calendar: WorkCalendar) -> str:
    """Why an office is closed on a day by the calendar, in Chinese; empty on a working day."""
    kind = calendar.day(on).kind
    return {DayKind.HOLIDAY: "放假（含调休）", DayKind.WEEKEND: "周末"}.get(kind, "")


def read_moment(text: str) -> datetime | None:
    """The moment a slot's address names (2026-11-03T09:00); None for anything else."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=CITY_TIME)
    except ValueError:
        return None
