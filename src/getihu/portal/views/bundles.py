"""一类事: one form for several offices, one page for the trader, the whole course for each office."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.accounts.contracts import Actor
from getihu.cases import selectors as cases
from getihu.cases import services
from getihu.cases.contracts import BundleState, BundleView, Need, PartState
from getihu.cases.selectors import WholeBundle, term_text
from getihu.entry import selectors as entry
from getihu.entry import services as filings
from getihu.portal.forms import ConnectForm, MatterForm, RegisterForm
from getihu.portal.views import Refused, page
from getihu.portal.views.casework import (
    act_once,
    actor_of,
    fresh_key,
    now,
    place_of,
    shows,
    today,
    trader_name,
)
from getihu.portal.views.desk import _officer, desk_page
from getihu.portal.views.mine import answer_text, may_start_bundle, trader_page, traders_of
from getihu.reference import selectors as reference

UTILITIES = "entry.utilities"


@dataclass(frozen=True)
class _Asked:
    """The questions of a bundle, as the form of a matter wants them."""

    form: tuple[Any, ...]


@require_http_methods(["GET", "POST"])
@trader_page
def start(request: HttpRequest, bundle_id: str) -> HttpResponse:
    """What it is made of, what to bring once, how long; and one button to begin."""
    actor, whole = actor_of(request), cases.get_bundle(bundle_id)
    given = {
        k: v for k, v in request.GET.items() if k in {f.field.id for f in cases.merged_form(whole)}
    }
    opens = whole.bundle.started_by == "anybody"
    form = RegisterForm(request.POST or None) if opens else None
    if request.method == "POST":
        code = request.POST.get("trader", "")
        if code:
            return act_once(request, lambda: _open(actor, whole, code, _said(whole, request.POST)))
        if form is not None and form.is_valid():
            return act_once(request, lambda: _open_new(actor, whole, form.cleaned_data))
    able = [code for code in traders_of(actor) if may_start_bundle(actor, whole, code)]
    context = {
        "bundle": whole.bundle,
        "parts": _parts(whole),
        "to_bring": [d.document for d in cases.merged_documents(whole) if not d.document.held_by],
        "held": _held(whole, [d.document for d in cases.merged_documents(whole)]),
        "traders": [(code, trader_name(code)) for code in able],
        "opens": opens,
        "form": form,
        "given": given,
        "counties": [(c.code, c.name) for c in reference.list_counties()],
        "once": fresh_key(),
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "portal/mine/bundle_start.html", context, status=status)


@require_http_methods(["GET", "POST"])
@trader_page
def draft(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One form: only what the answers so far make needed; save, or hand everything in at once."""
    actor, view = actor_of(request), _own(request, run_id)
    if view.state is not BundleState.DRAFT:
        return redirect("portal:mine-bundle", run_id=run_id)
    whole = cases.whole_of(view.id)
    known = {n: f for n, f in services.held_facts(view.trader_code).items() if f.value is not None}
    form = _form(whole, view, known, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        services.save_bundle(run_id, form.answers(), by=actor)
        if request.POST.get("do") != "submit":
            return redirect(f"{reverse('portal:mine-bundle-draft', args=[run_id])}?saved=1")
        view = _own(request, run_id)
        if not _missing(whole, view):
            return act_once(request, lambda: _submit(actor, run_id))
        form = _form(whole, view, known, check=True)
    needs = _needs(whole, view)
    wanted = cases.documents_of(whole, needs)
    files = cases.list_bundle_files(view.id)
    context = {
        "run": view,
        "bundle": whole.bundle,
        "form": form,
        "name": trader_name(view.trader_code),
        "needs": [(whole.matter(n.part_id), n) for n in needs.values()],
        "documents": [
            (d, by, [f for f in files if f.document_id == d.id])
            for d, by in wanted
            if not d.held_by
        ],
        "not_brought": [
            d.title
            for d, _ in wanted
            if d.required and not d.held_by and d.id not in {f.document_id for f in files}
        ],
        "held": _held(whole, [d for d, _ in wanted]),
        "saved": "saved" in request.GET,
        "once": fresh_key(),
    }
    status = 422 if form.errors else 200
    return render(request, "portal/mine/bundle_draft.html", context, status=status)


@require_GET
@trader_page
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Where every part stands, whose clock runs, what the whole waits for."""
    view = _own(request, run_id)
    if view.state is BundleState.DRAFT:
        return redirect("portal:mine-bundle-draft", run_id=run_id)
    context = _course(view) | {
        "answers": _answers(view),
        "can_withdraw": view.state is BundleState.RUNNING,
        "once": fresh_key(),
    }
    return render(request, "portal/mine/bundle.html", context)


@require_POST
@trader_page
def add_file(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    sent = request.FILES.get("file")
    if sent is None:
        raise Refused(422, "没有选文件", "上传时没有收到文件。", ("先选一个文件，再点上传。",))
    document, content = request.POST.get("document", ""), sent.read(10 * 1024 * 1024 + 1)
    services.attach_to_bundle(run_id, document, content, by=actor_of(request), at=now())
    return redirect("portal:mine-bundle-draft", run_id=run_id)


@require_POST
@trader_page
def remove_file(request: HttpRequest, run_id: uuid.UUID, file_id: uuid.UUID) -> HttpResponse:
    services.take_out_of_bundle(run_id, file_id, by=actor_of(request), at=now())
    return redirect("portal:mine-bundle-draft", run_id=run_id)


@require_http_methods(["GET", "POST"])
@trader_page
def withdraw(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Take one part back, or all: what it means is told before."""
    actor, view = actor_of(request), _own(request, run_id)
    asked = (request.POST or request.GET).get("part", "")
    part = next((p for p in view.parts if p.part_id == asked), None)
    if request.method == "POST":
        return act_once(request, lambda: _withdraw(actor, run_id, part.part_id if part else ""))
    whole = cases.whole_of(view.id)
    after = [p for p in view.needed if part and part.title in p.after]
    context = {
        "run": view,
        "part": part,
        "meaning": whole.bundle.part(part.part_id).if_refused if part else "",
        "stuck": [p.title for p in after],
        "kept": [p.title for p in view.parts if p.state is PartState.GRANTED],
        "once": fresh_key(),
    }
    return render(request, "portal/mine/bundle_withdraw.html", context)


@require_POST
@trader_page
def redo(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Take up again a part that was refused or taken back."""
    actor, part = actor_of(request), request.POST.get("part", "")
    _own(request, run_id)

    def do() -> str:
        made = services.redo_part(run_id, part, by=actor, at=now())
        return reverse("portal:mine-draft", args=[made])

    return act_once(request, do)


@require_GET
@desk_page
def desk_runs(request: HttpRequest) -> HttpResponse:
    """The bundles an office has a part of, the latest day first."""
    actor = _officer(request)
    listed = cases.list_bundle_runs(actor, on=today(), limit=30)
    own = actor.agencies()
    rows = [(view, [p for p in view.needed if p.department in own]) for view in listed]
    context = {"rows": rows, "extra": cases.count_extra_requests()}
    return render(request, "portal/desk/bundles.html", context)


@require_GET
@desk_page
def desk_run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The whole course, for each office that has a part; its own part leads to its case."""
    actor = _officer(request)
    view = cases.get_bundle_run(run_id, actor=actor, on=today())
    if view.submitted_at is None:
        raise cases.BundleNotFound
    shows(request, view.trader_code)
    context = _course(view) | {"own": actor.agencies()}
    return render(request, "portal/desk/bundle.html", context)


@require_http_methods(["GET", "POST"])
@desk_page
def contested(request: HttpRequest) -> HttpResponse:
    """What applicants say of the department's data: both values, and the office's answer."""
    actor = _officer(request)
    if request.method == "POST":

        def do() -> str:
            number = int(request.POST.get("number", "0") or 0)
            answer, reason = request.POST.get("answer", ""), request.POST.get("reason", "")
            services.answer_contested(number, answer, reason, by=actor, at=now())
            return reverse("portal:desk-contested")

        return act_once(request, do)
    rows = cases.list_contested(actor)
    shows(request, *(value.trader_code for value in rows))
    context = {
        "rows": rows,
        "answers": services.ANSWERS,
        "once": fresh_key(),
    }
    return render(request, "portal/desk/contested.html", context)


@require_GET
@page
def connect(request: HttpRequest) -> HttpResponse:
    """接电要不要审批: four questions; which way, how long and why; whether the road may be dug."""
    form = ConnectForm(request.GET or None)
    context: dict[str, Any] = {"form": form, "answer": None}
    if form.is_bound and form.is_valid():
        said = form.answers()
        context |= {
            "answer": entry.answer_connection(said, form.cleaned_data["county"], today()),
            "query": form.query(),
        }
    status = 422 if form.errors else 200
    return render(request, "portal/connect.html", context, status=status)


def _own(request: HttpRequest, run_id: uuid.UUID) -> BundleView:
    view = cases.get_bundle_run(run_id, actor=actor_of(request), on=today())
    if not actor_of(request).may_view(view.trader_code):
        raise cases.BundleNotFound
    shows(request, view.trader_code)
    return view


def _open(actor: Actor, whole: WholeBundle, code: str, said: dict[str, object]) -> str:
    place = place_of(code)
    if place is None:
        raise Refused(409, "还不知道您的店在哪里", "市场监管部门的登记里没有经营场所所在地。")
    made = services.open_bundle(whole.bundle.id, code, place=place, by=actor, at=now())
    if "has_licence" in {q.id for q in whole.bundle.questions}:
        said |= {"has_licence": True}
    services.save_bundle(made, said, by=actor)
    return reverse("portal:mine-bundle-draft", args=[made])


def _open_new(actor: Actor, whole: WholeBundle, asked: dict[str, Any]) -> str:
    match = reference.resolve_address(asked["premises"], asked["county"] or None)
    place = asked["place"] or match.town_code or match.county_code
    if not place:
        why = "地址里没有认出县（市、区）和街道，不知道归谁管。"
        raise Refused(422, "还不知道店开在哪里", why, ("回上一页，选一个县（市、区）。",))
    said: dict[str, object] = {"has_licence": False, "premises": asked["premises"]}
    trade = entry.describe(asked["trade"]) if asked["trade"] else None
    if trade:
        said |= {"industry_code": trade.code, "scope": trade.name}
    made = filings.begin_opening_bundle(whole.bundle.id, said, place=place, by=actor, at=now())
    return reverse("portal:mine-bundle-draft", args=[made])


def _said(whole: WholeBundle, given: Any) -> dict[str, object]:
    """Answers brought along from the questions asked before (``q.`` fields)."""
    found: dict[str, object] = {}
    for each in cases.merged_form(whole):
        value = str(given.get(f"q.{each.field.id}", ""))[:60]
        if value:
            found[each.field.id] = value == "yes" if each.field.type == "boolean" else value
    return found


def _submit(actor: Actor, run_id: uuid.UUID) -> str:
    services.submit_bundle(run_id, by=actor, at=now())
    return reverse("portal:mine-bundle", args=[run_id])


def _withdraw(actor: Actor, run_id: uuid.UUID, part: str) -> str:
    was_draft = cases.get_bundle_run(run_id, actor=actor, on=today()).submitted_at is None
    if part:
        services.withdraw_part(run_id, part, by=actor, at=now())
    else:
        services.withdraw_bundle(run_id, by=actor, at=now())
    return reverse("portal:mine") if was_draft else reverse("portal:mine-bundle", args=[run_id])


def _needs(whole: WholeBundle, view: BundleView) -> dict[str, Need]:
    return cases.needs_of(whole, view.form, view.division, today())


def _form(
    whole: WholeBundle, view: BundleView, known: Any, data: Any = None, *, check: bool = False
) -> MatterForm:
    fields = cases.fields_of(whole, _needs(whole, view))
    asked = _Asked(tuple(each.field for each in fields))
    form = MatterForm(asked, known, data, initial=view.form)
    if not check:
        return form
    form = MatterForm(asked, known, form.initial)  # bound on what is kept: a missing one is marked
    form.is_valid()
    form.show_missing()
    return form


def _missing(whole: WholeBundle, view: BundleView) -> list[Any]:
    needs = _needs(whole, view)
    return [
        each.field
        for each in cases.fields_of(whole, needs)
        if each.field.required and view.form.get(each.field.id) in (None, "")
    ]


def _held(whole: WholeBundle, documents: list[Any]) -> list[tuple[str, str]]:
    return [
        (d.title, reference.department_name(d.held_by.department)) for d in documents if d.held_by
    ]


def _parts(whole: WholeBundle) -> list[dict[str, Any]]:
    return [
        {
            "title": whole.matter(part.id).title,
            "summary": whole.matter(part.id).summary,
            "department": reference.department_name(whole.matter(part.id).handler.department),
            "term": "、".join(
                dict.fromkeys(term_text(s.clock) for s in whole.matter(part.id).stages)
            ),
            "after": [whole.matter(name).title for name in part.after],
            "always": part.when is None,
        }
        for part in whole.bundle.parts
    ]


def _course(view: BundleView) -> dict[str, Any]:
    held = [part.case_id for part in view.parts if part.case_id]
    return {
        "run": view,
        "name": trader_name(view.trader_code),
        "done": sum(part.state is PartState.GRANTED for part in view.needed),
        "not_needed": [p for p in view.parts if p.state is PartState.NOT_NEEDED],
        "contested": cases.contested_of(held) if held else [],
        "note": cases.whole_of(view.id).bundle.note,
    }


def _answers(view: BundleView) -> list[tuple[str, str]]:
    whole = cases.whole_of(view.id)
    return [
        (each.field.label, answer_text(each.field, view.form.get(each.field.id)))
        for each in cases.merged_form(whole)
        if view.form.get(each.field.id) not in (None, "")
    ]
