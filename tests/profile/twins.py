"""A made-up register with near-twins, and records about its traders as offices write them: names cut
or with a wrong character, towns left out, days a little off, some about nobody there."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pyarrow as pa

FIRST = "阿华明月鑫源顺达福临兴旺金鹏海天永和春晖宏远佳美诚信万利"
TRADES = (("面馆", "6210"), ("便利店", "5213"), ("五金店", "5281"), ("服装店", "5232"),
          ("理发店", "8041"), ("电器厂", "3823"), ("鞋料行", "5131"), ("小吃店", "6291"))  # fmt: skip
COLUMNS = (
    "id",
    "name",
    "county_code",
    "town_code",
    "industry_code",
    "established_on",
    "premises_m2",
)
TOWNS = [f"3303{county:02}{town:03}" for county in (2, 3, 4, 82) for town in range(1, 13)]


@dataclass(frozen=True)
class Twins:
    """Relations by name in an engine, and record → the trader it is about (None: nobody)."""

    engine: duckdb.DuckDBPyConnection
    truth: dict[str, str | None]


def make(seed: int, traders: int = 4_000, records: int = 800, towns: int = len(TOWNS)) -> Twins:
    rng = random.Random(seed)
    places = (
        [f"3303{n // 100:02}{n % 100:03}" for n in range(towns)] if towns > len(TOWNS) else TOWNS
    )
    shops = [_shop(rng, n, places) for n in range(traders)]
    # Near-twins: the same name in the next street, opened the year after.
    for n in range(0, traders, 10):
        twin = list(shops[n])
        twin[0] = f"T{n:06}x"
        twin[5] = shops[n][5] + timedelta(days=rng.randint(200, 700))
        twin[6] = round(shops[n][6] * rng.choice((0.6, 1.6)), 1)
        shops.append(tuple(twin))
    truth: dict[str, str | None] = {}
    written = []
    for n in range(records):
        name = f"R{n:05}"
        if rng.random() < 0.2:
            shop = _shop(rng, traders * 3 + n, places)
            truth[name] = None
        else:
            shop = rng.choice(shops)
            truth[name] = shop[0]
        written.append(_written(rng, name, shop))
    engine = duckdb.connect()
    for table, rows in (("traders", shops), ("records", written)):
        made = pa.table(dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True)))
        engine.register("made", made)
        engine.execute(f"CREATE TABLE {table} AS SELECT * FROM made")
        engine.unregister("made")
    return Twins(engine, truth)


def _shop(rng: random.Random, n: int, towns: list[str]) -> tuple:
    words, code = rng.choice(TRADES)
    town = rng.choice(towns)
    name = "".join(rng.sample(FIRST, rng.choice((2, 2, 3)))) + words
    opened = date(2012, 1, 1) + timedelta(days=rng.randrange(5_000))
    return (f"T{n:06}", name, town[:6], town, code, opened, round(rng.uniform(15, 400), 1))


def _written(rng: random.Random, record: str, shop: tuple) -> tuple:
    _, name, county, town, code, opened, area = shop
    if rng.random() < 0.25:
        at = rng.randrange(len(name))
        name = name[:at] + rng.choice(FIRST) + name[at + 1 :]
    if rng.random() < 0.2:
        name = f"温州市{name}"
    if rng.random() < 0.25:
        town = None
    if rng.random() < 0.3:
        code = None
    if rng.random() < 0.3:
        opened = opened + timedelta(days=rng.randint(-20, 20))
    if rng.random() < 0.4:
        area = None
    return (record, name, county, town, code, opened, area)
