"""An objection opens a case, and the case holds what it objects to until it is decided."""

import uuid
from datetime import datetime

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.cases import services as cases
from getihu.cases.ports import CaseFile
from getihu.growth.models import Exit, Refresh, RefreshHold, Removal, TypeMove, TypeReview
from getihu.growth.selectors.objections import OBJECTION_MATTER, objection_outcome
from getihu.growth.services.rights import NotNow, day_of

LONGEST = 500
OVER = "异议期已经过了。处理办法：下次评定前可以再提；对结果不服的，可以依法申请行政复议或者提起行政诉讼。"


@transaction.atomic
def object_to(
    about: str, trader_code: str, grounds: str, *, place: str, by: Actor, at: datetime
) -> uuid.UUID:
    """Open and hand in an objection. ``about``: ``move:7``, ``exit:7``, ``removal:7`` (her own) or
    ``list:<id>:<code>`` (a line of a published list; her own code where she was left out).

    Returns the case. Raises: NotNow; as ``cases.open_draft`` and ``cases.submit``.
    """
    if not grounds.strip():
        raise NotNow("请写明哪里不对。处理办法：写一两句话就可以。")
    case = cases.open_draft(OBJECTION_MATTER, trader_code, place=place, by=by, at=at)
    cases.save_draft(case, {"about": about, "grounds": grounds.strip()[:LONGEST]}, by=by)
    cases.submit(case, by=by, at=at)
    return case


class ObjectionHolds:
    """Holds what is objected to as soon as the case is handed in; lets it go as decided."""

    @over_the_wall()
    def before_submission(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if case.matter_id != OBJECTION_MATTER:
            return
        kind, _, rest = str(case.form.get("about", "")).partition(":")
        holding = {
            "move": _hold_move,
            "exit": _hold_exit,
            "removal": _hold_removal,
            "list": _hold_line,
        }.get(kind)
        if holding is None:
            raise NotNow("没有写明对什么有异议。处理办法：从“我的培育库”页面里提。")
        holding(rest, case, at)

    @over_the_wall()
    def granted(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if case.matter_id != OBJECTION_MATTER:
            return
        TypeMove.objects.filter(case_id=case.case_id, state=TypeMove.State.HELD).update(
            state=TypeMove.State.DROPPED
        )
        Exit.objects.filter(case_id=case.case_id, state=Exit.State.HELD).update(
            state=Exit.State.DROPPED, ended_at=at, reason="异议成立"
        )
        RefreshHold.objects.filter(case_id=case.case_id, outcome="").update(
            outcome="upheld", ended_at=at
        )


def _hold_move(rest: str, case: CaseFile, at: datetime) -> None:
    rows = TypeMove.objects.select_for_update().filter(trader_code=case.trader_code)
    move = rows.filter(pk=_number(rest)).first()
    if move is None or case.case_id == move.case_id:
        _check_there(move)
        return
    open_ = move.review.state == TypeReview.State.TOLD and day_of(at) <= move.review.object_until
    if move.state != TypeMove.State.TOLD or not open_:
        raise NotNow(OVER)
    move.state, move.case_id = TypeMove.State.HELD, case.case_id
    move.save(update_fields=["state", "case_id"])


def _hold_exit(rest: str, case: CaseFile, at: datetime) -> None:
    rows = Exit.objects.select_for_update().filter(trader_code=case.trader_code)
    row = rows.filter(pk=_number(rest)).first()
    if row is None or case.case_id == row.case_id:
        _check_there(row)
        return
    if row.state not in (Exit.State.TOLD, Exit.State.WAITING) or day_of(at) > row.object_until:
        raise NotNow(OVER)
    row.state, row.case_id = Exit.State.HELD, case.case_id
    row.save(update_fields=["state", "case_id"])


def _hold_removal(rest: str, case: CaseFile, at: datetime) -> None:
    """A recognition taken away stays away until a person gives it back; one objection at a time."""
    rows = Removal.objects.select_for_update().filter(trader_code=case.trader_code)
    row = rows.filter(pk=_number(rest)).first()
    if row is None or case.case_id == row.case_id:
        _check_there(row)
        return
    if day_of(at) > row.object_until or row.restored_at is not None:
        raise NotNow(OVER)
    if row.case_id is not None and objection_outcome(row.case_id) != "rejected":
        raise NotNow("您已经提过异议，正在核实。处理办法：在“我的办事”里看进度。")
    row.case_id = case.case_id
    row.save(update_fields=["case_id"])


def _hold_line(rest: str, case: CaseFile, at: datetime) -> None:
    if RefreshHold.objects.filter(case_id=case.case_id).exists():
        return  # handed in again after a correction
    number, _, code = rest.partition(":")
    try:
        refresh = Refresh.objects.select_for_update().filter(pk=uuid.UUID(number)).first()
    except ValueError:
        refresh = None
    _check_there(refresh)
    assert refresh is not None
    if (
        refresh.state != Refresh.State.OPEN
        or refresh.object_until is None
        or day_of(at) > refresh.object_until
    ):
        raise NotNow(OVER)
    RefreshHold.objects.create(refresh=refresh, trader_code=code[:18], case_id=case.case_id)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _check_there(row: object) -> None:
    if row is None:
        raise NotNow("没有找到您要异议的事项，或者不是您的。处理办法：从“我的培育库”里提。")
