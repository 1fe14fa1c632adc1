"""Becoming a company: only by the operator's own case. What follows is the city's to do."""

from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.cases.ports import CaseFile
from getihu.growth.models import AftercareDuty, Conversion, TransferTask
from getihu.growth.selectors.conversion import MATTER, duties_after, reaches, rehearse
from getihu.kernel.errors import GetihuError

CITY_TIME = ZoneInfo("Asia/Shanghai")


class NotVoluntary(GetihuError):
    """A conversion that is not the operator's own decision, told and seen."""


class NotYours(GetihuError):
    """This transfer or duty is another office's, or another owner's."""


class AlreadyEnded(GetihuError):
    """It has its result already."""


class ConversionKeeper:
    """Refuses a conversion that is not her own will; notes the granted one with what follows."""

    def before_submission(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if case.matter_id != MATTER:
            return
        if case.trader_code not in by.own or str(case.opened_by) != by.account_id:
            raise NotVoluntary("个转企只能由经营者本人提出。处理办法：请经营者本人登录办理。")
        if case.form.get("own_will") is not True:
            raise NotVoluntary(
                "转不转企由您自己定，没有人可以要求您转（促进个体工商户发展条例 第十三条）。"
                "处理办法：不想转就撤回；有人要求您转的，请反映。"
            )
        if case.form.get("seen_both_sides") is not True:
            raise NotVoluntary("先看两边的比较和每一样东西会怎样。处理办法：看过以后勾选再交。")

    @over_the_wall()
    def granted(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if case.matter_id == MATTER:
            _note(case, at)


def _note(case: CaseFile, at: datetime) -> None:
    happens = rehearse(case.trader_code)
    row = Conversion.objects.create(
        case=case.case_id,
        trader_code=case.trader_code,
        company_form=str(case.form["company_form"]),
        company_name=str(case.form["company_name"]),
        converted_on=at.astimezone(CITY_TIME).date(),
        at=at,
        rehearsal=[asdict(each) for each in happens],
    )
    for each in happens:
        if each.fate == "task":
            TransferTask.objects.create(
                conversion=row,
                kind=each.kind,
                about=each.about,
                ref=each.ref,
                department=each.department,
                source=each.source[:200],
            )
    for kind, number, due_on, department, source in duties_after(row.converted_on):
        AftercareDuty.objects.create(
            conversion=row,
            kind=kind,
            number=number,
            due_on=due_on,
            department=department,
            source=source[:200],
        )


@over_the_wall()
@transaction.atomic
def end_transfer(task_id: int, state: str, *, result: str, by: Actor, at: datetime) -> None:
    """An officer of the department says what became of a transfer. Raises: NotYours, AlreadyEnded."""
    task = TransferTask.objects.select_for_update().select_related("conversion").get(pk=task_id)
    if not reaches(by, task):
        raise NotYours("这一项由承办部门在本辖区的工作人员办理。")
    if task.state != TransferTask.State.OPEN:
        raise AlreadyEnded("这一项已经有结果了。处理办法：刷新页面。")
    wanted = TransferTask.State(state)
    if wanted is TransferTask.State.OPEN or not result.strip():
        raise AlreadyEnded("要选结果、写明办到哪里。处理办法：写一句再交。")
    task.state, task.result = wanted, result.strip()[:300]
    task.ended_at, task.ended_by_id = at, by.account_id
    task.save(update_fields=["state", "result", "ended_at", "ended_by_id"])


@over_the_wall()
@transaction.atomic
def serve_duty(duty_id: int, *, note: str, by: Actor, at: datetime) -> None:
    """An officer notes that something owed was done. Raises: NotYours, AlreadyEnded."""
    duty = AftercareDuty.objects.select_for_update().select_related("conversion").get(pk=duty_id)
    if not reaches(by, duty):
        raise NotYours("这一项由承办部门在本辖区的工作人员办理。")
    if duty.served_at is not None or not note.strip():
        raise AlreadyEnded("已经记过了，或者没有写做了什么。处理办法：刷新页面，写一句再交。")
    duty.served_at, duty.note = at, note.strip()[:300]
    duty.served_by_id = by.account_id
    duty.save(update_fields=["served_at", "note", "served_by_id"])


@transaction.atomic
def answer_duty(duty_id: int, *, was_served: bool, by: Actor, at: datetime) -> None:
    """The owner says whether a duty noted as served was served to her. Raises: NotYours."""
    duty = AftercareDuty.objects.select_for_update().select_related("conversion").get(pk=duty_id)
    if duty.conversion.trader_code not in by.own:
        raise NotYours("只有经营者本人可以说有没有做到。")
    if duty.served_at is None or duty.confirmed_at or duty.denied_at:
        raise AlreadyEnded("这一项还没有记，或者您已经说过了。")
    duty.confirmed_at, duty.denied_at = (at, None) if was_served else (None, at)
    duty.save(update_fields=["confirmed_at", "denied_at"])
