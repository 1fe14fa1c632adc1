"""Who a trader is, over HTTP."""

from datetime import date

from django.http import HttpRequest
from ninja import Router

from getihu.access import selectors as access
from getihu.kernel.codes import normalise_credit_code
from getihu.registry import selectors
from getihu.registry.contracts import ChangeRecord, TraderIdentity
from getihu.registry.schemas import Change, Search, Trader

router = Router(tags=["登记"])


@router.post("/traders/search", response=list[Trader], summary="按名称或代码查找")
def search_traders(request: HttpRequest, wanted: Search) -> list[TraderIdentity]:
    within = access.within(request.actor, "api-1:search_traders", "POST")  # type: ignore[attr-defined]
    return selectors.search_traders(wanted.text, limit=wanted.limit, within=within)


@router.get("/traders/{trader_code}", response=Trader, summary="一户的身份")
def get_trader(request: HttpRequest, trader_code: str, as_of: date | None = None) -> TraderIdentity:
    return selectors.get_trader(normalise_credit_code(trader_code), as_of)


@router.get("/traders/{trader_code}/changes", response=list[Change], summary="登记变更")
def list_changes(request: HttpRequest, trader_code: str) -> list[ChangeRecord]:
    return selectors.list_changes(normalise_credit_code(trader_code))
