"""The outbox: what is to be told, what became of it, and who declined what."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from getihu.notifications.contracts import Channel, NoticeState

ACCOUNT = settings.AUTH_USER_MODEL


class Notice(models.Model):
    """One message on one channel. The key (obligation, stage, channel, recipient) exists once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    obligation = models.CharField(max_length=120)
    stage = models.CharField(max_length=40)
    channel = models.CharField(max_length=8, choices=[(c.value, c.value) for c in Channel])
    recipient = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    template_id = models.CharField(max_length=60)
    title = models.CharField(max_length=60)
    text = models.TextField()
    guard = models.CharField(max_length=60, blank=True)
    guard_argument = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, default=NoticeState.WAITING.value)
    queued_at = models.DateTimeField()
    # When it may go next; null once nothing more will happen. The sweep looks here.
    next_try_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    carrier = models.CharField(max_length=40, blank=True)
    carrier_number = models.CharField(max_length=120, blank=True)
    why_not = models.CharField(max_length=200, blank=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["obligation", "stage", "channel", "recipient"],
                name="notifications_notice_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in NoticeState]),
                name="notifications_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state=NoticeState.WAITING.value, next_try_at__isnull=False)
                | (~Q(state=NoticeState.WAITING.value) & Q(next_try_at__isnull=True)),
                name="notifications_waiting_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=NoticeState.SENT.value) | Q(sent_at__isnull=False),
                name="notifications_sent_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"],
                name="notifications_due",
                condition=Q(next_try_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.channel} {self.state}"


class Declined(models.Model):
    """A person does not want one kind of notice on one channel; ended by ``until``."""

    account = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=8)
    topic = models.CharField(max_length=40)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "channel", "topic"],
                condition=Q(until=None),
                name="notifications_declined_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.channel} {self.topic}"


class Address(models.Model):
    """Where a person is reached on a channel. Personal data: read only to send."""

    account = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=8)
    value = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "channel"], name="notifications_one_address")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.channel}"


class AddressProof(models.Model):
    """An address somebody wants to be reached at, until she proves it is hers by the code sent
    there. Personal data, as ``Address``."""

    account = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=8)
    value = models.CharField(max_length=200)
    code_digest = models.CharField(max_length=64)
    until = models.DateTimeField()
    tries_left = models.PositiveSmallIntegerField()
    # How many codes were asked for on that day: numbers of others are not to be flooded.
    asked_on = models.DateField(null=True)
    asked_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "channel"], name="notifications_one_address_proof"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.channel}"


class PublishedEvent(models.Model):
    """Something other systems are told of; written in the transaction that made it true."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    at = models.DateTimeField()
    data = models.JSONField()

    def __str__(self) -> str:
        return f"{self.pk} {self.type}"


class EventDelivery(models.Model):
    """One event on its way to one endpoint: once for each."""

    event = models.ForeignKey(PublishedEvent, on_delete=models.PROTECT, related_name="+")
    endpoint = models.CharField(max_length=40)
    # When it may go next, also while a worker is at it; null once nothing more will happen.
    next_try_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    why_not = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="notifications_event_once"),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(next_try_at=None),
                name="notifications_event_sent_is_over",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"],
                name="notifications_event_due",
                condition=Q(next_try_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.endpoint}"
