"""Reads of the public code lists. Everything is loaded once and never changes while running."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path

import holidays

from getihu.kernel.text import canonical_text
from getihu.kernel.workdays import DayKind, WorkCalendar
from getihu.reference.contracts import (
    Department,
    Division,
    FormerDivision,
    Industry,
    Town,
    TownMatch,
)

DATA = Path(__file__).parent / "data"
WENZHOU = "330300"
LONGGANG = "330383"
# How many years after the last announced one get provisional statutory days.
PROVISIONAL_YEARS = 10


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


# Divisions


@lru_cache
def _divisions() -> dict[str, Division]:
    return {
        r["code"]: Division(r["code"], r["name"], int(r["level"]), r["parent_code"])
        for r in _rows("divisions.csv")
    }


@lru_cache
def _former_divisions() -> dict[str, FormerDivision]:
    return {
        r["old_code"]: FormerDivision(
            r["old_code"],
            r["old_name"],
            r["new_code"] if r["certain"] == "yes" else None,
            r["note"],
        )
        for r in _rows("obsolete_divisions.csv")
    }


def get_division(code: str) -> Division | None:
    """Return the current province, city or county with this code; None when there is none."""
    return _divisions().get(code)


def get_former_division(code: str) -> FormerDivision | None:
    """Return what a code of old registrations meant, also for codes that are still in use."""
    return _former_divisions().get(code)


def current_division(code: str) -> str | None:
    """Return the county a registrar code stands for today; None when the code does not say.

    330322 (洞头县) became 330305; 330327 may lie in 苍南 or in 龙港 today; 330301 and 330300 are
    city-level registrars. Never use it to say where a shop is.
    """
    former = _former_divisions().get(code)
    if former:
        return former.current_code
    division = _divisions().get(code)
    return division.code if division and division.level == 3 else None


def division_name(code: str) -> str:
    """Return the name of a division, town included; the code itself when unknown."""
    division = _divisions().get(code)
    if division:
        return division.name
    town = _towns().get(code)
    return town.name if town else code


@lru_cache
def list_counties() -> tuple[Division, ...]:
    """Return Wenzhou's twelve counties, districts and county-level cities, by code."""
    return tuple(d for d in _divisions().values() if d.parent_code == WENZHOU and d.level == 3)


@lru_cache
def _towns() -> dict[str, Town]:
    # 龙港市 governs its villages directly: the list's one row for it is no town.
    return {
        r["town_code"]: Town(r["town_code"], r["town"], r["county_code"], r["county"])
        for r in _rows("wenzhou_towns.csv")
        if r["county_code"] != LONGGANG
    }


def get_town(code: str) -> Town | None:
    return _towns().get(code)


def list_towns(county_code: str | None = None) -> tuple[Town, ...]:
    """Return Wenzhou's towns and subdistricts; none for 龙港市 (330383), which has none."""
    return tuple(t for t in _towns().values() if county_code in (None, t.county_code))


# Industry classes


@lru_cache
def _industries() -> dict[str, Industry]:
    return {
        r["code"]: Industry(
            r["code"], r["name"], int(r["level"]), r["section"], r["parent"] or None, r["note"]
        )
        for r in _rows("industries.csv")
    }


def get_industry(code: str) -> Industry | None:
    """Return the section, division, group or class of GB/T 4754-2017 with this code."""
    return _industries().get(code)


def is_industry_code(code: str) -> bool:
    """Whether the code is a four-digit class of GB/T 4754-2017."""
    found = _industries().get(code)
    return found is not None and found.level == 4


def list_industry_classes() -> tuple[Industry, ...]:
    return tuple(i for i in _industries().values() if i.level == 4)


# Departments


@lru_cache
def list_departments() -> tuple[Department, ...]:
    return tuple(
        Department(r["code"], r["name"], r["short_name"]) for r in _rows("departments.csv")
    )


def department_name(code: str, *, short: bool = False) -> str:
    """Return a department's name; the code itself when unknown."""
    for department in list_departments():
        if department.code == code:
            return department.short_name if short else department.name
    return code


# Working calendar


@lru_cache
def work_calendar() -> WorkCalendar:
    """Return the working calendar: announced years from the table, later years provisional.

    Source of the announced years: yearly notices of the State Council's General Office.
    """
    special = {date.fromisoformat(r["date"]): DayKind(r["kind"]) for r in _rows("special_days.csv")}
    last = max(day.year for day in special)
    years = range(last + 1, last + 1 + PROVISIONAL_YEARS)
    statutory = holidays.country_holidays("CN", years=years)
    expected = dict.fromkeys(sorted(statutory), DayKind.HOLIDAY)
    return WorkCalendar(special, expected, min(day.year for day in special), last)


# Addresses

_TOWN_SUFFIX = re.compile(r"(街道|镇|乡)$")
_VILLAGE_SUFFIX = re.compile(r"(社区居委会|居委会|社区|村委会|村|居)$")
# A county is written with or without its suffix; some former names still stand on old papers.
_COUNTY_WORDS = {"洞头县": "330305", "龙港镇": LONGGANG, "苍南县龙港": LONGGANG}


@lru_cache
def _county_words() -> tuple[tuple[str, str], ...]:
    words = dict(_COUNTY_WORDS)
    for county in list_counties():
        words[county.name] = county.code
        words[county.name[:-1]] = county.code
    return tuple(sorted(words.items(), key=lambda item: -len(item[0])))


@lru_cache
def _villages() -> dict[str, dict[str, set[str]]]:
    """Village or community stem → county → the towns that have one of that name."""
    codes = {(t.county_code, t.name): t.code for t in _towns().values()}
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for r in _rows("wenzhou_villages.csv"):
        stem = _VILLAGE_SUFFIX.sub("", canonical_text(r["village_or_community"]))
        town = codes.get((r["county_code"], r["town"]))
        if town and len(stem) >= 2:
            found[stem][r["county_code"]].add(town)
    return found


def find_town_in_address(address: str, county_code: str | None = None) -> TownMatch:
    """Return the current county and town an address in free text names, never a guess.

    Rules, first that settles it: the town's full name; its stem with another suffix (a former
    镇 or 乡 that became a 街道); its stem right after the county; the one town of the county with
    a village or community of that name (old towns that became villages are found so). 龙港市 has
    no towns. ``county_code``, when known from elsewhere, is believed over the text.
    """
    text = re.sub(r"\s", "", canonical_text(address))
    text = re.sub(r"^(中国)?(浙江省|浙江)?(温州市|温州)?", "", text)
    county, rest = _county_in(text)
    county = county_code or county
    if county == LONGGANG:
        return TownMatch(None, LONGGANG, "龙港", "county")
    towns = list_towns(county)
    for how, matches in (
        ("town", _by_full_name(rest, towns)),
        ("former town", _by_other_suffix(rest, towns)),
        ("stem", _by_stem_at_start(rest, towns) if county else {}),
        ("village", _by_village(rest, county)),
    ):
        settled = _settle(matches, county, how)
        if settled:
            return settled
    return TownMatch(None, county, "", "county" if county else "none")


def _county_in(text: str) -> tuple[str | None, str]:
    """The county named at the start (or, failing that, by full name anywhere), and the rest."""
    for word, code in _county_words():
        if text.startswith(word):
            return code, text[len(word) :].lstrip("市县区")
    for word, code in _county_words():
        if len(word) >= 3 and word in text:
            return code, text.split(word, 1)[1]
    return None, text


def _by_full_name(rest: str, towns: tuple[Town, ...]) -> dict[str, str]:
    return {t.code: t.name for t in towns if t.name in rest}


def _by_other_suffix(rest: str, towns: tuple[Town, ...]) -> dict[str, str]:
    found = {}
    for town in towns:
        stem = _TOWN_SUFFIX.sub("", town.name)
        former = next((stem + s for s in ("街道", "镇", "乡") if stem + s in rest), None)
        if former and len(stem) >= 2:
            found[town.code] = former
    return found


def _by_stem_at_start(rest: str, towns: tuple[Town, ...]) -> dict[str, str]:
    stems = {t.code: _TOWN_SUFFIX.sub("", t.name) for t in towns}
    return {code: stem for code, stem in stems.items() if len(stem) >= 2 and rest.startswith(stem)}


def _by_village(rest: str, county: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in re.finditer(r"(?=([\u4e00-\u9fff]{2,6}?)(村|社区|镇|乡|居委会))", rest):
        for stem, towns in _village_towns(match.group(1), county):
            found |= dict.fromkeys(towns, stem)
    return found


def _village_towns(word: str, county: str | None) -> Iterator[tuple[str, set[str]]]:
    by_county = _villages().get(word)
    if by_county is None:
        return
    for code, towns in by_county.items():
        if county in (None, code):
            yield word, towns


def _settle(matches: dict[str, str], county: str | None, how: str) -> TownMatch | None:
    """One town when the longest matched words name exactly one; alternatives when several."""
    if not matches:
        return None
    longest = max(len(word) for word in matches.values())
    best = sorted(code for code, word in matches.items() if len(word) == longest)
    word = matches[best[0]]
    if len(best) == 1:
        return TownMatch(best[0], _towns()[best[0]].county_code, word, how)
    counties = {_towns()[code].county_code for code in best}
    county = county or (counties.pop() if len(counties) == 1 else None)
    return TownMatch(None, county, word, how, tuple(best))
