"""Types, pools and 名特优新: what everybody may see, what a trader says, what an office tends."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import actor_of as account_actor
from getihu.accounts.selectors import list_officers
from getihu.cases import selectors as cases
from getihu.growth import selectors, services
from getihu.portal.policies.sankey import draw
from getihu.portal.views import Refused, page
from getihu.portal.views.casework import (
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
from getihu.rulebook import selectors as rulebook

PAGE = 100
PUBLIC = ("open", "concluded")
JUROR_ROLES = (Role.CASE_OFFICER, Role.SUPERVISOR, Role.WINDOW_OFFICER)
trader_page = casework("portal:mine")
desk_page = casework("portal:desk-pools")
jury_page = casework("portal:desk-juries")


# for everybody


@require_GET
@page
def types(request: HttpRequest) -> HttpResponse:
    """The types of a county or the city: shares, flows, whose data are missing."""
    county = _county(request)
    shown = selectors.get_types_page(county)
    rule = rulebook.get_rule(rulebook.TYPE_RULE_ID, shown.review.as_of)
    context = {
        "page": shown,
        "counties": _counties(),
        "county": county,
        "sankey": draw(shown.flows),
        "settling": selectors.settling(),
        "rule": rule,
        "words": rulebook.rule_in_words(rule)[:1],
        "fewest": selectors.FEWEST,
        "reviews": [r for r in selectors.list_reviews() if r.published_at],
    }
    return render(request, "portal/growth/types.html", context)


@require_GET
@page
def pools(request: HttpRequest) -> HttpResponse:
    """Every pool with its members, and how far the plan's numbers are reached."""
    county = _county(request)
    listed = selectors.list_pools(today(), county)
    groups: dict[str, list[Any]] = {}
    for each in listed:
        groups.setdefault(each.group_label, []).append(each)
    context = {
        "groups": groups.items(),
        "targets": [] if county else selectors.list_targets(today()),
        "lists": selectors.list_refreshes(county_code=county)[:20],
        "counties": _counties(),
        "county": county,
    }
    return render(request, "portal/growth/pools.html", context)


@require_GET
@page
def pool(request: HttpRequest, pool_id: str) -> HttpResponse:
    """One pool: how one comes in and leaves, its quota, its yearly lists."""
    shown = selectors.get_pool(pool_id)
    context = {
        "pool": shown,
        "numbers": next(p for p in selectors.list_pools(today()) if p.id == pool_id),
        "levels": [selectors.LEVEL_LABELS[level] for level in shown.levels],
        "objection": selectors.objection_term(shown),
        "lists": selectors.list_refreshes(pool_id=pool_id),
        "privileges": [cases.get_matter(each) for each in shown.privileges],
    }
    return render(request, "portal/growth/pool.html", context)


@require_GET
@page
def pool_list(request: HttpRequest, list_id: uuid.UUID) -> HttpResponse:
    """One county's yearly list, with its hash; names where names are published."""
    shown = selectors.get_refresh(list_id)
    number = request.GET.get("page", "1")
    first = (int(number) - 1) * PAGE if number.isdigit() and int(number) else 0
    actor = actor_of(request)
    context = {
        "list": shown,
        "pool": selectors.get_pool(shown.pool_id),
        "lines": selectors.list_lines(list_id, offset=first, limit=PAGE),
        "page": first // PAGE + 1,
        "pages": -(-shown.members_count // PAGE),
        "own": sorted(actor.own),
        "is_open": shown.state == "open"
        and shown.object_until is not None
        and today() <= shown.object_until,
    }
    return render(request, "portal/growth/list.html", context)


@require_GET
@page
def recognition(request: HttpRequest) -> HttpResponse:
    """When one can apply for 名特优新, and what each place asks, side by side."""
    context = {
        "windows": selectors.list_windows(today()),
        "criteria": selectors.list_criteria(),
        "matter": cases.get_matter(selectors.RECOGNITION),
        "own": sorted(actor_of(request).own),
    }
    return render(request, "portal/growth/recognition.html", context)


# for a trader


@require_GET
@trader_page
def mine(request: HttpRequest, trader_code: str) -> HttpResponse:
    """A trader's type and pools: why, since when, what would change, what she can say."""
    actor = actor_of(request)
    if not actor.may_view(trader_code):
        raise Refused(404, "没有找到", "没有这一户，或者不是您的。")
    on = today()
    place = place_of(trader_code) or ""
    memberships = selectors.list_memberships(trader_code, on)
    recognised = any(m.is_now and m.pool_id in selectors.KIND_LABELS for m in memberships)
    context = {
        "code": trader_code,
        "name": trader_name(trader_code),
        "type": selectors.type_of(trader_code),
        "moves": selectors.list_moves_of(trader_code),
        "memberships": memberships,
        "exits": selectors.list_exits_of(trader_code),
        "removals": selectors.list_removals_of(trader_code),
        "recommendations": selectors.list_recommendations_of(trader_code),
        "window": selectors.open_window(place[:6], on),
        "privileges": [cases.get_matter(m) for m in selectors.PRIVILEGES] if recognised else [],
        "about": _about(request.GET.get("about", "")),
        "may_act": actor.may_apply_for(trader_code),
        "is_owner": trader_code in actor.own,
        "today": on,
        "once": fresh_key(),
        "twice": fresh_key(),
    }
    return render(request, "portal/mine/pools.html", context)


@require_POST
@trader_page
def say(request: HttpRequest, trader_code: str) -> HttpResponse:
    """Object, answer a recommendation, or begin an application; sent again it acts once."""
    actor, asked = actor_of(request), request.POST.get("do", "")
    if not actor.may_view(trader_code):
        raise Refused(404, "没有找到", "没有这一户，或者不是您的。")

    def do() -> str:
        at = now()
        if asked == "object":
            case = services.object_to(
                request.POST.get("about", ""),
                trader_code,
                _text(request, "grounds"),
                place=_place(trader_code),
                by=actor,
                at=at,
            )
            return reverse("portal:mine-case", args=[case])
        if asked == "apply":
            case = services.open_recognition(trader_code, by=actor, at=at)
            return reverse("portal:mine-draft", args=[case])
        if asked == "answer":
            opened = services.answer_recommendation(
                _id(request, "recommendation"),
                consents=request.POST.get("consents") == "yes",
                statement=_text(request, "statement"),
                by=actor,
                at=at,
            )
            if opened is not None:
                return reverse("portal:mine-case", args=[opened])
            return reverse("portal:mine-pools", args=[trader_code])
        raise Refused(400, "这个请求看不懂", "没有这样的动作。")

    return act_once(request, do)


# for a county's office


@require_GET
@desk_page
def desk(request: HttpRequest) -> HttpResponse:
    """What an officer tends: reviews and movers, exits, lists, recommendations, terms, juries."""
    actor, on = actor_of(request), today()
    counties = [c for c in _counties() if actor.scope(*JUROR_ROLES).covers(c.code)]
    moves = selectors.list_moves(actor, limit=100)
    exits = selectors.list_exits(actor, limit=100)
    terms = selectors.list_terms(actor, on)
    shows(request, *(each.trader_code for rows in (moves, exits, terms) for each in rows))
    context = {
        "reviews": selectors.list_reviews(6),
        "moves": moves,
        "move_counts": selectors.count_moves(actor),
        "exits": exits,
        "lists": selectors.list_refreshes_of(actor),
        "terms": terms,
        "pools": selectors.all_pools().values(),
        "counties": counties,
        "windows": [w for w in selectors.list_windows(on) if w[2]],
        "kinds": selectors.KIND_LABELS.items(),
        "to_judge": _to_judge(actor),
        "today": on,
        "year": on.year,
        "chief": Role.SUPERVISOR in actor.roles,
        "account": actor.account_id,
        "once": fresh_key(),
    }
    return render(request, "portal/desk/pools.html", context)


@require_POST
@desk_page
def act(request: HttpRequest) -> HttpResponse:
    """One step of an office; sent again it acts once."""
    actor, asked = actor_of(request), request.POST.get("do", "")
    if asked not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的办理动作。")
    return act_once(request, lambda: ACTIONS[asked](request, actor, now()))


@require_GET
@desk_page
def desk_list(request: HttpRequest, list_id: uuid.UUID) -> HttpResponse:
    """One list before and after it is published: lines, objections, the next step."""
    actor = actor_of(request)
    shown = selectors.get_refresh(list_id, actor=actor)
    lines, holds = selectors.list_lines(list_id, limit=PAGE), selectors.list_holds(list_id)
    hidden = [] if shown.state in PUBLIC else lines  # a published line is everybody's
    shows(request, *(line.trader_code for line in hidden), *(hold.trader_code for hold in holds))
    context = {
        "list": shown,
        "pool": selectors.get_pool(shown.pool_id),
        "lines": lines,
        "holds": [
            (hold, selectors.is_member(shown.pool_id, hold.trader_code, shown.as_of))
            for hold in holds
        ],
        "chief": Role.SUPERVISOR in actor.roles,
        "account": actor.account_id,
        "is_over": shown.object_until is not None and today() > shown.object_until,
        "once": fresh_key(),
    }
    return render(request, "portal/desk/pool_list.html", context)


@require_GET
@desk_page
def desk_members(request: HttpRequest) -> HttpResponse:
    """Who is recognised in her counties, to take a recognition away with reason and article; and what
    was taken away."""
    actor, words = actor_of(request), request.GET.get("code", "").strip()
    members = selectors.list_members(actor, today(), words=words)
    removals = selectors.list_removals(actor)
    shows(request, *(m.trader_code for m in members), *(r.trader_code for r in removals))
    context = {
        "members": members,
        "removals": removals,
        "words": words,
        "chief": Role.SUPERVISOR in actor.roles,
        "once": fresh_key(),
    }
    return render(request, "portal/desk/pool_members.html", context)


def _list(request: HttpRequest, by: Actor, at: datetime) -> str:
    year = request.POST.get("year", "")
    if not year.isdigit():
        raise Refused(422, "年度看不懂", "写四位年份。")
    made = services.list_refresh(
        request.POST.get("pool", ""), request.POST.get("county", ""), int(year), by=by, at=at
    )
    return reverse("portal:desk-pool-list", args=[made.pk])


def _open(request: HttpRequest, by: Actor, at: datetime) -> str:
    return reverse(
        "portal:desk-pool-list", args=[services.open_refresh(_id(request), by=by, at=at).pk]
    )


def _conclude(request: HttpRequest, by: Actor, at: datetime) -> str:
    return reverse(
        "portal:desk-pool-list", args=[services.conclude_refresh(_id(request), by=by, at=at).pk]
    )


def _cancel(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.cancel_refresh(_id(request), reason=_text(request, "reason"), by=by, at=at)
    return reverse("portal:desk-pools")


def _strike(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.strike(
        _id(request),
        request.POST.get("code", ""),
        request.POST.get("level", ""),
        reason=_text(request, "reason"),
        article=_text(request, "article"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-pool-list", args=[_id(request)])


def _put_in(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.put_in(
        _id(request),
        request.POST.get("code", ""),
        article=_text(request, "article"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-pool-list", args=[_id(request)])


def _remove(request: HttpRequest, by: Actor, at: datetime) -> str:
    if request.POST.get("sure") != "yes":
        raise Refused(
            422,
            "还没有撤销",
            "撤销会让经营者失去认定，要先勾选“已经核对”。",
            ("回到上一页，核对以后勾选再交。",),
        )
    services.remove(
        request.POST.get("pool", ""),
        request.POST.get("level", ""),
        request.POST.get("code", ""),
        reason=_text(request, "reason"),
        article=_text(request, "article"),
        by=by,
        at=at,
    )
    return f"{reverse('portal:desk-pool-members')}#removed"


def _restore(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.restore(_number(request), by=by, at=at)
    return f"{reverse('portal:desk-pool-members')}#removed"


def _exit(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.decide_exit(
        _number(request),
        leaves=request.POST.get("leaves") == "yes",
        reason=_text(request, "reason"),
        article=_text(request, "article"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-pools")


def _assess(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.assess(
        request.POST.get("pool", ""),
        request.POST.get("level", ""),
        request.POST.get("code", ""),
        still_fits=request.POST.get("fits") == "yes",
        reason=_text(request, "reason"),
        article=_text(request, "article"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-pools")


def _recommend(request: HttpRequest, by: Actor, at: datetime) -> str:
    services.recommend(
        request.POST.get("code", "").strip().upper(),
        request.POST.get("kind", ""),
        _text(request, "reason"),
        by=by,
        at=at,
    )
    return reverse("portal:desk-pools")


def _seat(request: HttpRequest, by: Actor, at: datetime) -> str:
    case = _id(request, "case")
    services.seat_jury(case, request.POST.getlist("juror"), by=by, at=at)
    return reverse("portal:desk-jury", args=[case])


ACTIONS: dict[str, Callable[[HttpRequest, Actor, datetime], str]] = {
    "list": _list,
    "open": _open,
    "conclude": _conclude,
    "cancel": _cancel,
    "strike": _strike,
    "put_in": _put_in,
    "remove": _remove,
    "restore": _restore,
    "exit": _exit,
    "assess": _assess,
    "recommend": _recommend,
    "seat": _seat,
}


# for jurors


@require_GET
@jury_page
def juries(request: HttpRequest) -> HttpResponse:
    """The juries a person sits on, what is asked of her first."""
    return render(
        request, "portal/desk/juries.html", {"seats": selectors.list_seats(actor_of(request))}
    )


@require_GET
@jury_page
def jury(request: HttpRequest, jury_id: uuid.UUID) -> HttpResponse:
    """One sheet to judge, without saying whose it is."""
    shown = selectors.get_jury(jury_id, actor=actor_of(request))
    return render(request, "portal/desk/jury.html", {"jury": shown, "once": fresh_key()})


@require_POST
@jury_page
def judge(request: HttpRequest, jury_id: uuid.UUID) -> HttpResponse:
    """Say whether there is a conflict of interest, or score; sent again it acts once."""
    actor, asked = actor_of(request), request.POST.get("do", "")

    def do() -> str:
        if asked == "declare":
            conflict = request.POST.get("conflict")
            if conflict not in ("yes", "no"):
                raise Refused(422, "没有选", "选有利害关系或者没有。")
            services.declare(jury_id, has_conflict=conflict == "yes", by=actor, at=now())
        elif asked == "score":
            points = {
                name.removeprefix("points-"): int(str(value))
                for name, value in request.POST.items()
                if name.startswith("points-") and str(value).isdigit()
            }
            services.score(jury_id, points, by=actor, at=now())
        else:
            raise Refused(400, "这个请求看不懂", "没有这样的动作。")
        return reverse("portal:desk-jury", args=[jury_id])

    return act_once(request, do)


def _to_judge(actor: Actor) -> list[tuple[Any, list[tuple[str, str]]]]:
    """Recognitions that stand before their jury without one, with who could sit on it."""
    if Role.SUPERVISOR not in actor.roles:
        return []
    found = []
    for case in cases.list_cases(actor, on=today()):
        if case.matter_id != selectors.RECOGNITION or case.state != "accepted":
            continue
        try:
            selectors.get_jury(case.id, actor=actor)
        except selectors.JuryNotFound:
            found.append((case, _candidates(actor, case.division[:6])))
    return found


def _candidates(actor: Actor, county: str) -> list[tuple[str, str]]:
    at, ids = now(), set()
    for department in reference.list_departments():
        for role in JUROR_ROLES:
            ids |= set(list_officers(role, department.code, county, at))
    people = [account_actor(each, at) for each in ids if str(each) != actor.account_id]
    shown = []
    for person in people:
        agency = next(iter(sorted(person.agencies())), "")
        shown.append((person.account_id, f"{person.name}（{reference.department_name(agency)}）"))
    return sorted(shown, key=lambda pair: pair[1])


def _counties() -> list[Any]:
    return list(reference.list_counties())


def _county(request: HttpRequest) -> str:
    asked = request.GET.get("county", "")
    return asked if asked in {c.code for c in _counties()} else ""


def _about(text: str) -> str:
    kind, _, rest = text.partition(":")
    fits = kind in ("move", "exit", "removal", "list") and len(rest) <= 60
    return text if fits and all(c.isalnum() or c in "-:" for c in rest) else ""


def _place(trader_code: str) -> str:
    place = place_of(trader_code)
    if not place:
        raise Refused(409, "不知道交给哪个机关", "登记里没有经营场所在哪里。", ("到窗口更正。",))
    return place


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").strip()[:500]


def _id(request: HttpRequest, name: str = "id") -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get(name, ""))
    except ValueError:
        raise Refused(400, "这个请求看不懂", "缺少编号。") from None


def _number(request: HttpRequest) -> int:
    text = request.POST.get("number", "")
    if not text.isdigit():
        raise Refused(400, "这个请求看不懂", "缺少编号。")
    return int(text)
