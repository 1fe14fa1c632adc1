"""Who is in which pool: when it holds, and when we knew it.

A row of ``Membership`` is a belief. It is never changed: what is known later is a row more, and the
row it takes the place of is closed with the moment (``known_until``). So what was known at any
moment can be read again, and a list published then is the same for ever.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

ACCOUNT = settings.AUTH_USER_MODEL


class PoolRun(models.Model):
    """One pass over a pool: what it found and how many rows it wrote."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pool_id = models.CharField(max_length=60, db_index=True)
    county_code = models.CharField(max_length=6, blank=True)  # empty: the whole city
    as_of = models.DateField()
    snapshot_id = models.CharField(max_length=40)
    rule_version = models.CharField(max_length=64)
    entered_count = models.IntegerField(default=0)
    left_count = models.IntegerField(default=0)
    leaving_count = models.IntegerField(default=0)  # told, or waiting for a person
    kept_count = models.IntegerField(default=0)
    unknown_count = models.IntegerField(default=0)
    written_count = models.IntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        db_table = "growth_pool_run"

    def __str__(self) -> str:
        return f"{self.pool_id} {self.as_of}"


class Membership(models.Model):
    """One belief: this trader is in this pool, at this level, from a day until another."""

    pool_id = models.CharField(max_length=60)
    level = models.CharField(max_length=10)
    trader_code = models.CharField(max_length=18, db_index=True)
    county_code = models.CharField(max_length=6, blank=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)  # exclusive; None: no end known
    known_from = models.DateTimeField()
    known_until = models.DateTimeField(null=True)  # None: still believed
    why = models.CharField(max_length=20)
    ground = models.CharField(max_length=200)
    run = models.ForeignKey(PoolRun, null=True, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool_id", "level", "trader_code"],
                condition=Q(known_until=None, valid_until=None),
                name="growth_in_once",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="growth_valid_in_order",
            ),
            models.CheckConstraint(
                condition=Q(known_until=None) | Q(known_until__gte=F("known_from")),
                name="growth_known_in_order",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["pool_id", "county_code", "level"],
                condition=Q(known_until=None),
                name="growth_in_pool_now",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pool_id} {self.level}"


class Exit(models.Model):
    """The rule no longer holds for a member. She is told; a rule may end it after the notice, and
    where the pool gives her something only a person can."""

    class State(models.TextChoices):
        TOLD = "told", "已告知，可以提异议"
        WAITING = "waiting", "等工作人员决定"
        HELD = "held", "有异议，正在核实"
        DONE = "done", "已退出"
        DROPPED = "dropped", "不退出"

    pool_id = models.CharField(max_length=60)
    level = models.CharField(max_length=10)
    trader_code = models.CharField(max_length=18, db_index=True)
    county_code = models.CharField(max_length=6, blank=True)
    run = models.ForeignKey(PoolRun, on_delete=models.PROTECT, related_name="exits")
    takes_away = models.BooleanField()
    state = models.CharField(max_length=10, choices=State.choices)
    told_at = models.DateTimeField()
    object_until = models.DateField()
    case_id = models.UUIDField(null=True)
    ended_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    article = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool_id", "level", "trader_code"],
                condition=Q(state__in=("told", "waiting", "held")),
                name="growth_one_open_exit",
            ),
            models.CheckConstraint(
                condition=~Q(takes_away=True, state="done")
                | Q(decided_by__isnull=False) & ~Q(reason="") & ~Q(article=""),
                name="growth_only_people_take",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "object_until"])]

    def __str__(self) -> str:
        return f"{self.pool_id} {self.state}"


class Refresh(models.Model):
    """The yearly refresh of one pool in one county: listed, published for objection, concluded."""

    class State(models.TextChoices):
        LISTED = "listed", "名单已列，待公示"
        OPEN = "open", "公示中"
        CONCLUDED = "concluded", "已公布"
        CANCELLED = "cancelled", "已取消"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pool_id = models.CharField(max_length=60)
    county_code = models.CharField(max_length=6)
    year = models.IntegerField()
    as_of = models.DateField()
    run = models.ForeignKey(PoolRun, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices)
    members_count = models.IntegerField()
    added_count = models.IntegerField()
    removed_count = models.IntegerField()
    list_sha256 = models.CharField(max_length=64)  # as published for objection
    final_sha256 = models.CharField(max_length=64, blank=True)
    listed_at = models.DateTimeField()
    listed_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(null=True)
    opened_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    object_until = models.DateField(null=True)
    concluded_at = models.DateTimeField(null=True)
    concluded_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool_id", "county_code", "year"],
                condition=~Q(state="cancelled"),
                name="growth_one_refresh_a_year",
            ),
            models.CheckConstraint(
                condition=Q(opened_by__isnull=True) | ~Q(opened_by=F("listed_by")),
                name="growth_refresh_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="concluded")
                | Q(opened_at__isnull=False, object_until__isnull=False) & ~Q(final_sha256=""),
                name="growth_concluded_after_objections",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pool_id} {self.county_code} {self.year}"


class RefreshHold(models.Model):
    """One line of a list somebody objects to; it is not concluded before the case is."""

    refresh = models.ForeignKey(Refresh, on_delete=models.PROTECT, related_name="holds")
    trader_code = models.CharField(max_length=18)
    case_id = models.UUIDField(unique=True)
    outcome = models.CharField(max_length=10, blank=True)  # upheld, rejected
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "growth_refresh_hold"

    def __str__(self) -> str:
        return self.outcome


class PoolPlaces(models.Model):
    """The places of a pool's quota in one county, level and year: never more taken than there are."""

    quota_id = models.CharField(max_length=60)
    level = models.CharField(max_length=10)
    county_code = models.CharField(max_length=6)
    year = models.IntegerField()
    base_count = models.IntegerField()  # what the share is of
    places = models.IntegerField()
    taken = models.IntegerField(default=0)

    class Meta:
        db_table = "growth_pool_places"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["quota_id", "level", "county_code", "year"], name="growth_places_once"
            ),
            models.CheckConstraint(
                condition=Q(taken__gte=0, taken__lte=F("places")), name="growth_places_not_exceeded"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quota_id} {self.taken}/{self.places}"


class Removal(models.Model):
    """A person took a member out of a pool: why, by which article, until when she can object. Its row
    never changes but for her objection and what it led to."""

    pool_id = models.CharField(max_length=60)
    level = models.CharField(max_length=10)
    trader_code = models.CharField(max_length=18, db_index=True)
    county_code = models.CharField(max_length=6, blank=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)  # the end of the term that was taken away
    reason = models.CharField(max_length=500)
    article = models.CharField(max_length=200)
    removed_at = models.DateTimeField()
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    object_until = models.DateField()
    case_id = models.UUIDField(null=True)
    restored_at = models.DateTimeField(null=True)
    restored_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(article=""), name="growth_removal_says_why"
            ),
            models.CheckConstraint(
                condition=Q(restored_at=None) | Q(case_id__isnull=False, restored_by__isnull=False),
                name="growth_restored_after_objection",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pool_id} {self.level}"
