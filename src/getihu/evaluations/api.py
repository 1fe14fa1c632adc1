"""The published numbers over HTTP; nothing else of a rating leaves this way."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from ninja import Router

from getihu.evaluations import selectors
from getihu.evaluations.contracts import PublicStatistics
from getihu.evaluations.schemas import Statistics

router = Router(tags=["评价"])
CITY_TIME = ZoneInfo("Asia/Shanghai")


@router.get("/ratings", response=list[Statistics], summary="各事项的评价")
def list_ratings(request: HttpRequest) -> list[PublicStatistics]:
    return selectors.list_statistics(on=datetime.now(UTC).astimezone(CITY_TIME).date())
