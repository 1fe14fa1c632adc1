"""Alarms about access itself."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

ACCOUNT = settings.AUTH_USER_MODEL


class BulkAlarm(models.Model):
    """An account looked at more people than work explains. While one is open it grows with what
    the account looks at; an account has one open alarm at most."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    people = models.PositiveIntegerField()
    first_look_at = models.DateTimeField()
    last_look_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    finding = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(closed_at=None), name="access_one_open_alarm"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None, finding="")
                | (Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(finding="")),
                name="access_alarm_closed_with_a_finding",
            ),
            models.CheckConstraint(
                condition=Q(closed_by=None) | ~Q(closed_by=F("account")),
                name="access_alarm_closed_by_another",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "closed_at"], name="access_alarm_of")]

    def __str__(self) -> str:
        return f"{self.pk} {self.raised_at:%Y-%m-%d}"
