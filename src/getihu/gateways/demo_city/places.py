"""Where traders are: real towns and villages of Wenzhou, current and as once written."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from getihu.gateways.demo_city import calibration

LONGGANG = "330383"
DONGTOU = "330305"
_TOWN_WEIGHT = {"街道": 6.0, "镇": 3.0}
_LONGGANG_FROM = np.datetime64("2019-09-25", "D")
_DONGTOU_FROM = np.datetime64("2015-09-01", "D")


@dataclass(frozen=True)
class Village:
    """A village or community. ``town_code`` and ``town`` are empty in 龙港, which has no towns."""

    county: int
    town_code: str
    town: str
    name: str
    weight: float

    @property
    def old_town(self) -> str:
        """The town as written before it became a subdistrict (瑶溪街道 → 瑶溪镇)."""
        return self.town.removesuffix("街道") + "镇" if self.town.endswith("街道") else self.town


@dataclass(frozen=True)
class Places:
    """County codes and names (row order of ``county``), and all villages."""

    county_codes: tuple[str, ...]
    county_names: tuple[str, ...]
    villages: tuple[Village, ...]

    def draw_villages(self, rng: np.random.Generator, county: np.ndarray) -> np.ndarray:
        """Draw a village in each trader's county; towns weigh more than townships."""
        out = np.zeros(len(county), dtype=np.int32)
        at = np.array([v.county for v in self.villages])
        weight = np.array([v.weight for v in self.villages])
        for number in range(len(self.county_codes)):
            rows = np.flatnonzero(county == number)
            here = np.flatnonzero(at == number)
            out[rows] = rng.choice(here, len(rows), p=weight[here] / weight[here].sum())
        return out

    def first_offices(
        self, county: np.ndarray, established: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the six digits of the office of first registration, not today's county.

        Old shops of 龙港 carry 330327, of 洞头 330322; the city's own office wrote 330301;
        one in two hundred has moved in from another county.
        """
        codes = np.array([int(c) for c in self.county_codes])
        office = codes[county].copy()
        longgang = self.county_codes.index(LONGGANG)
        dongtou = self.county_codes.index(DONGTOU)
        office[(county == longgang) & (established < _LONGGANG_FROM)] = 330327
        office[(county == dongtou) & (established < _DONGTOU_FROM)] = 330322
        chance = rng.random(len(county))
        urban = np.isin(office, (330302, 330303, 330304))
        office[urban & (chance < 0.08)] = 330301
        moved = chance > 0.995
        office[moved] = codes[rng.integers(0, len(codes), int(moved.sum()))]
        return office


@cache
def read_places() -> Places:
    """Read counties, towns and villages from the reference lists shipped with the product."""
    counties = list(calibration.county_shares())
    names: dict[str, str] = {}
    grouped: dict[tuple[int, str, str], list[str]] = {}
    for row in _reference_rows("wenzhou_villages.csv"):
        # The economic zone (330371) is no division of its own: its towns lie in 龙湾.
        town_code = row["town_code_nbs2022"]
        code = town_code[:6] if town_code else row["county_code"]
        if code not in counties or (not town_code and code != LONGGANG):
            continue
        if row["county_code"] == code:
            names.setdefault(code, row["county"])
        town = row["town"] if town_code else ""
        group = (counties.index(code), town_code, town)
        grouped.setdefault(group, []).append(row["village_or_community"])
    villages = []
    for (county, town_code, town), members in grouped.items():
        kind = next((w for end, w in _TOWN_WEIGHT.items() if town.endswith(end)), 1.0)
        villages += [Village(county, town_code, town, m, kind / len(members)) for m in members]
    return Places(tuple(counties), tuple(names[c] for c in counties), tuple(villages))


def _reference_rows(name: str) -> list[dict[str, str]]:
    text = (files("getihu.reference") / "data" / name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
