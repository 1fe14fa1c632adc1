"""Pages: parse what was asked, make one call, answer. The only place that reads the clock."""

import csv
import io
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from getihu.access import selectors as access
from getihu.dataplane import selectors as dataplane
from getihu.kernel.codes import InvalidCreditCode, normalise_credit_code
from getihu.kernel.errors import GetihuError, InvalidInput
from getihu.portal import selectors
from getihu.portal.forms import AsOfForm, PageForm, TypeSizeForm
from getihu.ui.templatetags.ui import prose

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]
YEAR_SECONDS = 365 * 24 * 3600


class Refused(Exception):
    """A request this page cannot answer; carries what a person needs to know."""

    def __init__(
        self,
        status: int,
        what: str,
        why: str,
        ways: tuple[str, ...] = (),
        commands: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what)
        self.status, self.what, self.why = status, what, why
        self.ways, self.commands = ways, commands


def page(view: View) -> View:
    """Turns what is anticipated (nothing published, unknown code …) into a designed page."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (Refused, GetihuError) as error:
            return _explain(request, error)

    return answer


def _explain(request: HttpRequest, error: Exception) -> HttpResponse:
    refused = error if isinstance(error, Refused) else _as_refused(error)
    context = {
        "what": refused.what,
        "why": refused.why,
        "ways": refused.ways,
        "commands": refused.commands,
    }
    return render(request, "portal/refused.html", context, status=refused.status)


def _as_refused(error: Exception) -> Refused:
    if isinstance(error, dataplane.NothingPublished):
        why = "各部门的数据还没有收进来，所以现在查不到任何一户。"
        return Refused(503, "还没有数据", why, commands=("make demo", "getihu ingest 目录"))
    why, _, way = str(error).partition("处理办法：")
    status = 503 if isinstance(error, dataplane.FactsNotBuilt) else 404
    status = 422 if isinstance(error, InvalidInput) else status
    return Refused(status, _headline(error), prose(why), (way,) if way else ())


def _headline(error: Exception) -> str:
    headlines = {
        dataplane.FactsNotBuilt: "这一天还没有算好",
        dataplane.AsOfBeforeData: "这一天还没有数据",
        dataplane.UnknownTrader: "没有查到这一户",
        InvalidCreditCode: "统一社会信用代码不对",
        InvalidInput: "这样改不成",
    }
    return headlines.get(type(error), "没有找到")


def as_of_asked(request: HttpRequest) -> date | None:
    form = AsOfForm(request.GET)
    if not form.is_valid():
        raise Refused(
            400, "日期看不懂", str(form.errors["as_of"][0]), ("改好日期再看，或者去掉日期。",)
        )
    return form.cleaned_data["as_of"]


@require_GET
@page
def trader(request: HttpRequest, trader_code: str) -> HttpResponse:
    code = normalise_credit_code(trader_code)
    if code != trader_code:
        return redirect("portal:trader", trader_code=code)
    shown = selectors.get_trader_page(
        code, as_of=as_of_asked(request), hidden=_hidden(request, code)
    )
    return render(request, "portal/trader.html", {"page": shown})


@require_GET
@page
def decision(request: HttpRequest, trader_code: str, rule_id: str) -> HttpResponse:
    code = normalise_credit_code(trader_code)
    shown = selectors.get_decision_page(
        code, rule_id, as_of=as_of_asked(request), hidden=_hidden(request, code)
    )
    return render(request, "portal/decision.html", {"page": shown})


def _hidden(request: HttpRequest, trader_code: str) -> frozenset[str]:
    return access.hidden_classes(request.actor, trader_code)  # type: ignore[attr-defined]


@require_GET
@page
def deliveries(request: HttpRequest) -> HttpResponse:
    shown = selectors.get_data_page(datetime.now(UTC))
    return render(request, "portal/data.html", {"page": shown})


@require_GET
@page
def quarantine(request: HttpRequest, delivery_id: str) -> HttpResponse:
    form = PageForm(request.GET)
    number = (form.cleaned_data["page"] or 1) if form.is_valid() else 1
    shown = selectors.get_quarantine_page(delivery_id, number=number)
    request.looked_at = f"delivery:{delivery_id}"  # type: ignore[attr-defined]
    return render(request, "portal/quarantine.html", {"page": shown})


@require_GET
@page
def quarantine_file(request: HttpRequest, delivery_id: str) -> HttpResponse:
    """The file a department gets back: UTF-8 with a mark for spreadsheets."""
    delivery = selectors.get_delivery(delivery_id)
    request.looked_at = f"delivery:{delivery.delivery_id}"  # type: ignore[attr-defined]
    rows = selectors.list_quarantine_cells(delivery.delivery_id)
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    response = HttpResponse(
        out.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8"
    )
    name = f"quarantine-{delivery.delivery_id}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_GET
@page
def facts(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/facts.html", {"groups": selectors.list_fact_groups()})


@require_POST
def type_size(request: HttpRequest) -> HttpResponse:
    """大字模式: kept in a cookie of this site for a year, then back to the page one was on."""
    form = TypeSizeForm(request.POST)
    if not form.is_valid():
        return redirect("portal:home")
    response = HttpResponseRedirect(form.cleaned_data["back"])
    size = form.cleaned_data["size"]
    response.set_cookie("type_size", size, max_age=YEAR_SECONDS, samesite="Lax", httponly=True)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    context = {"what": "这个请求看不懂", "why": "地址或者表单的内容不完整。"}
    return render(request, "portal/refused.html", context, status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    context = {"what": "没有这个页面", "why": "地址可能写错了，或者页面已经换了地方。"}
    return render(request, "portal/refused.html", context, status=404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    context = {
        "what": "这张表单过期了",
        "why": "为了防止别人冒用，每张表单只在打开它的浏览器里有效；浏览器可能禁用了 Cookie。",
        "ways": ("回到上一页，刷新以后再试。",),
    }
    return render(request, "portal/refused.html", context, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Ours to mend: logged once under the number the person sees."""
    reference = uuid.uuid4().hex[:8]
    logger.error("server error shown under reference %s", reference)
    context = {
        "what": "平台出错了",
        "why": "这不是您的问题，数据没有因此改变。",
        "ways": (f"稍后再试；如果还不行，报这个编号给管理员：{reference}。",),
    }
    return render(request, "portal/refused.html", context, status=500)
