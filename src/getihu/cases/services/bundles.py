"""What an applicant does with a bundle (一类事): one form, one hand-in, one page; and how its parts
follow each other."""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import actor_of, list_operators
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases.contracts import Need, PartState
from getihu.cases.machine import FINAL, Side, State
from getihu.cases.matters.bundle import WholeBundle
from getihu.cases.matters.load_bundles import get_bundle
from getihu.cases.matters.merge import merged_documents, merged_form
from getihu.cases.models import Attachment, BundleFile, BundlePart, BundleRun, Case
from getihu.cases.ports import CaseFile
from getihu.cases.selectors.bundles import (
    BundleNotFound,
    fields_of,
    needs_of,
    part_states,
    visible_bundles,
)
from getihu.cases.selectors.definitions import bundle_of
from getihu.cases.services.applicant import (
    NoOwner,
    create_case,
    hand_in,
    keep_definition,
    new_number,
)
from getihu.cases.services.attachments import take_in
from getihu.cases.services.rights import NotAllowed
from getihu.cases.services.steps import IllegalMove, day_of, division_of, end_case
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference


@transaction.atomic
def open_bundle(
    bundle_id: str, trader_code: str, *, place: str, by: Actor, at: datetime
) -> uuid.UUID:
    """Open the draft of a bundle for a shop in ``place`` (town, else county code). It goes on by
    the bundle and its matters as they are now. Raises NotAllowed, UnknownBundle."""
    whole = get_bundle(bundle_id)
    _check_starter(whole, trader_code, by)
    run = BundleRun.objects.create(
        number=new_number(at),
        bundle_id=bundle_id,
        definition_id=keep_definition("bundle", bundle_id, whole, at),
        trader_code=trader_code,
        place=place,
        opened_by_id=by.account_id,
        opened_at=at,
    )
    return run.pk


@transaction.atomic
def save_bundle(run_id: uuid.UUID, form: Mapping[str, object], *, by: Actor) -> None:
    """Keep answers of a draft, complete or not. Raises NotAllowed, IllegalMove."""
    run, whole = _own_draft(run_id, by)
    known = {each.field.id for each in merged_form(whole)}
    if unknown := sorted(set(form) - known):
        raise IllegalMove(f"这件一类事没有这些内容：{'、'.join(unknown)}。")
    run.form = {**run.form, **form}
    run.save(update_fields=["form"])


@transaction.atomic
def attach_to_bundle(
    run_id: uuid.UUID, document_id: str, content: bytes, *, by: Actor, at: datetime
) -> uuid.UUID:
    """Add a file once for every part that wants it. Raises FileRefused, IllegalMove."""
    run, whole = _own_draft(run_id, by)
    wanted = {d.document.id for d in merged_documents(whole) if d.document.held_by is None}
    if document_id not in wanted:
        raise IllegalMove("这件一类事不要这份文件。部门已有的材料不用您交。")
    kept = BundleFile.objects.filter(run=run, removed_at=None)
    digest = hashlib.sha256(content).hexdigest()
    same = kept.filter(document_id=document_id, sha256=digest).first()
    if same is not None:
        return same.pk
    file = take_in(content, kept.count())
    return BundleFile.objects.create(
        run=run, document_id=document_id, at=at, by_id=by.account_id, **file
    ).pk


@transaction.atomic
def take_out_of_bundle(run_id: uuid.UUID, file_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Take a file out before handing in. Its row stays, with the moment."""
    run, _ = _own_draft(run_id, by)
    BundleFile.objects.filter(pk=file_id, run=run, removed_at=None).update(removed_at=at)


@transaction.atomic
def submit_bundle(run_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Hand in everything at once: the parts whose turn it is go to their offices, the others follow
    by themselves when it comes.

    A part nobody is in charge of there is held with that explanation and holds up no other. Raises
    IllegalMove naming every missing answer; NoOwner when no part at all could go; what makes a part
    impossible now (GetihuError): then nothing is handed in and the draft stays.
    """
    run, whole = _own_draft(run_id, by)
    needs = needs_of(whole, run.form, run.place, day_of(at))
    _check_complete(run, whole, needs)
    run.submitted_at = at
    run.save(update_fields=["submitted_at"])
    parts = BundlePart.objects.bulk_create(
        BundlePart(
            run=run,
            part_id=part.id,
            department=whole.matter(part.id).handler.department,
            division=division_of(whole.matter(part.id).handler, run.place),
            is_needed=bool(needs[part.id].is_needed),
            why=needs[part.id].why,
        )
        for part in whole.bundle.parts
    )
    _note(run, "bundle.submitted", by, at, parts=",".join(p.part_id for p in parts if p.is_needed))
    held = _hand_in_due(run, whole, by=by, at=at, first=True)
    if held and not BundlePart.objects.filter(run=run, case__isnull=False).exists():
        raise NoOwner("".join(held))


@transaction.atomic
def withdraw_bundle(run_id: uuid.UUID, *, by: Actor, at: datetime, reason: str = "") -> None:
    """Take the whole back, or delete a draft. What is granted already stays granted."""
    run, _ = _own_run(run_id, by)
    if run.submitted_at is None:
        if run.discarded_at is None:
            run.discarded_at = at
            run.save(update_fields=["discarded_at"])
            _note(run, "bundle.discarded", by, at)
        return
    open_parts = [row for row in _rows(run).values() if _can_withdraw(row)]
    if not open_parts:
        raise IllegalMove("都已经办结，没有可以撤回的。")
    for row in open_parts:
        _withdraw(row, by=by, at=at, reason=reason)
    _note(run, "bundle.withdrawn", by, at)


@transaction.atomic
def withdraw_part(
    run_id: uuid.UUID, part_id: str, *, by: Actor, at: datetime, reason: str = ""
) -> None:
    """Take one part back; the others go on, those that need it stop there."""
    run, _ = _own_run(run_id, by)
    row = _rows(run).get(part_id)
    if row is None or not _can_withdraw(row):
        raise IllegalMove("这一项没有在办，不用撤回。")
    _withdraw(row, by=by, at=at, reason=reason)
    _note(run, "bundle.part_withdrawn", by, at, part=part_id)


@transaction.atomic
def redo_part(run_id: uuid.UUID, part_id: str, *, by: Actor, at: datetime) -> uuid.UUID:
    """Take a part up again that was refused or taken back: a new draft that refers to the old case,
    filled in. Granted, it lets what waits for it go on. Returns the draft."""
    run, whole = _own_run(run_id, by)
    rows = _rows(run)
    state = part_states(whole, rows).get(part_id)
    if state not in (PartState.REFUSED, PartState.WITHDRAWN):
        raise IllegalMove("这一项没有被退回，不用重办。")
    row = rows[part_id]
    before = row.case
    case = create_case(
        whole.matter(part_id),
        run.trader_code,
        run.place,
        uuid.UUID(by.account_id),
        at,
        form=before.form if before else _answers(run, whole, part_id),
        continues=before.pk if before and State(before.state) in FINAL else None,
    )
    _copy_files(run, whole, part_id, case)
    row.case = case
    row.save(update_fields=["case"])
    return case.pk


@transaction.atomic
def know_trader_as(before: str, code: str, *, at: datetime) -> None:
    """A shop that asked to be registered has its code now: what still follows is for that code."""
    with over_the_wall():
        BundleRun.objects.filter(trader_code=before).update(trader_code=code)


def try_held_parts(at: datetime, *, limit: int = 200) -> int:
    """Hand in parts that were held because nobody was in charge, where that has changed; returns
    how many. By level: safe to run again."""
    done = 0
    held = BundlePart.objects.filter(case=None, withdrawn_at=None).exclude(held_because="")
    for run_id in sorted(set(held.values_list("run", flat=True)[:limit])):
        with transaction.atomic():
            run = BundleRun.objects.select_for_update().get(pk=run_id)
            before = BundlePart.objects.filter(run=run, case__isnull=False).count()
            _hand_in_due(run, bundle_of(run), by=_applicant(run, at), at=at)
            done += BundlePart.objects.filter(run=run, case__isnull=False).count() - before
    return done


class BundleCourse:
    """Goes on with a bundle when a case of it has ended."""

    def ended(self, case: CaseFile, state: str, *, at: datetime) -> None:
        if state != State.GRANTED:
            return
        with over_the_wall():  # an office's decision lets other offices' parts begin
            row = BundlePart.objects.filter(case=case.case_id).first()
            if row is None:
                return
            run = BundleRun.objects.select_for_update().get(pk=row.run_id)
            _hand_in_due(run, bundle_of(run), by=_applicant(run, at), at=at)


def _hand_in_due(
    run: BundleRun, whole: WholeBundle, *, by: Actor, at: datetime, first: bool = False
) -> list[str]:
    """Hand in every part whose earlier ones are granted; returns why some could not be."""
    held = []
    rows = _rows(run)
    states = part_states(whole, rows)
    over = {PartState.GRANTED, PartState.NOT_NEEDED}
    for part in whole.bundle.parts:
        if states.get(part.id) not in (PartState.WAITING, PartState.HELD):
            continue
        if any(states[name] not in over for name in part.after if name in rows):
            continue
        why = _hand_in_part(run, whole, rows[part.id], by=by, at=at, first=first)
        if why:
            held.append(why)
    return held


def _hand_in_part(
    run: BundleRun, whole: WholeBundle, row: BundlePart, *, by: Actor, at: datetime, first: bool
) -> str:
    """Make the case of a part and hand it in; why not, where it cannot be now."""
    matter = whole.matter(row.part_id)
    try:
        with transaction.atomic():
            account = uuid.UUID(by.account_id)
            form = _answers(run, whole, row.part_id)
            case = create_case(matter, run.trader_code, run.place, account, at, form=form)
            _copy_files(run, whole, row.part_id, case)
            row.case, row.held_because = case, ""
            row.save(update_fields=["case", "held_because"])
            hand_in(case, by=by, at=at)
        return ""
    except GetihuError as error:
        if first and not isinstance(error, NoOwner):
            raise
        row.case = None
        row.held_because = _explain(error, matter.title, row)
        row.save(update_fields=["held_because"])
        return row.held_because


def _explain(error: GetihuError, title: str, row: BundlePart) -> str:
    if not isinstance(error, NoOwner):
        return str(error)
    where = reference.division_name(row.division[:6]) or row.division
    who = reference.department_name(row.department)
    return (
        f"“{title}”归{who}办，在{where}还没有安排承办人，现在交不过去。"
        "您填的都存着，不用重交；有人承办了自动交过去，牵头的窗口会跟进。"
    )


def _check_complete(run: BundleRun, whole: WholeBundle, needs: Mapping[str, Need]) -> None:
    missing = [
        each.field.label
        for each in fields_of(whole, needs)
        if each.field.required and run.form.get(each.field.id) in (None, "")
    ]
    if missing:
        raise IllegalMove(f"还没有填：{'、'.join(missing)}。")
    open_ = [whole.matter(n.part_id).title for n in needs.values() if n.is_needed is None]
    if open_:
        raise IllegalMove(f"还不能判断要不要办：{'、'.join(open_)}。请把上面的问题答完。")
    if not any(need.is_needed for need in needs.values()):
        raise IllegalMove("按您的回答，一项都不用办。")


def _answers(run: BundleRun, whole: WholeBundle, part_id: str) -> dict[str, object]:
    """The answers of the merged form by the part's own names."""
    return {
        each.asked_by[part_id]: run.form[each.field.id]
        for each in merged_form(whole)
        if part_id in each.asked_by and each.field.id in run.form
    }


def _copy_files(run: BundleRun, whole: WholeBundle, part_id: str, case: Case) -> None:
    """Give a part the files it wants: the same bytes, kept once."""
    wanted = {
        each.document.id: each.wanted_by[part_id]
        for each in merged_documents(whole)
        if part_id in each.wanted_by
    }
    Attachment.objects.bulk_create(
        Attachment(
            case=case,
            document_id=wanted[file.document_id],
            kind=file.kind,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            scanned_by=file.scanned_by,
            at=file.at,
            by_id=file.by_id,
        )
        for file in BundleFile.objects.filter(run=run, removed_at=None, document_id__in=wanted)
    )


def _can_withdraw(row: BundlePart) -> bool:
    if not row.is_needed or row.withdrawn_at:
        return False
    return row.case is None or State(row.case.state) not in FINAL


def _withdraw(row: BundlePart, *, by: Actor, at: datetime, reason: str) -> None:
    if row.case is None:
        row.withdrawn_at = at
        row.save(update_fields=["withdrawn_at"])
        return
    case = Case.objects.select_for_update().get(pk=row.case.pk)
    after = State.DISCARDED if case.state == State.DRAFT else State.WITHDRAWN
    end_case(case, after, by=by, at=at, reason=reason, side=Side.APPLICANT)


def _rows(run: BundleRun) -> dict[str, BundlePart]:
    rows = BundlePart.objects.filter(run=run).select_related("case").order_by("id")
    return {row.part_id: row for row in rows}


def _applicant(run: BundleRun, at: datetime) -> Actor:
    """In whose name the next part is handed in: who opened the bundle; where the shop is somebody
    else's by now, the one who runs it."""
    opener = actor_of(run.opened_by_id, at)
    if opener.may_apply_for(run.trader_code):
        return opener
    operators = list_operators([run.trader_code]).get(run.trader_code, [])
    return actor_of(operators[0], at) if len(operators) == 1 else opener


def _own_run(run_id: uuid.UUID, by: Actor) -> tuple[BundleRun, WholeBundle]:
    if not visible_bundles(by).filter(pk=run_id).exists():
        raise BundleNotFound
    run = BundleRun.objects.select_for_update().get(pk=run_id)
    whole = bundle_of(run)
    _check_starter(whole, run.trader_code, by)
    return run, whole


def _own_draft(run_id: uuid.UUID, by: Actor) -> tuple[BundleRun, WholeBundle]:
    run, whole = _own_run(run_id, by)
    if run.submitted_at or run.discarded_at:
        raise IllegalMove("已经提交，不能再改。要改请先撤回。")
    return run, whole


def _check_starter(whole: WholeBundle, trader_code: str, by: Actor) -> None:
    """Only the owner herself where the bundle says so (个转企: nobody may begin it for her)."""
    if whole.bundle.started_by in ("owner", "anybody"):
        allowed = trader_code in by.own
    else:
        allowed = by.may_apply_for(trader_code)
    if not allowed:
        who = "经营者本人" if whole.bundle.started_by == "owner" else "经营者或受托人"
        raise NotAllowed(f"“{whole.bundle.title}”只能由{who}办理。")


def _note(run: BundleRun, kind: str, by: Actor, at: datetime, **body: str) -> None:
    audit.record(
        AuditEvent(
            kind,
            f"account:{by.account_id}",
            f"bundle:{run.number}",
            at,
            {"bundle": run.bundle_id, **body},
        )
    )
