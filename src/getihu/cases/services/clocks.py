"""What an office does with its clocks: pause, resume, extend."""

import uuid
from datetime import datetime

from django.db import transaction

from getihu.accounts.contracts import Actor, Role
from getihu.cases.clocks.terms import PauseKind
from getihu.cases.models import ClockPause, ClockRun, StageRun
from getihu.cases.services.rights import NotAllowed, check_officer, locked_case
from getihu.cases.services.steps import IllegalMove, day_of, note_event, refresh_due


@transaction.atomic
def pause_clock(
    case_id: uuid.UUID, stage_id: str, kind: PauseKind, *, reason: str, by: Actor, at: datetime
) -> None:
    """Take time out of a stage's clock, where its article allows that. Raises
    IllegalClockHistory."""
    clock = _own_clock(case_id, stage_id, by)
    ClockPause.objects.create(clock=clock, kind=kind.value, since=day_of(at), reason=reason)
    refresh_due(clock, day_of(at))
    note_event(clock.case, "case.clock_paused", by, at, reason=reason, stage=stage_id)


@transaction.atomic
def resume_clock(case_id: uuid.UUID, stage_id: str, *, by: Actor, at: datetime) -> None:
    """End the pause of a stage's clock; its due day moves by what was taken out."""
    clock = _own_clock(case_id, stage_id, by)
    ended = ClockPause.objects.filter(clock=clock, until=None).update(until=day_of(at))
    if not ended:
        raise IllegalMove("这个时钟没有暂停。")
    refresh_due(clock, day_of(at))
    note_event(clock.case, "case.clock_resumed", by, at, stage=stage_id)


@transaction.atomic
def extend_clock(
    case_id: uuid.UUID, stage_id: str, *, reason: str, by: Actor, at: datetime
) -> None:
    """Extend a stage's clock once, before it ends, with a written reason; by a superior."""
    clock = _own_clock(case_id, stage_id, by)
    if Role.SUPERVISOR not in by.roles:
        raise NotAllowed("延长办理期限要由负责人批准。")
    if clock.extended_on is not None:
        raise IllegalMove("已经延长过一次。")
    clock.extended_on, clock.extension_reason = day_of(at), reason
    clock.save(update_fields=["extended_on", "extension_reason"])
    refresh_due(clock, day_of(at))
    note_event(clock.case, "case.clock_extended", by, at, reason=reason, stage=stage_id)


def _own_clock(case_id: uuid.UUID, stage_id: str, by: Actor) -> ClockRun:
    case = locked_case(case_id, by)
    run = StageRun.objects.get(case=case, stage_id=stage_id)
    check_officer(by, run.department, run.division)
    clock = ClockRun.objects.filter(case=case, stage_id=stage_id, stopped_on=None).first()
    if clock is None:
        raise IllegalMove("这个阶段现在没有走动的时钟。")
    return clock
