"""Reads of notices."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Q

from getihu.notifications.carriers.webhook import endpoints
from getihu.notifications.contracts import (
    CHANNEL_LABELS,
    TOPICS,
    Channel,
    EndpointStatus,
    NoticeState,
    NoticeView,
    Preference,
)
from getihu.notifications.models import Address, AddressProof, Declined, EventDelivery, Notice
from getihu.notifications.texts import templates


def list_notices(account: uuid.UUID, *, limit: int = 50) -> list[NoticeView]:
    """What a person was told in the app, newest first; nothing that is still waiting."""
    rows = Notice.objects.filter(
        recipient=account, channel=Channel.IN_APP.value, state=NoticeState.SENT.value
    ).exclude(text="")  # kept for its term, and empty since
    return [notice_view(row) for row in rows.order_by("-sent_at", "id")[:limit]]


def count_unread(account: uuid.UUID) -> int:
    """How many notices in the app a person has not read yet."""
    return (
        Notice.objects.filter(
            recipient=account,
            channel=Channel.IN_APP.value,
            state=NoticeState.SENT.value,
            read_at=None,
        )
        .exclude(text="")
        .count()
    )


def list_preferences(account: uuid.UUID) -> list[Preference]:
    """What a person can be told of, on which channels, and what she declined: by topic. A topic
    is ``by_law`` where all its texts on the channel are."""
    declined = set(
        Declined.objects.filter(account=account, until=None).values_list("topic", "channel")
    )
    reached = set(Address.objects.filter(account=account).values_list("channel", flat=True))
    found = []
    for topic, label in TOPICS.items():
        for channel in Channel:
            carried = [t for t in templates().values() if t.topic == topic and t.text_for(channel)]
            if not carried or topic == "address":
                continue
            found.append(
                Preference(
                    topic=topic,
                    topic_label=label,
                    channel=channel,
                    channel_label=CHANNEL_LABELS[channel],
                    by_law=all(template.by_law for template in carried),
                    wanted=(topic, channel.value) not in declined,
                    reaches=channel is Channel.IN_APP or channel.value in reached,
                )
            )
    return found


def find_address(account: uuid.UUID, channel: Channel) -> str:
    """Where a person is reached, with its middle hidden (z•••@example.com); empty for nowhere."""
    row = Address.objects.filter(account=account, channel=channel.value).first()
    if row is None:
        return ""
    name, at, domain = row.value.partition("@")
    return f"{name[:1]}•••{at}{domain}" if at else f"{name[:3]}••••{name[-2:]}"


def waits_for_code(account: uuid.UUID, *, at: datetime, channel: Channel = Channel.EMAIL) -> bool:
    """Whether a code was sent to an address of hers and is still good."""
    rows = AddressProof.objects.filter(account=account, channel=channel.value)
    return rows.filter(until__gte=at, tries_left__gt=0).exists()


def carries(channel: Channel) -> bool:
    """Whether this installation can send on a channel."""
    return channel is Channel.IN_APP or bool(settings.NOTICE_CARRIERS.get(channel.value))


def list_endpoints() -> list[EndpointStatus]:
    """Every system that is told of events, and every one that was: how far it has come."""
    configured = set(endpoints())
    rows = EventDelivery.objects.values_list("endpoint").annotate(
        waiting=Count("pk", filter=Q(next_try_at__isnull=False)),
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        failed=Count("pk", filter=Q(sent_at=None, next_try_at=None)),
    )
    counted = {name: (waiting, sent, failed) for name, waiting, sent, failed in rows}
    return [
        EndpointStatus(name, name in configured, *counted.get(name, (0, 0, 0)))
        for name in sorted(configured | set(counted))
    ]


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
        read_at=row.read_at,
    )
