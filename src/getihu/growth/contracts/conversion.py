"""A conversion before, during and after."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    TRADER = "trader"
    COMPANY = "company"


@dataclass(frozen=True)
class Line:
    """One thing on both sides. Amounts in yuan, the lowest and the highest the law leaves open
    (equal where it leaves nothing open); None: there is no amount, or it is not known. ``trust`` as
    in rule files."""

    about: str
    trader: str
    company: str
    source: str
    trust: str
    trader_yuan: tuple[Decimal, Decimal] | None = None
    company_yuan: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True)
class Comparison:
    """Both sides of one year, line by line. There is no sum and no verdict: what it is worth to
    her only she can say. ``months``: as a trader and as a company in that year."""

    months: tuple[int, int]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class WhatHappens:
    """What becomes of one thing she has. ``fate``: task (the city sees to it that it goes over),
    stays, first (hers to do before), changes, unknown. ``ref`` names the record."""

    kind: str
    kind_label: str
    about: str
    ref: str
    fate: str
    fate_label: str
    text: str
    source: str
    department: str
    department_name: str


@dataclass(frozen=True)
class TaskView:
    id: int
    trader_code: str
    about: str
    ref: str
    department_name: str
    source: str
    state: str
    state_label: str
    result: str
    ended_at: datetime | None


@dataclass(frozen=True)
class DutyView:
    """Something the city owes. ``standing``: served, owed (its day has passed), to_come, denied
    (the owner says it was not served)."""

    id: int
    trader_code: str
    title: str
    due_on: date
    department_name: str
    source: str
    standing: str
    standing_label: str
    served_at: datetime | None
    note: str
    confirmed: bool


@dataclass(frozen=True)
class ConversionView:
    trader_code: str
    company_name: str
    company_form: str
    converted_on: date
    tasks: tuple[TaskView, ...]
    duties: tuple[DutyView, ...]
