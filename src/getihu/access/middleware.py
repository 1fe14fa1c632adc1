"""The wall: nothing is answered that the policy does not allow."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render

from getihu.access.contracts import PolicyRow
from getihu.access.selectors import admits, find_row, list_problems, methods_of, reaches
from getihu.access.services import tell_of_a_look
from getihu.access.wall import walled
from getihu.accounts.contracts import Actor

WAY_IN = "请用有权限的账号登录；还没有权限的，请本单位的安全管理员办理。"


class AccessMiddleware:
    """Refuses what the policy does not allow, before the page is asked.

    Built when the server starts: with a route that has no row, it does not start.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        problems = list_problems()
        if problems:
            raise ImproperlyConfigured("；".join(problems))
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        with walled(actor):
            answer = self.get_response(request)
        seen = getattr(request, "access_row", None)
        if seen is not None and _shows_something(request, answer):
            row, trader_code = seen
            _tell(request, row, [trader_code] if trader_code else _whose(request, row))
        return answer

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        route = match.view_name if match else ""
        row = find_row(route, request.method or "")
        actor: Actor = request.actor  # type: ignore[attr-defined]
        if row is None:
            return _wrong_method(request, methods_of(route))
        if not admits(row, actor):
            return _sign_in_first(request) if actor.is_anonymous else _no_right(request)
        if not _reaches(row, actor, kwargs):
            return _not_there(request)
        if row.reads_personal:
            request.access_row = (row, str(kwargs.get("trader_code", "")))  # type: ignore[attr-defined]
        return None


def _shows_something(request: HttpRequest, answer: HttpResponse) -> bool:
    """A page, or the same page with what is wrong with a form on it; not a refusal."""
    return answer.status_code == 200 or (
        answer.status_code == 422 and hasattr(request, "looked_at")
    )


def _whose(request: HttpRequest, row: PolicyRow) -> Iterable[str]:
    """Whose data a page says it showed (``request.looked_at``), where no address names her: codes
    of traders, or references such as ``rectification:…``. A list, or an empty counter
    (None), may have shown nobody's."""
    told: str | Iterable[str] | None = getattr(request, "looked_at", "")
    if told == "":
        raise ImproperlyConfigured(f"{row.route} 显示一户的数据，却没有说是哪一户")
    return [told] if isinstance(told, str) else told or ()


def _reaches(row: PolicyRow, actor: Actor, kwargs: dict[str, Any]) -> bool:
    return reaches(row, actor, str(kwargs.get("trader_code", "")))


def _tell(request: HttpRequest, row: PolicyRow, whose: Iterable[str]) -> None:
    """Before the answer leaves: a look that cannot be recorded is not answered."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    tell_of_a_look(row, actor, whose, at=datetime.now(UTC))


def _wrong_method(request: HttpRequest, allowed: list[str]) -> HttpResponse:
    answer = _refuse(request, 405, "这个地址不能这样用", "请求的方式不对。", "回到上一页再试。")
    answer["Allow"] = ", ".join(allowed)
    return answer


def _sign_in_first(request: HttpRequest) -> HttpResponse:
    wanted = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    way = f"{settings.LOGIN_URL}?{urlencode({'next': wanted})}"
    if request.path.startswith("/api/"):
        return _refuse(
            request, 401, "还没有登录", "这里要先登录。", f"先在 {settings.LOGIN_URL} 登录。"
        )
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=401)
        answer["HX-Redirect"] = f"{settings.LOGIN_URL}?next=/"
        return answer
    return HttpResponseRedirect(way)


def _no_right(request: HttpRequest) -> HttpResponse:
    return _refuse(request, 403, "您没有这里的权限", "这里只对担任有关职务的人开放。", WAY_IN)


def _not_there(request: HttpRequest) -> HttpResponse:
    """The same answer for what is not hers and for what nobody has: it must not tell them apart."""
    return _refuse(
        request,
        404,
        "没有找到",
        "没有这一户，或者不在您能看的范围里。",
        "核对代码；要看别人的店，请经营者授权。",
    )


def _refuse(request: HttpRequest, status: int, what: str, why: str, way: str) -> HttpResponse:
    context = {"what": what, "why": why, "next": way}
    if request.path.startswith("/api/"):
        return JsonResponse(context, status=status, json_dumps_params={"ensure_ascii": False})
    return render(request, "access/refused.html", context, status=status)
