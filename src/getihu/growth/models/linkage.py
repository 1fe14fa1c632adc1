"""Links from records without a usable code to traders, and conflicts between departments."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

ACCOUNT = settings.AUTH_USER_MODEL


class RecordLink(models.Model):
    """A record may belong to a trader. ``weight`` is the sum of the comparisons' weights in bits,
    ``evidence`` each of them; ``probability`` of a match. Reversible: an undone link stays on
    record, and the same record may be linked anew."""

    class State(models.TextChoices):
        REVIEW = "review", "等人核对"
        LINKED = "linked", "已经连上"
        REJECTED = "rejected", "不是同一户"
        UNDONE = "undone", "撤销了"

    OPEN: ClassVar = ("review", "linked")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.CharField(max_length=40)
    record = models.CharField(max_length=120)
    written = models.JSONField()  # what the record says of who it is about
    trader_code = models.CharField(max_length=18, db_index=True)
    division = models.CharField(max_length=9)
    weight = models.DecimalField(max_digits=7, decimal_places=3)
    probability = models.DecimalField(max_digits=7, decimal_places=6)
    evidence = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices)
    made_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["dataset", "record"],
                condition=Q(state="linked"),
                name="growth_record_of_one_trader",
            ),
            models.UniqueConstraint(
                fields=["dataset", "record", "trader_code"],
                condition=Q(state__in=["review", "linked"]),
                name="growth_link_once",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["rejected", "undone"])
                | Q(decided_by__isnull=False) & ~Q(why=""),
                name="growth_link_undone_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record} {self.state}"


class ConflictItem(models.Model):
    """Two departments' data contradict each other about a trader: work for an office.

    ``owner`` is the officer who took it; ``gone_at`` when newer data no longer contradict."""

    rule_id = models.CharField(max_length=80)
    trader_code = models.CharField(max_length=18, db_index=True)
    department = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    found_at = models.DateTimeField()
    found_in = models.CharField(max_length=40)
    reason = models.CharField(max_length=600)
    owner = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=300, blank=True)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule_id", "trader_code"],
                condition=Q(gone_at=None),
                name="growth_conflict_once",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None) | Q(owner__isnull=False) & ~Q(answer=""),
                name="growth_conflict_answered_by_owner",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["department", "gone_at"])]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.trader_code}"
