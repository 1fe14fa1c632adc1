"""What an office does: ask once for what is missing, accept, end its part, hand over."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import list_officers
from getihu.cases.machine import Side, State
from getihu.cases.models import (
    BundlePart,
    BundleRun,
    Case,
    HandOver,
    MaterialRequest,
    StageRun,
)
from getihu.cases.ports import gates
from getihu.cases.selectors import DESK_ROLES
from getihu.cases.selectors.definitions import matter_of
from getihu.cases.services.rights import (
    NotAllowed,
    check_desk,
    check_officer,
    is_superior,
    locked_case,
)
from getihu.cases.services.steps import (
    IllegalMove,
    accept_case,
    end_case,
    file_of,
    move_case,
    note_event,
    open_stages,
    stop_clocks,
)
from getihu.cases.services.telling import tell_move


@transaction.atomic
def request_materials(
    case_id: uuid.UUID,
    items: Sequence[str],
    *,
    by: Actor,
    at: datetime,
    reason: str = "",
    approved_by: Actor | None = None,
) -> None:
    """Tell the applicant once what is missing (一次性告知, 行政许可法 第三十二条).

    A second request needs a written reason and a superior's approval, and stays on record.
    Documents a department holds can never be asked for.
    """
    case = locked_case(case_id, by)
    check_desk(case, by)
    matter = matter_of(case)
    asked = [item.strip() for item in items if item.strip()]
    if not asked:
        raise IllegalMove("要写明需要补正的全部内容。")
    held = [d.title for d in matter.documents if d.held_by and d.title in asked]
    if held:
        raise IllegalMove(f"{'、'.join(held)}由部门自己调取，不能向申请人要。")
    before = MaterialRequest.objects.filter(case=case).count()
    run_id, tells, extra = _tells(case, asked)
    again = before or tells == "beyond"
    if again and not is_superior(approved_by, by, case):
        more = f"{'、'.join(extra)}不在这件一类事的告知清单里。" if extra else ""
        raise NotAllowed(f"补正只能一次告知。{more}再次要求补正，要由负责人批准并写明理由。")
    if again and not reason.strip():
        raise IllegalMove("再次要求补正要写明理由。")
    MaterialRequest.objects.create(
        case=case,
        sequence=before + 1,
        items=asked,
        at=at,
        by_id=by.account_id,
        approved_by_id=approved_by.account_id if approved_by and again else None,
        reason=reason,
        run_id=run_id,
        tells=tells,
    )
    stop_clocks(case, at)
    move = move_case(case, State.CORRECTION, side=Side.AGENCY, by=by, at=at)
    tell_move(case, move, at)


def _tells(case: Case, asked: list[str]) -> tuple[uuid.UUID | None, str, list[str]]:
    """The bundle a case is a part of, how a request stands to the bundle's first list (first,
    again, beyond), and what is not on it. The applicant is told once, whichever office speaks."""
    part = BundlePart.objects.filter(case=case).first()
    if part is None:
        return None, "", []
    with over_the_wall():  # another office's request counts as well
        BundleRun.objects.select_for_update().get(pk=part.run_id)
        first = MaterialRequest.objects.filter(run=part.run_id, tells="first").first()
    if first is None:
        return part.run_id, "first", []
    extra = [item for item in asked if item not in first.items]
    return part.run_id, "beyond" if extra else "again", extra


@transaction.atomic
def accept(case_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Accept a case: the acceptance clock stops, the clocks of the stages begin."""
    case = locked_case(case_id, by)
    check_desk(case, by)
    accept_case(case, side=Side.AGENCY, by=by, at=at)


@transaction.atomic
def refuse_to_accept(
    case_id: uuid.UUID, *, reason: str, article: str, by: Actor, at: datetime
) -> None:
    """Refuse acceptance with a written reason and its article."""
    case = locked_case(case_id, by)
    check_desk(case, by)
    end_case(case, State.NOT_ACCEPTED, by=by, at=at, reason=reason, article=article)


@transaction.atomic
def finish_stage(
    case_id: uuid.UUID,
    stage_id: str,
    *,
    passed: bool,
    by: Actor,
    at: datetime,
    reason: str = "",
    article: str = "",
) -> None:
    """A department ends its part. The last one passed grants the case; one failed refuses it."""
    case = locked_case(case_id, by)
    if case.state != State.ACCEPTED:
        raise IllegalMove("还没有受理，或者已经办结。")
    run = StageRun.objects.select_for_update().get(case=case, stage_id=stage_id)
    if run.status != StageRun.Status.OPEN:
        raise IllegalMove("这个阶段还没有轮到，或者已经办完。")
    check_officer(by, run.department, run.division)
    if not passed and not (reason.strip() and article.strip()):
        raise IllegalMove("不通过要写明理由和依据的条款。")
    if passed:
        for gate in gates():
            gate.before_stage_passes(file_of(case), stage_id, by=by, at=at)
    run.status = StageRun.Status.PASSED if passed else StageRun.Status.FAILED
    run.ended_at, run.ended_by_id = at, uuid.UUID(by.account_id)
    run.reason, run.article = reason, article
    run.save()
    stop_clocks(case, at, stage_id)
    if not passed:
        end_case(case, State.REFUSED, by=by, at=at, reason=reason, article=article)
        return
    open_stages(case, at)
    if not StageRun.objects.filter(case=case).exclude(status=StageRun.Status.PASSED).exists():
        end_case(case, State.GRANTED, by=by, at=at)


@transaction.atomic
def hand_over(case_id: uuid.UUID, to: uuid.UUID, *, reason: str, by: Actor, at: datetime) -> None:
    """Give a case with its whole file to another officer of the agency who is over the place."""
    case = locked_case(case_id, by)
    check_desk(case, by)
    able = {o for role in DESK_ROLES for o in list_officers(role, case.agency, case.division, at)}
    if to not in able:
        raise NotAllowed("接手人不在这个机关或不管这个地区。")
    if not reason.strip():
        raise IllegalMove("移交要写明原因。")
    HandOver.objects.create(
        case=case, from_owner_id=case.owner_id, to_owner_id=to, at=at, reason=reason
    )
    note_event(case, "case.handed_over", by, at, reason=reason)
    case.owner_id = to
    case.save(update_fields=["owner"])
