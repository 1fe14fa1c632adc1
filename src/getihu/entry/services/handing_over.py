"""Handing over a question or a case with its file: offered, then taken by who was asked. Until
then the giver owns it, so that there is exactly one owner at every time."""

import uuid
from datetime import date, datetime

from django.db import IntegrityError, transaction

from getihu.accounts.contracts import Actor
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.cases import selectors as cases
from getihu.cases import services as casework
from getihu.entry.models import HandingOver, Visit, VisitCase
from getihu.entry.selectors.window import (
    VisitNotFound,
    heads,
    list_case_takers,
    list_takers,
    visible_visits,
    visit_view,
)
from getihu.entry.services.receiving import BadVisit
from getihu.entry.window.offices import CITY_TIME, get_office
from getihu.notifications import services as notifications
from getihu.notifications.contracts import NoticeRequest


@transaction.atomic
def offer_visit(
    visit_id: uuid.UUID, to: uuid.UUID, *, reason: str, by: Actor, at: datetime
) -> uuid.UUID:
    """Ask a colleague, of another department too, to take a question with its file. Raises
    BadVisit, VisitNotFound."""
    if not visible_visits(by).filter(pk=visit_id).exists():
        raise VisitNotFound
    row = Visit.objects.select_for_update().get(pk=visit_id)
    if row.ended_at is not None or row.owner_id is None:
        raise BadVisit("没有人在办的接待不能移交。")
    if str(row.owner_id) != by.account_id and not heads(by, get_office(row.office_id)):
        raise BadVisit("由首问责任人、或者这个窗口的负责人移交。")
    if str(to) not in {officer for officer, _ in list_takers(visit_view(row), at=at)}:
        raise BadVisit("接手人不在这个地区、也不在有关的部门。处理办法：从列出的人里选。")
    return _offer(by, at, to, reason, visit=row, from_owner_id=row.owner_id)


@transaction.atomic
def offer_case(
    case_id: uuid.UUID, to: uuid.UUID, *, reason: str, by: Actor, at: datetime
) -> uuid.UUID:
    """Ask a colleague to take a case with its file. Raises BadVisit, CaseNotFound."""
    view = cases.get_case(case_id, actor=by, on=_day(at))
    if not cases.open_actions(view, by).desk or view.ended_at is not None or not view.owner_id:
        raise BadVisit("只有在办的、归您机关的办件可以移交。")
    if str(to) not in {officer for officer, _ in list_case_takers(view, at=at)}:
        raise BadVisit("接手人不在这个机关，或者不管这个地区。处理办法：从列出的人里选。")
    return _offer(by, at, to, reason, case=case_id, from_owner_id=uuid.UUID(view.owner_id))


def _offer(by: Actor, at: datetime, to: uuid.UUID, reason: str, **of: object) -> uuid.UUID:
    if not reason.strip():
        raise BadVisit("移交要写明原因，接手的人才知道办到哪里了。")
    try:
        with transaction.atomic():
            row = HandingOver.objects.create(
                to_owner_id=to,
                offered_by_id=by.account_id,
                reason=reason.strip()[:200],
                offered_at=at,
                **of,
            )
    except IntegrityError:
        raise BadVisit("已经请一位同事接手，还没有回音。处理办法：等他接手，或者先收回。") from None
    _log("handover.offered", by, row, at)
    notifications.queue(
        NoticeRequest(
            obligation=f"handover:{row.pk}",
            stage="offered",
            recipient=to,
            template_id="handover.offered",
            values={"from": by.name, "reason": row.reason},
            guard="handover_is_open",
            guard_argument=str(row.pk),
        ),
        at=at,
    )
    return row.pk


@transaction.atomic
def take(offer_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """Take a question or a case over: hers from this moment on, with its whole file, and nobody
    else's. Cases of a question that the taker's office handles come with it. Raises BadVisit."""
    row = _locked(offer_id)
    if str(row.to_owner_id) != by.account_id:
        raise BadVisit("只有被请的人能接手。")
    row.taken_at = at
    row.save(update_fields=["taken_at"])
    _log("handover.taken", by, row, at)
    if row.case is not None:
        casework.hand_over(row.case, row.to_owner_id, reason=row.reason, by=by, at=at)
        return
    assert row.visit_id is not None  # a visit or a case, says the table
    visit = Visit.objects.select_for_update().get(pk=row.visit_id)
    if visit.ended_at is not None or visit.owner_id != row.from_owner_id:
        raise BadVisit("这个问题已经办完，或者换过人了。")
    visit.owner_id = row.to_owner_id
    if visit.state == Visit.State.SERVING:  # who takes it may be serving somebody herself
        visit.state = Visit.State.PENDING
    visit.save(update_fields=["owner", "state"])
    for case_id in VisitCase.objects.filter(visit=visit).values_list("case", flat=True):
        _bring_along(case_id, row, by, at)


def _bring_along(case_id: uuid.UUID, row: HandingOver, by: Actor, at: datetime) -> None:
    """A case that was the giver's and that the taker's office handles goes with the question."""
    try:
        view = cases.get_case(case_id, actor=by, on=_day(at))
    except cases.CaseNotFound:
        return
    if view.owner_id != str(row.from_owner_id) or view.ended_at is not None:
        return
    if cases.open_actions(view, by).desk:
        casework.hand_over(case_id, row.to_owner_id, reason=row.reason, by=by, at=at)


@transaction.atomic
def decline(offer_id: uuid.UUID, *, reason: str, by: Actor, at: datetime) -> None:
    """Do not take over, or take one's own offer back: the owner stays. Raises BadVisit."""
    row = _locked(offer_id)
    if by.account_id not in (str(row.to_owner_id), str(row.from_owner_id), str(row.offered_by_id)):
        raise BadVisit("只有被请的人能不接，移交的人能收回。")
    if not reason.strip():
        raise BadVisit("要写一句为什么。")
    row.declined_at, row.why_not = at, reason.strip()[:200]
    row.save(update_fields=["declined_at", "why_not"])
    _log("handover.declined", by, row, at)


def _locked(offer_id: uuid.UUID) -> HandingOver:
    row = HandingOver.objects.select_for_update().filter(pk=offer_id).first()
    if row is None:
        raise VisitNotFound
    if row.taken_at is not None or row.declined_at is not None:
        raise BadVisit("这次移交已经有结果了。处理办法：打开看现在归谁。")
    return row


def _log(kind: str, by: Actor, row: HandingOver, at: datetime) -> None:
    audit.record(
        AuditEvent(
            kind=kind,
            actor=f"account:{by.account_id}",
            object=f"handover:{row.pk}",
            at=at,
            body={"from": str(row.from_owner_id), "to": str(row.to_owner_id)},
        )
    )


def _day(at: datetime) -> date:
    return at.astimezone(CITY_TIME).date()
