"""What leaves the reference app: divisions, towns, villages, industry classes, departments."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Division:
    """A province, city or county of GB/T 2260. ``level`` is 1, 2 or 3."""

    code: str
    name: str
    level: int
    parent_code: str


@dataclass(frozen=True)
class Town:
    """A town or subdistrict (乡镇、街道) of Wenzhou, nine-digit NBS code.

    ``kind``: subdistrict 街道, town 镇, township 乡, other (a development zone, farm or reserve
    that stands beside the towns in the statistical list).
    """

    code: str
    name: str
    county_code: str
    county_name: str
    kind: str


@dataclass(frozen=True)
class Village:
    """A village or community (村、社区) of Wenzhou. It has no code of its own here.

    ``town_code`` is None where no town stands between county and village (all of 龙港市).
    """

    name: str
    county_code: str
    town_code: str | None


@dataclass(frozen=True)
class DivisionChange:
    """A county that got another name, or came under another city, on a date.

    ``approval`` 国批 (State Council) or 民批 (Ministry of Civil Affairs). Names, not codes.
    """

    on: date
    approval: str
    old_city: str
    old_county: str
    new_city: str
    new_county: str


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
    """A department that delivers data or answers appeals."""

    code: str
    name: str
    short_name: str


@dataclass(frozen=True)
class TownMatch:
    """Where an address lies, as far as its text says.

    ``town_code`` and ``county_code`` are None when the text does not settle them; ``how`` names
    the rule that matched: town, former town, stem, merged town, village, county, conflict (the
    town named lies in another county than the one named), outside (another city), none.
    ``alternatives`` are the codes among which the text does not choose: towns, or 330383 for
    龙港市, which has none.
    """

    town_code: str | None
    county_code: str | None
    matched: str
    how: str
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlaceOption:
    """A place to choose: town, village or community. ``code`` is its town's, else its county's;
    ``within`` names what it lies in, empty where that is plain."""

    code: str
    name: str
    county_code: str
    within: str


@dataclass(frozen=True)
class AddressPart:
    """One part of an address: what kind it is, in words, and its text."""

    kind: str
    label: str
    text: str


@dataclass(frozen=True)
class Completion:
    """One way to go on while an address is typed: the whole text so far, what it lies in, and the
    code of its town, else of its county."""

    text: str
    within: str
    code: str


@dataclass(frozen=True)
class AddressProblem:
    """Why an address cannot be, or cannot be found by a visitor; and what to write instead."""

    what: str
    way: str


@dataclass(frozen=True)
class AddressMatch:
    """An address in free text as a place of today.

    ``confidence``: sure, likely, check, county, several, none; ``why`` says by which rule, in
    Chinese. ``options`` are the places among which the text does not choose. None: not settled.
    ``share`` is how often addresses of this confidence that name a town were put into it, as
    measured (None: no town was settled, or too few were measured). ``problems``: what cannot be.
    """

    text: str
    parts: tuple[AddressPart, ...]
    county_code: str | None
    county_name: str
    town_code: str | None
    town_name: str | None
    matched: str
    confidence: str
    why: str
    options: tuple[PlaceOption, ...]
    share: float | None = None
    problems: tuple[AddressProblem, ...] = ()

    @property
    def place_code(self) -> str | None:
        """The town, else the county of a city without towns or of an address that names none."""
        return self.town_code or self.county_code
