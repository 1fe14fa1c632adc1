"""A conversion, what it hands on, and what the city owes afterwards."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

ACCOUNT = settings.AUTH_USER_MODEL


class Conversion(models.Model):
    """A trader became a company by her own case. ``case`` is that case: the database refuses a
    conversion without a granted one that the operator herself opened and handed in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.UUIDField(unique=True)
    trader_code = models.CharField(max_length=18, unique=True)
    company_form = models.CharField(max_length=30)
    company_name = models.CharField(max_length=200)
    converted_on = models.DateField()
    at = models.DateTimeField()
    rehearsal = models.JSONField()  # what was told before, line for line

    def __str__(self) -> str:
        return f"{self.trader_code} {self.converted_on}"


class TransferTask(models.Model):
    """One right that goes over to the company, with its result. ``ref`` names the record."""

    class State(models.TextChoices):
        OPEN = "open", "正在转"
        DONE = "done", "已经转到企业名下"
        NOT_NEEDED = "not_needed", "核实后不用转"
        REFUSED = "refused", "转不了"

    conversion = models.ForeignKey(Conversion, on_delete=models.PROTECT, related_name="tasks")
    kind = models.CharField(max_length=30)
    about = models.CharField(max_length=200)
    ref = models.CharField(max_length=120, blank=True)
    department = models.CharField(max_length=40)
    source = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    result = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversion", "kind", "ref", "about"], name="growth_transfer_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", ended_at=None)
                | ~Q(state="open") & Q(ended_by__isnull=False) & ~Q(result=""),
                name="growth_transfer_with_result",
            ),
        ]

    def __str__(self) -> str:
        return self.about


class AftercareDuty(models.Model):
    """Something the city owes a converted company by a day. ``served_at`` None: owed."""

    conversion = models.ForeignKey(Conversion, on_delete=models.PROTECT, related_name="duties")
    kind = models.CharField(max_length=20)
    number = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    department = models.CharField(max_length=40)
    source = models.CharField(max_length=200)
    served_at = models.DateTimeField(null=True)
    served_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    confirmed_at = models.DateTimeField(null=True)  # by the owner
    denied_at = models.DateTimeField(null=True)  # the owner says it was not served

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversion", "kind", "number"], name="growth_duty_once"
            ),
            models.CheckConstraint(
                condition=Q(served_at=None) | Q(served_by__isnull=False) & ~Q(note=""),
                name="growth_duty_served_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(denied_at=None),
                name="growth_duty_confirmed_or_denied",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(confirmed_at__gte=F("served_at")),
                name="growth_duty_served_first",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
