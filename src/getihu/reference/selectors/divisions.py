"""Provinces, cities, counties; Wenzhou's towns and villages; codes and names of the past."""

from datetime import date
from functools import lru_cache

from getihu.reference.contracts import Division, DivisionChange, FormerDivision, Town, Village
from getihu.reference.selectors.tables import read_rows

WENZHOU = "330300"
CANGNAN = "330327"
LONGGANG = "330383"


@lru_cache
def _divisions() -> dict[str, Division]:
    found: dict[str, Division] = {}
    for r in read_rows("divisions.csv"):
        # 东莞, 中山 and 儋州 have no counties; the list repeats each as its own. The city stays.
        found.setdefault(
            r["code"], Division(r["code"], r["name"], int(r["level"]), r["parent_code"])
        )
    return found


@lru_cache
def _former_divisions() -> dict[str, FormerDivision]:
    return {
        r["old_code"]: FormerDivision(
            r["old_code"],
            r["old_name"],
            r["new_code"] if r["certain"] == "yes" else None,
            r["note"],
        )
        for r in read_rows("obsolete_divisions.csv")
    }


@lru_cache
def list_divisions() -> tuple[Division, ...]:
    """Return every province, city and county of the country, by code."""
    return tuple(_divisions().values())


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
        r["town_code"]: Town(r["town_code"], r["town"], r["county_code"], r["county"], r["type"])
        for r in read_rows("wenzhou_towns.csv")
        if r["county_code"] != LONGGANG
    }


def get_town(code: str) -> Town | None:
    """Return the town or subdistrict of Wenzhou with this nine-digit code."""
    return _towns().get(code)


@lru_cache
def list_towns(county_code: str | None = None) -> tuple[Town, ...]:
    """Return Wenzhou's towns and subdistricts; none for 龙港市 (330383), which has none."""
    return tuple(t for t in _towns().values() if county_code in (None, t.county_code))


@lru_cache
def list_villages(county_code: str | None = None) -> tuple[Village, ...]:
    """Return Wenzhou's villages and communities by name; those of 龙港市 without a town.

    The list keeps the villages of the economic development zone apart (330371, no division of
    GB/T 2260); here they belong to the county of their town.
    """
    villages = (
        Village(
            r["village_or_community"],
            _towns()[r["town_code_nbs2022"]].county_code
            if r["town_code_nbs2022"]
            else r["county_code"],
            r["town_code_nbs2022"] or None,
        )
        for r in read_rows("wenzhou_villages.csv")
    )
    return tuple(v for v in villages if county_code in (None, v.county_code))


@lru_cache
def list_division_changes() -> tuple[DivisionChange, ...]:
    """Return the county changes of China from 2002 to 2025 that the list knows; not complete.

    洞头 (2015) and 龙港 (2019) are not in it: see ``get_former_division``.
    """
    return tuple(
        DivisionChange(
            date.fromisoformat(r["date"]),
            r["approval"],
            r["old_city"],
            r["old_county"],
            r["new_city"],
            r["new_county"],
        )
        for r in read_rows("division_changes.csv")
    )
