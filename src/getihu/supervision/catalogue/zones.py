"""Where and when stalls may stand: one YAML file a zone (温州市市容和环境卫生管理条例 第二十一条)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Final, Literal

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, model_validator

from getihu.kernel.errors import GetihuError, nearest_name
from getihu.supervision.catalogue.files import Stamps, read_files, stamps_of

HOW_TO: Final = "照 supervision/zones 里的其他文件改。"
DAYS: Final = "一二三四五六日"
Goods = Literal["food", "crafts", "farm", "goods"]
GOODS: Final[dict[str, str]] = {
    "food": "吃的喝的", "crafts": "手工、文创", "farm": "自产的农产品", "goods": "日用小商品",
}  # fmt: skip
Text = Annotated[str, Field(min_length=1)]
_LOOK_AHEAD: Final = 366  # days


class UnknownZone(GetihuError):
    """No zone has this id."""

    exit_code = 3


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hours(Part):
    """Some days of the week (1 Monday … 7 Sunday) from one time to another; ``until`` earlier than
    ``since`` is after midnight."""

    days: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(min_length=1)]
    since: time
    until: time

    @model_validator(mode="after")
    def _lasts(self) -> "Hours":
        if self.since == self.until:
            raise ValueError("since 和 until 相同，一分钟也没有开")
        return self

    def began_on(self, at: datetime) -> date | None:
        """The day whose market runs at a local time; None when none does."""
        today, yesterday = at.date(), at.date() - timedelta(days=1)
        if today.isoweekday() in self.days and at.time() >= self.since:
            if self.until < self.since or at.time() < self.until:
                return today
        elif yesterday.isoweekday() in self.days and at.time() < self.until < self.since:
            return yesterday
        return None


class Zone(Part):
    """A place where stalls may stand.

    ``division``: county (6) or town (9) code; ``goods``: what may be sold; ``closed_on``: days on
    which nobody may stand; ``near_school``: within the area around schools where food stalls are
    forbidden (None: nobody has said). ``official`` False: made up for the demo.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Text
    division: Annotated[str, Field(pattern=r"^\d{6}(\d{3})?$")]
    where: Text
    approved_by: Text
    source: Text
    official: bool
    valid_from: date
    valid_until: date | None
    places: Annotated[int, Field(ge=1)]
    hours: Annotated[tuple[Hours, ...], Field(min_length=1)]
    goods: Annotated[tuple[Goods, ...], Field(min_length=1)]
    conditions: tuple[Text, ...] = ()
    closed_on: tuple[date, ...] = ()
    near_school: bool | None = None

    def is_valid(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)

    def is_open(self, at: datetime) -> bool:
        """Whether stalls may stand at a local time, whatever they sell."""
        days = [day for hours in self.hours if (day := hours.began_on(at)) is not None]
        return any(self.is_valid(day) and day not in self.closed_on for day in days)

    def opens_next(self, at: datetime) -> datetime | None:
        """The next local time from which stalls may stand; None within a year none."""
        starts = sorted(
            datetime.combine(at.date() + timedelta(days=n), hours.since, at.tzinfo)
            for n in range(_LOOK_AHEAD)
            for hours in self.hours
            if (at.date() + timedelta(days=n)).isoweekday() in hours.days
        )
        return next((start for start in starts if start > at and self.is_open(start)), None)


@dataclass(frozen=True)
class StallAnswer:
    """May one stand here then. ``allowed`` None: what is missing is among the ``reasons``, each with
    its source. ``next_at``: the next local time from which it is allowed, where time alone is
    missing. ``zone``: None outside every zone."""

    allowed: bool | None
    zone: Zone | None
    reasons: tuple[tuple[str, str], ...]
    next_at: datetime | None
    rule_id: str


def list_zones() -> list[Zone]:
    """Every zone, by division and id. Raises InvalidInput with every problem of every file."""
    found = _zones(_stamps()).values()
    return sorted(found, key=lambda zone: (zone.division, zone.id))


def get_zone(zone_id: str) -> Zone:
    """Raises UnknownZone with the nearest id."""
    known = _zones(_stamps())
    if zone_id not in known:
        near = nearest_name(zone_id, known)
        raise UnknownZone(f"没有摆摊区域 {zone_id}。{f'最接近的是 {near}。' if near else ''}")
    return known[zone_id]


def _stamps() -> Stamps:
    return stamps_of(settings.STALL_ZONE_DIRS)


@lru_cache(maxsize=4)
def _zones(stamps: Stamps) -> dict[str, Zone]:
    return read_files(Zone, stamps, HOW_TO)
