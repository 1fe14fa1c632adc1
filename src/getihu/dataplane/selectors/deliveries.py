"""Reads of what was delivered and what is published."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count

from getihu.dataplane.catalogue.contracts import load_contracts, next_due
from getihu.dataplane.contracts import (
    DatasetContract,
    DeliverySummary,
    FeedStatus,
    QuarantineCount,
    QuarantinedRow,
    SnapshotSummary,
)
from getihu.dataplane.engines.duckdb import shared
from getihu.dataplane.models import Delivery, QuarantineReason, Snapshot, SnapshotDelivery
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference

CITY_TIME: Final = ZoneInfo("Asia/Shanghai")


class NothingPublished(GetihuError):
    """No delivery has been published yet."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            "还没有发布任何数据。处理办法：运行 getihu ingest 目录，或 make city 造演示城市。"
        )


def list_deliveries(limit: int = 200) -> list[DeliverySummary]:
    """Return the newest delivery attempts, last received first."""
    contracts = load_contracts()
    rows = Delivery.objects.order_by("-received_at", "-id")[:limit]
    return [delivery_summary(row, contracts) for row in rows]


def list_snapshots() -> list[SnapshotSummary]:
    """Return every published snapshot, newest first."""
    held = SnapshotDelivery.objects.values_list("snapshot").annotate(Count("pk"))
    deliveries = dict(held.order_by())
    rows = Snapshot.objects.order_by("-number")
    return [snapshot_summary(row, deliveries.get(row.pk, 0)) for row in rows]


def get_published_snapshot() -> SnapshotSummary:
    """Return the snapshot readers see. Raises NothingPublished."""
    row = find_published_snapshot()
    if row is None:
        raise NothingPublished
    return snapshot_summary(row)


def find_published_snapshot() -> Snapshot | None:
    return Snapshot.objects.order_by("-number").first()


def count_quarantine() -> list[QuarantineCount]:
    """Return rows held back per published delivery and reason, most rows first."""
    contracts = load_contracts()
    rows = QuarantineReason.objects.select_related("delivery").order_by("-rows", "id")
    return [
        QuarantineCount(
            delivery_id=row.delivery.delivery_id,
            dataset_title=contracts[row.delivery.dataset].title,
            department_name=reference.department_name(row.delivery.department),
            reason_code=row.reason_code,
            reason=row.reason,
            rows=row.rows,
        )
        for row in rows
    ]


def list_quarantined_rows(delivery_id: str, offset: int, limit: int) -> list[QuarantinedRow]:
    """Return one page of a delivery's quarantined cells, in file order.

    Raises: UnknownQuarantine when the delivery has no quarantine list.
    """
    path = quarantine_file(delivery_id).with_suffix(".parquet")
    found = shared().execute(
        "SELECT file, line_no, column_name, reason_code, reason, fix, excerpt "
        "FROM read_parquet(?) ORDER BY file, line_no, column_name LIMIT ? OFFSET ?",
        [str(path), limit, offset],
    )
    return [QuarantinedRow(delivery_id, *row) for row in found.fetchall()]


class UnknownQuarantine(GetihuError):
    """A delivery that could not be read has no quarantine list."""

    exit_code = 3


def quarantine_file(delivery_id: str) -> Path:
    """Return the list an office downloads: UTF-8 with BOM, inert in a spreadsheet.

    Of a delivery held for its contents it lists what is wrong with it.
    Raises: UnknownQuarantine.
    """
    statuses = set(
        Delivery.objects.filter(delivery_id=delivery_id).values_list("status", flat=True)
    )
    folder = "quarantine" if "published" in statuses else "held"
    path = Path(settings.DATA_DIR) / "dataplane" / folder / f"{delivery_id}.csv"
    # Only numbers that passed a manifest check reach the file system.
    if not statuses & {"published", "held"} or not path.is_file():
        raise UnknownQuarantine(f"批次 {delivery_id} 没有隔离清单。处理办法：在数据页核对批次号。")
    return path


def list_feeds(at: datetime) -> list[FeedStatus]:
    """Return per dataset until when its deliveries reach the whole city, and whether it is late.

    A feed is late when a period and its grace have passed without a delivery for every county.
    """
    today = at.astimezone(CITY_TIME).date()
    published: dict[str, list[Delivery]] = {}
    for row in Delivery.objects.filter(status="published").order_by("covers_until", "id"):
        published.setdefault(row.dataset, []).append(row)
    return [
        _feed(contract, published.get(contract.id, []), today)
        for contract in load_contracts().values()
    ]


def covered_until(dataset: str) -> dict[str, date]:
    """Return county → last day the dataset's published deliveries reach; empty when none came."""
    rows = Delivery.objects.filter(dataset=dataset, status="published")
    return _reach(rows.values_list("divisions", "covers_until"))


def _reach(covered: Iterable[tuple[list[str], date | None]]) -> dict[str, date]:
    """County → last day, of the divisions and last days of some deliveries."""
    reach: dict[str, date] = {}
    counties = [county.code for county in reference.list_counties()]
    for divisions, until in covered:
        for county in counties if "330300" in divisions else divisions:
            if until:
                reach[county] = max(until, reach.get(county, until))
    return reach


def _feed(contract: DatasetContract, published: list[Delivery], today: date) -> FeedStatus:
    reach = _reach((row.divisions, row.covers_until) for row in published)
    counties = reference.list_counties()
    whole = min(reach.values()) if len(reach) == len(counties) else None
    latest = max(reach.values(), default=None)
    behind = tuple(c.name for c in counties if latest and reach.get(c.code, date.min) < latest)
    due = next_due(contract, whole) if whole else None
    return FeedStatus(
        dataset=contract.id,
        dataset_title=contract.title,
        department=contract.department,
        department_name=reference.department_name(contract.department),
        cadence=contract.cadence,
        covered_until=whole,
        behind=behind,
        due=due,
        is_late=due is None or today > due,
        last_delivery=published[-1].delivery_id if published else None,
    )


def delivery_summary(row: Delivery, contracts: dict[str, DatasetContract]) -> DeliverySummary:
    contract = contracts.get(row.dataset)
    return DeliverySummary(
        delivery_id=row.delivery_id,
        dataset=row.dataset,
        dataset_title=contract.title if contract else "未知",
        department=row.department,
        department_name=reference.department_name(row.department) if row.department else "未知",
        period=row.period,
        issued_at=row.issued_at,
        received_at=row.received_at,
        covers_until=row.covers_until,
        divisions=tuple(row.divisions),
        rows_in=row.rows_in,
        accepted=row.accepted,
        quarantined=row.quarantined,
        duplicate=row.duplicate,
        status=row.status,
        problem=row.problem,
        corrects=row.corrects,
        is_late=row.is_late,
    )


def snapshot_summary(row: Snapshot, deliveries: int | None = None) -> SnapshotSummary:
    """``deliveries`` is how many the snapshot holds, where the caller has counted them."""
    if deliveries is None:
        deliveries = SnapshotDelivery.objects.filter(snapshot=row).count()
    return SnapshotSummary(
        snapshot_id=row.snapshot_id,
        number=row.number,
        published_at=row.published_at,
        data_until=row.data_until,
        deliveries=deliveries,
        rows=row.row_count,
    )
