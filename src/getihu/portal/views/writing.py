"""A policy writer's desk: compose, look at what it does, pass the gates, have it published."""

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from getihu.accounts.contracts import Role
from getihu.kernel.errors import GetihuError, InvalidInput
from getihu.policies import selectors, services
from getihu.portal.policies.shapes import segments
from getihu.portal.views import Refused
from getihu.portal.views.casework import (
    act_once,
    actor_of,
    casework,
    fresh_key,
    now,
    today,
)
from getihu.rulebook import selectors as rulebook

desk_page = casework("portal:desk-policies")
OUTCOMES = {"yes": "符合", "no": "不符合", "unknown": "还不能判断"}


@require_GET
@desk_page
def drafts(request: HttpRequest) -> HttpResponse:
    """What is being written, and a place to begin."""
    actor = actor_of(request)
    context = {
        "drafts": selectors.list_drafts(actor),
        "rules": [each for each in rulebook.list_rules() if each.id.startswith("policies.")],
        "may_write": Role.POLICY_WRITER in actor.roles,
        "once": fresh_key(),
        "once_change": fresh_key(),
    }
    return render(request, "portal/desk/policies.html", context)


@require_POST
@desk_page
def begin(request: HttpRequest) -> HttpResponse:
    return act_once(request, lambda: _begin(request))


def _begin(request: HttpRequest) -> str:
    asked = request.POST.get("rule", "") or f"policies.{request.POST.get('name', '').strip()}"
    made = services.begin_draft(asked, "330300", by=actor_of(request), at=now())
    text, cases = request.POST.get("text", ""), request.POST.get("cases", "")
    if text:  # a what-if proposed as the next version
        services.save_draft(made.pk, text, cases, by=actor_of(request), at=now())
    return reverse("portal:desk-policy", args=[made.pk])


@require_GET
@desk_page
def draft(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """One draft: the text, what it says in Chinese, what it does to the city, the gates."""
    return _editor(request, draft_id)


def _editor(request: HttpRequest, draft_id: uuid.UUID, problem: str = "") -> HttpResponse:
    actor = actor_of(request)
    shown = selectors.get_draft(draft_id, actor=actor)
    is_mine = shown.author_id == actor.account_id
    context = {
        "draft": shown,
        "facts": _by_department(),
        "can_edit": is_mine and shown.state in ("writing", "returned"),
        "can_publish": Role.SUPERVISOR in actor.roles
        and shown.state == "submitted"
        and not is_mine,
        "can_answer": Role.SUPERVISOR in actor.roles and shown.state == "submitted",
        "problem": problem,
        "once": fresh_key(),
        **_checked(shown.text, shown.cases_text),
    }
    if shown.state == "submitted":
        made, reviewed = services.full_check(draft_id, on=today())
        context |= {"check": made, "review": reviewed}
    return render(request, "portal/desk/policy.html", context, status=422 if problem else 200)


def _checked(text: str, cases_text: str) -> dict[str, Any]:
    made = selectors.check_draft(text, cases_text, on=today())
    counts = made.numbers.counts if made.numbers else {}
    return {
        "check": made,
        "reading": made.reading,
        "numbers": made.numbers,
        "bar": segments(counts, OUTCOMES) if made.numbers and "yes" in counts else (),
    }


def _by_department() -> list[tuple[str, list[Any]]]:
    grouped: dict[str, list[Any]] = {}
    for choice in selectors.list_fact_choices():
        grouped.setdefault(choice.department, []).append(choice)
    return list(grouped.items())


@require_POST
@desk_page
def check(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """What the text on the page comes to, without keeping it: for the page while one types."""
    selectors.get_draft(draft_id, actor=actor_of(request))
    text, cases_text = request.POST.get("text", ""), request.POST.get("cases", "")
    return render(request, "portal/desk/_policy_check.html", _checked(text, cases_text))


@require_POST
@desk_page
def act(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """One step with a draft; what cannot be done is said on the page, with the text kept."""
    asked = request.POST.get("do", "")
    if asked not in ACTIONS:
        raise Refused(400, "这个请求看不懂", "没有这样的动作。")
    if asked in ("save", "add", "report", "submit") and "text" in request.POST:
        services.save_draft(
            draft_id,
            request.POST["text"],
            request.POST.get("cases", ""),
            by=actor_of(request),
            at=now(),
        )
    try:
        where = ACTIONS[asked](request, draft_id)
    except InvalidInput as error:
        return _editor(request, draft_id, "；".join(str(p) for p in error.problems))
    except GetihuError as error:
        return _editor(request, draft_id, str(error))
    return redirect(where)


Action = Callable[[HttpRequest, uuid.UUID], str]


def _here(draft_id: uuid.UUID) -> str:
    return reverse("portal:desk-policy", args=[draft_id])


def _save(request: HttpRequest, draft_id: uuid.UUID) -> str:
    return _here(draft_id)


def _add(request: HttpRequest, draft_id: uuid.UUID) -> str:
    fact, _, operator = request.POST.get("compare", "").partition(" ")
    asked = {
        "fact": fact or request.POST.get("fact", ""),
        "operator": operator or request.POST.get("operator", ""),
        "value": request.POST.get("value", ""),
        "article": request.POST.get("article", ""),
        "label": request.POST.get("label", ""),
    }
    services.add_condition(draft_id, asked, by=actor_of(request), at=now())
    return f"{_here(draft_id)}#says"


def _report(request: HttpRequest, draft_id: uuid.UUID) -> str:
    key = services.make_report(draft_id, by=actor_of(request), on=today(), at=now())
    shown = selectors.get_draft(draft_id, actor=actor_of(request))
    return reverse("portal:drift", args=[shown.rule_id, key])


def _submit(request: HttpRequest, draft_id: uuid.UUID) -> str:
    services.submit_draft(draft_id, by=actor_of(request), on=today(), at=now())
    return _here(draft_id)


def _return(request: HttpRequest, draft_id: uuid.UUID) -> str:
    why = request.POST.get("why", "")
    services.return_draft(draft_id, why=why, by=actor_of(request), at=now())
    return _here(draft_id)


def _answer(request: HttpRequest, draft_id: uuid.UUID) -> str:
    services.answer_draft(
        draft_id,
        request.POST.get("finding", ""),
        ground=request.POST.get("ground", ""),
        article=request.POST.get("article", ""),
        by=actor_of(request),
        on=today(),
        at=now(),
    )
    return f"{_here(draft_id)}#gates"


def _publish(request: HttpRequest, draft_id: uuid.UUID) -> str:
    services.publish_draft(draft_id, by=actor_of(request), on=today(), at=now())
    shown = selectors.get_draft(draft_id, actor=actor_of(request))
    return reverse("portal:policy", args=[shown.rule_id])


def _abandon(request: HttpRequest, draft_id: uuid.UUID) -> str:
    services.abandon_draft(draft_id, by=actor_of(request), at=now())
    return reverse("portal:desk-policies")


ACTIONS: dict[str, Action] = {
    "save": _save,
    "add": _add,
    "report": _report,
    "submit": _submit,
    "return": _return,
    "answer": _answer,
    "publish": _publish,
    "abandon": _abandon,
}
