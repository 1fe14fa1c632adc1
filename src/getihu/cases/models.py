"""Cases and everything that happens to them. Moves, requests and hand-overs are only added."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from getihu.cases.machine import FINAL, State

ACCOUNT = settings.AUTH_USER_MODEL


class AllowedMove(models.Model):
    """The table of moves, for the trigger that refuses every other one."""

    before = models.CharField(max_length=14)
    after = models.CharField(max_length=14)

    class Meta:
        db_table = "cases_allowed_move"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["before", "after"], name="cases_allowed_move_once")
        ]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class Case(models.Model):
    """One run of a matter. From submission on it has exactly one owner (首问负责)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=20, unique=True)
    matter_id = models.CharField(max_length=60)
    trader_code = models.CharField(max_length=18, db_index=True)
    division = models.CharField(max_length=9, db_index=True)
    agency = models.CharField(max_length=40)
    state = models.CharField(max_length=14, default=State.DRAFT.value)
    owner = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    opened_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    form = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    continues = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in State]), name="cases_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.DRAFT.value, State.DISCARDED.value])
                | Q(owner__isnull=False, submitted_at__isnull=False),
                name="cases_submitted_has_owner",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(s.value for s in FINAL), ended_at__isnull=False)
                | (~Q(state__in=sorted(s.value for s in FINAL)) & Q(ended_at__isnull=True)),
                name="cases_ended_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(
                    state__in=[State.ACCEPTED.value, State.GRANTED.value, State.REFUSED.value]
                )
                | Q(accepted_at__isnull=False),
                name="cases_decided_after_acceptance",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(accepted_at__gte=F("submitted_at")),
                name="cases_accepted_after_submission",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class CaseMove(models.Model):
    """One move of a case: who, when, why, by which article."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    before = models.CharField(max_length=14)
    after = models.CharField(max_length=14)
    at = models.DateTimeField()
    side = models.CharField(max_length=10)
    by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    article = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.case_id} {self.before} → {self.after}"


class HandOver(models.Model):
    """The case went from one owner to another, with the whole file."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    from_owner = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    to_owner = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.case_id} → {self.to_owner_id}"


class MaterialRequest(models.Model):
    """What an office asked for. The first names everything; a later one needs a superior."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveSmallIntegerField()
    items = models.JSONField()
    at = models.DateTimeField()
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "sequence"], name="cases_request_sequence"),
            # 一次性告知: only the first request stands by itself.
            models.CheckConstraint(
                condition=Q(sequence=1)
                | (Q(approved_by__isnull=False) & ~Q(approved_by=F("by")) & ~Q(reason="")),
                name="cases_told_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.sequence}"


class StageRun(models.Model):
    """One department's part of a case."""

    class Status(models.TextChoices):
        WAITING = "waiting", "等前面的阶段"
        OPEN = "open", "办理中"
        PASSED = "passed", "已通过"
        FAILED = "failed", "未通过"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    stage_id = models.CharField(max_length=40)
    department = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    status = models.CharField(max_length=8, choices=Status.choices)
    opened_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    article = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "stage_id"], name="cases_stage_once")
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.stage_id} {self.status}"


class ClockRun(models.Model):
    """One running of a statutory term. ``due_on`` is null while it is paused or over: what is due
    by a day is one indexed look-up, never a timer per case. ``stage_id`` empty: of the case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    stage_id = models.CharField(max_length=40, blank=True)
    term_id = models.CharField(max_length=60)
    started_on = models.DateField()
    stopped_on = models.DateField(null=True)
    extended_on = models.DateField(null=True)
    extension_reason = models.CharField(max_length=200, blank=True)
    due_on = models.DateField(null=True)
    is_provisional = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["due_on"], name="cases_clock_due", condition=Q(due_on__isnull=False)
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case", "stage_id", "term_id"],
                condition=Q(stopped_on=None),
                name="cases_clock_runs_once",
            ),
            models.CheckConstraint(
                condition=Q(stopped_on=None) | Q(stopped_on__gte=F("started_on")),
                name="cases_clock_stops_later",
            ),
            models.CheckConstraint(
                condition=Q(stopped_on=None) | Q(due_on=None), name="cases_clock_over_not_due"
            ),
            models.CheckConstraint(
                condition=Q(extended_on=None) | ~Q(extension_reason=""),
                name="cases_extension_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.term_id}"


class ClockPause(models.Model):
    """Time the law takes out of a running."""

    clock = models.ForeignKey(ClockRun, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=14)
    since = models.DateField()
    until = models.DateField(null=True)
    reason = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["clock"], condition=Q(until=None), name="cases_one_open_pause"
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")), name="cases_pause_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clock_id} {self.kind}"


class Escalation(models.Model):
    """A step taken because a day came: once for each clock, step and due day, whoever sweeps."""

    clock = models.ForeignKey(ClockRun, on_delete=models.PROTECT, related_name="+")
    step = models.CharField(max_length=20)
    due_on = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clock", "step", "due_on"], name="cases_escalated_once")
        ]

    def __str__(self) -> str:
        return f"{self.clock_id} {self.step}"


class Attachment(models.Model):
    """One file of a case. It is kept under its digest and only ever given out as a download.

    ``document_id`` is the matter's document it stands for. A file taken out keeps its row:
    ``removed_at`` says when.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    document_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=4)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    scanned_by = models.CharField(max_length=80)
    at = models.DateTimeField()
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case", "document_id", "sha256"],
                condition=Q(removed_at=None),
                name="cases_attachment_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["pdf", "png", "jpeg"]), name="cases_attachment_inert"
            ),
            # Nothing is kept that no scanner has looked at.
            models.CheckConstraint(condition=~Q(scanned_by=""), name="cases_attachment_scanned"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.document_id}"


class HandledPost(models.Model):
    """One form somebody sent and what it led to: sent again, it acts no second time."""

    account = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    key = models.UUIDField()
    asked = models.CharField(max_length=64)
    led_to = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "key"], name="cases_post_once")
        ]

    def __str__(self) -> str:
        return f"{self.key}"
