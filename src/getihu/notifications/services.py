"""Queue, retract and send notices. Queuing is part of the caller's transaction; sending is one
transaction per notice, in which its reason is looked at again."""

import secrets
import uuid
from collections import Counter
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from getihu.access.services import over_the_wall
from getihu.kernel.errors import GetihuError
from getihu.notifications.contracts import (
    TOPICS,
    Channel,
    DeliveryReport,
    NoticeRequest,
    NoticeState,
)
from getihu.notifications.events import deliver_events, publish, retry_failed
from getihu.notifications.models import Address, AddressProof, Declined, Notice
from getihu.notifications.ports import Carrier, Outgoing, PermanentFailure, TemporaryFailure
from getihu.notifications.texts import BadNotice, get_template, write_text

CITY_TIME = ZoneInfo("Asia/Shanghai")
# 本项目设定，非官方: nobody is woken, nobody is flooded, many short retries.
QUIET_FROM, QUIET_UNTIL = time(21), time(8)
MOST_A_DAY = {Channel.SMS: 3, Channel.EMAIL: 5}
RETRY_AFTER = timedelta(minutes=5)
MOST_ATTEMPTS = 48
CODE_DIGITS, CODE_TRIES = 6, 5
MOST_CODES_A_DAY = {Channel.SMS: 5, Channel.EMAIL: 10}
CODE_LASTS, CODE_EVERY = timedelta(minutes=15), timedelta(minutes=1)

__all__ = [
    "AddressRefused",
    "accept_again",
    "ask_address",
    "carriers",
    "confirm_address",
    "decline",
    "deliver",
    "deliver_events",
    "erase_addresses",
    "erase_texts",
    "erase_unproved",
    "mark_read",
    "publish",
    "queue",
    "remove_address",
    "retract",
    "retry_failed",
    "set_address",
]


class AddressRefused(GetihuError):
    """No code could be sent to this address."""


@over_the_wall()
def queue(request: NoticeRequest, *, at: datetime) -> int:
    """Put a notice on every channel asked for that has a text for it; returns how many are new.

    Call it inside the transaction that makes the notice true: both are kept or neither. A key
    that is there already is left as it is, whatever became of it. Raises BadNotice.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("queue a notice inside the transaction it tells of")
    longest = Notice._meta.get_field("stage").max_length
    if longest is not None and len(request.stage) > longest:  # SQLite would keep it
        raise BadNotice(f"阶段“{request.stage}”超过 {longest} 个字符。处理办法：写短一些。")
    template = get_template(request.template_id)
    new = 0
    for channel in request.channels:
        if not template.text_for(channel) or not _is_asked_for(request.recipient, channel):
            continue
        _, created = Notice.objects.get_or_create(
            obligation=request.obligation,
            stage=request.stage,
            channel=channel.value,
            recipient_id=request.recipient,
            defaults={
                "template_id": template.id,
                "title": template.title,
                "text": write_text(template, channel, request.values),
                "guard": request.guard,
                "guard_argument": request.guard_argument,
                "queued_at": at,
                "next_try_at": max(at, request.not_before or at),
            },
        )
        new += created
    return new


def _is_asked_for(recipient: uuid.UUID, channel: Channel) -> bool:
    """E-mail is an extra: it goes to who gave an address and proved it hers, nobody else."""
    if channel is not Channel.EMAIL:
        return True
    return Address.objects.filter(account=recipient, channel=channel.value).exists()


@over_the_wall()
@transaction.atomic
def retract(obligation: str, *, why: str) -> int:
    """Take back what was not sent yet about one thing; returns how many notices."""
    waiting = Notice.objects.filter(obligation=obligation, state=NoticeState.WAITING.value)
    return waiting.update(state=NoticeState.RETRACTED.value, next_try_at=None, why_not=why[:200])


@over_the_wall()
@transaction.atomic
def readdress(before: uuid.UUID, after: uuid.UUID) -> int:
    """What was told to an account is another's, who is the same person; returns how many notices.
    What the other was told as well stays where it is."""
    told = Notice.objects.filter(
        obligation=OuterRef("obligation"),
        stage=OuterRef("stage"),
        channel=OuterRef("channel"),
        recipient=after,
    )
    return Notice.objects.filter(~Exists(told), recipient=before).update(recipient=after)


@transaction.atomic
def decline(account: uuid.UUID, channel: Channel, topic: str, *, at: datetime) -> None:
    """A person does not want a topic on a channel. What the law makes us tell still comes.

    Raises BadNotice for an unknown topic.
    """
    if topic not in TOPICS:
        raise BadNotice("没有这一类通知。处理办法：刷新页面再选。")
    Declined.objects.get_or_create(
        account_id=account, channel=channel.value, topic=topic, until=None, defaults={"since": at}
    )


@transaction.atomic
def accept_again(account: uuid.UUID, channel: Channel, topic: str, *, at: datetime) -> None:
    """Take a refusal back."""
    Declined.objects.filter(account=account, channel=channel.value, topic=topic, until=None).update(
        until=at
    )


@transaction.atomic
def mark_read(account: uuid.UUID, notice_id: uuid.UUID | None = None, *, at: datetime) -> int:
    """Note that a person has read one of her notices, or all; returns how many were new."""
    unread = Notice.objects.filter(
        recipient=account,
        channel=Channel.IN_APP.value,
        state=NoticeState.SENT.value,
        read_at=None,
    )
    return (unread.filter(pk=notice_id) if notice_id else unread).update(read_at=at)


def ask_address(
    account: uuid.UUID, value: str, *, at: datetime, channel: Channel = Channel.EMAIL
) -> None:
    """Send a code to an e-mail address or a telephone number, to prove that it is hers. A new code
    ends the one before.

    Raises AddressRefused: no carrier, too soon or too often again, or the address cannot be used.
    """
    today = at.astimezone(CITY_TIME).date()
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    key = uuid.uuid4()
    with transaction.atomic():
        before = AddressProof.objects.filter(account=account, channel=channel.value)
        last = before.select_for_update().first()
        if last is not None and last.until - CODE_LASTS + CODE_EVERY > at:
            raise AddressRefused("验证码刚发过。处理办法：一分钟以后再要。")
        asked = last.asked_count if last is not None and last.asked_on == today else 0
        if asked >= MOST_CODES_A_DAY[channel]:
            raise AddressRefused("今天要的验证码太多了。处理办法：明天再要。")
        AddressProof.objects.update_or_create(
            account_id=account,
            channel=channel.value,
            defaults={
                "value": value,
                "code_digest": _code_digest(account, code),
                "until": at + CODE_LASTS,
                "tries_left": CODE_TRIES,
                "asked_on": today,
                "asked_count": asked + 1,
            },
        )
    template = get_template("address.confirm")
    text = write_text(template, channel, {"code": code})
    message = Outgoing(str(key), value, template.title, text)
    for carrier in carriers(channel):
        try:
            carrier.send(message)
        except TemporaryFailure:
            continue
        except PermanentFailure:
            break
        return
    AddressProof.objects.filter(account=account, channel=channel.value).delete()
    raise AddressRefused("验证码发不出去。处理办法：核对地址，或者过一会儿再试。")


@transaction.atomic
def confirm_address(
    account: uuid.UUID, code: str, *, at: datetime, channel: Channel = Channel.EMAIL
) -> bool:
    """Take the address or number whose code this is; False for a wrong or an old one. After
    ``CODE_TRIES`` wrong ones a new code is needed."""
    rows = AddressProof.objects.select_for_update()
    row = rows.filter(account=account, channel=channel.value).first()
    if row is None or row.until < at or not row.tries_left:
        return False
    if not secrets.compare_digest(row.code_digest, _code_digest(account, code.strip())):
        row.tries_left -= 1
        row.save(update_fields=["tries_left"])
        return False
    set_address(account, channel, row.value)
    row.value, row.tries_left = "", 0  # the count of the day stays
    row.save(update_fields=["value", "tries_left"])
    return True


@transaction.atomic
def remove_address(account: uuid.UUID, channel: Channel) -> None:
    """Forget where a person is reached on a channel; what waits for it fails honestly."""
    Address.objects.filter(account=account, channel=channel.value).delete()


def _code_digest(account: uuid.UUID, code: str) -> str:
    return salted_hmac("getihu.address", f"{account} {code}", algorithm="sha256").hexdigest()


@transaction.atomic
def set_address(account: uuid.UUID, channel: Channel, value: str) -> None:
    """Where a person is reached on a channel."""
    Address.objects.update_or_create(
        account_id=account, channel=channel.value, defaults={"value": value}
    )


def deliver(at: datetime, *, limit: int = 200) -> DeliveryReport:
    """Send what is due by now. Several workers may do it at once, again, and after any stop.

    A crash between a carrier's answer and our commit sends the same key again: once for a carrier
    that honours it, else twice at the most.
    """
    due = Notice.objects.filter(next_try_at__lte=at).order_by("next_try_at", "id")
    done = Counter(_send_one(pk, at) for pk in due.values_list("pk", flat=True)[:limit])
    return DeliveryReport(**{name: done[name] for name in DeliveryReport.__dataclass_fields__})


@transaction.atomic
def _send_one(notice_id: uuid.UUID, at: datetime) -> str:
    notice = (
        Notice.objects.select_for_update(skip_locked=_skips_locked())
        .filter(pk=notice_id, next_try_at__lte=at)
        .first()
    )
    if notice is None:
        return "elsewhere"  # another worker has it
    channel = Channel(notice.channel)
    if not _still_true(notice):
        return _end(notice, NoticeState.RETRACTED, "情况已经变了，不再通知")
    template = get_template(notice.template_id)
    if not template.by_law and _has_declined(notice, template.topic):
        return _end(notice, NoticeState.DECLINED, "对方不收这一类通知")
    if not template.urgent and channel is not Channel.IN_APP:
        later = _allowed_from(notice, channel, at)
        if later > at:
            return _postpone(notice, later)
    return _hand_over(notice, channel, at)


def _skips_locked() -> bool:
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)


def _still_true(notice: Notice) -> bool:
    """Ask the guard, in this transaction: it locks what it looks at, so nothing changes under us."""
    if not notice.guard:
        return True
    return bool(import_string(settings.NOTICE_GUARDS[notice.guard])(notice.guard_argument))


def _has_declined(notice: Notice, topic: str) -> bool:
    return Declined.objects.filter(
        account=notice.recipient_id, channel=notice.channel, topic=topic, until=None
    ).exists()


def _allowed_from(notice: Notice, channel: Channel, at: datetime) -> datetime:
    """The first moment from ``at`` on that is not quiet and not one too many of a day."""
    local = at.astimezone(CITY_TIME)
    morning = local.replace(hour=QUIET_UNTIL.hour, minute=0, second=0, microsecond=0)
    if local.time() >= QUIET_FROM:
        return morning + timedelta(days=1)
    if local.time() < QUIET_UNTIL:
        return morning
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    sent_today = Notice.objects.filter(
        recipient=notice.recipient_id,
        channel=channel.value,
        sent_at__gte=midnight,
        sent_at__lt=midnight + timedelta(days=1),
    ).count()
    if sent_today >= MOST_A_DAY.get(channel, 99):
        return morning + timedelta(days=1)
    return at


def _hand_over(notice: Notice, channel: Channel, at: datetime) -> str:
    if channel is Channel.IN_APP:
        return _sent(notice, at, "in_app", "")
    address = Address.objects.filter(account=notice.recipient_id, channel=channel.value).first()
    if address is None:
        return _end(notice, NoticeState.FAILED, "没有这个渠道的联系方式")
    message = Outgoing(str(notice.pk), address.value, notice.title, notice.text)
    notice.attempts += 1
    for carrier in carriers(channel):
        try:
            number = carrier.send(message)
        except TemporaryFailure:
            continue  # the next carrier, at once
        except PermanentFailure:
            return _end(notice, NoticeState.FAILED, "对方的号码或地址不能用")
        return _sent(notice, at, carrier.name, number)
    if notice.attempts >= MOST_ATTEMPTS:
        return _end(notice, NoticeState.FAILED, "多次发送没有成功")
    notice.next_try_at = at + RETRY_AFTER
    notice.save(update_fields=["attempts", "next_try_at"])
    return "to_retry"


def carriers(channel: Channel) -> list[Carrier]:
    """The carriers of a channel in the order they are tried (``settings.NOTICE_CARRIERS``)."""
    return [import_string(path)() for path in settings.NOTICE_CARRIERS.get(channel.value, ())]


def _sent(notice: Notice, at: datetime, carrier: str, number: str) -> str:
    notice.state, notice.sent_at, notice.next_try_at = NoticeState.SENT.value, at, None
    notice.carrier, notice.carrier_number = carrier, number
    notice.save()
    publish(
        "getihu.notice.sent",
        subject=f"notice:{notice.pk}",
        data={"obligation": notice.obligation, "stage": notice.stage, "channel": notice.channel},
        at=at,
    )
    return "sent"


def _end(notice: Notice, state: NoticeState, why: str) -> str:
    notice.state, notice.next_try_at, notice.why_not = state.value, None, why
    notice.save()
    return state.value


def _postpone(notice: Notice, later: datetime) -> str:
    notice.next_try_at = later
    notice.save(update_fields=["next_try_at"])
    return "postponed"


def erase_texts(before: datetime, *, at: datetime) -> int:
    """Empty notices that came to their end before a moment; that they were sent or not stays."""
    over = Notice.objects.exclude(state=NoticeState.WAITING.value).exclude(text="")
    return over.filter(queued_at__lt=before).update(title="", text="")


def erase_unproved(before: datetime, *, at: datetime) -> int:
    """Forget addresses nobody proved to be hers, whose code ran out before a moment."""
    return AddressProof.objects.filter(until__lt=before).delete()[0]


def erase_addresses(before: datetime, *, at: datetime) -> int:
    """Forget the addresses of accounts that were closed before a moment."""
    return Address.objects.filter(account__closed_at__lt=before).delete()[0]
