"""What leaves the reference app: divisions, towns, industry classes, departments."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Division:
    """A province, city or county of GB/T 2260. ``level`` is 1, 2 or 3."""

    code: str
    name: str
    level: int
    parent_code: str


@dataclass(frozen=True)
class Town:
    """A town or subdistrict (乡镇、街道) of Wenzhou, nine-digit NBS code."""

    code: str
    name: str
    county_code: str
    county_name: str


@dataclass(frozen=True)
class FormerDivision:
    """A code that is no longer (or never was) a county.

    ``current_code`` is None when the code alone does not say where: look at the address.
    """

    code: str
    name: str
    current_code: str | None
    note: str


@dataclass(frozen=True)
class Industry:
    """A class of GB/T 4754-2017. ``level``: 1 section, 2 division, 3 group, 4 class."""

    code: str
    name: str
    level: int
    section: str
    parent_code: str | None
    note: str


@dataclass(frozen=True)
class Department:
    """A department that delivers data."""

    code: str
    name: str
    short_name: str


@dataclass(frozen=True)
class TownMatch:
    """Where an address lies, as far as its text says.

    ``town_code`` and ``county_code`` are None when the text does not settle them; ``how`` names
    the rule that matched (town, former town, stem, village, county, none); ``alternatives`` are
    the town codes among which the text does not choose.
    """

    town_code: str | None
    county_code: str | None
    matched: str
    how: str
    alternatives: tuple[str, ...] = ()
