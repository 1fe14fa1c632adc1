"""The 企业码: the owner shows it, anybody scans it, a bank asks for a slice of it."""

import base64
import io
import json
import uuid
from datetime import date, timedelta
from typing import Any

import qrcode
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)
from qrcode.image.svg import SvgPathImage

from getihu.accounts.contracts import Role
from getihu.journeys import services as journeys
from getihu.kernel.errors import GetihuError
from getihu.passport import selectors, services
from getihu.passport.contracts import ITEMS, Audience, CertificateView
from getihu.portal.forms import AskForm, CheckForm
from getihu.portal.views import Refused, page
from getihu.portal.views.casework import (
    act_once,
    actor_of,
    casework,
    fresh_key,
    now,
    today,
    trader_name,
)

trader_page = casework("portal:mine")
desk_page = casework("portal:desk-bank")
LARGEST_ANSWER = 64 * 1024


# the owner


@require_http_methods(["GET", "POST"])
@trader_page
def code(request: HttpRequest, trader_code: str) -> HttpResponse:
    """The code, the wallet behind it, who looked, which bank holds what."""
    here = reverse("portal:mine-code", args=[trader_code])
    if request.method == "POST":
        return act_once(request, lambda: _fetch(trader_code, here))
    at = now()
    wallet = selectors.list_certificates(trader_code, at=at)
    scene = request.GET.get("scene", "")
    context = {
        "code": trader_code,
        "name": trader_name(trader_code),
        "wallet": [c for c in wallet if c.is_valid or c.kind == selectors.LICENCE][:40],
        "licence": next((c for c in wallet if c.kind == selectors.LICENCE), None),
        "has_licence": any(c.kind == selectors.LICENCE and c.is_valid for c in wallet),
        "scenes": [s for s in selectors.scenes().values() if s.audience != "bank"],
        "scene": scene if scene in selectors.scenes() else "",
        "scans": selectors.list_scans(trader_code),
        "shown": selectors.list_shown([trader_code], at=at),
        "waiting": selectors.list_waiting(trader_code, at=at),
        "once": fresh_key(),
    }
    return render(request, "portal/passport/code.html", context)


def _fetch(trader_code: str, here: str) -> str:
    journeys.fetch_wallet(trader_code, at=now())
    return here


@require_GET
@trader_page
def fresh_code(request: HttpRequest, trader_code: str) -> HttpResponse:
    """The picture of a new code, good for a minute; asked for again before that is over."""
    scene = request.GET.get("scene", "")
    made = services.make_code(trader_code, by=actor_of(request), at=now(), scene=scene)
    link = f"{settings.PUBLIC_URL}{reverse('portal:scan', args=[made])}"
    context = {"picture": _picture(link), "link": link, "code": trader_code, "scene": scene}
    return render(request, "portal/passport/_fresh.html", context)


@require_GET
@trader_page
def certificate(request: HttpRequest, trader_code: str, certificate_id: uuid.UUID) -> HttpResponse:
    """One certificate to read and print; the licence with the code for places without a network,
    which says when it was made."""
    at = now()
    shown = _find(trader_code, certificate_id)
    text = ""
    if shown.kind == selectors.LICENCE and shown.is_valid:
        text = services.make_offline_code(trader_code, by=actor_of(request), at=at)
    context = {
        "code": trader_code,
        "name": trader_name(trader_code),
        "certificate": shown,
        "picture": _picture(text) if text else "",
        "text": text,
        "made_at": at,
        "until": at + timedelta(hours=24),
        "check_link": f"{settings.PUBLIC_URL}{reverse('portal:passport-check')}",
    }
    return render(request, "portal/passport/certificate.html", context)


@require_GET
@trader_page
def certificate_file(
    request: HttpRequest, trader_code: str, certificate_id: uuid.UUID
) -> HttpResponse:
    """A certificate with both signatures, to hand on."""
    shown = _find(trader_code, certificate_id)
    text = services.make_package(certificate_id, by=actor_of(request), at=now())
    response = HttpResponse(text, content_type="application/json")
    name = f"{shown.kind}-{trader_code}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _find(trader_code: str, certificate_id: uuid.UUID) -> CertificateView:
    wallet = selectors.list_certificates(trader_code, at=now())
    found = next((c for c in wallet if c.id == str(certificate_id)), None)
    if found is None:
        raise Refused(404, "没有这张证照", "回到“我的企业码”，从卡包里打开。")
    return found


@require_POST
@trader_page
def take_back(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    services.take_back(request_id, by=actor_of(request), at=now())
    back = request.POST.get("trader", "")
    if back not in actor_of(request).own:
        return redirect("portal:mine")
    return redirect("portal:mine-code", trader_code=back)


@require_http_methods(["GET", "POST"])
@trader_page
def asked(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """A bank's question: what, what for, until when; she agrees or not."""
    actor = actor_of(request)
    if request.method == "POST":
        trader, agrees = request.POST.get("trader", ""), request.POST.get("do") == "agree"
        return act_once(request, lambda: _answer(request, request_id, trader, agrees))
    found = selectors.get_request(request_id, by=actor, at=now())
    if found is None:
        raise Refused(404, "没有这个请求", "请银行重新发。")
    context = {
        "asked": found,
        "traders": [
            (code, trader_name(code))
            for code in sorted(actor.own)
            if code[0] != "P" and found.asked_of in ("", code)
        ],
        "once": fresh_key(),
    }
    return render(request, "portal/passport/asked.html", context)


def _answer(request: HttpRequest, request_id: uuid.UUID, trader: str, agrees: bool) -> str:
    if agrees:
        services.answer(request_id, trader, by=actor_of(request), at=now())
    else:
        services.decline(request_id, by=actor_of(request), at=now())
    return reverse("portal:licence-request", args=[request_id])


# anybody


@require_GET
@page
def scan(request: HttpRequest, code: str) -> HttpResponse:
    """What the code gives whoever scanned it, by who she is."""
    shown = services.scan(code, by=actor_of(request), at=now())
    response = render(request, "portal/passport/scanned.html", _shown(shown))
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "POST"])
@page
def check(request: HttpRequest) -> HttpResponse:
    """Check a licence handed over as text, or an offline code: true, and in force now?"""
    form = CheckForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "problem": ""}
    if request.method == "POST" and form.is_valid():
        try:
            found = services.check_text(form.cleaned_data["text"], by=actor_of(request), at=now())
            context |= _shown(found)
        except services.BadCredential as error:
            context["problem"] = str(error)
    status = 422 if form.errors or context["problem"] else 200
    return render(request, "portal/passport/check.html", context, status=status)


def _shown(shown: Any) -> dict[str, Any]:
    at = now()
    since = at - timedelta(days=365)
    is_office = shown.audience is Audience.INSPECTOR
    return {
        "shown": shown,
        "is_office": is_office,
        "grades": selectors.find_grades(shown.trader_code, at=at),
        "burden": selectors.find_burden(shown.trader_code, at=at) if is_office else None,
        "visits": selectors.count_visits(shown.trader_code, since) if is_office else None,
    }


@require_safe
def status_list(request: HttpRequest, number: int) -> HttpResponse:
    """The signed status of one block of certificates (Token Status List)."""
    text = selectors.status_list(number, now()) if number < 10**6 else None
    if text is None:
        return HttpResponse("没有这份名单。", status=404, content_type="text/plain; charset=utf-8")
    response = HttpResponse(text, content_type="application/statuslist+jwt")
    response["Cache-Control"] = "public, max-age=30"
    response["Access-Control-Allow-Origin"] = "*"
    return response


@require_safe
def issuer(request: HttpRequest) -> HttpResponse:
    """Who issues and with which keys (JWT VC Issuer Metadata)."""
    response = JsonResponse(selectors.issuer_metadata())
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "public, max-age=60"
    return response


@require_GET
@page
def passport(request: HttpRequest) -> HttpResponse:
    """What the 企业码 is for, where it is taken, and how far the plan's numbers are."""
    numbers = selectors.count_numbers(journeys.count_trading(), at=now())
    context = {
        "numbers": numbers,
        "share": None if numbers.share is None else f"{numbers.share:.1%}",
        "scenes": list(selectors.scenes().values()),
        "kinds": list(selectors.certificate_kinds().values()),
        "is_bank": Role.BANK_CLERK in actor_of(request).roles,
    }
    return render(request, "portal/passport/home.html", context)


# banks


@require_http_methods(["GET", "POST"])
@desk_page
def bank(request: HttpRequest) -> HttpResponse:
    """A clerk asks for a slice of a licence, and sees what was agreed to."""
    actor = actor_of(request)
    offered = [s for s in selectors.scenes().values() if s.audience == "bank"]
    form = AskForm(request.POST or None, initial={"until": today() + timedelta(days=30)})
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        return act_once(request, lambda: _ask(request, asked))
    rows = selectors.list_asked(actor, at=now())
    context = {
        "form": form,
        "scenes": [(s.id, s.title, [(n, ITEMS[n]) for n in s.shows]) for s in offered],
        "rows": [
            (
                row,
                _picture(_link(row.id)) if row.state == "open" and not row.asked_of else "",
                _link(row.id),
            )
            for row in rows
        ],
        "once": fresh_key(),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/passport/bank.html", context, status=status)


def _ask(request: HttpRequest, asked: dict[str, Any]) -> str:
    scene = selectors.scenes().get(asked["scene"])
    until: date = asked["until"]
    services.ask(
        asked["scene"],
        asked["purpose"],
        scene.shows if scene else (),
        until=until,
        by=actor_of(request),
        at=now(),
        trader_code=asked["trader"],
    )
    return reverse("portal:desk-bank")


def _link(request_id: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse('portal:licence-request', args=[request_id])}"


@require_GET
def request_object(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """The request as a wallet of any make reads it (OpenID4VP)."""
    found = selectors.get_request_object(request_id)
    if found is None:
        return JsonResponse({"error": "not_found"}, status=404)
    return JsonResponse(found)


@csrf_exempt  # another wallet answers: what it sends is signed and bound to the request
@require_POST
def response(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Take a wallet's answer (direct_post)."""
    text = request.POST.get("vp_token", "")
    try:
        if len(text) > LARGEST_ANSWER:
            raise ValueError("too large")
        services.take_response(request_id, json.loads(text), at=now())
    except (ValueError, RecursionError):
        return JsonResponse({"error": "invalid_request"}, status=400)
    except GetihuError as error:
        told = {"error": "invalid_presentation", "error_description": str(error)}
        return JsonResponse(told, status=400)
    return JsonResponse({})


def _picture(text: str) -> str:
    """A code as an SVG picture in the page itself."""
    out = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathImage, border=4).save(out)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()
