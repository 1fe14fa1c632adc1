"""Appeals (诉求) of whoever has a problem: told once in plain words, followed, confirmed, reopened.

The code never stands in an address: it comes in a form, and the same form twice is one appeal.
"""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.evaluations import selectors as ratings
from getihu.evaluations import services as evaluations
from getihu.evaluations.contracts import BAD, GRADE_LABELS
from getihu.kernel.errors import GetihuError
from getihu.portal.forms import RatingForm
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
from getihu.reference import selectors as reference
from getihu.support import selectors, services
from getihu.support.contracts import AppealView, Channel, Standing

her_page = casework("portal:mine-appeals")


class AppealForm(forms.Form):
    """What is wrong and where; everything else is optional. ``code`` is made with the form."""

    text = forms.CharField(
        min_length=4,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={
            "required": "请写是什么问题。",
            "min_length": "请写清楚一点，至少 4 个字。",
            "max_length": "最多 2000 个字。",
        },
    )
    place_text = forms.CharField(
        required=False,
        max_length=200,
        error_messages={"max_length": "最多 200 个字。"},
    )
    trader = forms.ChoiceField(required=False)
    is_anonymous = forms.BooleanField(required=False)
    contact = forms.CharField(
        required=False, max_length=100, error_messages={"max_length": "最多 100 个字。"}
    )
    about_agency = forms.ChoiceField(required=False)
    about_place = forms.ChoiceField(required=False)
    node = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)
    code = forms.CharField(max_length=60, widget=forms.HiddenInput)

    def __init__(self, *args: Any, traders: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shops = [("", "不说是哪家店"), *traders] if traders else [("", "没有店")]
        departments = [(d.code, d.name) for d in reference.list_departments()]
        places = [(c.code, c.name) for c in reference.list_counties()]
        whole = [(reference.WENZHOU, "温州市")]
        for name, choices in (
            ("trader", shops),
            ("about_agency", [("", "不是投诉机关或者工作人员"), *departments]),
            ("about_place", [("", "哪里的"), *whole, *places]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if told.get("about_agency") and not told.get("about_place"):
            self.add_error("about_place", "请选是哪里的机关。")
        return told


@require_http_methods(["GET", "POST"])
@page
def tell(request: HttpRequest) -> HttpResponse:
    """One form, no bureau to choose. Then its number, who has it, and the code, shown this once."""
    actor = actor_of(request)
    codes = [] if actor.is_anonymous else sorted(c for c in actor.own if actor.may_apply_for(c))
    traders = [(code, trader_name(code)) for code in codes]
    if request.method == "GET":
        start = {
            "code": ratings.fresh_code(),
            "trader": codes[0] if len(codes) == 1 else "",
            "node": request.GET.get("node", "")[:120],
        }
        return _form(request, AppealForm(initial=start, traders=traders))
    form = AppealForm(request.POST, traders=traders)
    if not form.is_valid():
        return _form(request, form, 422)
    told = form.cleaned_data
    about = (told["about_agency"], told["about_place"]) if told["about_agency"] else None
    try:
        filed = services.file_appeal(
            told["text"],
            channel=Channel.WEB,
            place_text=told["place_text"],
            trader_code=told["trader"],
            is_anonymous=told["is_anonymous"] or actor.is_anonymous,
            contact=told["contact"],
            about=about,
            node=told["node"],
            code=told["code"],
            by=actor,
            at=now(),
        )
    except (services.BadAppeal, services.NotAllowed) as error:
        form.add_error(None, str(error))
        return _form(request, form, 422)
    view = selectors.find_by_code(filed.code, on=today())
    response = render(
        request, "portal/appeals/told.html", {"filed": filed, "appeal": view, "signed": codes}
    )
    response["Cache-Control"] = "no-store"
    return response


def _form(request: HttpRequest, form: AppealForm, status: int = 200) -> HttpResponse:
    response = render(request, "portal/appeals/tell.html", {"form": form}, status=status)
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "POST"])
@page
def follow(request: HttpRequest) -> HttpResponse:
    """By the code: where it is, whose clock runs, and what she can do. No account is needed."""
    context: dict[str, Any] = {"code": "", "problem": "", "status": 200}
    if request.method == "POST":
        context |= _followed(request)
    response = render(request, "portal/appeals/follow.html", context, status=context["status"])
    response["Cache-Control"] = "no-store"
    return response


def _followed(request: HttpRequest) -> dict[str, Any]:
    code, do = request.POST.get("code", "")[:60], request.POST.get("do", "")
    found: dict[str, Any] = {"code": code}
    try:
        if do:
            found |= _act_by_code(request, code, do)
        view = selectors.find_by_code(found["code"], on=today())
        found |= {"appeal": view, "rating": _rating_form(view)}
    except services.AppealNotFound as error:
        return {**found, "problem": str(error), "status": 404}
    except GetihuError as error:
        view = selectors.find_by_code(code, on=today())
        return {**found, "appeal": view, "problem": str(error), "status": 409}
    return found


def _act_by_code(request: HttpRequest, code: str, do: str) -> dict[str, Any]:
    actor, at = actor_of(request), now()
    if do == "confirm":
        services.confirm(code=code, by=actor, at=at)
    elif do == "withdraw":
        services.withdraw(code=code, by=actor, at=at)
    elif do == "reopen":
        reason = request.POST.get("reason", "")[:1000]
        again = services.reopen(code=code, reason=reason, by=actor, at=at)
        return {"code": again.code, "again": again}
    elif do == "rate":
        view = selectors.find_by_code(code, on=today())
        return _rate(request, view)
    return {}


def _rating_form(view: AppealView) -> RatingForm | None:
    standing = ratings.visit_standing(view.id, on=today())
    if standing is None or standing.standing != "open":
        return None
    return RatingForm(initial={"code": ratings.fresh_code()})


def _rate(request: HttpRequest, view: AppealView) -> dict[str, Any]:
    """The rating is apart from the appeal: its code is another one."""
    data = request.POST.copy()
    data["code"] = request.POST.get("rating_code", "")
    form = RatingForm(data)
    if not form.is_valid():
        raise services.BadAppeal("请选一个等级再交评价。")
    given = form.cleaned_data
    evaluations.rate_visit(
        uuid.UUID(view.id),
        grade=given["grade"],
        code=given["code"],
        comment=given["comment"],
        contact=given["contact"],
        at=now(),
    )
    return {
        "rated": given["code"],
        "label": GRADE_LABELS[given["grade"]],
        "is_bad": given["grade"] in BAD,
    }


@require_GET
@her_page
def mine(request: HttpRequest) -> HttpResponse:
    """What she told: whose clock is running, and what waits for her."""
    rows = selectors.list_mine(actor_of(request), on=today())
    waiting = [row for row in rows if row.state == "answered"]
    context = {
        "waiting": waiting,
        "open": [row for row in rows if row.state in selectors.OPEN],
        "over": [row for row in rows if row.state not in selectors.OPEN and row not in waiting],
    }
    return render(request, "portal/appeals/mine.html", context)


@require_GET
@her_page
def detail(request: HttpRequest, appeal_id: uuid.UUID) -> HttpResponse:
    """One appeal of hers."""
    view = _hers(request, appeal_id)
    context = {"appeal": view, "once": fresh_key(), "rating": _rating_form(view)}
    return render(request, "portal/appeals/detail.html", context)


def _hers(request: HttpRequest, appeal_id: uuid.UUID) -> AppealView:
    view = selectors.get_appeal(appeal_id, actor=actor_of(request), on=today())
    if Standing.HERS not in view.standings:
        raise services.AppealNotFound
    return view


@require_POST
@her_page
def act(request: HttpRequest, appeal_id: uuid.UUID) -> HttpResponse:
    """Confirm, reopen, withdraw or rate; sent again it acts no second time."""
    actor, do = actor_of(request), request.POST.get("do", "")
    back = reverse("portal:mine-appeal", args=[appeal_id])
    if do == "rate":  # not kept by act_once: what it keeps would lead from the account to the grade
        view = _hers(request, appeal_id)
        return render(
            request, "portal/appeals/rated.html", {"appeal": view, **_rate(request, view)}
        )

    def reopen() -> str:
        reason = request.POST.get("reason", "")[:1000]
        again = services.reopen(appeal_id, reason=reason, by=actor, at=now())
        return reverse("portal:mine-appeal", args=[again.id])

    def done(what: Callable[..., object]) -> Callable[[], str]:
        def run() -> str:
            what(appeal_id, by=actor, at=now())
            return back

        return run

    actions: dict[str, Callable[[], str]] = {
        "confirm": done(services.confirm),
        "withdraw": done(services.withdraw),
        "reopen": reopen,
    }
    if do not in actions:
        raise Refused(400, "这个请求看不懂", "没有这样的动作。")
    return act_once(request, actions[do])
