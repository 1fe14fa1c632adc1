"""Reads of notices."""

import uuid

from getihu.notifications.contracts import Channel, NoticeState, NoticeView
from getihu.notifications.models import Notice


def list_notices(account: uuid.UUID, *, limit: int = 50) -> list[NoticeView]:
    """What a person was told in the app, newest first; nothing that is still waiting."""
    rows = Notice.objects.filter(
        recipient=account, channel=Channel.IN_APP.value, state=NoticeState.SENT.value
    )
    return [notice_view(row) for row in rows.order_by("-sent_at", "id")[:limit]]


def list_about(obligation: str) -> list[NoticeView]:
    """Every notice about one thing, with what became of it."""
    return [
        notice_view(row)
        for row in Notice.objects.filter(obligation=obligation).order_by("queued_at", "channel")
    ]


def notice_view(row: Notice) -> NoticeView:
    return NoticeView(
        id=str(row.pk),
        obligation=row.obligation,
        stage=row.stage,
        channel=Channel(row.channel),
        state=NoticeState(row.state),
        title=row.title,
        text=row.text,
        queued_at=row.queued_at,
        sent_at=row.sent_at,
        why_not=row.why_not,
    )
