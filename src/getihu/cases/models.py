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


class Definition(models.Model):
    """A matter or a bundle as it was when something began by it: what runs goes on by this text,
    whatever its file says later. Only added; the key is the digest of the text."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    kind = models.CharField(max_length=6)
    name = models.CharField(max_length=60)
    text = models.TextField()
    kept_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["matter", "bundle"]), name="cases_definition_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.sha256[:8]}"


class KeptTerms(models.Model):
    """Statutory terms as they were when something was handed in: its clocks run by them, whatever
    the law's text says later. Only added; the key is the digest of the text."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    text = models.TextField()
    kept_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.sha256[:8]


class BundleRun(models.Model):
    """One run of a bundle (一类事): one form, handed in once, a case for each part.

    ``trader_code`` becomes the real one once a shop that asked to be registered has it. ``form``
    holds the merged answers. How far it is follows from its parts.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=20, unique=True)
    bundle_id = models.CharField(max_length=60)
    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="+")
    trader_code = models.CharField(max_length=18, db_index=True)
    place = models.CharField(max_length=9)
    opened_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    form = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    discarded_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(submitted_at=None) | Q(discarded_at=None),
                name="cases_bundle_discarded_as_draft",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at=None) | Q(submitted_at__gte=F("opened_at")),
                name="cases_bundle_submitted_later",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class BundleFile(models.Model):
    """One file of a bundle's draft; with the hand-in every part that wants it gets it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(BundleRun, on_delete=models.PROTECT, related_name="+")
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
                fields=["run", "document_id", "sha256"],
                condition=Q(removed_at=None),
                name="cases_bundle_file_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["pdf", "png", "jpeg"]), name="cases_bundle_file_inert"
            ),
            models.CheckConstraint(condition=~Q(scanned_by=""), name="cases_bundle_file_scanned"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.document_id}"


class Case(models.Model):
    """One run of a matter. From submission on it has exactly one owner (首问负责).

    ``definition`` is the matter as it was when the case began; None: before definitions were kept.
    ``terms`` are the statutory terms of its clocks as they were when it was handed in; None: not
    handed in, or before terms were kept.
    """

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
    definition = models.ForeignKey(
        Definition, null=True, on_delete=models.PROTECT, related_name="+"
    )
    terms = models.ForeignKey(KeptTerms, null=True, on_delete=models.PROTECT, related_name="+")

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


class BundlePart(models.Model):
    """One part of a handed-in bundle. ``case`` is None until its turn comes; taken up again after a
    refusal, it is the newer case. ``why`` says why it is needed or not; ``held_because`` why its
    turn came and it could not be handed in (nobody in charge there): it is tried again."""

    run = models.ForeignKey(BundleRun, on_delete=models.PROTECT, related_name="+")
    part_id = models.CharField(max_length=40)
    department = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    is_needed = models.BooleanField()
    why = models.TextField(blank=True)
    case = models.OneToOneField(Case, null=True, on_delete=models.PROTECT, related_name="+")
    held_because = models.TextField(blank=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "part_id"], name="cases_bundle_part_once"),
            models.CheckConstraint(
                condition=Q(case=None) | Q(is_needed=True), name="cases_bundle_part_needed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.part_id}"


class ContestedValue(models.Model):
    """A value a department holds and the applicant says is another: both are kept, the case goes
    on with hers, and the department finds out which is right."""

    trader_code = models.CharField(max_length=18, db_index=True)
    fact = models.CharField(max_length=60)
    label = models.CharField(max_length=100)
    unit = models.CharField(max_length=20, blank=True)
    department = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    held = models.CharField(max_length=500)
    held_on = models.DateField(null=True)
    claimed = models.CharField(max_length=500)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    answer = models.CharField(max_length=9, blank=True)
    reason = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trader_code", "fact"],
                condition=Q(answered_at=None),
                name="cases_contested_once",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, answer="")
                | (
                    Q(answer__in=["corrected", "kept"], answered_at__isnull=False)
                    & Q(answered_by__isnull=False)
                    & ~Q(reason="")
                ),
                name="cases_contested_answered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.fact}"


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
    """What an office asked for. The first names everything; a later one needs a superior.

    In a bundle the first request of any part is the list of all: ``tells`` is then ``first``,
    ``again`` for a part that asks for what stands on it, ``beyond`` for what does not.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveSmallIntegerField()
    items = models.JSONField()
    at = models.DateTimeField()
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    run = models.ForeignKey(BundleRun, null=True, on_delete=models.PROTECT, related_name="+")
    tells = models.CharField(max_length=6, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run"], condition=Q(tells="first"), name="cases_bundle_first_list_once"
            ),
            models.CheckConstraint(
                condition=Q(run=None, tells="")
                | Q(run__isnull=False, tells__in=["first", "again", "beyond"]),
                name="cases_bundle_request_kind",
            ),
            models.CheckConstraint(
                condition=~Q(tells="beyond")
                | (Q(approved_by__isnull=False) & ~Q(approved_by=F("by")) & ~Q(reason="")),
                name="cases_bundle_told_once",
            ),
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
