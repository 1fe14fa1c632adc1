"""The JSON API: one OpenAPI 3.1 document at /api/openapi.json; errors say what, why and next."""

import logging
import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from ninja.renderers import JSONRenderer

from getihu.config.room import not_now
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.api import router as dataplane_router
from getihu.evaluations.api import router as evaluations_router
from getihu.growth.api import router as growth_router
from getihu.kernel.errors import GetihuError, InvalidInput
from getihu.kernel.room import is_passing
from getihu.portal import views
from getihu.registry.api import router as registry_router
from getihu.rulebook.api import router as rulebook_router

logger = logging.getLogger(__name__)


class ErrorBody(Schema):
    """What a caller gets instead of an answer."""

    what: str
    why: str
    next: str


class ReadableJson(JSONRenderer):
    """JSON in which Chinese stays Chinese, for people who look at it."""

    json_dumps_params = {"ensure_ascii": False}  # noqa: RUF012  declared so by the base class


class DocumentedApi(NinjaAPI):
    """Every operation says what a refusal looks like, not only what it answers when all is well."""

    def get_openapi_schema(self, **options: Any) -> Any:
        document = super().get_openapi_schema(**options)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["ErrorBody"] = ErrorBody.model_json_schema()
        refusal = {"$ref": "#/components/schemas/ErrorBody"}
        for operations in document["paths"].values():
            for operation in operations.values():
                operation["responses"]["default"] = {
                    "description": "没有办成：是什么，为什么，接下来怎么做",
                    "content": {"application/json": {"schema": refusal}},
                }
        return document


# No documentation page: it would load scripts of its own; the document itself is enough.
api = DocumentedApi(
    title="个体工商户服务",
    version="1",
    description="一户的身份、分型、政策判定和原因；各部门数据、快照、规则。日期写 YYYY-MM-DD。",
    docs_url=None,
    renderer=ReadableJson(),
)
api.add_router("", registry_router)
api.add_router("", rulebook_router)
api.add_router("", dataplane_router)
api.add_router("", evaluations_router)
api.add_router("", growth_router)


def _answer(request: HttpRequest, status: int, what: str, why: str, way: str) -> HttpResponse:
    return api.create_response(request, {"what": what, "why": why, "next": way}, status=status)


@api.exception_handler(GetihuError)
def anticipated(request: HttpRequest, error: GetihuError) -> HttpResponse:
    if isinstance(error, dataplane.NothingPublished):
        return _answer(request, 503, "还没有数据", str(error), "运行 getihu ingest 目录。")
    if isinstance(error, dataplane.FactsNotBuilt):
        return _answer(request, 503, "这一天还没有算好", str(error), "运行 getihu decide。")
    if isinstance(error, InvalidInput):
        return _answer(request, 422, "这样改不成", str(error), "按提示改好再试。")
    return _answer(request, 404, "没有找到", str(error), "核对代码、编号和日期。")


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields = "、".join(str(problem["loc"][-1]) for problem in error.errors)
    why = "；".join(f"{problem['loc'][-1]}：{_reason(problem)}" for problem in error.errors)
    return _answer(request, 422, "参数不对", why, f"改好再试：{fields}。格式见 /api/openapi.json。")


def _reason(problem: dict[str, Any]) -> str:
    reasons = {
        "missing": "没有给出",
        "string_too_short": "太短",
        "string_too_long": "太长",
        "less_than_equal": "太大",
        "greater_than_equal": "太小",
        "json_invalid": "不是有效的 JSON",
    }
    kind = str(problem.get("type", ""))
    if kind.startswith("date"):
        return "不是日期，请写成 2026-10-31 这样"
    if kind.startswith("int"):
        return "不是整数"
    return reasons.get(kind, "不符合格式")


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _answer(request, 404, "没有找到", "没有这个地址。", "可用的地址见 /api/openapi.json。")


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    why = "请求体不是有效的 JSON。" if error.status_code == 400 else str(error)
    return _answer(request, error.status_code, "没有办成", why, "可用的地址见 /api/openapi.json。")


@api.exception_handler(Exception)
def broken(request: HttpRequest, error: Exception) -> HttpResponse:
    if is_passing(error):
        logger.error("api: %s: not now", type(error).__name__)
        return not_now(request)
    reference = uuid.uuid4().hex[:8]
    logger.error("api error under reference %s", reference, exc_info=error)
    return _answer(
        request, 500, "平台出错了", "这不是调用方的问题。", f"把编号 {reference} 报给管理员。"
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address nobody has: in JSON below /api/, as a page elsewhere."""
    if request.path.startswith("/api/"):
        return not_found(request, Http404())
    return views.not_found(request, exception)
