"""Which office is competent: computed from subject, place and day, never picked by hand.

The answer is exactly one office or a named gap. 龙港市 has no towns; elsewhere a competence of the
town needs to know the town.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources
from itertools import combinations
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from getihu.kernel.errors import InvalidInput, Problem
from getihu.reference import selectors as reference
from getihu.support.appeals.subjects import get_subject, list_subjects

FILE: Final = "support/appeals/routes.yaml"
TOWN: Final = "town"
DISCIPLINE: Final = "discipline"
UNOFFICIAL: Final = "本项目设定，非官方"
Level = Literal["city", "county", "town"]
_FINEST: Final[tuple[Level, ...]] = ("town", "county", "city")
_SEATS: Final = {"subdistrict": "办事处", "town": "人民政府", "township": "人民政府"}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Strict):
    """One competence, or with ``gap`` why there is none. ``until`` is exclusive; ``places`` are
    beginnings of division codes (empty: the whole city)."""

    subject: str
    level: Level = "county"
    body: str = ""
    gap: str = ""
    since: Annotated[date, Field(alias="from")]
    until: date | None = None
    places: tuple[Annotated[str, Field(pattern=r"^3303\d*$")], ...] = ()
    ground: str = ""
    official: bool = True
    note: str = ""

    @model_validator(mode="after")
    def _body_or_gap(self) -> "Row":
        if bool(self.body) == bool(self.gap):
            raise ValueError("body 和 gap 写一个")
        if self.body and not self.ground:
            raise ValueError("要写依据（ground）")
        return self


class _Settler(_Strict):
    body: str
    level: Level
    name: str
    official: bool = True


class _File(_Strict):
    settled_by: _Settler
    routes: tuple[Row, ...]


@dataclass(frozen=True)
class Office:
    """An office: department, the division it is over, and how it is called."""

    agency: str
    division: str
    name: str


@dataclass(frozen=True)
class Competent:
    """The one office competent, and why. ``official`` False: 本项目设定，非官方."""

    office: Office
    level: Level
    ground: str
    official: bool
    note: str


@dataclass(frozen=True)
class Gap:
    """Nobody is competent by the data, why, and who must settle it."""

    reason: str
    settled_by: Office


def route(
    subject_id: str, place: str | None, on: date, about: tuple[str, str] | None = None
) -> Competent | Gap:
    """The office competent for a subject at a place (division code) on a day, or the gap.

    ``about``: agency and division complained of, for subjects about an office. Raises
    UnknownSubject.
    """
    subject = get_subject(subject_id)
    if subject.about_office:
        if about is None:
            return _gap("没有写投诉的是哪个机关")
        if about[0] == DISCIPLINE:
            return _gap("投诉的是纪检监察机关自己，不能由它和它的上级系统办")
        place = about[1]
    if not place:
        return _gap("地点没有写到哪个县（市、区）")
    if not _in_city(place):
        return _gap("地点不在温州市")
    rows = [row for row in _rows() if row.subject == subject_id and _holds(row, place, on)]
    if not rows:
        return _gap(f"{on} 没有哪个部门的职责写到这一类")
    for level in _FINEST:
        row = next((each for each in rows if each.level == level), None)
        if row is None:
            continue
        if row.gap:
            return _gap(row.gap)
        if subject.about_office:
            return _competent(row, place if _is_city(place) else place[:6])
        if level == "town":
            if _town(place):
                return _competent(row, place)
            if _needs_a_town(place):
                return _gap("地点没有写到镇街；这一类归镇街管")
            continue
        if level == "county" and _is_city(place):
            return _gap("地点没有写到哪个县（市、区）")
        return _competent(row, reference.WENZHOU if level == "city" else place[:6])
    return _gap(f"{on} 没有哪个部门的职责写到这一类")


def office_of(agency: str, division: str) -> Office:
    """An office by department and division, with its name."""
    if agency == TOWN:
        town = reference.get_town(division)
        name = f"{town.name}{_SEATS.get(town.kind, '')}" if town else "镇街"
        return Office(agency, division, name)
    return Office(agency, division, reference.agency_name(agency, division))


def settler() -> Office:
    """Who settles a gap: the office of the joint conference."""
    told = _file().settled_by
    return Office(told.body, reference.WENZHOU, told.name)


def list_routes() -> tuple[Row, ...]:
    """Every row. Raises InvalidInput for a broken file."""
    return _rows()


def _competent(row: Row, division: str) -> Competent:
    level: Level = "city" if _is_city(division) else row.level
    office = office_of(row.body, division)
    return Competent(office, level, row.ground, row.official, row.note)


def _gap(reason: str) -> Gap:
    return Gap(reason, settler())


def _in_city(place: str) -> bool:
    known = place == reference.WENZHOU or place[:6] in {c.code for c in reference.list_counties()}
    return known and (len(place) == 6 or reference.get_town(place) is not None)


def _is_city(place: str) -> bool:
    return place == reference.WENZHOU


def _town(place: str) -> bool:
    """Whether the place is a town with a government of its own: a development zone has none."""
    town = reference.get_town(place)
    return town is not None and town.kind in _SEATS


def _needs_a_town(place: str) -> bool:
    """Whether the place is a county that has towns, and so too wide."""
    return len(place) == 6 and bool(reference.list_towns(place))


def _holds(row: Row, place: str, on: date) -> bool:
    in_force = row.since <= on and (row.until is None or on < row.until)
    return in_force and (not row.places or place.startswith(row.places))


def _rows() -> tuple[Row, ...]:
    return _file().routes


@lru_cache
def _file() -> _File:
    text = resources.files("getihu.support.appeals").joinpath("routes.yaml").read_text("utf-8")
    return read_routes(text, FILE)


def read_routes(text: str, file: str) -> _File:
    """The rows of a YAML text. Raises InvalidInput with every problem: unknown names, and two rows
    that would both be competent."""
    try:
        found = _File.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except ValidationError as error:
        raise InvalidInput(
            Problem(str(e["msg"]), file, field=".".join(map(str, e["loc"])), fix="对照别的行改。")
            for e in error.errors()
        ) from None
    problems = list(_problems(found, file))
    if problems:
        raise InvalidInput(problems)
    return found


def _problems(found: _File, file: str) -> Iterable[Problem]:
    subjects = {subject.id for subject in list_subjects()}
    bodies = {each.code for each in reference.list_departments()} | {TOWN}
    for row in found.routes:
        if row.subject not in subjects:
            yield Problem(
                f"没有“{row.subject}”这一类", file, field="subject", fix="对照 subjects.yaml。"
            )
        if row.body and row.body not in bodies:
            yield Problem(f"没有部门“{row.body}”", file, field="body", fix="对照 departments.csv。")
    for one, two in combinations(found.routes, 2):
        if one.subject == two.subject and one.level == two.level and _overlap(one, two):
            yield Problem(
                f"{one.subject} 在同一级、同一天有两个部门（{one.body or 'gap'}、{two.body or 'gap'}）",
                file,
                fix="写清各自从哪天到哪天、哪些地方，或者改成 gap。",
            )


def _overlap(one: Row, two: Row) -> bool:
    in_time = (one.until is None or two.since < one.until) and (
        two.until is None or one.since < two.until
    )
    in_place = (
        not one.places
        or not two.places
        or any(a.startswith(b) or b.startswith(a) for a in one.places for b in two.places)
    )
    return in_time and in_place
