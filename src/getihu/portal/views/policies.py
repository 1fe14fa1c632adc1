"""Pages of policies: one policy beside its numbers, lists, what-ifs, scenarios, drift reports."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from getihu.kernel.errors import GetihuError, InvalidInput
from getihu.kernel.text import safe_cell
from getihu.portal.forms import DraftForm, RuleFilterForm, ScenarioForm
from getihu.portal.policies import pages
from getihu.portal.views import Refused, as_of_asked, page
from getihu.portal.views.casework import fresh_key
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services
from getihu.rulebook.contracts import RuleChange

COMPARED = 3
CURVES_SECONDS = 24 * 3600


@require_GET
@page
def rules(request: HttpRequest) -> HttpResponse:
    form = RuleFilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    shown = pages.get_list_page(**{key: value for key, value in wanted.items() if value})
    context = {"page": shown, "form": form, "wanted": wanted, "query": request.GET.urlencode()}
    fragment = getattr(request, "htmx", False)
    return render(request, "portal/_rule_list.html" if fragment else "portal/rules.html", context)


@require_GET
@page
def rules_file(request: HttpRequest) -> HttpResponse:
    form = RuleFilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    shown = pages.get_list_page(**{key: value for key, value in wanted.items() if value})
    return csv_file(pages.list_rows(shown), "rules.csv")


@require_GET
@page
def rule(request: HttpRequest, rule_id: str) -> HttpResponse:
    as_of = as_of_asked(request)
    shown = pages.get_policy_page(rule_id, as_of=as_of, outcome=request.GET.get("outcome", ""))
    return render(request, "portal/policy.html", {"page": shown, "as_of": as_of})


@require_GET
@page
def numbers_file(request: HttpRequest, rule_id: str) -> HttpResponse:
    return csv_file(pages.number_rows(rule_id, as_of_asked(request)), f"{rule_id}.csv")


@require_GET
def curves(request: HttpRequest, rule_id: str) -> HttpResponse:
    """What the sliders of a policy page need, once: small lists of whole numbers."""
    try:
        found = rulebook.list_curves(
            rule_id, outcome=request.GET.get("outcome", ""), as_of=as_of_asked(request)
        )
    except (GetihuError, Refused) as error:
        return JsonResponse({"parameters": [], "why": str(error)}, status=404)
    response = JsonResponse({"parameters": [_curve(curve) for curve in found]})
    response["Cache-Control"] = f"private, max-age={CURVES_SECONDS}"
    return response


def _curve(curve: Any) -> dict[str, Any]:
    return {
        "name": curve.name,
        "values": curve.values,
        "shown": curve.shown,
        "at": curve.at,
        "counts": curve.counts,
        "yuan": curve.amounts_yuan,
        **{name: curve.parts.get(name, {}) for name in ("county", "trade")},
    }


@require_GET
@page
def what_if(request: HttpRequest, rule_id: str) -> HttpResponse:
    """The city under a changed copy, worked out here: the way without scripts, and for several
    changes at once."""
    changes = pages.changes_asked(rule_id, dict(request.GET.lists()))
    context = _what_if_context(rule_id, changes)
    status = 200
    if changes:
        try:
            made = rulebook.compare_changes(
                rule_id, changes, outcome=request.GET.get("outcome", "")
            )
            context["comparison"] = pages.get_comparison_page(made)
        except InvalidInput as error:
            context["problems"] = [(problem.message, problem.fix) for problem in error.problems]
            status = 422
    return render(request, "portal/what_if.html", context, status=status)


def _what_if_context(rule_id: str, changes: Sequence[RuleChange]) -> dict[str, Any]:
    shown = pages.get_policy_page(rule_id)
    on = shown.numbers.as_of if shown.numbers else shown.summary.valid_from
    return {
        "page": shown,
        "changes": changes,
        "asked": pages.asked_for(changes),
        "fields": pages.editing(shown, changes),
        "begins": max(pages.next_month(on), pages.next_month(shown.summary.valid_from)),
    }


@require_GET
@page
def draft(request: HttpRequest, rule_id: str) -> HttpResponse:
    """A what-if as the text of a version; ``file`` asks for one of its two files."""
    form = DraftForm(request.GET)
    changes = pages.changes_asked(rule_id, dict(request.GET.lists()))
    if not form.is_valid():
        raise Refused(
            400, "还差一个日期", str(form.errors["valid_from"][0]), ("回到上一页，写上施行日期。",)
        )
    if not changes:
        raise Refused(
            400, "还没有改动", "草案要和现行版本不同。", ("回到上一页，先改一个标准或者条件。",)
        )
    made = rulebook.draft_rule(rule_id, changes, form.cleaned_data["valid_from"])
    if request.GET.get("file") == "rule":
        return _yaml(made.text, made.file_name)
    if request.GET.get("file") == "cases":
        return _yaml(made.cases_text, made.cases_name)
    context = {
        "made": made,
        "summary": pages.get_policy_page(rule_id).summary,
        "query": request.GET.urlencode(),
        "once": fresh_key(),
    }
    return render(request, "portal/draft.html", context)


@require_POST
@page
def keep(request: HttpRequest, rule_id: str) -> HttpResponse:
    form = ScenarioForm(request.POST)
    if not form.is_valid():
        raise Refused(
            400, "方案要有名称", str(form.errors["title"][0]), ("回到上一页，给方案起个名字。",)
        )
    changes = pages.changes_asked(rule_id, dict(request.POST.lists()))
    made = services.keep_scenario(
        rule_id, changes, title=form.cleaned_data["title"], at=datetime.now(UTC)
    )
    return redirect("portal:scenario", number=made.number)


@require_GET
@page
def scenarios(request: HttpRequest) -> HttpResponse:
    """All kept what-ifs, and up to three of them side by side."""
    chosen = [int(n) for n in request.GET.getlist("compare") if n.isdecimal()][:COMPARED]
    compared = [rulebook.get_scenario(number) for number in dict.fromkeys(chosen)]
    context = {
        "scenarios": rulebook.list_scenarios(request.GET.get("rule", "")),
        "compared": [(s, pages.get_comparison_page(s.comparison)) for s in compared],
        "pays": any(s.comparison.after_yuan is not None for s in compared),
        "chosen": chosen,
    }
    return render(request, "portal/scenarios.html", context)


@require_GET
@page
def scenario(request: HttpRequest, number: int) -> HttpResponse:
    found = rulebook.get_scenario(number)
    current = rulebook.get_rule(found.rule_id)
    context = {
        "scenario": found,
        "comparison": pages.get_comparison_page(found.comparison),
        "asked": pages.asked_for(found.changes),
        "is_stale": current.version != found.comparison.before_version,
        "begins": pages.next_month(max(found.comparison.as_of, current.valid_from)),
    }
    return render(request, "portal/scenario.html", context)


@require_http_methods(["POST"])
@page
def remove_scenario(request: HttpRequest, number: int) -> HttpResponse:
    services.remove_scenario(number)
    return redirect("portal:scenarios")


@require_GET
@page
def drift(request: HttpRequest, rule_id: str, key: str) -> HttpResponse:
    report = rulebook.get_drift_report(key)
    context = {"report": report, "comparison": pages.get_comparison_page(report.comparison)}
    return render(request, "portal/drift.html", context)


def csv_file(rows: Sequence[Sequence[str]], name: str) -> HttpResponse:
    """UTF-8 with a mark for spreadsheets; nothing in it is taken for a formula."""
    out = io.StringIO()
    safe = [[safe_cell(str(cell)) for cell in row] for row in rows]
    csv.writer(out, lineterminator="\r\n").writerows(safe)
    return _file(out.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", name)


def _yaml(text: str, name: str) -> HttpResponse:
    return _file(text.encode("utf-8"), "application/yaml; charset=utf-8", name)


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
