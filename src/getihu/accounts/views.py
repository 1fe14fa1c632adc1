"""Signing in and out. A door: reads the clock, checks, answers."""

import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_otp import login as otp_login

from getihu.accounts import oidc, provincial, selectors, services, signing
from getihu.accounts.contracts import Duty
from getihu.accounts.forms import CodeForm, SignInForm
from getihu.accounts.ports import ProvinceUnreachable, TicketRefused

BACKEND = "django.contrib.auth.backends.ModelBackend"
ENROL_SECONDS = 600  # 本项目设定，非官方
WRONG = "登录名、密码或动态口令不对。办事人员三样都要对。"
NOT_LINKED = "您的身份核对过了，但还没有开通账号。请本单位的系统管理员办理。"
NOT_BEGUN = "这次登录不是从这里开始的，或者隔得太久。请再点一次登录。"
LONGEST_TICKET = 2000
OTHERWISE = "请过一会儿再试，或者用登录名和密码登录。"
LOCKED = (
    "错的次数太多，暂停 15 分钟。忘了密码的，请本单位的系统管理员重设；"
    "动态口令丢了的，请安全管理员重设。"
)


@never_cache
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Name, password and, for officers, the code of the second factor."""
    onward = _onward(request)
    form = SignInForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _page(request, onward, form, status=200 if request.method == "GET" else 422)
    try:
        account, device = signing.check(request, **form.cleaned_data)
    except signing.Locked:
        return _page(request, onward, form, why=LOCKED, status=429)
    except signing.Refused:
        return _page(request, onward, form, why=WRONG, status=403)
    except signing.NeedsSecondFactor as need:
        request.session.cycle_key()
        request.session["enrolling"] = [str(need.account.pk), time.time() + ENROL_SECONDS, onward]
        return redirect("accounts:enrol")
    return _signed_in(request, account, onward, device)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """The officer's first time: show the secret, take a first code, and sign in."""
    account_id, until, onward = request.session.get("enrolling", ["", 0, "/"])
    account = selectors.find_account(account_id) if time.time() < until else None
    if account is None or selectors.has_second_factor(account):
        return redirect("accounts:sign-in")
    form = CodeForm(request.POST or None)
    why = ""
    if request.method == "POST" and form.is_valid():
        try:
            device = signing.confirm(account, form.cleaned_data["code"], at=_now())
        except signing.Refused:
            why = "动态口令不对。看看手机的时间准不准，等下一个口令再试。"
        else:
            del request.session["enrolling"]
            return _signed_in(request, account, onward, device)
    device = signing.device_to_enrol(account)
    context = {
        "form": form,
        "why": why,
        "picture": signing.picture_of(device),
        "secret": signing.secret_of(device),
    }
    status = 200 if request.method == "GET" else 422
    return render(request, "accounts/enrol.html", context, status=status)


@never_cache
@require_safe
def oidc_start(request: HttpRequest) -> HttpResponse:
    """Off to the organisation's identity provider. Where none is set up: no such page."""
    if not oidc.is_configured():
        raise Http404
    request.session["onward"] = _onward(request)
    back = request.build_absolute_uri(reverse("accounts:oidc-back"))
    try:
        return oidc.send_away(request, back)
    except oidc.ProviderUnreachable as error:
        return _page(request, "/", SignInForm(), why=f"{error}{OTHERWISE}", status=503)


@never_cache
@require_safe
def oidc_back(request: HttpRequest) -> HttpResponse:
    """Back from the provider: a person goes on, an officer still gives the second factor."""
    if not oidc.is_configured():
        raise Http404
    onward = request.session.pop("onward", "/")
    try:
        identity = oidc.who_came_back(request)
    except oidc.ProviderUnreachable as error:
        return _page(request, onward, SignInForm(), why=f"{error}{OTHERWISE}", status=503)
    except oidc.IdentityRefused as error:
        return _page(request, onward, SignInForm(), why=str(error), status=403)
    account = selectors.find_by_identity(identity.issuer, identity.subject)
    if account is None:
        return _page(request, onward, SignInForm(), why=NOT_LINKED, status=403)
    return _vouched_for(request, account, onward)


@never_cache
@require_safe
def province(request: HttpRequest) -> HttpResponse:
    """Off to the province's sign-in, or back from it with a ticket. Where none is set up: no such
    page. A ticket counts only in the browser that set out from here a moment ago."""
    if not provincial.is_configured():
        raise Http404
    ticket = request.GET.get("ticket", "")
    if not ticket:
        request.session["province"] = [time.time() + ENROL_SECONDS, _onward(request)]
        return redirect(settings.PROVINCE["sign_in"])
    until, onward = request.session.pop("province", [0, "/"])
    if time.time() >= until or len(ticket) > LONGEST_TICKET:
        return _page(request, onward, SignInForm(), why=NOT_BEGUN, status=403)
    try:
        account = signing.check_ticket(ticket, at=_now())
    except ProvinceUnreachable as error:
        return _page(request, onward, SignInForm(), why=str(error), status=503)
    except (TicketRefused, services.AccountConflict) as error:
        return _page(request, onward, SignInForm(), why=str(error), status=403)
    return _vouched_for(request, account, onward)


def _vouched_for(request: HttpRequest, account: Any, onward: str) -> HttpResponse:
    """Somebody a provider vouches for: a person is in, an officer still gives the second factor."""
    if account.duty == Duty.PERSON:
        return _signed_in(request, account, onward)
    request.session.cycle_key()
    wanted = "second_step" if selectors.has_second_factor(account) else "enrolling"
    request.session[wanted] = [str(account.pk), time.time() + ENROL_SECONDS, onward]
    return redirect("accounts:code" if wanted == "second_step" else "accounts:enrol")


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The one-time code of an officer whom the provider knows."""
    account_id, until, onward = request.session.get("second_step", ["", 0, "/"])
    account = selectors.find_account(account_id) if time.time() < until else None
    if account is None:
        return redirect("accounts:sign-in")
    form = CodeForm(request.POST or None)
    why, status = "", 200
    if request.method == "POST":
        why, status = "动态口令不对。等下一个口令再试。", 422
        if form.is_valid():
            try:
                device = signing.check_code(request, account, form.cleaned_data["code"])
            except signing.Locked:
                why, status = LOCKED, 429
            except signing.Refused:
                pass
            else:
                del request.session["second_step"]
                return _signed_in(request, account, onward, device)
    return render(request, "accounts/code.html", {"form": form, "why": why}, status=status)


@require_POST
def sign_in_as(request: HttpRequest) -> HttpResponse:
    """One of the demo city's people, without a password. Anywhere else: no such page."""
    account = selectors.find_cast_member(request.POST.get("login", ""))
    if account is None:
        raise Http404
    return _signed_in(request, account, _onward(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        signing.tell("account.signed_out", request.user.pk, at=_now())
    logout(request)
    return redirect("accounts:sign-in")


def _signed_in(request: HttpRequest, account: Any, onward: str, device: Any = None) -> HttpResponse:
    with transaction.atomic():
        login(request, account, backend=BACKEND)
        if device is not None:
            otp_login(request, device)
        signing.tell("account.signed_in", account.pk, at=_now())
    return HttpResponseRedirect(onward)


def _onward(request: HttpRequest) -> str:
    """Where to go afterwards: only to an address of this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else "/"


def _page(
    request: HttpRequest, onward: str, form: SignInForm, *, why: str = "", status: int
) -> HttpResponse:
    context = {
        "form": form,
        "next": onward,
        "why": why,
        "cast": selectors.list_cast(),
        "provider": settings.OIDC["name"] if oidc.is_configured() else "",
        "province": settings.PROVINCE["name"] if provincial.is_configured() else "",
    }
    return render(request, "accounts/sign_in.html", context, status=status)


def _now() -> datetime:
    return datetime.now(UTC)
