"""Credit repair: one application checked by one office goes to both networks, each after its own clock;
what one concludes the other is asked to recognise. By level: a pass does what is due by now."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import list_operators
from getihu.cases import services as cases
from getihu.cases.ports import CaseFile
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.rulebook import selectors as rulebook
from getihu.supervision.contracts import (
    NETWORK_LABELS,
    NotNow,
    NotRepairable,
    RecordView,
    SendState,
    UnknownRecord,
)
from getihu.supervision.models import RecordNote, RepairSend
from getihu.supervision.ports import (
    Network,
    NetworkRefused,
    NetworkUnreachable,
    Recognised,
    RepairNetwork,
    RepairRequest,
    RepairState,
)
from getihu.supervision.selectors import repairs as reads
from getihu.supervision.services.rights import check_officer, day_of
from getihu.supervision.services.telling import tell

REPAIR: Final = "supervision.credit_repair"
RESTORE: Final = "supervision.mark_restoration"
OBJECTIONS: Final = ("supervision.record_objection", "supervision.mark_objection")
CHANNELS = (Channel.IN_APP, Channel.SMS, Channel.EMAIL)


def note_record(
    trader_code: str,
    key: str,
    *,
    place: str,
    facts: Mapping[str, str],
    by: Actor,
    at: datetime,
) -> None:
    """Write down what the office knows of a record: when it was published, how grave it is, what has
    been done since. An empty answer takes the former one back.

    Raises: UnknownRecord, NotAllowed, InvalidInput, UnknownAnswer.
    """
    check_officer(by, "amr", place, "核实信用记录")
    on = day_of(at)
    record = _delivered(trader_code, key, on)
    told = {name: text.strip() for name, text in facts.items() if text.strip()}
    for rule_id in reads.RULES:
        names = {each.name for each in rulebook.get_rule(rule_id).inputs}
        rulebook.read_answers(rule_id, {n: t for n, t in told.items() if n in names})
    with transaction.atomic(), over_the_wall():
        note, _ = RecordNote.objects.select_for_update().get_or_create(
            record=key, defaults={"trader_code": trader_code, "place": place}
        )
        note.facts = told
        delivered = reads.list_delivered(trader_code, on)
        note.next_on = reads.next_day(reads.view_of_record(record, note, delivered, (), on))
        note.save()
        tell("record.noted", f"record:{note.pk}", by, at)


def apply_for_repair(
    trader_code: str,
    key: str,
    *,
    obligations_met: bool,
    harm_removed: bool,
    commitment: bool,
    place: str,
    by: Actor,
    at: datetime,
) -> uuid.UUID:
    """The owner's one form: opens the case and hands it in; returns it.

    Raises: NotRepairable (what blocks it and from when on), UnknownRecord, NotAllowed, NoOwner.
    """
    return _hand_in(
        REPAIR,
        trader_code,
        {
            "record": key,
            "obligations_met": obligations_met,
            "harm_removed": harm_removed,
            "commitment": commitment,
        },
        place,
        by,
        at,
    )


def ask_restoration(
    trader_code: str, key: str, *, mended: bool, place: str, by: Actor, at: datetime
) -> uuid.UUID:
    """Ask that a mark of abnormality is taken away, within five working days. Raises as
    ``apply_for_repair``."""
    return _hand_in(RESTORE, trader_code, {"record": key, "mended": mended}, place, by, at)


def object_to_record(
    trader_code: str, key: str, *, why: str, place: str, by: Actor, at: datetime
) -> uuid.UUID:
    """Say a record is wrong: it is marked contested while it is looked into. Raises as
    ``apply_for_repair``; NotNow for a mark older than its thirty days."""
    record = _delivered(trader_code, key, day_of(at))
    matter = OBJECTIONS[0] if record.kind == "penalty" else OBJECTIONS[1]
    return _hand_in(matter, trader_code, {"record": key, "why": why.strip()}, place, by, at)


class RepairKeeper:
    """Hangs on the cases of repair, restoration and objection: refuses in time what cannot be, sends
    what was checked, marks what is contested."""

    def before_submission(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if case.matter_id not in (REPAIR, RESTORE, *OBJECTIONS):
            return
        key, on = str(case.form.get("record", "")), day_of(at)
        record = _delivered(case.trader_code, key, on)
        if case.matter_id in OBJECTIONS:
            _check_objection(case, record, on)
            _contest(case, key, at)
            return
        if (record.kind == "abnormal") is not (case.matter_id == RESTORE):
            raise NotRepairable("这条记录要走另一张表。处理办法：从“我的信用记录”里点那一条。")
        view = _view(case, record, on)
        if not view.can_apply:
            raise NotRepairable(_why_not(view))
        if case.matter_id == REPAIR and case.form.get("commitment") is not True:
            raise NotRepairable("要公开信用承诺才能修复。依据：信用修复管理办法（令第36号）。")

    def before_stage_passes(
        self, case: CaseFile, stage_id: str, *, by: Actor, at: datetime
    ) -> None:
        """The check is finished once some network's rule says yes on what the office has noted."""
        if case.matter_id != REPAIR or stage_id != "check":
            return
        with over_the_wall():
            view = _view(case, _delivered(case.trader_code, _key(case), day_of(at)), day_of(at))
        if not any(clock.outcome == "yes" for clock in view.clocks):
            raise NotNow(
                f"按记下的事实，哪一网都还不能修复：{_why_not(view)}"
                "处理办法：在信用修复页把要核的填完；不能修复的，不予同意并写明理由。"
            )

    @over_the_wall()
    def granted(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        if case.matter_id not in (REPAIR, RESTORE):
            return
        on = day_of(at)
        record = _delivered(case.trader_code, _key(case), on)
        networks = (
            {Network.NATIONAL: on}
            if case.matter_id == RESTORE
            else _open_networks(case, record, on)
        )
        for network, first in networks.items():
            number = f"{case.case_id.hex[:20]}-{network.value}"
            RepairSend.objects.get_or_create(
                case=case.case_id,
                network=network,
                defaults={
                    "number": number,
                    "trader_code": case.trader_code,
                    "place": case.division,
                    "record": record.key,
                    "content": {
                        "kind": record.kind,
                        "document_on": record.document_on.isoformat(),
                        "commitment_on": on.isoformat(),
                    },
                    "not_before": first,
                    "recognises": {
                        "network": "market",
                        "receipt": case.number,
                        "on": on.isoformat(),
                    }
                    if case.matter_id == RESTORE
                    else None,
                    "made_at": at,
                },
            )

    @over_the_wall()
    def ended(self, case: CaseFile, state: str, *, at: datetime) -> None:
        RecordNote.objects.filter(contested_case=case.case_id, contested_ended_at=None).update(
            contested_ended_at=at
        )


def work_repairs(at: datetime) -> int:
    """Send what is due, read what the networks answered, tell owners what they can ask for from
    today on. By level, safe to run again; returns how many records were repaired."""
    on = day_of(at)
    _send_due(on, at)
    repaired = _read_answers(at)
    _tell_owners(on, at)
    return repaired


def _send_due(on: date, at: datetime) -> None:
    for send in RepairSend.objects.filter(state=SendState.WAITING, not_before__lte=on):
        with transaction.atomic():
            row = RepairSend.objects.select_for_update(of=("self",)).get(pk=send.pk)
            if row.state != SendState.WAITING:
                continue
            if row.recognises is None:
                row.recognises = _conclusion_of_other(row)
            try:
                _network(row.network).apply(_request(row))
            except NetworkUnreachable:
                continue  # the next pass asks again under the same number
            except NetworkRefused as error:
                row.why = str(error)[:200]
                row.save(update_fields=["why"])
                continue
            row.state, row.sent_at, row.why = SendState.SENT, at, ""
            row.save()
            tell("repair.sent", f"repair:{row.pk}", "job:repairs", at, network=row.network)


def _read_answers(at: datetime) -> int:
    repaired = 0
    for send in RepairSend.objects.filter(state=SendState.SENT):
        try:
            answer = _network(send.network).answer(send.number)
        except NetworkUnreachable:
            continue
        if answer is None:
            continue
        with transaction.atomic():
            row = RepairSend.objects.select_for_update(of=("self",)).get(pk=send.pk)
            if row.state != SendState.SENT:
                continue
            row.receipt = answer.receipt
            if answer.state is not RepairState.RECEIVED:
                row.state, row.answered_on = SendState(answer.state.value), answer.on
                row.why = answer.why[:200]
                _tell_result(row, at)
                tell("repair.answered", f"repair:{row.pk}", "job:repairs", at, state=row.state)
                repaired += row.state == SendState.GRANTED
            row.save()
    return repaired


def _tell_owners(on: date, at: datetime) -> None:
    for note in RecordNote.objects.filter(next_on__lte=on, told_at=None):
        with transaction.atomic():
            row = RecordNote.objects.select_for_update(of=("self",)).get(pk=note.pk)
            view = _view_of_note(row, on)
            clock = (
                next((c for c in view.clocks if c.is_over and not c.is_never), None)
                if view
                else None
            )
            if row.told_at is not None or view is None or clock is None or not view.is_open:
                continue
            _tell(
                row.trader_code,
                f"repair:{row.pk}",
                "possible",
                "credit.repairable",
                {"record": view.title, "on": str(clock.earliest), "network": clock.label},
                at,
                guard="record_is_open",
                guard_argument=f"{row.trader_code}|{row.record}",
            )
            row.told_at = at
            row.save(update_fields=["told_at"])


def _view_of_note(note: RecordNote, on: date) -> RecordView | None:
    delivered = reads.list_delivered(note.trader_code, on)
    record = next((each for each in delivered if each.key == note.record), None)
    if record is None:
        return None
    sends = RepairSend.objects.filter(record=note.record)
    return reads.view_of_record(record, note, delivered, sends, on)


def _tell_result(send: RepairSend, at: datetime) -> None:
    words = {SendState.GRANTED: "已停止公示", SendState.REFUSED: f"没有同意：{send.why}"}
    record = send.record.partition(":")[2]
    _tell(
        send.trader_code,
        f"repair-send:{send.pk}",
        "answered",
        "credit.repaired",
        {
            "record": record,
            "network": NETWORK_LABELS[Network(send.network)],
            "result": words[SendState(send.state)],
        },
        at,
    )


def _tell(
    code: str,
    what: str,
    stage: str,
    template: str,
    values: dict[str, str],
    at: datetime,
    guard: str = "",
    guard_argument: str = "",
) -> None:
    for account in list_operators([code]).get(code, ()):
        notifications.queue(
            NoticeRequest(
                obligation=what,
                stage=stage,
                recipient=account,
                template_id=template,
                values=values,
                channels=CHANNELS,
                guard=guard,
                guard_argument=guard_argument,
            ),
            at=at,
        )


def _conclusion_of_other(send: RepairSend) -> dict[str, str] | None:
    other = RepairSend.objects.filter(case=send.case, state=SendState.GRANTED).first()
    if other is None:
        return None
    return {"network": other.network, "receipt": other.receipt, "on": str(other.answered_on)}


def _request(send: RepairSend) -> RepairRequest:
    content: dict[str, Any] = send.content
    told = send.recognises
    return RepairRequest(
        number=send.number,
        trader_code=send.trader_code,
        record=send.record.partition(":")[2],
        kind=content["kind"],
        document_on=date.fromisoformat(content["document_on"]),
        commitment_on=date.fromisoformat(content["commitment_on"]),
        recognises=Recognised(
            Network(told["network"]), told["receipt"], date.fromisoformat(told["on"])
        )
        if told
        else None,
    )


def _network(name: str) -> RepairNetwork:
    made: RepairNetwork = import_string(settings.REPAIR_NETWORKS)(Network(name))
    return made


def _open_networks(case: CaseFile, record: reads.Delivered, on: date) -> dict[Network, date]:
    """Networks the application goes to, each from its own day: never before its clock, and not at
    all where something else is in the way."""
    view = _view(case, record, on)
    return {
        clock.network: max(clock.earliest, on)
        for clock in view.clocks
        if clock.earliest and not clock.is_never and not clock.blocks
    }


def _view(case: CaseFile, record: reads.Delivered, on: date) -> RecordView:
    delivered = reads.list_delivered(case.trader_code, on)
    return reads.view_of_record(
        record, reads.find_note(record.key), delivered, _sends_of(record.key), on, _claims(case)
    )


def _sends_of(key: str) -> list[RepairSend]:
    return list(RepairSend.objects.filter(record=key))


def _claims(case: CaseFile) -> dict[str, str]:
    """What the form says, as answers; the commitment is made by handing it in."""
    words = {True: "是", False: "否"}
    form = case.form
    if case.matter_id == RESTORE:
        return {"reported_missing_years": words[form.get("mended") is True]}
    return {
        "obligations_met": words[form.get("obligations_met") is True],
        "has_corrected": words[form.get("obligations_met") is True],
        "harm_removed": words[form.get("harm_removed") is True],
        "commitment_published": words[form.get("commitment") is True],
    }


def _why_not(view: RecordView) -> str:
    if not view.is_open:
        return "这条记录已经修复或者移出了。"
    if not view.clocks:
        return f"这条记录{view.publication}，不用修复。"
    if any(send.state in (SendState.WAITING, SendState.SENT) for send in view.sends):
        return "这条记录正在修复。处理办法：在记录里看进度。"
    parts = []
    for clock in view.clocks:
        if clock.is_never:
            why = f"不得提前停止公示（{clock.article}）"
        elif clock.earliest and not clock.is_over:
            why = f"最早 {clock.earliest}（{clock.clock}）"
        else:
            why = "、".join(clock.blocks or clock.unknown) or "可以"
        parts.append(f"{clock.label}：{why}")
    return "；".join(parts) + "。"


def _check_objection(case: CaseFile, record: reads.Delivered, on: date) -> None:
    if not str(case.form.get("why", "")).strip():
        raise NotNow("要写明哪里不对。")
    is_mark = record.kind != "penalty"
    if is_mark is not (case.matter_id == OBJECTIONS[1]):
        raise NotNow("这条记录要走另一张表。处理办法：从“我的信用记录”里点那一条。")
    if record.kind == "abnormal" and (on - record.document_on).days > 30:
        raise NotNow("对标记有异议，要在标记后 30 日内提出（年度报告暂行办法第十九条）。")


def _contest(case: CaseFile, key: str, at: datetime) -> None:
    with over_the_wall():
        note, _ = RecordNote.objects.get_or_create(
            record=key, defaults={"trader_code": case.trader_code, "place": case.division}
        )
        is_open = note.contested_at is not None and note.contested_ended_at is None
        if is_open and note.contested_case != case.case_id:
            raise NotNow("这条记录的异议正在核实。")
        note.contested_case, note.contested_at, note.contested_ended_at = case.case_id, at, None
        note.save()


def _hand_in(
    matter: str, code: str, form: dict[str, object], place: str, by: Actor, at: datetime
) -> uuid.UUID:
    with transaction.atomic():
        case = cases.open_draft(matter, code, place=place, by=by, at=at)
        cases.save_draft(case, form, by=by)
        cases.submit(case, by=by, at=at)
    return case


def _delivered(code: str, key: str, on: date) -> reads.Delivered:
    found = next((each for each in reads.list_delivered(code, on) if each.key == key), None)
    if found is None:
        raise UnknownRecord("没有这条记录。处理办法：从“我的信用记录”里点。")
    return found


def _key(case: CaseFile) -> str:
    return str(case.form.get("record", ""))
