"""A trader's own pages: what she runs, what she asks for, whom it waits for."""

import uuid
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.accounts.contracts import Actor
from getihu.cases import selectors as cases
from getihu.cases import services
from getihu.cases.contracts import FINAL, BundleView, CaseView, Side, State, moves_from
from getihu.cases.selectors import Bundle, Matter, WholeBundle, term_text
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactValue
from getihu.entry import selectors as entry
from getihu.evaluations import selectors as ratings
from getihu.kernel.errors import GetihuError
from getihu.policies.selectors import APPLICATION
from getihu.portal.forms import MatterForm
from getihu.portal.views import Refused
from getihu.portal.views.casework import (
    act_once,
    actor_of,
    bar,
    casework,
    download,
    fresh_key,
    now,
    place_of,
    shows,
    today,
    trader_name,
)
from getihu.reference import selectors as reference

HOME = "portal:mine"
FROM_ITS_PAGE = ("growth.objection_", "supervision.")
trader_page = casework(HOME)


@require_GET
@trader_page
def home(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    listed = [view for view in cases.list_cases(actor, on=today()) if _is_hers(actor, view)]
    listed = [view for view in listed if view.state is not State.DISCARDED]
    runs, names = own_runs(actor), {code: trader_name(code) for code in traders_of(actor)}
    shown = {*(view.trader_code for view in listed), *(run.trader_code for run in runs)}
    shows(request, *shown)
    parts = cases.cases_in_bundles(view.id for view in listed)
    listed = [v for v in listed if v.id not in parts or v.state in (State.CORRECTION, State.DRAFT)]
    several = len({*names, *shown}) > 1
    context = {
        "shops": list(names.values()),
        # With one shop its name above says it for every row.
        "names": names | {code: trader_name(code) for code in shown} if several else {},
        "drafts": [view for view in listed if view.state is State.DRAFT],
        "wanted": [view for view in listed if view.state is State.CORRECTION],
        "running": [
            (view, bar(view)) for view in listed if view.state in (State.SUBMITTED, State.ACCEPTED)
        ],
        "ended": [view for view in listed if view.state in FINAL],
        "matters": _startable(actor),
        "runs": runs,
        "bundles": startable_bundles(actor),
    }
    return render(request, "portal/mine/home.html", context)


@require_http_methods(["GET", "POST"])
@trader_page
def start(request: HttpRequest, matter_id: str) -> HttpResponse:
    """What a matter needs, what departments hold already, and one button to begin."""
    if matter_id == APPLICATION:
        return redirect("portal:policies")
    actor, matter = actor_of(request), cases.get_matter(matter_id)
    if matter.started_by == "anybody":
        return redirect("portal:register-shop")
    able = [code for code in traders_of(actor) if _may_start(actor, matter, code)]
    if request.method == "POST":
        return act_once(request, lambda: _open(actor, matter, request.POST.get("trader", "")))
    context = {
        "matter": matter,
        "traders": [(code, trader_name(code)) for code in able],
        "held": held_by_departments(matter, _one_place(able)),
        "steps": _steps(matter, _one_place(able)),
        "acceptance": term_text(matter.acceptance_clock),
        "overall": term_text(matter.clock) if matter.clock else "",
        "effects": [
            (trader_name(code), entry.rehearse(matter.filing.kind, code))
            for code in able
            if matter.filing
        ],
        "once": fresh_key(),
    }
    return render(request, "portal/mine/start.html", context)


@require_GET
@trader_page
def case(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """Where a case stands and whose clock runs."""
    actor, view = actor_of(request), _own_case(request, case_id)
    if view.state is State.DRAFT:
        return redirect("portal:mine-draft", case_id=case_id)
    matter = cases.matter_of(view)
    context = {
        "run_id": cases.cases_in_bundles([view.id]).get(view.id),
        "contested": cases.contested_of([view.id]),
        "case": view,
        "bar": bar(view),
        "matter": matter,
        "name": trader_name(view.trader_code),
        "answers": answers_of(matter, view.form),
        "files": cases.list_attachments(case_id, actor=actor),
        "held": held_by_departments(matter, view.division),
        "is_final": view.state in FINAL,
        "can_withdraw": any(
            m.after is State.WITHDRAWN for m in moves_from(view.state, Side.APPLICANT)
        ),
        "wants": view.requests[-1] if view.state is State.CORRECTION and view.requests else (),
        "last": view.moves[-1] if view.moves else None,
        "rating": ratings.standing_of(view, actor).value,
        "once": fresh_key(),
    }
    return render(request, "portal/mine/case.html", context)


@require_http_methods(["GET", "POST"])
@trader_page
def draft(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """One form: the matter's questions, its files, save or hand in."""
    actor, view = actor_of(request), _own_case(request, case_id)
    if view.state not in (State.DRAFT, State.CORRECTION):
        return redirect("portal:mine-case", case_id=case_id)
    if view.matter_id == APPLICATION:
        return redirect("portal:mine-application", case_id=case_id)
    matter, known = cases.matter_of(view), known_facts(view)
    if request.method == "POST":
        form = MatterForm(matter, known, request.POST)
        if form.is_valid():
            services.save_draft(case_id, form.answers(), by=actor)
            if request.POST.get("do") != "submit":
                return redirect(f"{reverse('portal:mine-draft', args=[case_id])}?saved=1")
            if not form.missing():
                return act_once(request, lambda: _submit(actor, case_id))
            form.show_missing()
    else:
        form = MatterForm(matter, known, initial=view.form)
    files = cases.list_attachments(case_id, actor=actor)
    brought = {file.document_id for file in files}
    context = {
        "case": view,
        "matter": matter,
        "form": form,
        "name": trader_name(view.trader_code),
        "documents": [
            (document, [file for file in files if file.document_id == document.id])
            for document in matter.to_bring
        ],
        "not_brought": [d.title for d in matter.to_bring if d.required and d.id not in brought],
        "held": held_by_departments(matter, view.division),
        "wants": view.requests[-1] if view.state is State.CORRECTION and view.requests else (),
        "saved": "saved" in request.GET,
        "once": fresh_key(),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/mine/draft.html", context, status=status)


@require_POST
@trader_page
def add_file(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """Take one file. The same file again changes nothing."""
    sent = request.FILES.get("file")
    if sent is None:
        raise Refused(422, "没有选文件", "上传时没有收到文件。", ("先选一个文件，再点上传。",))
    document, content = request.POST.get("document", ""), sent.read(10 * 1024 * 1024 + 1)
    services.attach(case_id, document, content, by=actor_of(request), at=now())
    return redirect("portal:mine-draft", case_id=case_id)


@require_POST
@trader_page
def remove_file(request: HttpRequest, case_id: uuid.UUID, file_id: uuid.UUID) -> HttpResponse:
    services.take_out(case_id, file_id, by=actor_of(request), at=now())
    return redirect("portal:mine-draft", case_id=case_id)


@require_GET
@trader_page
def file(request: HttpRequest, case_id: uuid.UUID, file_id: uuid.UUID) -> HttpResponse:
    view = _own_case(request, case_id)
    found, content = cases.read_attachment(case_id, file_id, actor=actor_of(request))
    return download(found, content, view.number)


@require_http_methods(["GET", "POST"])
@trader_page
def withdraw(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """Asks once more, says what follows, then takes the case back or deletes the draft."""
    actor, view = actor_of(request), _own_case(request, case_id)
    if request.method == "POST":
        return act_once(request, lambda: _withdraw(actor, case_id))
    if view.state in FINAL:
        return redirect("portal:mine-case", case_id=case_id)
    context = {"case": view, "is_draft": view.state is State.DRAFT, "once": fresh_key()}
    return render(request, "portal/mine/withdraw.html", context)


@require_POST
@trader_page
def again(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """A new case that refers to one that ended; what was answered before is filled in."""
    actor, view = actor_of(request), _own_case(request, case_id)
    return act_once(request, lambda: _reopen(actor, view))


def own_runs(actor: Actor) -> list[BundleView]:
    """Her bundles, newest first."""
    listed = cases.list_bundle_runs(actor, on=today())
    return [view for view in listed if actor.may_view(view.trader_code)]


def startable_bundles(actor: Actor) -> list[Bundle]:
    """The bundles somebody may begin."""
    codes = traders_of(actor)
    return [
        whole.bundle
        for whole in cases.bundle_catalogue().values()
        if whole.bundle.started_by == "anybody"
        or any(may_start_bundle(actor, whole, code) for code in codes)
    ]


def may_start_bundle(actor: Actor, whole: WholeBundle, code: str) -> bool:
    if whole.bundle.started_by == "representative":
        return actor.may_apply_for(code)
    return code in actor.own


def _is_hers(actor: Actor, view: CaseView) -> bool:
    return actor.may_view(view.trader_code)


def _own_case(request: HttpRequest, case_id: uuid.UUID) -> CaseView:
    """A case of a trader that is hers or that she may view; an officer's way in is the desk."""
    view = cases.get_case(case_id, actor=actor_of(request), on=today())
    if not _is_hers(actor_of(request), view):
        raise cases.CaseNotFound
    shows(request, view.trader_code)
    return view


def traders_of(actor: Actor) -> list[str]:
    """The shops she runs or acts for; one that only asks to be registered is none yet."""
    codes = actor.own | {code for code, _ in actor.authorised}
    return sorted(code for code in codes if not entry.is_provisional(code))


def _may_start(actor: Actor, matter: Matter, code: str) -> bool:
    if matter.started_by == "owner":
        return code in actor.own
    return matter.started_by == "representative" and actor.may_apply_for(code)


def _startable(actor: Actor) -> list[Matter]:
    every = list(cases.matter_catalogue().values())
    covered = {name for w in cases.bundle_catalogue().values() for name in w.bundle.covers}
    # Begun from the page of what they are about: a policy, a datum of the profile, a record,
    # a bundle.
    every = [m for m in every if m.id not in {APPLICATION, *covered}]
    every = [m for m in every if not m.id.startswith(FROM_ITS_PAGE)]
    return [m for m in every if any(_may_start(actor, m, c) for c in traders_of(actor))]


def held_by_departments(matter: Matter, place: str | None) -> list[tuple[str, str]]:
    """What departments hold already: title and from whose office over the place."""
    return [
        (d.title, reference.agency_name(d.held_by.department, place))
        for d in matter.documents
        if d.held_by
    ]


def _steps(matter: Matter, place: str | None) -> list[dict[str, Any]]:
    return [
        {
            "title": step.title,
            "department": step.agency,
            "term": step.term.text,
            "after": [matter.stage(name).title for name in step.after],
        }
        for step in entry.guide_of(matter, place or reference.WENZHOU).steps
    ]


def _one_place(codes: list[str]) -> str | None:
    """Where all of some shops stand, when it is one county; None otherwise, or where nobody says."""
    places = set()
    for code in codes:
        try:
            places.add((place_of(code) or "")[:6])
        except GetihuError:
            return None
    return (places.pop() or None) if len(places) == 1 else None


def _open(actor: Actor, matter: Matter, code: str, continues: uuid.UUID | None = None) -> str:
    place = place_of(code)
    if place is None:
        raise Refused(409, "还不知道您的店在哪里", "市场监管部门的登记里没有经营场所所在地。")
    made = services.open_draft(
        matter.id, code, place=place, by=actor, at=now(), continues=continues
    )
    return reverse("portal:mine-draft", args=[made])


def _submit(actor: Actor, case_id: uuid.UUID) -> str:
    services.submit(case_id, by=actor, at=now())
    return reverse("portal:mine-case", args=[case_id])


def _withdraw(actor: Actor, case_id: uuid.UUID) -> str:
    was_draft = cases.get_case(case_id, actor=actor, on=today()).state is State.DRAFT
    services.withdraw(case_id, by=actor, at=now())
    return reverse(HOME) if was_draft else reverse("portal:mine-case", args=[case_id])


def _reopen(actor: Actor, view: CaseView) -> str:
    matter = cases.get_matter(view.matter_id)
    where = _open(actor, matter, view.trader_code, continues=uuid.UUID(view.id))
    made = uuid.UUID(where.rstrip("/").split("/")[-2])
    asked = {field.id for field in matter.form}
    services.save_draft(made, {k: v for k, v in view.form.items() if k in asked}, by=actor)
    return where


def known_facts(view: CaseView) -> dict[str, FactValue]:
    """What departments hold of the trader; nothing before the first deliveries."""
    try:
        as_of = dataplane.get_published_snapshot().data_until
        facts = dataplane.get_trader_facts(view.trader_code, as_of)
    except GetihuError:
        return {}
    return {name: fact for name, fact in facts.values.items() if fact.value is not None}


def answers_of(matter: Matter, form: dict[str, object]) -> list[tuple[str, str]]:
    return [(f.label, answer_text(f, form.get(f.id))) for f in matter.form]


def answer_text(field: Any, value: object) -> str:
    """An answer as people read it; 没有填 for none."""
    if value in (None, ""):
        return "没有填"
    if field.type == "boolean":
        return "是" if value else "否"
    if field.type == "choice":
        return field.choices.get(str(value), str(value))
    if field.type == "date":
        on = date.fromisoformat(str(value))
        return f"{on.year}年{on.month}月{on.day}日"
    if field.type in ("decimal", "money"):
        return f"{Decimal(str(value)).normalize():,f} {field.unit}".strip()
    return f"{value} {field.unit}".strip()
