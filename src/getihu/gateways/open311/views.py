"""The doors of GeoReport v2."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from getihu.accounts.contracts import ANONYMOUS
from getihu.gateways.open311 import shapes
from getihu.kernel.errors import GetihuError
from getihu.support import selectors, services
from getihu.support.contracts import Channel

CITY_TIME = ZoneInfo("Asia/Shanghai")
WINDOW, MOST = timedelta(days=90), 1000
View = Callable[..., HttpResponse]


class BadAsk(GetihuError):
    """A parameter that GeoReport does not know."""


def _georeport(view: View) -> View:
    """Errors in the form of GeoReport: a list of code and description."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = kwargs.get("form", "json")
        try:
            response = view(request, *args, **kwargs)
        except services.AppealNotFound as error:
            response = _answer(form, [_error(404, error)], "errors", "error", 404)
        except GetihuError as error:
            response = _answer(form, [_error(400, error)], "errors", "error", 400)
        response["Cache-Control"] = "no-store"
        return response

    return answer


def _error(status: int, error: Exception) -> dict[str, Any]:
    return {"code": status, "description": str(error)}


def _answer(
    form: str, documents: Sequence[Mapping[str, Any]], root: str, item: str, status: int = 200
) -> HttpResponse:
    if form == "xml":
        text, kind = shapes.as_xml(documents, root, item), "application/xml"
    else:
        text, kind = shapes.as_json(documents), "application/json"
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", status=status)


@require_GET
@_georeport
def discovery(request: HttpRequest, form: str) -> HttpResponse:
    """What this endpoint is and where."""
    here = request.build_absolute_uri("/open311/v2")
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": here,
        "changeset": "2026-12-01T00:00:00+08:00",
        "type": "production",
        "formats": ["application/json", "application/xml"],
    }
    found = [{"changeset": "2026-12-01T00:00:00+08:00", "contact": "", "endpoints": [endpoint]}]
    return _answer(form, found, "discoveries", "discovery")


@require_GET
@_georeport
def list_services(request: HttpRequest, form: str) -> HttpResponse:
    """Subjects of appeals as services."""
    titles = {group.id: group.title for group in selectors.list_groups()}
    found = [shapes.service(s, titles[s.group]) for s in selectors.list_subjects()]
    return _answer(form, found, "services", "service")


@csrf_exempt
@require_http_methods(["GET", "POST"])
@_georeport
def requests(request: HttpRequest, form: str) -> HttpResponse:
    """The newest requests by the filters of GeoReport; or one handed in."""
    if request.method == "POST":
        return _hand_in(request, form)
    asked = request.GET
    numbers = [n for n in asked.get("service_request_id", "").split(",") if n]
    since, until = _moment(asked.get("start_date")), _moment(asked.get("end_date"))
    until = until or datetime.now(UTC)
    found = selectors.list_public(
        numbers=numbers,
        subjects=[s for s in asked.get("service_code", "").split(",") if s],
        states=[s for s in asked.get("status", "").split(",") if s],
        since=since or (until - WINDOW if not numbers else None),
        until=until,
        limit=MOST,
    )
    return _answer(form, [shapes.request(one) for one in found], "service_requests", "request")


def _hand_in(request: HttpRequest, form: str) -> HttpResponse:
    told = request.POST
    if told.get("service_code"):
        selectors.get_subject(told["service_code"])  # a wrong one is told; a right one suggests
    place = told.get("address_string", "") or told.get("address_id", "")
    contact = told.get("email", "") or told.get("phone", "")
    filed = services.file_appeal(
        told.get("description", ""),
        channel=Channel.OPEN311,
        place_text=place,
        contact=contact,
        by=ANONYMOUS,
        at=datetime.now(UTC),
    )
    document = {
        "service_request_id": filed.number,
        "service_notice": f"诉求码 {filed.code}，凭它看进度、确认、重新提出。",
        "account_id": None,
    }
    return _answer(form, [document], "service_requests", "request", 201)


@require_GET
@_georeport
def one_request(request: HttpRequest, number: str, form: str) -> HttpResponse:
    """One request by its number."""
    found = selectors.list_public(numbers=[number], limit=1)
    if not found:
        raise services.AppealNotFound
    return _answer(form, [shapes.request(found[0])], "service_requests", "request")


def _moment(text: str | None) -> datetime | None:
    """A moment of ISO 8601; without a zone it is the city's. Raises BadAsk."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise BadAsk(
            f"时间“{text[:30]}”看不懂。处理办法：写成 2026-11-02T09:00:00+08:00。"
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=CITY_TIME)
