"""The traders of the city: one row each, drawn once; every department's table is cut from it."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from getihu.gateways.demo_city import calibration
from getihu.gateways.demo_city.credit_codes import make_codes
from getihu.gateways.demo_city.places import Places
from getihu.gateways.demo_city.streams import stream

Days = np.ndarray
"""datetime64[D]; NaT where it has not happened."""

NEVER = np.datetime64("NaT", "D")
AS_OF = np.datetime64(calibration.AS_OF, "D")
UNREGISTERED = 5
"""Valid codes beyond the register's, for rows that match no trader."""


@dataclass
class Population:
    """Columns of equal length; ``registered`` of the rows are on the register at AS_OF.

    ``village`` and ``trade`` are row numbers into the places and the trades; ``size`` is the
    latent standard normal; ``turnover_yuan`` is 2025's (0 when not operating); ``wording`` are
    64 bits from which names and addresses are chosen. Rows below ``personas`` are planted.
    """

    registered: int
    seed: int
    codes: pa.StringArray
    wording: np.ndarray
    county: np.ndarray
    village: np.ndarray
    trade: np.ndarray
    established: Days
    left_on: Days
    left_how: np.ndarray
    suspended_on: Days
    converted_on: Days
    size: np.ndarray
    is_active: np.ndarray
    turnover_yuan: np.ndarray
    employees: np.ndarray
    premises_dm2: np.ndarray
    personas: int = 0

    def __len__(self) -> int:
        return len(self.county)

    def draw(self, name: str) -> np.random.Generator:
        """Return the random stream of one named table."""
        return stream(self.seed, name)

    def on_register(self, first: np.datetime64, last: np.datetime64 | None = None) -> np.ndarray:
        """Return who was on the register through the whole period (or on one day)."""
        until = first if last is None else last
        left = np.isnat(self.left_on) | (self.left_on > until)
        return (self.established <= first) & left

    def of_sections(self, sections: str) -> np.ndarray:
        """Return whose trade lies in one of the sections of GB/T 4754."""
        table = np.array([t.section in sections for t in calibration.trades()])
        return table[self.trade]

    def in_industries(self, prefixes: tuple[str, ...]) -> np.ndarray:
        """Return whose industry code starts with one of the prefixes."""
        table = np.array([t.industry_code.startswith(prefixes) for t in calibration.trades()])
        return table[self.trade]


def draw_population(traders: int, seed: int, places: Places) -> Population:
    """Draw ``traders`` on the register at AS_OF, and those that left in the last three years."""
    established, left_on = _draw_lives(traders, seed)
    n = len(established)
    rng = stream(seed, "traders")
    county = _draw_counties(rng, n)
    trade = rng.choice(
        len(calibration.trades()), n, p=[t.share for t in calibration.trades()]
    ).astype(np.int16)
    size = rng.standard_normal(n)
    gone = ~np.isnat(left_on)
    # Small shops leave more often, and what survives has grown.
    size[gone] -= 0.35
    size += 0.04 * (np.clip((AS_OF - established).astype(int) / 365.25, 0, 20) - 5)
    is_active = _draw_active(stream(seed, "activity"), size)
    population = Population(
        registered=traders,
        seed=seed,
        codes=pa.nulls(0, pa.string()),
        wording=stream(seed, "wording").integers(0, 2**64, n, dtype=np.uint64),
        county=county,
        village=places.draw_villages(stream(seed, "villages"), county),
        trade=trade,
        established=established,
        left_on=left_on,
        left_how=stream(seed, "leaving").choice(3, n, p=[0.97, 0.025, 0.005]).astype(np.int8),
        suspended_on=_draw_suspensions(stream(seed, "suspension"), established, gone),
        converted_on=_draw_conversions(stream(seed, "conversion"), established, gone, size),
        size=size,
        is_active=is_active,
        turnover_yuan=np.zeros(0),
        employees=np.zeros(0),
        premises_dm2=np.zeros(0),
    )
    population.suspended_on[~np.isnat(population.converted_on)] = NEVER
    _draw_business(population)
    return population


def assign_codes(population: Population, places: Places) -> None:
    """Give every trader its code; after personas have been planted, as they fix the county.

    The last ``UNREGISTERED`` codes belong to nobody on the register: the tax office knows them.
    """
    offices = places.first_offices(
        population.county, population.established, stream(population.seed, "offices")
    )
    years = population.established.astype("datetime64[Y]").astype(int) + 1970
    offset = int(stream(population.seed, "codes").integers(0, 31**5))
    serials = np.arange(len(population) + UNREGISTERED)
    offices = np.concatenate([offices, np.full(UNREGISTERED, 330302)])
    years = np.concatenate([years, np.full(UNREGISTERED, 2025)])
    population.codes = make_codes(serials, offices, years, offset)


def _draw_lives(traders: int, seed: int) -> tuple[Days, Days]:
    """Draw when traders were established and left, from the exit hazard and the growth."""
    stock = calibration.numbers()["stock"]
    first = np.datetime64(stock["first_month"]["value"], "M")
    last = AS_OF.astype("datetime64[M]")
    window = np.datetime64(stock["exits_from"]["value"], "M")
    births = np.arange(first, last + 1)
    age = (last - births).astype(int)
    season = calibration.month_weights()[births.astype(int) % 12]
    entries = np.exp(-float(stock["growth_a_year"]["value"]) * age / 12) * season
    alive = entries * calibration.survival((age + 0.5) / 12)
    exits = np.arange(window, last + 1)
    lived = (exits[None, :] - births[:, None]).astype(int)
    dying = np.where(
        lived >= 0,
        calibration.survival(np.clip(lived - 0.5, 0, None) / 12)
        - calibration.survival((lived + 0.5) / 12),
        0,
    )
    leaving = entries[:, None] * np.clip(dying, 0, None)
    gone = round(traders * leaving.sum() / alive.sum())
    rng = stream(seed, "lives")
    staying_month = births[rng.choice(len(births), traders, p=alive / alive.sum())]
    pair = rng.choice(leaving.size, gone, p=(leaving / leaving.sum()).ravel())
    months = np.concatenate([staying_month, births[pair // len(exits)]])
    established = _day_within(rng, months)
    left_on = np.full(traders + gone, NEVER)
    day_left = _day_within(rng, exits[pair % len(exits)])
    left_on[traders:] = np.minimum(np.maximum(day_left, established[traders:] + 1), AS_OF)
    # Someone established on the very last day cannot have left by then: a day earlier.
    established[traders:] = np.minimum(established[traders:], left_on[traders:] - 1)
    return established, left_on


def _day_within(rng: np.random.Generator, months: np.ndarray) -> Days:
    start = months.astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[D]") - start).astype(int)
    return start + (rng.random(len(months)) * length).astype(int)


def _draw_counties(rng: np.random.Generator, n: int) -> np.ndarray:
    shares = np.array(list(calibration.county_shares().values()))
    return rng.choice(len(shares), n, p=shares / shares.sum()).astype(np.int8)


def _draw_active(rng: np.random.Generator, size: np.ndarray) -> np.ndarray:
    """Larger shops are likelier to be operating; the share is the plan's 70 %."""
    score = 0.5 * size + rng.standard_normal(len(size))
    return score > np.quantile(score, 1 - calibration.business("active_share"))


def _draw_suspensions(rng: np.random.Generator, established: Days, gone: np.ndarray) -> Days:
    n = len(established)
    chosen = (rng.random(n) < calibration.business("suspended_share")) & ~gone
    on = AS_OF - rng.integers(0, 540, n)
    return np.where(chosen & (on > established + 30), on, NEVER)


def _draw_conversions(
    rng: np.random.Generator, established: Days, gone: np.ndarray, size: np.ndarray
) -> Days:
    """Mostly the larger ones become companies, the code staying the same."""
    n = len(established)
    weight = np.where(size > 1, 4.0, 0.43)
    chosen = (rng.random(n) < calibration.business("converted_share") * weight) & ~gone
    on = AS_OF - rng.integers(0, 3 * 365, n)
    return np.where(chosen & (on > established + 180), on, NEVER)


def _draw_business(population: Population) -> None:
    """Draw turnover, people and premises from the latent size and the section."""
    rng = population.draw("business")
    n = len(population)
    sections = np.array([t.section for t in calibration.trades()])[population.trade]
    scale = np.ones(n)
    for section, factor in {"C": 1.6, "F": 1.05, "H": 0.95, "O": 0.6, "A": 0.6, "G": 0.9}.items():
        scale[sections == section] = factor
    sigma = calibration.business("turnover_sigma")
    operating = calibration.business("mean_turnover_yuan") / calibration.business("active_share")
    # Age and activity lift the mean of the size; the constant takes that out again.
    median = np.log(operating) - sigma**2 / 2 - 0.52
    turnover = np.exp(median + sigma * population.size) * scale
    turnover = np.minimum(turnover, 60_000_000) * population.is_active
    population.turnover_yuan = np.round(turnover, -2).astype(np.int64)
    extra = (calibration.business("jobs_per_trader") - 1) / 1.55 * np.exp(0.75 * population.size)
    extra *= np.where(sections == "C", 1.9, 0.9)
    population.employees = (1 + np.minimum(rng.poisson(extra), 80)).astype(np.int16)
    area = np.exp(3.6 + 0.35 * population.size + 0.5 * rng.standard_normal(n))
    area *= np.where(sections == "C", 2.5, 1.0)
    population.premises_dm2 = np.where(
        rng.random(n) < 0.25, -1, np.round(area * 10).astype(np.int64)
    )
