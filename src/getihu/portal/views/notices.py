"""What a person was told in the app, and what she wants to be told where."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.accounts.contracts import Duty
from getihu.dataplane.selectors import NothingPublished
from getihu.kernel.errors import GetihuError
from getihu.notifications import selectors, services
from getihu.notifications.contracts import Channel, NoticeView, Preference
from getihu.policies import selectors as policies_reads
from getihu.policies import services as policies
from getihu.policies.selectors import ConsentChoice
from getihu.portal.forms import EmailForm, PhoneForm
from getihu.portal.views import Refused
from getihu.portal.views.casework import actor_of, casework, now

own_page = casework("portal:mine")
# Where a notice leads, by what it is about, and the words on its button.
TARGETS = {
    "case": ("portal:mine-case", "看办件"),
    "award": ("portal:mine-award", "看这笔兑付"),
    "push": ("portal:decision", "看原因"),  # push:<code>/<rule>
    "rectification": ("portal:desk-rectification", "去办"),
}
FOR_OFFICERS = {"rating"}
CHANNELS = {"email": Channel.EMAIL, "phone": Channel.SMS}
WORDS = {"email": "邮箱", "phone": "手机号"}
Forms = dict[str, EmailForm | PhoneForm]
MOST = 100


@dataclass(frozen=True)
class Shown:
    """A notice with the page it leads to; empty for none."""

    notice: NoticeView
    leads_to: str
    verb: str


def shell(request: HttpRequest) -> dict[str, Any]:
    """For every page: how many notices a person has not read. Asked only where a page shows it."""
    actor = getattr(request, "actor", None)
    if actor is None or actor.duty is not Duty.PERSON:
        return {"unread_notices": 0}
    return {"unread_notices": lambda: selectors.count_unread(uuid.UUID(actor.account_id))}


@require_GET
@own_page
def inbox(request: HttpRequest) -> HttpResponse:
    notices = selectors.list_notices(_account(request), limit=MOST)
    context = {
        "notices": [_shown(notice) for notice in notices],
        "unread": selectors.count_unread(_account(request)),
        "is_cut": len(notices) == MOST,
        "most": MOST,
    }
    return render(request, "portal/mine/notices.html", context)


@require_POST
@own_page
def read(request: HttpRequest) -> HttpResponse:
    """Note one as read and go where it leads; without one, all. Again, it changes nothing."""
    asked = request.POST.get("notice", "")
    if not asked:
        services.mark_read(_account(request), at=now())
        return redirect("portal:notices")
    try:
        wanted = uuid.UUID(asked)
    except ValueError:
        raise Refused(400, "这个请求看不懂", "没有这条通知。") from None
    services.mark_read(_account(request), wanted, at=now())
    listed = selectors.list_notices(_account(request), limit=MOST)
    found = next((_shown(n) for n in listed if n.id == str(wanted)), None)
    return redirect(found.leads_to if found and found.leads_to else "portal:notices")


@require_http_methods(["GET", "POST"])
@own_page
def settings(request: HttpRequest) -> HttpResponse:
    """Each kind on each channel, on or off; what the law makes us tell cannot be switched off."""
    account, problem = _account(request), ""
    forms: Forms = {"email": EmailForm(), "phone": PhoneForm()}
    if request.method == "POST":
        try:
            done = _changed(request, account, forms)
            if done:
                return redirect(f"{reverse('portal:notice-settings')}?done={done}")
        except Refused as error:
            if error.status != 422:
                raise
            problem = error.why
        except GetihuError as error:
            problem = str(error)
    context = {
        "topics": _by_topic(_preferences(request)),
        "ways": [_way(account, kind, form) for kind, form in forms.items()],
        "consents": _consents(request),
        "problem": problem,
        "done": request.GET.get("done", ""),
    }
    status = 422 if problem or any(form.errors for form in forms.values()) else 200
    return render(request, "portal/mine/notice_settings.html", context, status=status)


def _way(account: uuid.UUID, kind: str, form: EmailForm | PhoneForm) -> dict[str, Any]:
    """One channel outside the app as the page shows it: where to, or how to get there."""
    channel = CHANNELS[kind]
    return {
        "kind": kind,
        "word": WORDS[kind],
        "address": selectors.find_address(account, channel),
        "waits": selectors.waits_for_code(account, at=now(), channel=channel),
        "carried": selectors.carries(channel),
        "form": form,
        "field": form[kind],
    }


def _changed(request: HttpRequest, account: uuid.UUID, forms: Forms) -> str:
    """Do what one of the page's forms asks; says what was done, empty where a form in ``forms`` has
    its reasons why not."""
    asked, _, kind = request.POST.get("do", "").partition(" ")
    if asked == "choose":
        _choose(request, account)
        return "saved"
    if asked == "match":
        _allow(request)
        return "saved"
    if kind not in CHANNELS:
        raise Refused(400, "这个请求看不懂", "没有这样的设置。")
    return _reach(request, account, forms, asked, kind)


def _reach(request: HttpRequest, account: uuid.UUID, forms: Forms, asked: str, kind: str) -> str:
    channel = CHANNELS[kind]
    if asked == "ask":
        form = forms[kind] = type(forms[kind])(request.POST)
        if form.is_valid():
            services.ask_address(account, form.cleaned_data[kind], at=now(), channel=channel)
        return "sent" if form.is_valid() else ""
    if asked == "code":
        code = request.POST.get("code", "")
        if not services.confirm_address(account, code, at=now(), channel=channel):
            raise Refused(422, "验证码不对", "验证码不对，或者过了 15 分钟。", ("重新要一个。",))
        return "saved"
    if asked == "remove":
        services.remove_address(account, channel)
        return "saved"
    raise Refused(400, "这个请求看不懂", "没有这样的设置。")


def _allow(request: HttpRequest) -> None:
    """Give or take back consent to facts used to find policies for her."""
    actor, allowed = actor_of(request), set(request.POST.getlist("allow"))
    for choice in _consents(request):
        name = f"{choice.trader_code} {choice.article}"
        change = policies.consent_to_match if name in allowed else policies.withdraw_consent
        change(choice.trader_code, choice.article, by=actor, at=now())


def _consents(request: HttpRequest) -> list[ConsentChoice]:
    actor = actor_of(request)
    found: list[ConsentChoice] = []
    try:
        for code in sorted(actor.own):
            found += policies_reads.list_consent_choices(code, actor=actor)
    except NothingPublished:
        return []
    return found


def _choose(request: HttpRequest, account: uuid.UUID) -> None:
    wanted = set(request.POST.getlist("want"))
    for choice in _preferences(request):
        if choice.by_law or not choice.reaches:
            continue
        change = services.accept_again if _name(choice) in wanted else services.decline
        change(account, choice.channel, choice.topic, at=now())


def _preferences(request: HttpRequest) -> list[Preference]:
    is_person = actor_of(request).duty is Duty.PERSON
    hers = selectors.list_preferences(_account(request))
    return [p for p in hers if not (is_person and p.topic in FOR_OFFICERS)]


def _by_topic(preferences: list[Preference]) -> list[tuple[str, list[tuple[str, Preference]]]]:
    grouped: dict[str, list[tuple[str, Preference]]] = {}
    for choice in preferences:
        grouped.setdefault(choice.topic_label, []).append((_name(choice), choice))
    return list(grouped.items())


def _name(choice: Preference) -> str:
    return f"{choice.topic} {choice.channel}"


def _shown(notice: NoticeView) -> Shown:
    kind, _, number = notice.obligation.partition(":")
    if kind not in TARGETS:
        return Shown(notice, "", "知道了")
    route, verb = TARGETS[kind]
    return Shown(notice, reverse(route, args=number.split("/")), verb)


def _account(request: HttpRequest) -> uuid.UUID:
    return uuid.UUID(actor_of(request).account_id)
