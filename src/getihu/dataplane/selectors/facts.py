"""Reads of facts: which there are, the table of the whole city, and one trader's."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import duckdb
from django.conf import settings

from getihu.dataplane.catalogue.contracts import load_contracts
from getihu.dataplane.catalogue.facts import FactGroup, declarations, load_fact_groups
from getihu.dataplane.catalogue.facts_check import check_fact_sql
from getihu.dataplane.catalogue.facts_sql import (
    EVERYONE,
    Codes,
    FactsPlan,
    StoredDelivery,
    plan_facts,
)
from getihu.dataplane.contracts import FactDeclaration, FactState, FactValue, TraderFacts
from getihu.dataplane.engines.duckdb import shared
from getihu.dataplane.models import Snapshot, SnapshotDelivery
from getihu.dataplane.selectors.deliveries import NothingPublished, find_published_snapshot
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference

REGISTRATIONS: Final = "registrations"
_RECORD: Final = ("state", "recorded_on", "covered_until", "delivery_id")


class FactsNotBuilt(GetihuError):
    """The facts table of this date and snapshot has not been built."""

    exit_code = 3

    def __init__(self, as_of: date, snapshot_id: str) -> None:
        super().__init__(
            f"{as_of} 的事实表还没有生成（快照 {snapshot_id}）。"
            f"处理办法：运行 getihu decide --as-of {as_of}。"
        )


class AsOfBeforeData(GetihuError):
    """The date asked lies before the first day the register's deliveries cover."""

    def __init__(self, as_of: date, first: date) -> None:
        self.first = first
        super().__init__(
            f"判定日期 {as_of} 早于数据：登记数据从 {first} 起完整。"
            f"处理办法：改用 {first} 或之后的日期。"
        )


class UnknownTrader(GetihuError):
    """No trader with this code was on the register by the date asked."""

    exit_code = 3

    def __init__(self, as_of: date) -> None:
        # The code itself stays out of the message: messages reach logs.
        super().__init__(
            f"截至 {as_of}，登记数据里没有这个统一社会信用代码。"
            "处理办法：核对代码是否抄错；刚登记的，等登记部门下一次送达；"
            "曾被隔离的，在数据页的隔离清单中查找。"
        )


class UnknownSnapshot(GetihuError):
    """No snapshot with this id was published."""

    exit_code = 3


def fact_catalogue() -> dict[str, FactDeclaration]:
    """Every declared fact by name.

    Raises: InvalidInput when a fact file is wrong: file, line, field, nearest valid name.
    """
    return declarations(fact_groups().values())


@cache
def fact_groups() -> dict[str, FactGroup]:
    """The groups of facts with their SQL, names and types checked, registration first."""
    groups = load_fact_groups(load_contracts())
    check_fact_sql(groups)
    return groups


def facts_path(
    as_of: date, snapshot_id: str | None = None, *, known_at: datetime | None = None
) -> Path:
    """The facts table of a date: one row per trader known by then, sorted by ``trader_code``.

    ``known_at`` (aware) asks for the table as it would have been with what was issued by then.
    Raises: FactsNotBuilt, AsOfBeforeData, NothingPublished, UnknownSnapshot.
    """
    snapshot = get_snapshot(snapshot_id)
    path = facts_file(snapshot.snapshot_id, as_of, known_at)
    if not path.exists():
        check_as_of(as_of, stored_deliveries(snapshot.snapshot_id), known_at)
        raise FactsNotBuilt(as_of, snapshot.snapshot_id)
    return path


def facts_sql(as_of: date, snapshot_id: str | None = None) -> str:
    """The facts table of a date as one statement: DuckDB SQL over the stored Parquet files.

    Raises: AsOfBeforeData, NothingPublished, UnknownSnapshot.
    """
    return get_facts_plan(as_of, get_snapshot(snapshot_id).snapshot_id).in_one_statement()


def get_facts_plan(
    as_of: date,
    snapshot_id: str,
    *,
    known_at: datetime | None = None,
    codes: Codes = EVERYONE,
) -> FactsPlan:
    """The SQL of the facts, group by group. Raises: AsOfBeforeData, NothingPublished."""
    deliveries = stored_deliveries(snapshot_id)
    check_as_of(as_of, deliveries, known_at)
    counties = [county.code for county in reference.list_counties()]
    return plan_facts(
        fact_groups(), deliveries, counties, as_of=as_of, known_at=known_at, codes=codes
    )


def get_trader_facts(
    trader_code: str,
    as_of: date,
    snapshot_id: str | None = None,
    *,
    known_at: datetime | None = None,
) -> TraderFacts:
    """All facts of one trader on a date: from the built table, else by the same SQL for one code.

    Raises: UnknownTrader, AsOfBeforeData, NothingPublished, UnknownSnapshot.
    """
    snapshot = get_snapshot(snapshot_id)
    path = facts_file(snapshot.snapshot_id, as_of, known_at)
    code = trader_code.strip().upper()
    if path.exists():
        found = _built_row(str(path), path.stat().st_mtime_ns, code)
    else:
        only = Codes(one=code)
        plan = get_facts_plan(as_of, snapshot.snapshot_id, known_at=known_at, codes=only)
        found = _run_for_one(shared(), plan)
    if not found:
        raise UnknownTrader(as_of)
    return TraderFacts(found["trader_code"], as_of, snapshot.snapshot_id, _fact_values(found))


@lru_cache(maxsize=32)
def _built_row(path: str, written_at: int, code: str) -> dict[str, Any]:
    """One trader's row of a built table; empty without one. A table of a snapshot never changes,
    and a page asks for the same trader several times."""
    sql = "SELECT * FROM read_parquet($path) WHERE trader_code = $code"
    return _one_row(shared().execute(sql, {"path": path, "code": code}))


def list_trader_facts(
    trader_codes: Sequence[str],
    as_of: date,
    snapshot_id: str | None = None,
    *,
    facts: Collection[str] | None = None,
) -> Iterator[TraderFacts]:
    """Facts of many traders on a date, from the built table, sorted by code; those not on the
    register are left out. ``facts``: only these (None: all).

    Raises: FactsNotBuilt, AsOfBeforeData, NothingPublished, UnknownSnapshot.
    Cost: one read of the columns asked for.
    """
    snapshot = get_snapshot(snapshot_id)
    path = facts_path(as_of, snapshot.snapshot_id)
    wanted = [fact for fact in fact_catalogue() if facts is None or fact in facts]
    groups = [g for g in fact_groups().values() if any(f.name in wanted for f in g.facts)]
    columns = [*wanted, *(f"{g.name}__{part}" for g in groups for part in _RECORD)]
    found = shared().execute(
        f"SELECT {', '.join(['trader_code', *columns])} FROM read_parquet($path)"
        " WHERE trader_code IN (SELECT unnest($codes)) ORDER BY trader_code",
        {"path": str(path), "codes": list(trader_codes)},
    )
    names = [column[0] for column in found.description or []]
    for row in found.fetchall():
        values = dict(zip(names, row, strict=True))
        code = values["trader_code"]
        yield TraderFacts(code, as_of, snapshot.snapshot_id, _fact_values(values, wanted))


def _run_for_one(engine: duckdb.DuckDBPyConnection, plan: FactsPlan) -> dict[str, Any]:
    engine.execute("SET parquet_metadata_cache = true")  # several reads of the same files
    engine.execute(f"CREATE OR REPLACE TEMP TABLE trader AS {plan.trader}")
    found: dict[str, Any] = {}
    for sql in plan.groups.values():
        row = _one_row(engine.execute(sql))
        if not row:
            return {}
        found |= row
    found.pop("n", None)
    return found


def _one_row(found: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    names = [column[0] for column in found.description or []]
    row = found.fetchone()
    return dict(zip(names, row, strict=True)) if row else {}


def _fact_values(
    row: dict[str, Any], wanted: Collection[str] | None = None
) -> dict[str, FactValue]:
    values = {}
    for group in fact_groups().values():
        facts = [f for f in group.facts if wanted is None or f.name in wanted]
        if not facts:
            continue
        state = FactState(row[f"{group.name}__state"])
        without_record = state in (FactState.ABSENT, FactState.MISSING)
        for fact in facts:
            values[fact.name] = FactValue(
                name=fact.name,
                value=row[fact.name],
                state=fact.state_without_record if without_record else state,
                recorded_on=row[f"{group.name}__recorded_on"],
                covered_until=row[f"{group.name}__covered_until"],
                delivery_id=row[f"{group.name}__delivery_id"],
            )
    return values


def get_snapshot(snapshot_id: str | None) -> Snapshot:
    """A snapshot by its id, or the one readers see. Raises: NothingPublished, UnknownSnapshot."""
    if snapshot_id is None:
        newest = find_published_snapshot()
        if newest is None:
            raise NothingPublished
        return newest
    found = Snapshot.objects.filter(snapshot_id=snapshot_id).first()
    if found is None:
        raise UnknownSnapshot(f"没有快照 {snapshot_id}。处理办法：在数据页核对快照编号。")
    return found


def facts_file(snapshot_id: str, as_of: date, known_at: datetime | None = None) -> Path:
    """Where the facts table lies, built or not."""
    folder = Path(settings.DATA_DIR) / "dataplane" / "facts" / snapshot_id
    if known_at is not None:
        folder /= f"known-{known_at.timestamp():.6f}"
    return folder / f"{as_of.isoformat()}.parquet"


def check_as_of(
    as_of: date, deliveries: tuple[StoredDelivery, ...], known_at: datetime | None = None
) -> None:
    """Refuse a date before the register's first delivery reaches. Raises: AsOfBeforeData."""
    register = [
        d.covers_until
        for d in deliveries
        if d.dataset == REGISTRATIONS and (known_at is None or d.issued_at <= known_at)
    ]
    if not register:
        raise NothingPublished
    if as_of < min(register):
        raise AsOfBeforeData(as_of, min(register))


def stored_deliveries(snapshot_id: str) -> tuple[StoredDelivery, ...]:
    """The deliveries of a snapshot with their files, by delivery id."""
    return _stored_deliveries(snapshot_id, Path(settings.DATA_DIR) / "dataplane")


@lru_cache(maxsize=8)  # a snapshot never changes
def _stored_deliveries(snapshot_id: str, root: Path) -> tuple[StoredDelivery, ...]:
    rows = SnapshotDelivery.objects.filter(snapshot__snapshot_id=snapshot_id)
    found = []
    for row in rows.select_related("delivery").order_by("delivery__delivery_id"):
        d = row.delivery
        assert d.issued_at and d.covers_until, "a published delivery has both"
        stored = root / "store" / d.dataset / f"{d.delivery_id}.parquet"
        waiting = root / "quarantine" / f"{d.delivery_id}.parquet"
        found.append(
            StoredDelivery(
                delivery_id=d.delivery_id,
                dataset=d.dataset,
                issued_at=d.issued_at,
                covers_until=d.covers_until,
                divisions=tuple(d.divisions),
                period_from=period_start(d.period),
                rows=stored if d.accepted else None,
                waiting=waiting if d.quarantined else None,
            )
        )
    return tuple(found)


def period_start(period: str) -> date | None:
    """First day of a delivery's period (``2025`` or ``2026-10``); None for any other form.

    >>> period_start("2026-10")
    datetime.date(2026, 10, 1)
    """
    found = re.fullmatch(r"(\d{4})(?:-(0[1-9]|1[0-2]))?", period)
    return date(int(found[1]), int(found[2] or 1), 1) if found else None
