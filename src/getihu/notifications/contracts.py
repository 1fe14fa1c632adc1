"""What goes into and comes out of notifications."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    IN_APP = "in_app"  # 站内
    SMS = "sms"  # 短信
    EMAIL = "email"  # 电子邮件


class NoticeState(StrEnum):
    WAITING = "waiting"  # 待发
    SENT = "sent"  # 已发
    RETRACTED = "retracted"  # 已撤回：情况变了
    DECLINED = "declined"  # 对方不收
    FAILED = "failed"  # 多次未成，如实说没有送到


@dataclass(frozen=True)
class NoticeRequest:
    """A notice to be sent. ``obligation`` says what it is about (``permit:JY1…:expiry``),
    ``stage`` which reminder of it (``30d``): together with the channel they exist once.

    ``guard`` and ``guard_argument`` name a check that is made again in the sending transaction: a
    notice whose reason has gone is retracted, never sent. ``not_before`` None is now.
    """

    obligation: str
    stage: str
    recipient: uuid.UUID
    template_id: str
    values: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[Channel, ...] = (Channel.IN_APP,)
    guard: str = ""
    guard_argument: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True)
class NoticeView:
    """A notice as its recipient or an officer sees it."""

    id: str
    obligation: str
    stage: str
    channel: Channel
    state: NoticeState
    title: str
    text: str
    queued_at: datetime
    sent_at: datetime | None
    why_not: str


@dataclass(frozen=True)
class DeliveryReport:
    """What one sweep did: notices by what became of them; ``postponed`` wait for a later hour."""

    sent: int = 0
    retracted: int = 0
    declined: int = 0
    postponed: int = 0
    failed: int = 0
    to_retry: int = 0
