"""What the applicant is told when a case moves: in the same transaction, once, while it is true."""

import uuid
from datetime import datetime

from getihu.accounts.contracts import Duty
from getihu.accounts.selectors import list_operators
from getihu.cases.machine import FINAL, STATE_LABELS, State
from getihu.cases.models import Case, CaseMove, ClockRun, MaterialRequest
from getihu.cases.selectors import due_texts
from getihu.cases.selectors.definitions import matter_of
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest

CHANNELS = (Channel.IN_APP, Channel.SMS, Channel.EMAIL)
CORRECTION_ARTICLE = "行政许可法 第三十二条"
_TEMPLATES = {State.ACCEPTED: "case.accepted", State.CORRECTION: "case.materials_wanted"}


def tell_move(case: Case, move: CaseMove, at: datetime) -> None:
    """Queue the notice of a move the applicant did not make herself; the case must be saved."""
    state = State(case.state)
    template = "case.ended" if state in FINAL else _TEMPLATES.get(state)
    if template is None or state in (State.WITHDRAWN, State.DISCARDED):
        return
    for recipient in _recipients(case):
        notifications.queue(
            NoticeRequest(
                obligation=f"case:{case.pk}",
                stage=f"move {move.pk}",
                recipient=recipient,
                template_id=template,
                values=_values(case, state),
                channels=CHANNELS,
                guard="case_is",
                guard_argument=f"{case.pk} {state}",
            ),
            at=at,
        )


def _recipients(case: Case) -> list[uuid.UUID]:
    """Who asked; for a case an officer opened at the counter on her behalf, who runs the shop."""
    if case.opened_by.duty == Duty.PERSON.value:
        return [case.opened_by_id]
    return list_operators([case.trader_code]).get(case.trader_code, []) or [case.opened_by_id]


def _values(case: Case, state: State) -> dict[str, str]:
    matter = matter_of(case).title
    if state is State.CORRECTION:
        wanted = MaterialRequest.objects.filter(case=case).latest("sequence").items
        return {"matter": matter, "items": "、".join(wanted), "article": CORRECTION_ARTICLE}
    if state is State.ACCEPTED:
        clocks = ClockRun.objects.filter(case=case, stopped_on=None)
        return {"matter": matter, **due_texts(clocks)}
    return {"matter": matter, "result": STATE_LABELS[state]}
