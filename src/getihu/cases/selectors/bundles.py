"""Reads of bundles: what the answers need, how far every part is, what the whole waits for."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from django.db.models import Q, QuerySet

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.cases.contracts import (
    BUNDLE_LABELS,
    PART_LABELS,
    PARTS_OVER,
    AttachmentView,
    BundleState,
    BundleView,
    CaseView,
    ContestedView,
    Need,
    PartState,
    PartView,
)
from getihu.cases.machine import State
from getihu.cases.matters.bundle import Part, WholeBundle
from getihu.cases.matters.merge import MergedField, merged_documents, merged_form
from getihu.cases.matters.model import Document, Matter
from getihu.cases.models import (
    BundleFile,
    BundlePart,
    BundleRun,
    Case,
    ContestedValue,
    MaterialRequest,
)
from getihu.cases.selectors.definitions import bundle_of
from getihu.cases.selectors.reads import (
    _over,
    case_view,
    due_after,
)
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference
from getihu.rulebook import selectors as rulebook

_ENDED_BADLY = frozenset({PartState.REFUSED, PartState.WITHDRAWN, PartState.BLOCKED})
_OF_CASE = {
    State.DRAFT: PartState.REDO,
    State.DISCARDED: PartState.WITHDRAWN,
    State.SUBMITTED: PartState.RUNNING,
    State.CORRECTION: PartState.CORRECTION,
    State.ACCEPTED: PartState.RUNNING,
    State.GRANTED: PartState.GRANTED,
    State.REFUSED: PartState.REFUSED,
    State.NOT_ACCEPTED: PartState.REFUSED,
    State.WITHDRAWN: PartState.WITHDRAWN,
}


class BundleNotFound(GetihuError):
    """There is no such bundle run, or none this actor may see; the two are told the same way."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__("没有找到这件一类事，或者您无权查看。处理办法：核对编号。")


def visible_bundles(actor: Actor) -> QuerySet[BundleRun]:
    """Runs an actor may see: of the trader's own, of those she may act for, and handed-in ones of
    which her office has a part there, whether its turn has come or not."""
    traders = actor.own | {code for code, _ in actor.authorised}
    parts = BundlePart.objects.filter(_over(actor, "department"), is_needed=True)
    ours = Q(pk__in=parts.values("run"), submitted_at__isnull=False)
    return BundleRun.objects.filter(Q(trader_code__in=traders) | ours)


def get_bundle_run(run_id: uuid.UUID | str, *, actor: Actor, on: date) -> BundleView:
    """Return a run as it stands on a day. Raises BundleNotFound."""
    run = visible_bundles(actor).filter(pk=run_id).first()
    if run is None:
        raise BundleNotFound
    return bundle_view(run, on)


def whole_of(run_id: str) -> WholeBundle:
    """The bundle a run goes by; ask ``get_bundle_run`` first whether the actor may see it."""
    return bundle_of(BundleRun.objects.get(pk=run_id))


def list_bundle_runs(actor: Actor, *, on: date, limit: int = 100) -> list[BundleView]:
    """Runs an actor may see, newest first; drafts that were deleted are left out."""
    rows = visible_bundles(actor).filter(discarded_at=None).order_by("-opened_at")[:limit]
    return [bundle_view(row, on) for row in rows]


def cases_in_bundles(case_ids: Iterable[str]) -> dict[str, str]:
    """Case → run, of those that are parts of one."""
    found = BundlePart.objects.filter(case__in=list(case_ids)).values_list("case", "run")
    return {str(case): str(run) for case, run in found}


def needs_of(
    whole: WholeBundle, form: Mapping[str, object], division: str, on: date
) -> dict[str, Need]:
    """Which parts the answers so far need, and why; in the order of the bundle."""
    return {part.id: _need(whole, part, form, division, on) for part in whole.bundle.parts}


def _need(
    whole: WholeBundle, part: Part, form: Mapping[str, object], division: str, on: date
) -> Need:
    when = part.when
    if when is None:
        return Need(part.id, True, "都要办")
    asked = {each.field.id: each.field for each in merged_form(whole)}
    if when.answer is not None:
        field, said = asked[when.answer], form.get(when.answer)
        if said in (None, ""):
            return Need(part.id, None, f"还没有回答“{field.label}”")
        shown = field.choices.get(str(said), "") or ("是" if said else "否")
        return Need(part.id, said in when.is_, f"“{field.label}”：{shown}")
    rule_id = str(when.rule)
    inputs = {each.name for each in rulebook.get_rule(rule_id, on).inputs} - set(when.given)
    written = {name: _written(form.get(when.facts.get(name, name))) for name in inputs}
    facts = {
        "county_code": division[:6],
        "subject_kind": "individual",
        **rulebook.read_answers(rule_id, written),
        **when.given,
    }
    decision = rulebook.decide_facts(rule_id, facts, on)
    if decision.outcome == "unknown":
        return Need(part.id, None, decision.reason)
    law = f"{decision.source.title} {decision.source.article}"
    return Need(part.id, decision.outcome in when.gives, f"{decision.reason}（{law}）")


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value)


def fields_of(whole: WholeBundle, needs: Mapping[str, Need]) -> list[MergedField]:
    """The questions still worth asking: the bundle's own, and those of parts that are needed or may
    be. A question is required where one of the parts that surely are needed asks it so."""
    found = []
    for each in merged_form(whole):
        if each.is_own:
            found.append(each)
            continue
        wanted = [part for part in each.asked_by if needs[part].is_needed is not False]
        if not wanted:
            continue
        required = any(
            field.required
            for part in wanted
            if needs[part].is_needed
            for field in whole.matter(part).form
            if field.id == each.asked_by[part]
        )
        found.append(replace(each, field=each.field.model_copy(update={"required": required})))
    return found


def documents_of(whole: WholeBundle, needs: Mapping[str, Need]) -> list[tuple[Document, list[str]]]:
    """Each document once, with the titles of the parts that want it; of parts that are needed."""
    found: list[tuple[Document, list[str]]] = []
    for each in merged_documents(whole):
        wanted = [part for part in each.wanted_by if needs[part].is_needed]
        if wanted:
            found.append((each.document, [whole.matter(part).title for part in wanted]))
    return found


def list_bundle_files(run_id: str) -> list[AttachmentView]:
    """The files of a draft, oldest first; ask ``get_bundle_run`` first."""
    run = BundleRun.objects.get(pk=run_id)
    titles = {d.document.id: d.document.title for d in merged_documents(bundle_of(run))}
    return [
        AttachmentView(
            str(row.pk),
            row.document_id,
            titles.get(row.document_id, row.document_id),
            row.kind,
            row.size_bytes,
            row.at,
        )
        for row in BundleFile.objects.filter(run=run, removed_at=None).order_by("at", "id")
    ]


def bundle_view(run: BundleRun, on: date) -> BundleView:
    """Everything about a run as it stands on a day. Of other offices' cases only the course."""
    whole = bundle_of(run)
    with over_the_wall():  # whoever sees a part sees the course of the whole
        rows = list(BundlePart.objects.filter(run=run).select_related("case").order_by("id"))
        cases = {row.part_id: case_view(row.case, on) for row in rows if row.case}
        requests = list(MaterialRequest.objects.filter(run=run).order_by("id"))
    parts = _part_views(whole, {row.part_id: row for row in rows}, cases, on)
    state = _state_of(run, parts)
    critical = [part for part in parts if part.is_critical and part.waiting]
    latest = max((part.latest_on for part in parts if part.latest_on), default=None)
    first: list[str] = next((r.items for r in requests if r.tells == "first"), [])
    return BundleView(
        id=str(run.pk),
        number=run.number,
        bundle_id=run.bundle_id,
        title=whole.bundle.title,
        trader_code=run.trader_code,
        division=run.place[:6],
        agency_name=reference.department_name(whole.bundle.handler.department),
        state=state,
        state_label=BUNDLE_LABELS[state],
        opened_at=run.opened_at,
        submitted_at=run.submitted_at,
        form=run.form,
        parts=parts,
        waiting=_waiting(parts, critical),
        latest_on=latest,
        is_provisional=any(part.is_provisional for part in parts if part.latest_on == latest),
        first_list=tuple(first),
        extra_requests=sum(request.tells == "beyond" for request in requests),
        definition_id=run.definition_id,
    )


def _waiting(parts: tuple[PartView, ...], critical: list[PartView]) -> str:
    """Whom the whole waits for: the applicant first, else the part that is done last."""
    if any(part.state in (PartState.CORRECTION, PartState.REDO) for part in parts):
        return "等待：您补齐材料"
    return critical[0].waiting if critical else ""


def _state_of(run: BundleRun, parts: tuple[PartView, ...]) -> BundleState:
    if run.discarded_at:
        return BundleState.DISCARDED
    if run.submitted_at is None:
        return BundleState.DRAFT
    states = {part.state for part in parts} - {PartState.NOT_NEEDED}
    if states - PARTS_OVER - {PartState.BLOCKED}:
        return BundleState.RUNNING
    if states == {PartState.GRANTED}:
        return BundleState.DONE
    if PartState.GRANTED in states:
        return BundleState.PARTLY
    return BundleState.REFUSED if PartState.REFUSED in states else BundleState.WITHDRAWN


def _part_views(
    whole: WholeBundle, rows: dict[str, BundlePart], cases: dict[str, CaseView], on: date
) -> tuple[PartView, ...]:
    states = part_states(whole, rows)
    latest = _latest_days(whole, states, cases, on)
    critical = _critical_parts(whole, states, latest)
    return tuple(
        _part_view(whole, rows[part.id], states, cases.get(part.id), latest, critical)
        for part in whole.bundle.parts
        if part.id in rows
    )


def part_states(whole: WholeBundle, rows: Mapping[str, BundlePart]) -> dict[str, PartState]:
    """How far each part is; a part whose earlier one has failed waits for nothing any more."""
    found: dict[str, PartState] = {}
    left = [part for part in whole.bundle.parts if part.id in rows]
    while left:
        for part in [p for p in left if all(a in found for a in p.after if a in rows)]:
            row = rows[part.id]
            earlier = {found[name] for name in part.after if name in rows}
            found[part.id] = _state_of_part(row, earlier)
            left.remove(part)
    return found


def _state_of_part(row: BundlePart, earlier: set[PartState]) -> PartState:
    if not row.is_needed:
        return PartState.NOT_NEEDED
    if row.case is not None:
        return _OF_CASE[State(row.case.state)]
    if row.withdrawn_at:
        return PartState.WITHDRAWN
    if earlier & _ENDED_BADLY:
        return PartState.BLOCKED
    return PartState.HELD if row.held_because else PartState.WAITING


Days = dict[str, tuple[date, bool]]


def _latest_days(
    whole: WholeBundle, states: dict[str, PartState], cases: dict[str, CaseView], on: date
) -> Days:
    """The last day the law gives each part that still runs or is to come, and whether it rests on
    a calendar not yet published: its own clocks as they stand, then every term after them."""
    found: Days = {}
    left = [part for part in whole.bundle.parts if part.id in states]
    while left:
        ready = [p for p in left if not any(a in {x.id for x in left} for a in p.after)]
        for part in ready:
            left.remove(part)
            if states[part.id] in PARTS_OVER or states[part.id] is PartState.BLOCKED:
                continue
            start = max((found[a][0] for a in part.after if a in found), default=on)
            case = cases.get(part.id)
            found[part.id] = (
                _end_of_case(whole.matter(part.id), case, on)
                if case is not None
                else _end_from(whole.matter(part.id), start)
            )
    return found


def _end_from(matter: Matter, start: date) -> tuple[date, bool]:
    """The last day of a case handed in on a day."""
    accepted = due_after(matter.acceptance_clock, start)
    ends: Days = {}
    left = list(matter.stages)
    provisional = accepted.provisional
    while left:
        for stage in [s for s in left if all(a in ends for a in s.after)]:
            begins = max((ends[a][0] for a in stage.after), default=accepted.on)
            due = due_after(stage.clock, begins)
            ends[stage.id] = (due.on, due.provisional)
            left.remove(stage)
    last = max(ends.values())
    return last[0], last[1] or provisional


def _end_of_case(matter: Matter, case: CaseView, on: date) -> tuple[date, bool]:
    """The last day of a running case: its open clocks as they stand, then the stages to come."""
    running = [clock for clock in case.clocks if clock.stopped_on is None]
    if case.state in (State.DRAFT, State.CORRECTION):
        return _end_from(matter, on)
    if case.state is State.SUBMITTED:
        begun = [clock.reading.due.on for clock in running if not clock.stage_id]
        return _stages_from(matter, case, max([*begun, on]), on)
    return _stages_from(matter, case, on, on)


def _stages_from(matter: Matter, case: CaseView, start: date, on: date) -> tuple[date, bool]:
    ends: Days = {}
    by_id = {stage.stage_id: stage for stage in case.stages}
    left = [stage for stage in matter.stages if stage.id in by_id]
    while left:
        for stage in [s for s in left if all(a in ends for a in s.after if a in by_id)]:
            begins = max((ends[a][0] for a in stage.after if a in ends), default=start)
            view = by_id[stage.id]
            left.remove(stage)
            if view.status == "passed":
                ends[stage.id] = (on, False)
            elif view.status == "open" and view.clock is not None:
                due = view.clock.reading.due
                ends[stage.id] = (max(due.on, on), due.provisional)
            else:
                due = due_after(stage.clock, begins, case.terms_id)
                ends[stage.id] = (due.on, due.provisional)
    return max(ends.values(), default=(on, False))


def _critical_parts(
    whole: WholeBundle, states: dict[str, PartState], latest: Days
) -> frozenset[str]:
    """The parts on the way to the last day: the one that is done last, and what it waits for."""
    if not latest:
        return frozenset()
    here: str | None = max(latest, key=lambda name: latest[name][0])
    path = set()
    while here is not None:
        path.add(here)
        earlier = [name for name in whole.bundle.part(here).after if name in latest]
        here = max(earlier, key=lambda name: latest[name][0], default=None)
    return frozenset(path)


def _part_view(
    whole: WholeBundle,
    row: BundlePart,
    states: dict[str, PartState],
    case: CaseView | None,
    latest: Days,
    critical: frozenset[str],
) -> PartView:
    part, matter, state = (
        whole.bundle.part(row.part_id),
        whole.matter(row.part_id),
        states[row.part_id],
    )
    day, provisional = latest.get(row.part_id, (None, False))
    last = case.moves[-1] if case and case.moves else None
    late = [s.clock.reading.days_late for s in case.stages if s.clock] if case else []
    return PartView(
        part_id=row.part_id,
        title=matter.title,
        department=row.department,
        department_name=reference.department_name(row.department, short=True),
        state=state,
        label=PART_LABELS[state],
        why=row.held_because if state is PartState.HELD else row.why,
        after=tuple(
            whole.matter(name).title
            for name in part.after
            if states.get(name) is not PartState.NOT_NEEDED
        ),
        case_id=case.id if case else None,
        case_number=case.number if case else "",
        stages=case.stages if case else (),
        waiting=_short(case.waiting) if case else "",
        days_late=max(late, default=0),
        latest_on=day,
        is_provisional=provisional,
        is_critical=row.part_id in critical,
        meaning=_meaning(whole, part, states),
        requests=case.requests if case else (),
        article=last.article if last and state is PartState.REFUSED else "",
    )


def _short(waiting: str) -> str:
    """等待：消防 第2/10个工作日: departments by their short names."""
    for each in reference.list_departments():
        waiting = waiting.replace(each.name, each.short_name)
    return waiting


def _meaning(whole: WholeBundle, part: Part, states: dict[str, PartState]) -> str:
    """What it means for the rest that a part was refused or taken back."""
    if states[part.id] not in (PartState.REFUSED, PartState.WITHDRAWN):
        return ""
    stuck = [
        whole.matter(name).title
        for name, state in states.items()
        if state is PartState.BLOCKED and part.id in _all_before(whole, name)
    ]
    rest = (
        f"“{'”“'.join(stuck)}”要等它，先停在这里；重办这一项办成了，接着办，不用再填。"
        if stuck
        else ""
    )
    return f"{part.if_refused}{rest}"


def _all_before(whole: WholeBundle, part_id: str) -> set[str]:
    found: set[str] = set()
    waiting = list(whole.bundle.part(part_id).after)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += whole.bundle.part(name).after
    return found


def list_contested(actor: Actor, *, limit: int = 200) -> list[ContestedView]:
    """Open contested values of the departments an officer works for, oldest first."""
    rows = ContestedValue.objects.filter(_over(actor, "department"), answered_at=None)
    return [_contested(row) for row in rows.select_related("case").order_by("at")[:limit]]


def contested_of(case_ids: Iterable[str]) -> list[ContestedView]:
    """What was contested with some cases, and what their forms say of the same facts; ask first
    whether the actor may see them."""
    cases = list(Case.objects.filter(pk__in=list(case_ids)))
    codes = {case.trader_code for case in cases}
    since = min((case.opened_at for case in cases), default=None)
    with over_the_wall():  # the value goes with every part that uses it
        rows = ContestedValue.objects.filter(trader_code__in=codes).select_related("case")
        found = [row for row in rows.order_by("at") if since is None or row.at >= since]
    return [_contested(row) for row in found]


def _contested(row: ContestedValue) -> ContestedView:
    return ContestedView(
        number=row.pk,
        trader_code=row.trader_code,
        label=row.label,
        unit=row.unit,
        held=row.held,
        held_on=row.held_on,
        department_name=reference.department_name(row.department),
        claimed=row.claimed,
        claimed_at=row.at,
        case_id=str(row.case_id),
        case_number=row.case.number,
        answer=row.answer,
        reason=row.reason,
    )


def count_extra_requests() -> dict[str, int]:
    """Requests for material that was not on a bundle's first list, by department: an indicator."""
    with over_the_wall():  # only the counts leave
        rows = MaterialRequest.objects.filter(tells="beyond").values_list("case__agency", flat=True)
        found: dict[str, int] = {}
        for agency in rows:
            found[agency] = found.get(agency, 0) + 1
    return found
