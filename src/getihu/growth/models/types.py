"""Reviews of the types of the whole city, and who moved in one.

The types themselves, a row per trader, lie in one file a review (``types_path``); the rows here
are the reviews with the files' fingerprints and the few who moved.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

ACCOUNT = settings.AUTH_USER_MODEL


class TypeReview(models.Model):
    """The whole city typed as of a day: told to those who move, then published."""

    class State(models.TextChoices):
        TOLD = "told", "异议期"
        PUBLISHED = "published", "已公布"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    as_of = models.DateField(unique=True)
    snapshot_id = models.CharField(max_length=40)
    rule_version = models.CharField(max_length=64)
    settling_version = models.CharField(max_length=64)  # of the standards against flapping
    previous = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="next"
    )
    state = models.CharField(max_length=10, choices=State.choices)
    proposed_sha256 = models.CharField(max_length=64)
    published_sha256 = models.CharField(max_length=64, blank=True)
    traders_count = models.IntegerField()
    moved_count = models.IntegerField()
    reviewed_at = models.DateTimeField()
    object_until = models.DateField()  # the last day on which somebody may object
    published_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "growth_type_review"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="told"), name="growth_one_review_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="told", published_at=None, published_sha256="")
                | Q(state="published", published_at__isnull=False) & ~Q(published_sha256=""),
                name="growth_published_with_its_file",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.as_of}"


class TypeMove(models.Model):
    """One trader whose type would change by a review."""

    class State(models.TextChoices):
        TOLD = "told", "异议期"
        HELD = "held", "有异议，正在核实"
        PUBLISHED = "published", "已公布"
        DROPPED = "dropped", "异议成立，不变"
        LAPSED = "lapsed", "公布时还没核实完，下次再评"

    review = models.ForeignKey(TypeReview, on_delete=models.PROTECT, related_name="moves")
    trader_code = models.CharField(max_length=18, db_index=True)
    county_code = models.CharField(max_length=6, blank=True)
    before = models.CharField(max_length=30)
    after = models.CharField(max_length=30)
    state = models.CharField(max_length=10, choices=State.choices, default=State.TOLD)
    case_id = models.UUIDField(null=True)  # of the objection

    class Meta:
        db_table = "growth_type_move"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["review", "trader_code"], name="growth_moves_once_a_review"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("told", "published")) | Q(case_id__isnull=False),
                name="growth_held_by_a_case",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "state", "county_code"])]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"
