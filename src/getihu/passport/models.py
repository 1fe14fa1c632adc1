"""Certificates, their status, who was shown what."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

ACCOUNT = settings.AUTH_USER_MODEL
REVOKED = 1  # as the Token Status List numbers it


class Certificate(models.Model):
    """One certificate as it was issued. ``place`` is its own in the status lists, never given to
    another; ``text`` is the SD-JWT VC. ``filing``: the filing it follows from, where one does.
    ``town_code`` null: where the shop is was not known."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    trader_code = models.CharField(max_length=18, db_index=True)
    kind = models.CharField(max_length=40)
    number = models.CharField(max_length=60, blank=True)
    place = models.PositiveIntegerField(unique=True)
    key_id = models.CharField(max_length=20)
    text = models.TextField()
    sha256 = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    valid_until = models.DateField(null=True)
    filing = models.UUIDField(null=True)
    town_code = models.CharField(max_length=9, null=True)
    status = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trader_code", "kind", "number"],
                condition=~Q(status=REVOKED),
                name="passport_one_in_force",
            ),
            models.CheckConstraint(condition=Q(status__in=[0, 1, 2]), name="passport_status"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class StatusChange(models.Model):
    """The status of a certificate from a moment; only added."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="+")
    status = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.status}"


class FollowedData(models.Model):
    """The wallets were brought to what a published snapshot says on a day; only added."""

    snapshot_id = models.CharField(max_length=80)
    on = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["snapshot_id", "on"], name="passport_followed_once")
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id} {self.on}"


class WalletKey(models.Model):
    """The key with which a trader answers verifiers; sealed at rest."""

    trader_code = models.CharField(primary_key=True, max_length=18)
    sealed = models.BinaryField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"wallet {self.pk}"


class ShowToken(models.Model):
    """One short-lived code. Only its digest is kept; used more than once it is told."""

    sha256 = models.CharField(max_length=64, unique=True)
    trader_code = models.CharField(max_length=18)
    scene = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField()
    uses = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"token {self.pk}"


class Scan(models.Model):
    """Somebody looked at a trader's licence: as whom, in which scene, what was shown; only
    added. ``account`` null: somebody who did not sign in. ``is_own``: who runs the shop looked at it
    herself, which counts for nothing. ``town_code``: where the shop was then. Both null: not known,
    as of the looks before they were noted."""

    trader_code = models.CharField(max_length=18, db_index=True)
    at = models.DateTimeField()
    audience = models.CharField(max_length=10)
    account = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    agency = models.CharField(max_length=40, blank=True)
    scene = models.CharField(max_length=40, blank=True)
    shown = models.JSONField()
    answer = models.CharField(max_length=10)
    is_repeat = models.BooleanField(default=False)
    is_own = models.BooleanField(null=True)
    town_code = models.CharField(max_length=9, null=True)

    def __str__(self) -> str:
        return f"scan {self.pk}"


class PresentationRequest(models.Model):
    """A bank asks for some items, for a purpose, until a day; the trader answers or not. What she
    showed is wiped when the day has come. ``asked_of``: the only trader who may answer; null:
    whoever scans the bank's code."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asked_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    agency = models.CharField(max_length=40)
    scene = models.CharField(max_length=40)
    wanted = models.JSONField()
    purpose = models.CharField(max_length=200)
    nonce = models.CharField(max_length=43)
    asked_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    until = models.DateField()
    asked_of = models.CharField(max_length=18, null=True, db_index=True)
    trader_code = models.CharField(max_length=18, blank=True)
    answered_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    shown = models.JSONField(null=True)
    wiped_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(answered_at=None) | Q(declined_at=None), name="passport_one_answer"
            ),
            models.CheckConstraint(
                condition=Q(asked_of=None) | Q(trader_code="") | Q(trader_code=F("asked_of")),
                name="passport_answered_by_whom_it_asked",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None) | Q(answered_at__lte=F("answer_by")),
                name="passport_answered_in_time",
            ),
            models.CheckConstraint(
                condition=Q(wiped_at=None) | Q(shown=None), name="passport_wiped_is_empty"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
