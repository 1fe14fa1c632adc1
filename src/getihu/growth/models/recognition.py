"""What a recognition needs beside its case: a department's recommendation, and the jury."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

ACCOUNT = settings.AUTH_USER_MODEL


class Recommendation(models.Model):
    """A department would recommend a trader. Nothing follows before her own consent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    window_id = models.CharField(max_length=80)
    trader_code = models.CharField(max_length=18, db_index=True)
    kind = models.CharField(max_length=10)
    department = models.CharField(max_length=40)
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    answer = models.CharField(max_length=8, blank=True)  # yes, no
    answered_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    case_id = models.UUIDField(null=True, unique=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["window_id", "trader_code", "kind"], name="growth_recommended_once"
            ),
            models.CheckConstraint(
                condition=Q(case_id=None) | Q(answer="yes", answered_by__isnull=False),
                name="growth_recommended_with_consent",
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class Jury(models.Model):
    """Who judges one case. Scores stay closed until every juror without a conflict has given hers."""

    case_id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=10)
    sheet = models.JSONField()  # what jurors see: bands and counts, no name, code or address
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "growth_jury"

    def __str__(self) -> str:
        return self.kind


class Juror(models.Model):
    """One seat: first says whether she has a conflict of interest, then scores once."""

    jury = models.ForeignKey(Jury, on_delete=models.PROTECT, related_name="jurors")
    account = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    has_conflict = models.BooleanField(null=True)  # None: has not said
    declared_at = models.DateTimeField(null=True)
    scores = models.JSONField(null=True)
    scored_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "growth_juror"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["jury", "account"], name="growth_one_seat_each"),
            models.CheckConstraint(
                condition=Q(scored_at=None) | Q(has_conflict=False, declared_at__isnull=False),
                name="growth_no_score_with_a_conflict",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
