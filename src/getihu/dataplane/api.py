"""The data plane over HTTP, read-only."""

from datetime import UTC, datetime

from django.http import HttpRequest
from ninja import Router

from getihu.dataplane import selectors
from getihu.dataplane.contracts import (
    DeliverySummary,
    FeedStatus,
    QuarantineCount,
    SnapshotSummary,
)

router = Router(tags=["数据"])


@router.get("/deliveries", response=list[DeliverySummary], summary="各部门送达的批次")
def list_deliveries(request: HttpRequest, limit: int = 200) -> list[DeliverySummary]:
    return selectors.list_deliveries(limit=max(1, min(limit, 1000)))


@router.get("/feeds", response=list[FeedStatus], summary="各数据集到哪一天、是否逾期")
def list_feeds(request: HttpRequest) -> list[FeedStatus]:
    return selectors.list_feeds(datetime.now(UTC))


@router.get("/snapshots", response=list[SnapshotSummary], summary="已发布的快照")
def list_snapshots(request: HttpRequest) -> list[SnapshotSummary]:
    return selectors.list_snapshots()


@router.get("/quarantine", response=list[QuarantineCount], summary="隔离的行数，按批次和原因")
def count_quarantine(request: HttpRequest) -> list[QuarantineCount]:
    return selectors.count_quarantine()
