"""Who may do what with an appeal."""

import uuid

from getihu.accounts.contracts import Actor
from getihu.support.contracts import AppealNotFound, NotAllowed, Standing
from getihu.support.models import Appeal
from getihu.support.selectors.reads import row_of_code, standings_of, visible_appeals


def locked(appeal_id: uuid.UUID | str, by: Actor) -> Appeal:
    """The appeal, for this transaction alone. Raises AppealNotFound."""
    if not visible_appeals(by).filter(pk=appeal_id).exists():
        raise AppealNotFound
    return Appeal.objects.select_for_update(of=("self",)).get(pk=appeal_id)


def office_row(appeal_id: uuid.UUID | str, by: Actor) -> Appeal:
    """The appeal of the actor's own office. Raises AppealNotFound, NotAllowed."""
    row = locked(appeal_id, by)
    if Standing.OFFICE not in standings_of(row, by):
        raise NotAllowed("这件诉求由现在承办的机关办理。")
    return row


def lead_row(appeal_id: uuid.UUID | str, by: Actor) -> Appeal:
    """The appeal, for who settles who is competent. Raises AppealNotFound, NotAllowed."""
    row = locked(appeal_id, by)
    if Standing.LEAD not in standings_of(row, by):
        raise NotAllowed("由联席会议办公室明确谁办。")
    return row


def her_row(by: Actor, appeal_id: uuid.UUID | str | None, code: str) -> Appeal:
    """The appeal of whoever told it: by account, or by its code. Raises AppealNotFound."""
    if code:
        pk = row_of_code(code).pk
        return Appeal.objects.select_for_update(of=("self",)).get(pk=pk)
    if appeal_id is None:
        raise AppealNotFound
    row = locked(appeal_id, by)
    if Standing.HERS not in standings_of(row, by):
        raise NotAllowed("由提出诉求的人自己办。")
    return row
