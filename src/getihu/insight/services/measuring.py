"""Measure: each indicator's SQL once over a snapshot, for every month asked, kept with its digest."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import yaml
from django.db import IntegrityError, transaction

from getihu.dataplane import selectors as dataplane
from getihu.insight.catalogue.comparing import withheld
from getihu.insight.catalogue.definitions import Indicator, list_indicators
from getihu.insight.contracts import Rerun
from getihu.insight.lifetimes import kaplan_meier, survival_at
from getihu.insight.models import Definition, Figure, MeasuredDay, Measurement
from getihu.insight.services.freezing import SCHEMAS, freeze, work_folder
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import add_months
from getihu.reference import selectors as reference

CITY: Final = "330300"
MONTHS: Final = 24
CITY_TIME: Final = ZoneInfo("Asia/Shanghai")
Progress = Callable[[str], None]


class CannotMeasure(GetihuError):
    """An indicator's SQL does not run, or names what it may not read; says which and where."""


class UnknownDigest(GetihuError):
    """No measurement has this digest."""

    exit_code = 3


@dataclass(frozen=True)
class Made:
    """One figure as computed, before it is kept."""

    as_of: date
    division: str
    part: str  # exact decimal text, two places
    whole: str | None
    unknown: str | None
    value: float | None
    low: float | None
    high: float | None


def measure(
    *, at: datetime, months: int = MONTHS, progress: Progress = lambda _: None
) -> list[str]:
    """Measure every indicator over the published snapshot; returns the digests, by indicator.

    Days: the last of each of ``months`` months up to the data's last day, that day itself, and the
    deadlines of the targets. What was measured over the same data before is not measured again.
    Raises: NothingPublished, CannotMeasure (nothing is kept then).
    """
    snapshot = dataplane.get_published_snapshot()
    indicators = list_indicators()
    days = month_ends(snapshot.data_until, months)
    work = freeze(sorted({*days, *_deadlines(indicators, snapshot.data_until)}))
    due: dict[str, tuple[Indicator, str, list[date]]] = {}
    for indicator in indicators:
        asked = sorted({*days, *_deadlines([indicator], snapshot.data_until)})
        frozen = work if reads_work(indicator) else ""
        digest = digest_of(indicator, snapshot.snapshot_id, frozen, asked)
        due[digest] = (indicator, frozen, asked)
    known = set(Measurement.objects.filter(pk__in=due).values_list("pk", flat=True))
    missing = {digest: each for digest, each in due.items() if digest not in known}
    with duckdb_of(snapshot.snapshot_id, work, [each[0] for each in missing.values()]) as engine:
        for digest, (indicator, frozen, asked) in missing.items():
            progress(indicator.id)
            figures = compute(engine, indicator, asked)
            _keep(indicator, digest, snapshot.snapshot_id, frozen, asked, figures, at)
    return list(due)


def measure_daily(at: datetime) -> int:
    """Measure once a day of the city's calendar, and once more when other data are published;
    returns how many indicators (0: not due, or nothing is published). Two at once do it twice and
    keep it once."""
    try:
        snapshot = dataplane.get_published_snapshot()
    except dataplane.NothingPublished:
        return 0
    today = at.astimezone(CITY_TIME).date()
    if MeasuredDay.objects.filter(on=today, snapshot_id=snapshot.snapshot_id).exists():
        return 0
    done = measure(at=at)
    MeasuredDay.objects.update_or_create(on=today, defaults={"snapshot_id": snapshot.snapshot_id})
    return len(done)


def rerun(digest: str) -> Rerun:
    """Make a measurement again, from its own definition, snapshot and frozen tables. ``digest`` may
    be a beginning of at least 8 characters. Raises: UnknownDigest, CannotMeasure."""
    found = list(Measurement.objects.filter(pk__startswith=digest)[:2]) if len(digest) > 7 else []
    if len(found) != 1:
        raise UnknownDigest(f"没有摘要是 {digest} 的数，或者不止一个。处理办法：抄全页面上的摘要。")
    kept = found[0]
    indicator, figures = make_again(kept)
    again = result_of(figures)
    return Rerun(
        kept.digest, indicator.id, indicator.version, again == kept.result_sha256,
        kept.result_sha256, again, len(figures),
    )  # fmt: skip


def make_again(kept: Measurement) -> tuple[Indicator, list[Made]]:
    """The figures of a measurement from its own text and data, not from what was kept of them."""
    indicator = Indicator.model_validate(yaml.safe_load(kept.definition.text))
    asked = [date.fromisoformat(each) for each in kept.months]
    with duckdb_of(kept.snapshot_id, kept.work, [indicator]) as engine:
        return indicator, compute(engine, indicator, asked)


def month_ends(until: date, months: int) -> list[date]:
    """The last days of the ``months`` months before ``until``, and ``until``: ascending."""
    firsts = [add_months(until.replace(day=1), -back) for back in range(months)]
    ends = {first - timedelta(days=1) for first in firsts}
    return sorted({*ends, until})


def _deadlines(indicators: Iterable[Indicator], until: date) -> list[date]:
    return [each.target.by for each in indicators if each.target and each.target.by <= until]


def reads_work(indicator: Indicator) -> bool:
    return any(name in SCHEMAS for name in indicator.reads)


def digest_of(indicator: Indicator, snapshot_id: str, work: str, days: Sequence[date]) -> str:
    """The public name of a measurement."""
    said = [indicator.text_sha256, snapshot_id, work, [day.isoformat() for day in days]]
    return hashlib.sha256(json.dumps(said).encode("utf-8")).hexdigest()


def result_of(figures: Sequence[Made]) -> str:
    """The digest of every figure, in order."""
    lines = [json.dumps(vars(each), default=str, sort_keys=True) for each in figures]
    return hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()


class duckdb_of:
    """An engine in which the datasets and work tables that some indicators read are tables."""

    def __init__(self, snapshot_id: str, work: str, indicators: Iterable[Indicator]) -> None:
        self.snapshot_id, self.work = snapshot_id, work
        self.reads = sorted({name for each in indicators for name in each.reads})

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        self.engine = dataplane.connect()
        for name in self.reads:
            if name in SCHEMAS:
                path = work_folder(self.work) / f"{name}.parquet"
                self.engine.read_parquet(str(path)).create(name)
            elif name in dataplane.dataset_contracts():
                sql = dataplane.dataset_sql(name, self.snapshot_id)
                self.engine.execute(f"CREATE TABLE {name} AS {sql}")
            else:
                raise CannotMeasure(f"reads 里的 {name} 既不是数据集，也不是业务表。")
        # From here on an indicator's SQL reaches nothing but these tables.
        self.engine.execute("SET enable_external_access = false")
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def compute(
    engine: duckdb.DuckDBPyConnection, indicator: Indicator, days: Sequence[date]
) -> list[Made]:
    """The figures of one indicator, by day and division, the city among them. Raises CannotMeasure."""
    try:
        engine.execute("CREATE OR REPLACE TABLE months (as_of DATE)")
        engine.executemany("INSERT INTO months VALUES (?)", [[day] for day in days])
        named = engine.get_table_names(indicator.sql)
        strange = sorted(named - {*indicator.reads, "months"})
        if strange:
            raise CannotMeasure(
                f"{indicator.id} 的 sql 用了 reads 里没有的表：{'、'.join(strange)}。"
            )
        if indicator.kind == "survival":
            return _survival(engine, indicator)
        return _numbers(engine, indicator, days)
    except duckdb.Error as error:
        raise CannotMeasure(f"{indicator.id} 的 sql 跑不通：{error}") from error


def _numbers(
    engine: duckdb.DuckDBPyConnection, indicator: Indicator, days: Sequence[date]
) -> list[Made]:
    asked = {
        column[0] for column in engine.sql(f"SELECT * FROM ({indicator.sql}) LIMIT 0").description
    }

    def summed(name: str) -> str:
        return f"sum({name})::DECIMAL(22,2)" if name in asked else "NULL"

    rows = engine.execute(
        f"WITH figures AS ({indicator.sql})"
        f" SELECT as_of, coalesce(county_code, '{CITY}') AS division,"
        f" {summed('part')} AS part, {summed('whole')} AS whole, {summed('unknown')} AS unknown"
        " FROM figures GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    whole_city: dict[date, list[Any]] = {}
    found = {}
    for as_of, division, *numbers in rows:
        if division != CITY:
            found[as_of, division] = numbers
        added = whole_city.setdefault(as_of, [None, None, None])
        for place, each in enumerate(numbers):
            if each is not None:
                added[place] = each if added[place] is None else added[place] + each
    found |= {(as_of, CITY): numbers for as_of, numbers in whole_city.items()}
    began = min(whole_city, default=None)  # before, the data do not speak
    if began and indicator.kind in ("count", "sum") and not reads_work(indicator):
        # Where nothing happened since, nothing is what was counted.
        divisions = [CITY, *(county.code for county in reference.list_counties())]
        nothing = [0, None, 0 if "unknown" in asked else None]
        for as_of in (day for day in days if day >= began):
            for division in divisions:
                found.setdefault((as_of, division), nothing)
    return [
        _made(indicator, as_of, division, *numbers)
        for (as_of, division), numbers in sorted(found.items())
    ]


def _made(
    indicator: Indicator, as_of: date, division: str, part: Any, whole: Any, unknown: Any
) -> Made:
    value: float | None = float(part or 0)
    low = high = None
    if indicator.kind == "share":
        known = (whole or 0) - (unknown or 0)
        value = float(100 * (part or 0) / known) if known else None
        if unknown and whole:
            low, high = float(100 * part / whole), float(100 * (part + unknown) / whole)
    return Made(
        as_of, division, _exact(part) or "0.00", _exact(whole), _exact(unknown), value, low, high
    )


def _exact(number: Any) -> str | None:
    return None if number is None else f"{number:.2f}"


def _survival(engine: duckdb.DuckDBPyConnection, indicator: Indicator) -> list[Made]:
    lives: dict[tuple[date, str], list[tuple[int, int, int]]] = defaultdict(list)
    entries: dict[tuple[date, str], list[tuple[int, int]]] = defaultdict(list)
    for as_of, county, time, ended, seen, entered in engine.execute(
        f"SELECT as_of, county_code, time, ended, seen, entered FROM ({indicator.sql}) ORDER BY ALL"
    ).fetchall():
        for division in (county, CITY):
            lives[as_of, division].append((time, ended, seen))
            entries[as_of, division].append((time, entered))
    found = []
    for (as_of, division), listed in sorted(lives.items()):
        step = survival_at(kaplan_meier(listed, entries[as_of, division]), indicator.months)
        ended = sum(ends for time, ends, _ in listed if time <= indicator.months)
        whole = sum(ends + seen for _, ends, seen in listed)
        value, low, high = (step.survival, step.low, step.high) if step else (1.0, None, None)
        found.append(
            Made(
                as_of, division, f"{ended:.2f}", f"{whole:.2f}", None,
                *(None if each is None else round(100 * each, 9) for each in (value, low, high)),
            )
        )  # fmt: skip
    return found


def _keep(
    indicator: Indicator,
    digest: str,
    snapshot_id: str,
    work: str,
    days: Sequence[date],
    figures: Sequence[Made],
    at: datetime,
) -> None:
    text = yaml.safe_dump(indicator.model_dump(mode="json"), allow_unicode=True, sort_keys=False)
    definition, _ = Definition.objects.get_or_create(
        text_sha256=indicator.text_sha256,
        defaults={
            "indicator_id": indicator.id, "version": indicator.version, "text": text,
            "first_used_at": at,
        },
    )  # fmt: skip
    kept = Measurement(
        digest=digest,
        definition=definition,
        snapshot_id=snapshot_id,
        work=work,
        months=[day.isoformat() for day in days],
        result_sha256=result_of(figures),
        measured_at=at,
    )
    try:
        with transaction.atomic():
            untold = _untold(indicator, figures)
            kept.save(force_insert=True)
            Figure.objects.bulk_create(
                [
                    Figure(
                        measurement=kept,
                        is_withheld=(each.as_of, each.division) in untold,
                        **vars(each),
                    )
                    for each in figures
                ],
                batch_size=2000,
            )
    except IntegrityError:
        pass  # another worker measured the same a moment ago


def _untold(indicator: Indicator, figures: Sequence[Made]) -> set[tuple[date, str]]:
    """The figures that are kept and not told, by what was kept back of the same days before."""
    before: dict[date, set[str]] = defaultdict(set)
    earlier = Figure.objects.filter(
        measurement__definition__indicator_id=indicator.id, is_withheld=True
    )
    for as_of, division in earlier.values_list("as_of", "division").distinct():
        before[as_of].add(division)
    sizes: dict[date, dict[str, Decimal]] = defaultdict(dict)
    for each in figures:
        if each.division != CITY:
            sizes[each.as_of][each.division] = Decimal(each.whole or each.part)
    return {
        (as_of, division)
        for as_of, counties in sizes.items()
        for division in withheld(counties, before[as_of])
    }
