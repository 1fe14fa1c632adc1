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


# What people are told about: the part of a template's id before the dot.
TOPICS = {
    "case": "办件的进度和结果",
    "rating": "差评的回访和整改",
    "permit": "许可快到期",
    "policy": "可以享受的政策",
    "award": "兑付到账",
    "appointment": "窗口预约",
    "handover": "同事请您接手",
    "growth": "分型和培育库",
    "profile": "您提的数据改好了没有",
    "credit": "信用修复",
    "appeal": "诉求的进度和答复",
    "address": "联系方式的确认",
    "account": "账号安全",
}
CHANNEL_LABELS = {Channel.IN_APP: "站内", Channel.SMS: "短信", Channel.EMAIL: "电子邮件"}

# What other systems can be told of, as CloudEvents. The data hold ids and words of ours alone.
EVENT_TYPES = {
    "getihu.case.submitted": "提交",
    "getihu.case.correction": "一次告知补正",
    "getihu.case.accepted": "受理",
    "getihu.case.granted": "准予",
    "getihu.case.refused": "不予准许",
    "getihu.case.not_accepted": "不予受理",
    "getihu.case.withdrawn": "撤回",
    "getihu.notice.sent": "通知已发",
}


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
    read_at: datetime | None


@dataclass(frozen=True)
class Preference:
    """One kind of notice on one channel. ``by_law``: nobody can decline it. ``reaches``: there is
    an address to reach her at."""

    topic: str
    topic_label: str
    channel: Channel
    channel_label: str
    by_law: bool
    wanted: bool
    reaches: bool


@dataclass(frozen=True)
class EndpointStatus:
    """How far the events to one system have come. ``is_configured`` False: it was taken out of
    the settings while events waited."""

    endpoint: str
    is_configured: bool
    waiting: int
    sent: int
    failed: int


@dataclass(frozen=True)
class EventReport:
    """What one sweep over the events did."""

    sent: int = 0
    failed: int = 0
    to_retry: int = 0


@dataclass(frozen=True)
class DeliveryReport:
    """What one sweep did: notices by what became of them; ``postponed`` wait for a later hour."""

    sent: int = 0
    retracted: int = 0
    declined: int = 0
    postponed: int = 0
    failed: int = 0
    to_retry: int = 0
