"""What the pages of cases share: who acts, forms that act once, refusals that say what next."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from getihu.accounts.contracts import Actor
from getihu.accounts.services import ClaimRefused
from getihu.cases import selectors as cases
from getihu.cases import services
from getihu.cases.contracts import CaseView
from getihu.entry import selectors as entry
from getihu.entry import services as filings
from getihu.evaluations import selectors as ratings
from getihu.evaluations import services as evaluations
from getihu.growth import selectors as profiles
from getihu.growth import services as growth
from getihu.kernel.codes import InvalidCreditCode
from getihu.kernel.errors import GetihuError, InvalidInput
from getihu.passport import services as licences
from getihu.policies import services as awards
from getihu.portal.views import Refused
from getihu.registry import selectors as registry
from getihu.registry import services as registered
from getihu.supervision import services as supervised
from getihu.support import services as appeals

CITY_TIME = ZoneInfo("Asia/Shanghai")
ONCE = "once"
View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Kind:
    """How a refusal of the cases is shown: status, headline, clause, what to do next."""

    status: int
    what: str
    clause: str
    way: str


KINDS: dict[type[GetihuError], Kind] = {
    cases.CaseNotFound: Kind(404, "没有这件办件", "", "核对编号；别人的办件要本人授权才能看。"),
    cases.BundleNotFound: Kind(404, "没有这件一类事", "", "核对编号；别人的办件要本人授权才能看。"),
    services.NotAllowed: Kind(
        403,
        "这件事您不能办",
        "行政许可法 第二十二条（在法定职权范围内实施）",
        "请承办人或负责人办理。",
    ),
    services.IllegalMove: Kind(
        409, "现在不能这样办", "行政许可法 第四章（实施程序）", "打开办件，看现在到了哪一步。"
    ),
    services.NoOwner: Kind(
        409, "暂时没有人承办", "促进个体工商户发展条例（首问负责）", "草稿还在，过一天再提交。"
    ),
    services.FileRefused: Kind(422, "文件没有收下", "本项目设定，非官方", "换一份文件再传。"),
    evaluations.BadRating: Kind(
        422, "没有收下", "浙江省政务服务“好差评”办法（2019年10月）", "按原因改好再交。"
    ),
    evaluations.AlreadyRated: Kind(
        409, "已经评过了", "国办发〔2019〕51号（一事一评）", "凭评价码可以看回复、追评一次。"
    ),
    ratings.RatingNotFound: Kind(404, "没有这件整改", "", "从整改列表里打开。"),
    awards.NotAllowed: Kind(
        403, "这件事您不能办", "国库集中支付内控（不相容岗位分离）", "请有权限的另一个人办理。"
    ),
    awards.BadAccount: Kind(422, "收款账户没有收下", "", "按原因改好再交。"),
    awards.ConsentMissing: Kind(
        422, "还差您的同意", "个人信息保护法 第二十九条", "回到上一页，看清楚再勾选。"
    ),
    awards.IllegalMove: Kind(409, "现在不能这样办", "", "回到上一页刷新，看现在到了哪一步。"),
    awards.NotNow: Kind(409, "现在不能这样办", "", "回到上一页刷新，看现在到了哪一步。"),
    awards.NotAwardable: Kind(422, "这条规则不能自动兑付", "", "按原因改好规则或方案。"),
    awards.SampleOpen: Kind(409, "抽查还没有过", "", "回到这一批，先抽查。"),
    awards.BatchChanged: Kind(409, "清单变了，没有付", "", "撤回清单，再编一次。"),
    awards.BadClaim: Kind(422, "不能这样要求退回", "", "按原因改好再交。"),
    filings.FilingRefused: Kind(409, "登记现在不能这样办", "", "按原因改好再交，草稿还在。"),
    filings.BadTakeOver: Kind(422, "接手码不对", "", "请接手的人重新生成。"),
    InvalidCreditCode: Kind(422, "统一社会信用代码不对", "GB 32100-2015", "核对营业执照再写。"),
    ClaimRefused: Kind(409, "现在办不了", "", "带身份证件到窗口办。"),
    filings.NotBookable: Kind(409, "没有约上", "", "换一个时间再约。"),
    filings.NotAtThisWindow: Kind(403, "这件事您不能办", "", "请这个窗口的同事办理。"),
    filings.BadVisit: Kind(409, "现在不能这样办", "", "回到窗口，看现在到了哪一步。"),
    entry.VisitNotFound: Kind(404, "没有这次接待", "", "从窗口的列表里打开。"),
    entry.UnknownOffice: Kind(404, "没有这个窗口", "", "从列表里选一个。"),
    licences.CodeExpired: Kind(409, "这个码不能用了", "", "请她打开企业码，扫新的。"),
    licences.NoLicence: Kind(409, "还没有电子营业执照", "", "在“我的企业码”里领取。"),
    licences.NotHers: Kind(403, "这件事您不能办", "", "请经营者本人登录。"),
    licences.BadRequest: Kind(409, "这个请求现在不能办", "", "请银行重新发。"),
    licences.BadPresentation: Kind(409, "没有出示成功", "", "先在“我的企业码”里领取执照。"),
    growth.NotAllowed: Kind(403, "这件事您不能办", "", "请有权限的人办理。"),
    growth.NotNow: Kind(409, "现在不能这样办", "", "回到上一页刷新，看现在到了哪一步。"),
    growth.NoWindow: Kind(409, "现在没有开申报窗口", "", "看“申报时间”，开窗时再来。"),
    growth.NotEligible: Kind(
        409, "现在还不能申报", "国市监注发〔2024〕10号", "看原因，够条件时再来；草稿还在。"
    ),
    profiles.NotHers: Kind(
        403, "这一页您不能看", "个人信息保护法 第四十五条", "请经营者本人登录。"
    ),
    growth.NotContestable: Kind(409, "现在不能提", "", "在画像里看进度。"),
    growth.NotVoluntary: Kind(
        409, "不能这样转企", "促进个体工商户发展条例 第十三条", "由经营者本人自己定。"
    ),
    growth.NotYours: Kind(403, "这件事您不能办", "", "请承办部门的工作人员办理。"),
    growth.AlreadyEnded: Kind(409, "现在不能这样办", "", "刷新页面，看现在的样子。"),
    growth.CannotDecide: Kind(409, "现在不能这样办", "", "刷新页面，看现在的样子。"),
    registered.NotTheOperator: Kind(
        403, "这件事您不能办", "个人信息保护法 第十四条", "请经营者本人登录。"
    ),
    registered.BadTerm: Kind(422, "到期的日子不对", "", "写以后的日子，或者不写。"),
    InvalidInput: Kind(422, "填的内容不对", "", "按提示改好再交，草稿还在。"),
    supervised.NotAllowed: Kind(403, "这件事您不能办", "", "请本机关有权限的人办理。"),
    supervised.NotNow: Kind(409, "现在不能这样办", "", "打开计划，看下一步是什么。"),
    supervised.CannotDraw: Kind(409, "现在还不能抽", "", "按提示改好名录或者计划。"),
    supervised.TooMany: Kind(
        409, "今年的计划检查已经满了", "优化营商环境条例 第五十四条", "并入已经安排的那一次。"
    ),
    supervised.UnknownRecord: Kind(404, "没有这条记录", "", "从“我的信用记录”里打开。"),
    supervised.NotRepairable: Kind(
        409,
        "现在还不能修复",
        "市场监督管理信用修复管理办法；信用修复管理办法（令第36号）",
        "到了可以申请的那天，会通知您。",
    ),
    supervised.UnknownBreach: Kind(404, "没有这件违法记录", "", "从列表里打开。"),
    appeals.AppealNotFound: Kind(404, "没有这件诉求", "", "从列表里打开，或者核对诉求码。"),
    appeals.NotAllowed: Kind(403, "这件事您不能办", "", "请承办的机关办理。"),
    appeals.IllegalMove: Kind(409, "现在不能这样办", "", "打开诉求，看现在到了哪一步。"),
    appeals.BadAppeal: Kind(422, "没有收下", "", "按原因改好再交。"),
    appeals.UnknownSubject: Kind(422, "没有这一类", "", "从列表里选一类。"),
    services.KeyUsed: Kind(409, "这张表单已经用过", "", "刷新页面，看办件现在的样子。"),
}


def actor_of(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def shows(request: HttpRequest, *whose: str) -> None:
    """Say whose data a page shows, for the trace that looking leaves: codes of traders, or
    references such as ``rectification:…``."""
    request.looked_at = whose  # type: ignore[attr-defined]


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    return now().astimezone(CITY_TIME).date()


def casework(home: str) -> Callable[[View], View]:
    """A page of cases: signed in, and every refusal designed. ``home`` is where one goes next."""

    def wrap(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if actor_of(request).is_anonymous:
                query = urlencode({"next": request.get_full_path()})
                return redirect(f"{settings.LOGIN_URL}?{query}")
            try:
                response = view(request, *args, **kwargs)
            except (Refused, GetihuError) as error:
                response = _explain(request, error, home, kwargs.get("case_id"))
            response["Cache-Control"] = "no-store"  # shared machines: nothing stays behind
            return response

        return answer

    return wrap


def _explain(
    request: HttpRequest, error: Exception, home: str, case_id: uuid.UUID | None
) -> HttpResponse:
    if isinstance(error, Refused):
        kind = Kind(error.status, error.what, "", "".join(error.ways))
        why, way = error.why, kind.way
    else:
        usual = Kind(404, "没有找到", "", "从列表里重新打开。")
        kind = next((k for t, k in KINDS.items() if isinstance(error, t)), usual)
        why, _, way = str(error).partition("处理办法：")
    context = {
        "kind": kind,
        "why": why,
        "way": way or kind.way,
        "home": home,
        "case_id": None if kind.status == 404 else case_id,
    }
    return render(request, "portal/mine/refused.html", context, status=kind.status)


def act_once(request: HttpRequest, do: Callable[[], str]) -> HttpResponse:
    """Do what a form asks for once, however often it is sent, and go where it leads."""
    try:
        key = uuid.UUID(request.POST.get(ONCE, ""))
    except ValueError:
        ways = ("回到上一页，刷新以后再试。",)
        raise Refused(400, "这张表单不完整", "缺少防止重复提交的编号。", ways) from None
    return redirect(services.once(key, _digest(request), do, by=actor_of(request), at=now()))


def _digest(request: HttpRequest) -> str:
    """What was asked, without what changes from page to page."""
    asked = sorted(
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in (ONCE, "csrfmiddlewaretoken")
    )
    return hashlib.sha256(repr((request.path, asked)).encode()).hexdigest()


def fresh_key() -> str:
    """A key for the forms of one page."""
    return str(uuid.uuid4())


def trader_name(trader_code: str) -> str:
    """The name on the signboard; the code where nothing is published or it is not known."""
    if entry.is_provisional(trader_code):
        return "新店（还没有登记）"
    try:
        return registry.get_trader(trader_code).name
    except GetihuError:
        filed = entry.get_entry(trader_code)  # opened here, not yet in the departments' data
        return filed.name or filed.premises or trader_code if filed else trader_code


def place_of(trader_code: str) -> str | None:
    """The town, else the county, where a shop stands; None where nobody says. Raises
    UnknownTrader."""
    filed = entry.get_entry(trader_code)
    if filed is not None and filed.county_code:
        return filed.town_code or filed.county_code
    trader = registry.get_trader(trader_code)
    return trader.town_code or trader.county_code


def download(view: Any, content: bytes, number: str) -> HttpResponse:
    """A file as a download that no browser opens or runs by itself."""
    response = HttpResponse(content, content_type="application/octet-stream")
    ending = {"jpeg": "jpg"}.get(view.kind, view.kind)
    response["Content-Disposition"] = f'attachment; filename="{number}-{view.document_id}.{ending}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def bar(view: CaseView) -> dict[str, int] | None:
    """How far the clock has come that the case waits for; None while none runs."""
    open_stages = [s for s in view.stages if s.status == "open" and s.clock]
    open_stages.sort(key=lambda s: not s.is_critical)
    clocks = [s.clock for s in open_stages if s.clock]
    clocks = clocks or [c for c in view.clocks if c.stopped_on is None and not c.stage_id]
    if not clocks or not view.waiting or view.state == "correction":
        return None
    reading = clocks[0].reading
    return {"used": min(reading.used, reading.total), "total": reading.total}
