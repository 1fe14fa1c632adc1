"""The policy library: for everybody to search and read, for her what she can have, for machines."""

import json
from datetime import UTC, date, datetime, time
from statistics import median
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_GET

from getihu.access import selectors as access
from getihu.cases import selectors as cases
from getihu.cases.contracts import State
from getihu.policies import selectors
from getihu.policies.selectors import LibraryFilter, Reading
from getihu.portal import selectors as portal
from getihu.portal.contracts import PolicyLine
from getihu.portal.forms import LibraryForm
from getihu.portal.policies.pages import region_name
from getihu.portal.views import Refused, page
from getihu.portal.views.casework import today, trader_name
from getihu.portal.views.policies import csv_file

BARRIER_MATTER = "policies.barrier_report"
# What she sees first: what she has, what she nearly has, what is not known yet.
ANSWERS = {
    "granted": "您能享受",
    "near": "差一步",
    "unknown": "还不能判断",
    "unread": "原文不全",
    "refused": "不符合",
    "left_out": "不适用",
}


@require_GET
@page
def policies(request: HttpRequest) -> HttpResponse:
    """The list with its filters; with ``trader`` the answers for one of her own shops."""
    form = LibraryForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    on, mine = today(), _own_codes(request)
    wanted = LibraryFilter(
        asked.get("text", ""),
        asked.get("region", ""),
        asked.get("state", ""),
        asked.get("kind", ""),
    )
    found = selectors.find_policies(wanted, on)
    code = _chosen(mine, asked.get("trader", ""))
    every = selectors.list_readings(on)
    context = {
        "groups": _for_her(request, found, code) if code else _by_place(found),
        "shown": len(found),
        "total": len(every),
        "asked": asked,
        "form_states": form.fields["state"].choices,  # type: ignore[attr-defined]
        "kinds": selectors.list_kinds(on),
        "regions": [(each, region_name(each)) for each in sorted({r.region for r in every})],
        "traders": [(each, trader_name(each)) for each in mine],
        "for_trader": code,
        "query": request.GET.urlencode(),
    }
    fragment = getattr(request, "htmx", False)
    template = "portal/policies/_list.html" if fragment else "portal/policies/list.html"
    return render(request, template, context)


@require_GET
@page
def policy(request: HttpRequest, rule_id: str) -> HttpResponse:
    """One policy in plain words: who, what, when, how, by which text."""
    reading = selectors.get_reading(rule_id, today())
    mine = _own_codes(request)
    paid = [p for p in selectors.list_programmes() if p.rule == rule_id]
    context = {
        "reading": reading,
        "traders": [(code, trader_name(code)) for code in mine],
        "can_apply": selectors.can_apply(reading),
        "programmes": [p for p in paid if p.by == "data"],
        "is_paid_here": bool(paid),
        "runs": [run for run in selectors.list_runs() if run.rule_id == rule_id and not run.is_dry],
    }
    return render(request, "portal/policies/policy.html", context)


@require_GET
@page
def results(request: HttpRequest, rule_id: str) -> HttpResponse:
    """How a policy does: reach, uptake, what keeps people from it, how long, at what cost."""
    shown = selectors.get_results(rule_id, today())
    context = {"results": shown, "fewest": selectors.FEWEST}
    return render(request, "portal/policies/results.html", context)


@require_GET
@page
def clocks(request: HttpRequest) -> HttpResponse:
    """政府时钟: from the signature to an executable rule, to the first push, to the first money."""
    listed = selectors.list_government_clocks(today())
    return render(request, "portal/policies/clocks.html", {"clocks": listed})


@require_GET
@page
def barriers(request: HttpRequest) -> HttpResponse:
    """隐性壁垒清理清单: what was reported and how far it is cleared, without a word anybody wrote."""
    listed = cases.list_public(BARRIER_MATTER)
    ended = [(each.ended_on - each.submitted_on).days for each in listed if each.ended_on]
    context = {
        "barriers": [(each, region_name(each.division[:6])) for each in listed],
        "open": sum(each.ended_on is None for each in listed),
        "cleared": sum(each.state is State.GRANTED for each in listed),
        "days": median(ended) if ended else None,
        "matter": BARRIER_MATTER,
    }
    return render(request, "portal/policies/barriers.html", context)


@require_GET
@page
def clocks_file(request: HttpRequest) -> HttpResponse:
    head = [
        "规则",
        "名称",
        "签署",
        "可执行",
        "首次推送",
        "首次到账",
        "到规则天数",
        "到推送天数",
        "到账天数",
    ]
    rows = [
        [
            each.rule_id,
            each.title,
            *map(_iso, (each.signed_on, each.executable_on, each.pushed_on, each.paid_on)),
            *map(_plain, (each.days_to_rule, each.days_to_push, each.days_to_money)),
        ]
        for each in selectors.list_government_clocks(today())
    ]
    return csv_file([head, *rows], "policy-clocks.csv")


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _plain(days: int | None) -> str:
    return "" if days is None else str(days)


@require_GET
@page
def picture(request: HttpRequest, rule_id: str) -> HttpResponse:
    """一图读懂 as an SVG file."""
    reading = selectors.get_reading(rule_id, today())
    drawn = selectors.draw_picture(reading, address=_address(request, rule_id))
    response = HttpResponse(drawn, content_type="image/svg+xml; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{rule_id}.svg"'
    return response


@require_GET
@page
def open_policy(request: HttpRequest, rule_id: str) -> HttpResponse:
    reading = selectors.get_reading(rule_id, today())
    return _json_ld(selectors.describe(reading, page=_address(request, rule_id)))


@require_GET
@page
def open_library(request: HttpRequest) -> HttpResponse:
    """Every policy as open data."""
    readings = [(each, _address(request, each.id)) for each in selectors.list_readings(today())]
    address = request.build_absolute_uri(reverse("portal:policies"))
    return _json_ld(selectors.describe_all(readings, page=address))


@require_GET
@page
def feed(request: HttpRequest) -> HttpResponse:
    """What holds here, newest first, for feed readers."""
    home = request.build_absolute_uri(reverse("portal:policies"))
    feed_address = request.build_absolute_uri(reverse("portal:policies-feed"))
    atom = Atom1Feed("个体工商户政策", home, "", language="zh-CN", feed_url=feed_address)
    here = [each for each in selectors.list_readings(today()) if each.is_here]
    for each in sorted(here, key=lambda each: each.first_day, reverse=True):
        atom.add_item(
            title=f"{each.title}（{each.state_label}）",
            link=_address(request, each.id),
            description=each.gives,
            unique_id=f"urn:getihu:policy:{each.id}:{each.version}",
            updateddate=_midnight(each),
            author_name=each.document.agencies,
            categories=[each.kind] if each.kind else [],
        )
    return HttpResponse(atom.writeString("utf-8"), content_type=atom.content_type)


def _midnight(reading: Reading) -> datetime:
    return datetime.combine(reading.first_day, time(), UTC)


def _address(request: HttpRequest, rule_id: str) -> str:
    return request.build_absolute_uri(reverse("portal:policy", args=[rule_id]))


def _json_ld(described: dict[str, Any]) -> HttpResponse:
    content = json.dumps(described, ensure_ascii=False, indent=1)
    return HttpResponse(content, content_type="application/ld+json; charset=utf-8")


def _own_codes(request: HttpRequest) -> list[str]:
    actor = request.actor  # type: ignore[attr-defined]
    return sorted(actor.own | {code for code, _ in actor.authorised})


def _chosen(mine: list[str], asked: str) -> str:
    if asked and asked not in mine:
        raise Refused(404, "没有找到", "只能看自己的店铺。", ("从列表里选一户。",))
    return asked


def _by_place(found: list[Reading]) -> list[tuple[str, list[dict[str, Any]]]]:
    groups: dict[str, list[dict[str, Any]]] = {
        "现在有效": [],
        "是否还有效，待核": [],
        "已经结束或还没施行": [],
        "其他地区的": [],
    }
    for each in found:
        if not each.is_here:
            name = "其他地区的"
        elif each.is_live:
            name = "现在有效"
        elif each.state == "doubtful":
            name = "是否还有效，待核"
        else:
            name = "已经结束或还没施行"
        groups[name].append({"reading": each})
    return [(name, lines) for name, lines in groups.items() if lines]


def _for_her(
    request: HttpRequest, found: list[Reading], code: str
) -> list[tuple[str, list[dict[str, Any]]]]:
    hidden = access.hidden_classes(request.actor, code)  # type: ignore[attr-defined]
    shown = portal.get_trader_page(code, hidden=hidden)
    answers: dict[str, tuple[str, PolicyLine]] = {
        line.decision.rule_id: (group, line) for group in ANSWERS for line in getattr(shown, group)
    }
    groups: dict[str, list[dict[str, Any]]] = {group: [] for group in ANSWERS}
    for each in found:
        if each.id in answers:
            group, line = answers[each.id]
            groups[group].append({"reading": each, "line": line})
    return [(ANSWERS[group], lines) for group, lines in groups.items() if lines]
