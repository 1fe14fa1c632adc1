"""The platform's own tables, frozen beside a measurement: counts only, nobody in them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from getihu.cases import selectors as cases
from getihu.growth import selectors as growth
from getihu.kernel.periods import add_months
from getihu.passport import selectors as passport
from getihu.supervision import selectors as supervision

_CITY_TIME: Final = ZoneInfo("Asia/Shanghai")
_DAY, _TEXT, _COUNT = pa.date32(), pa.string(), pa.int64()
SCHEMAS: Final = {
    "pool_members": pa.schema(
        {"as_of": _DAY, "pool_id": _TEXT, "county_code": _TEXT, "members": _COUNT}
    ),
    "kept_clocks": pa.schema(
        {"as_of": _DAY, "county_code": _TEXT, "in_time": _COUNT, "stopped": _COUNT}
    ),
    "inspection_years": pa.schema(
        {"as_of": _DAY, "visits": _COUNT, "drawn": _COUNT, "joint": _COUNT}
    ),
    "burden_months": pa.schema(
        {"as_of": _DAY, "county_code": _TEXT, "households": _COUNT, "questions": _COUNT,
         "documents": _COUNT, "visits": _COUNT}
    ),
    "licence_use": pa.schema(
        {"as_of": _DAY, "scenes_used": _COUNT, "kinds_issued": _COUNT, "streets_counted": _COUNT,
         "users": _COUNT}
    ),
}  # fmt: skip


def freeze(days: Sequence[date]) -> str:
    """Write the work tables of some days (ascending) and return their digest; the same content is
    kept once."""
    last = days[-1]
    tables: dict[str, Sequence[Sequence[Any]]] = {
        "pool_members": growth.count_members(days),
        "kept_clocks": _kept(days),
        "inspection_years": _inspections(days),
        "licence_use": [_licence_use(last)],
        "burden_months": _burden(days),
    }
    made = {name: _table(name, rows) for name, rows in tables.items()}
    digest = hashlib.sha256()
    for name in sorted(made):
        digest.update(repr((name, made[name].to_pydict())).encode("utf-8"))
    folder = work_folder(digest.hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in made.items():
        if not (folder / f"{name}.parquet").exists():
            pq.write_table(table, folder / f"{name}.parquet.part")
            (folder / f"{name}.parquet.part").replace(folder / f"{name}.parquet")
    return digest.hexdigest()


def work_folder(digest: str) -> Path:
    """Where the work tables of a digest lie."""
    return Path(settings.DATA_DIR) / "insight" / "work" / digest


def _table(name: str, rows: Iterable[Sequence[Any]]) -> pa.Table:
    schema = SCHEMAS[name]
    listed = list(rows)
    columns = list(zip(*listed, strict=True)) or [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _kept(days: Sequence[date]) -> list[tuple[date, str, int, int]]:
    """By the month the clock stopped in, under the day asked that lies in it."""
    by_month = {day.replace(day=1): day for day in days}
    first, end = days[0].replace(day=1), add_months(days[-1].replace(day=1), 1)
    return [
        (by_month[month], county, in_time, stopped)
        for month, county, in_time, stopped in cases.count_kept_clocks(first, end)
        if month in by_month
    ]


def _inspections(days: Sequence[date]) -> list[tuple[date, int, int, int]]:
    """Of each year its whole, under its last day asked: visits are noted by year."""
    last_of_year = {day.year: day for day in days}
    found = []
    for year, day in sorted(last_of_year.items()):
        ratios = supervision.ratios_of(year)
        if ratios.visits:
            found.append((day, ratios.visits, ratios.drawn, ratios.joint))
    return found


def _burden(days: Sequence[date]) -> list[tuple[date, str, int, int, int, int]]:
    """Of each month what was asked of households and how often one stood at the door, by county;
    ``households``: how many were asked or visited at all."""
    by_month = {day.replace(day=1): day for day in days}
    since, until = days[0].replace(day=1), add_months(days[-1].replace(day=1), 1)
    touched: dict[tuple[date, str], set[str]] = defaultdict(set)
    numbers: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for asked in cases.list_asked(since, until):
        key = (asked.on.replace(day=1), asked.county)
        touched[key].add(asked.trader_code)
        numbers[key][0] += asked.questions
        numbers[key][1] += asked.documents
    for code, county, on in supervision.list_borne(since, until):
        key = (on.replace(day=1), county)
        touched[key].add(code)
        numbers[key][2] += 1
    found = []
    for month, county in sorted(numbers):
        if month in by_month:
            questions, documents, visits = numbers[month, county]
            households = len(touched[month, county])
            found.append((by_month[month], county, households, questions, documents, visits))
    return found


def _licence_use(day: date) -> tuple[date, int, int, int, int]:
    at = datetime.combine(day, time(23, 59), _CITY_TIME)
    counted = passport.count_numbers(None, at=at)
    return (
        day, counted.scenes_used, counted.kinds_issued, counted.streets_counted, counted.users,
    )  # fmt: skip
