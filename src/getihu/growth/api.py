"""Types, pools and lists over HTTP: numbers and hashes for everybody, a trader's own by right."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from ninja import Router

from getihu.growth import selectors
from getihu.growth.contracts import MembershipView, PoolSummary, RefreshView
from getihu.growth.schemas import InPool, PoolCount, PoolList, TypeCount, Types
from getihu.kernel.codes import normalise_credit_code

router = Router(tags=["分型和培育库"])
CITY_TIME = ZoneInfo("Asia/Shanghai")


@router.get("/types", response=Types, summary="一个县（市、区）或者全市的分型")
def list_types(request: HttpRequest, county: str = "", as_of: date | None = None) -> Types:
    page = selectors.get_types_page(county, as_of)
    return Types(
        county_code=page.county_code,
        county_name=page.county_name,
        as_of=page.review.as_of,
        sha256=page.review.sha256,
        total=page.total,
        shares=[TypeCount(type=s.type, label=s.label, count=s.count) for s in page.shares],
    )


@router.get("/pools", response=list[PoolCount], summary="各培育库的户数")
def list_pools(request: HttpRequest, county: str = "") -> list[PoolSummary]:
    return selectors.list_pools(_today(), county)


@router.get("/pools/lists", response=list[PoolList], summary="公示和公布的年度名单")
def list_pool_lists(request: HttpRequest, county: str = "", pool: str = "") -> list[RefreshView]:
    return selectors.list_refreshes(county_code=county, pool_id=pool)


@router.get("/traders/{trader_code}/pools", response=list[InPool], summary="一户在哪些培育库")
def list_memberships(request: HttpRequest, trader_code: str) -> list[MembershipView]:
    return selectors.list_memberships(normalise_credit_code(trader_code), _today())


def _today() -> date:
    return datetime.now(UTC).astimezone(CITY_TIME).date()
