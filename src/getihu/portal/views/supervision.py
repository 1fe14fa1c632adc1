"""Supervision: draws everybody can run again, what a trader bears, and how an office plans."""

import io
import json
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import actor_of as account_actor
from getihu.accounts.selectors import list_officers
from getihu.insight import selectors as insight
from getihu.portal.views import Refused, page
from getihu.portal.views.casework import (
    CITY_TIME,
    act_once,
    actor_of,
    casework,
    fresh_key,
    now,
    place_of,
    shows,
    today,
    trader_name,
)
from getihu.reference import selectors as reference
from getihu.supervision import selectors, services
from getihu.supervision.contracts import (
    CHANCE_LABELS,
    EXCLUDED_LABELS,
    FINDING_LABELS,
    VISIT_LABELS,
    Chance,
    Finding,
    PlanState,
    PlanView,
    VisitKind,
)

CLASS_LABELS = {
    "class_a": "A 类（低）",
    "class_b": "B 类（一般）",
    "class_c": "C 类（较高）",
    "class_d": "D 类（高）",
    "unknown": "类别未知",
}
MORNING, EVENING = time(9), time(18)  # of the day chance comes up
SHOWN = 50
trader_page = casework("portal:mine")
desk_page = casework("portal:desk-supervision")


# for everybody


@require_GET
@page
def plans(request: HttpRequest) -> HttpResponse:
    """Every draw whose lists are frozen, and measure 24's two shares from logged draws."""
    year = today().year
    listed = selectors.list_public_plans()
    context = {
        "plans": [(plan, _place(plan)) for plan in listed],
        "ratios": [selectors.ratios_of(y) for y in sorted({year, *(p.year for p in listed)})],
        "program": selectors.program_sha256(),
    }
    return render(request, "portal/supervision/plans.html", context)


@require_GET
@page
def draw(request: HttpRequest, plan_id: uuid.UUID) -> HttpResponse:
    """One draw: the steps with their digests, the strata, the files, and a button that does it all
    again in the browser."""
    plan, shown = selectors.get_plan(plan_id)
    told = json.loads(shown.commitment)
    result = selectors.find_file(plan, "result.csv") or ""
    context = {
        "plan": shown,
        "place": _place(shown),
        "told": told,
        "strata": [(s, CLASS_LABELS.get(s["name"], s["name"])) for s in told["strata"]],
        "excluded": _excluded(selectors.find_file(plan, "excluded.csv") or ""),
        "recipe": _recipe_words(told["recipe"]),
        "files": selectors.list_files(plan),
        "lines": [_line(line) for line in result.splitlines()[:SHOWN]],
        "is_public": shown.state is PlanState.PUBLISHED,
        "field": selectors.get_field(shown.field_id),
        "shown": SHOWN,
    }
    return render(request, "portal/supervision/draw.html", context)


@require_GET
def file(request: HttpRequest, plan_id: uuid.UUID, name: str) -> HttpResponse:
    """One file of a dossier, or the whole of it as ``dossier.zip``."""
    try:
        plan, shown = selectors.get_plan(plan_id)
    except services.UnknownPlan:
        raise Http404 from None
    if name == "dossier.zip":
        response = HttpResponse(_zip(selectors.dossier(plan)), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="draw-{shown.number}.zip"'
        return response
    text = selectors.find_file(plan, name)
    if text is None:
        raise Http404
    kind = "application/json" if name.endswith(".json") else "text/csv"
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8")


@require_GET
def program(request: HttpRequest) -> HttpResponse:
    """The stand-alone program that checks a dossier."""
    response = HttpResponse(selectors.verifier_text(), content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="verify_draw.py"'
    return response


@require_GET
@page
def check(request: HttpRequest) -> HttpResponse:
    """What a 检查码 opens: the task, who comes, and by which law. Whoever holds it was shown it."""
    code = request.GET.get("code", "").strip().upper()[:20]
    visit = selectors.find_visit_by_code(code) if code else None
    context = {"code": code, "visit": visit, "team": visit.team if visit else ()}
    return render(request, "portal/supervision/check.html", context, status=200)


# for the owner


@require_GET
@trader_page
def mine(request: HttpRequest, trader_code: str) -> HttpResponse:
    """Every check of a year, what the year still allows, her class, and why she was drawn."""
    actor = actor_of(request)
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdigit() and len(asked) == 4 else today().year
    burdens = [
        (field, selectors.burden_of(trader_code, field.id, year, actor=actor))
        for field in selectors.list_fields()
    ]
    risk = selectors.class_of(trader_code)
    context = {
        "code": trader_code,
        "name": trader_name(trader_code),
        "year": year,
        "visits": selectors.list_visits_of(trader_code, actor=actor, year=year),
        "burdens": burdens,
        "left_alone": selectors.is_left_alone(trader_code, "general"),
        "exempt_rule": "supervision.new_trade_exempt",
        "breaches": selectors.list_breaches_of(trader_code, actor=actor),
        "risk": CLASS_LABELS[risk],
        "years": range(today().year + 1, today().year - 3, -1),
        "meter": insight.burden_of(trader_code, today()),
        "minutes": insight.MINUTES,
    }
    return render(request, "portal/supervision/mine.html", context)


# for an office


@require_GET
@desk_page
def desk(request: HttpRequest) -> HttpResponse:
    """Plans of the office, a form for another, and the list of those who check."""
    actor = actor_of(request)
    counties = [c for c in reference.list_counties() if _tends(actor, c.code)]
    visits = selectors.list_visits(actor)
    done = selectors.list_done(actor)
    data_triggers = [each for each in selectors.list_triggers() if each.rule]
    signals = [
        (each, selectors.list_signals(each, actor=actor, on=today())) for each in data_triggers
    ]
    named = [signal.trader_code for _, found in signals for signal in found]
    shows(request, *(visit.trader_code for visit in (*visits, *done)), *named)
    context = {
        "plans": [(plan, _place(plan)) for plan in selectors.list_plans(actor)],
        "fields": selectors.list_fields(),
        "counties": counties,
        "people": [
            (county, selectors.list_inspectors(county.code, "amr")) for county in counties[:3]
        ],
        "chances": [(kind.value, label) for kind, label in CHANCE_LABELS.items()],
        "visits": visits,
        "findings": [(finding.value, label) for finding, label in FINDING_LABELS.items()],
        "done": done,
        "triggers": selectors.list_triggers(),
        "alarms": selectors.false_alarms(),
        "signals": signals,
        "items": selectors.list_items(),
        "kinds": [(k.value, v) for k, v in VISIT_LABELS.items() if k is not VisitKind.DRAWN],
        "chief": Role.SUPERVISOR in actor.roles,
        "year": today().year,
        "today": today(),
        "once": fresh_key(),
    }
    return render(request, "portal/supervision/desk.html", context)


@require_GET
@desk_page
def desk_plan(request: HttpRequest, plan_id: uuid.UUID) -> HttpResponse:
    """One plan: where it stands, and the one step that comes next."""
    actor = actor_of(request)
    plan, shown = selectors.get_plan(plan_id, actor=actor)
    told = json.loads(shown.commitment) if shown.commitment else None
    field = selectors.get_field(shown.field_id)
    frame = (selectors.find_file(plan, "frame.csv") or "") if field.coverage else ""
    listed = [line.partition(",")[0] for line in frame.splitlines()]
    uncovered = selectors.list_uncovered(field, listed, today())
    shows(request, *uncovered[:SHOWN])
    context = {
        "plan": shown,
        "place": _place(shown),
        "told": told,
        "strata": [(s, CLASS_LABELS.get(s["name"], s["name"])) for s in told["strata"]]
        if told
        else [],
        "field": field,
        "uncovered": uncovered[:SHOWN],
        "uncovered_count": len(uncovered),
        "today": today(),
        "recipe": _recipe_words(shown.recipe),
        "witnesses": _witnesses(actor, shown),
        "chief": Role.SUPERVISOR in actor.roles,
        "once": fresh_key(),
    }
    return render(request, "portal/supervision/desk_plan.html", context)


@require_POST
@desk_page
def act(request: HttpRequest) -> HttpResponse:
    """One step of an office; sent again it acts once."""
    actor, asked = actor_of(request), request.POST.get("do", "")
    if asked not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的办理动作。")
    return act_once(request, lambda: ACTIONS[asked](request, actor, now()))


def _make(request: HttpRequest, by: Actor, at: datetime) -> str:
    sent = request.POST
    start, end = _day(sent.get("from", "")), _day(sent.get("until", ""))
    day = _day(sent.get("chance_on", ""))
    plan = services.make_plan(
        title=sent.get("title", "").strip() or "随机抽查",
        field_id=sent.get("field", ""),
        county_code=sent.get("county", ""),
        year=start.year,
        window=(start, end + timedelta(days=1)),
        chance=_one_of(Chance, sent.get("chance", "")),
        between=(
            datetime.combine(day, MORNING, CITY_TIME),
            datetime.combine(day, EVENING, CITY_TIME),
        ),
        where=sent.get("where", ""),
        by=by,
        at=at,
    )
    return reverse("portal:desk-supervision-plan", args=[plan])


def _commit(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.commit_plan(_id(request), by=by, at=at)
    return _back(request)


def _chance(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.enter_chance(
        _id(request),
        "".join(request.POST.get("digits", "").split()).lower(),
        witness=request.POST.get("witness", ""),
        by=by,
        at=at,
    )
    return _back(request)


def _draw(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.draw_plan(_id(request), by=by, at=at)
    return _back(request)


def _publish(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.publish_plan(_id(request), by=by, at=at)
    return reverse("portal:draw", args=[_id(request)])


def _cancel(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.cancel_plan(_id(request), reason=request.POST.get("reason", ""), by=by, at=at)
    return reverse("portal:desk-supervision")


def _report(request: HttpRequest, by: Actor, at: datetime) -> str:
    sent = request.POST
    until = sent.get("correct_until", "").strip()
    services.report_visit(
        sent.get("visit", ""),
        finding=_one_of(Finding, sent.get("finding", "")),
        found=sent.get("found", ""),
        correct_until=_day(until) if until else None,
        by=by,
        at=at,
    )
    return reverse("portal:desk-supervision")


def _plan_visit(request: HttpRequest, by: Actor, at: datetime) -> str:
    sent = request.POST
    code = sent.get("code", "").strip().upper()
    services.plan_visit(
        code,
        place=place_of(code) or "",
        kind=_one_of(VisitKind, sent.get("kind", "")),
        field_id=sent.get("field", ""),
        cause=sent.get("cause", ""),
        planned_on=_day(sent.get("on", "")),
        trigger=sent.get("trigger", ""),
        by=by,
        at=at,
    )
    return reverse("portal:desk-supervision")


def _merge(request: HttpRequest, by: Actor, at: datetime) -> str:
    year = request.POST.get("year", "")
    if not year.isdigit():
        raise Refused(422, "年度看不懂", "写成 2027 这样。")
    services.merge_visits(request.POST.get("county", ""), int(year), by=by, at=at)
    return reverse("portal:desk-supervision")


ACTIONS: dict[str, Callable[[HttpRequest, Actor, datetime], str]] = {
    "make": _make,
    "commit": _commit,
    "chance": _chance,
    "draw": _draw,
    "publish": _publish,
    "cancel": _cancel,
    "report": _report,
    "visit": _plan_visit,
    "merge": _merge,
}


def _id(request: HttpRequest) -> str:
    return request.POST.get("id", "")


def _back(request: HttpRequest) -> str:
    return reverse("portal:desk-supervision-plan", args=[_id(request)])


Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(choices: type[Choice], text: str) -> Choice:
    try:
        return choices(text)
    except ValueError:
        raise Refused(422, "有一项没有选", "从列表里选一项。") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Refused(422, "日期看不懂", "写成 2027-02-01 这样。") from None


def _place(plan: PlanView) -> str:
    return reference.division_name(plan.county_code)


def _tends(actor: Actor, county_code: str) -> bool:
    return any(grant.scope.covers(county_code) for grant in actor.grants)


def _witnesses(actor: Actor, plan: PlanView) -> list[Any]:
    """Other supervisors of the office: account and name."""
    found = list_officers(Role.SUPERVISOR, plan.agency, plan.county_code, now())
    return [
        (each, account_actor(each, now()).name) for each in found if str(each) != actor.account_id
    ]


def _recipe_words(recipe: dict[str, Any]) -> dict[str, Any]:
    source = selectors.source_at(recipe, now())
    return {
        "label": CHANCE_LABELS[Chance(recipe["kind"])],
        "digits": recipe["digits"],
        "where": recipe["where"],
        "not_before": datetime.fromisoformat(recipe["not_before"]),
        "until": datetime.fromisoformat(recipe["until"]),
        "round": recipe["fallback"]["round"],
        "is_open": datetime.fromisoformat(recipe["not_before"]) <= now(),
        "is_late": source is not recipe,
        "now_label": CHANCE_LABELS[Chance(source["kind"])],
        "now_digits": source["digits"],
        "now_round": source.get("round"),
    }


def _line(text: str) -> dict[str, str]:
    stratum, place, code, ticket, team = text.split(",")
    label = CLASS_LABELS.get(stratum, stratum)
    named = team.replace("+", "、")
    return {"label": label, "place": place, "code": code, "ticket": ticket, "team": named}


def _excluded(text: str) -> list[tuple[str, int]]:
    """How many are left out of a frame for which reason, most first."""
    counted = Counter(line.rpartition(",")[2] for line in text.splitlines())
    return [(EXCLUDED_LABELS.get(why, why), count) for why, count in counted.most_common()]


def _zip(files: dict[str, str]) -> bytes:
    """The same dossier is the same bytes: no moments in it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name])
    return made.getvalue()
