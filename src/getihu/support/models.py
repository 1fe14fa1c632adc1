"""Appeals and everything that happens to them. What was said, when it came and when it was answered
do not change; events are only added: see migration 0002."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from getihu.support.contracts import FINAL, Channel, State

ACCOUNT = settings.AUTH_USER_MODEL


class AllowedMove(models.Model):
    """The table of moves, for the trigger that refuses every other one."""

    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)

    class Meta:
        db_table = "support_allowed_move"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["before", "after"], name="support_allowed_move_once")
        ]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class Appeal(models.Model):
    """One problem told once. It has exactly one owner at every time (首问负责).

    ``place``: division where the problem is, empty while unknown; ``agency`` and ``division``: the
    office that has it. ``code_digest``: of the code that lets its holder follow it; an anonymous
    one has nothing else that leads to a person. ``barred``: offices that must not see it, each as
    `` agency:division `` between blanks. ``raised_to``: the last level its delay was taken to.
    ``node``: the rule (``rule:…``) or data item (``fact:…``) it points at, ``ticket`` what came of
    that.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=20, unique=True)
    channel = models.CharField(max_length=14)
    origin = models.CharField(max_length=60, blank=True)
    text = models.TextField()
    place_text = models.CharField(max_length=200, blank=True)
    place = models.CharField(max_length=9, blank=True, db_index=True)
    trader_code = models.CharField(max_length=18, blank=True, db_index=True)
    is_anonymous = models.BooleanField(default=False)
    complainant = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    taken_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    code_digest = models.CharField(max_length=64, unique=True)
    suggested = models.JSONField(default=list)
    subject = models.CharField(max_length=40, blank=True)
    subject_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, default=State.RECEIVED.value)
    agency = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    owner = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    raised_to = models.CharField(max_length=8, blank=True)
    about_account = models.ForeignKey(
        ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+"
    )
    barred = models.CharField(max_length=400, blank=True)
    received_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    answer = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, blank=True)
    node = models.CharField(max_length=120, blank=True, db_index=True)
    ticket = models.ForeignKey("Ticket", null=True, on_delete=models.PROTECT, related_name="+")
    gap_reason = models.CharField(max_length=200, blank=True)
    joined_to = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    continues = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "support_appeal"
        indexes: ClassVar = [
            models.Index(fields=["agency", "division", "state"], name="support_by_office"),
            models.Index(fields=["received_at"], name="support_received"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in State]), name="support_state_known"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=[c.value for c in Channel]), name="support_channel_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(s.value for s in FINAL), ended_at__isnull=False)
                | (~Q(state__in=sorted(s.value for s in FINAL)) & Q(ended_at=None)),
                name="support_ended_when_final",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["answered", "closed", "reopened"])
                | (Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer="")),
                name="support_answered_has_answer",
            ),
            models.CheckConstraint(
                condition=(Q(state="closed", outcome__in=["confirmed", "timed_out"]))
                | (~Q(state="closed") & Q(outcome="")),
                name="support_closed_by_her_or_time",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None) | Q(answered_at__gte=F("received_at")),
                name="support_answered_later",
            ),
            models.CheckConstraint(
                condition=Q(is_anonymous=False) | Q(complainant=None, trader_code=""),
                name="support_anonymous_is_nobody",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["assigned", "passed_on"]) | ~Q(subject=""),
                name="support_assigned_has_subject",
            ),
            models.CheckConstraint(
                condition=~Q(state="gap") | ~Q(gap_reason=""), name="support_gap_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(joined_to=None) | ~Q(joined_to=F("id")), name="support_joined_to_other"
            ),
            models.UniqueConstraint(
                fields=["channel", "origin"],
                condition=~Q(origin=""),
                name="support_imported_once",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Ticket(models.Model):
    """Appeals that point at one rule or data item, as a task for who writes it. ``mended_case``:
    the worked case of the mended rule that carries them on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=20, unique=True)
    node = models.CharField(max_length=120)
    subject = models.CharField(max_length=40)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=10, blank=True)
    mended_case = models.CharField(max_length=120, blank=True)
    result = models.TextField(blank=True)

    class Meta:
        db_table = "support_ticket"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["node", "subject"], condition=Q(ended_at=None), name="support_ticket_once"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="")
                | (Q(ended_at__isnull=False, outcome__in=["mended", "kept"]) & ~Q(result="")),
                name="support_ticket_ended_with_result",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="mended") | ~Q(mended_case=""),
                name="support_mended_has_a_case",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class AppealContact(models.Model):
    """Where a complainant without an account wants to be called back. Personal: shown to the office
    that has the appeal, erased some time after its end, never logged."""

    appeal = models.OneToOneField(
        Appeal, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    value = models.CharField(max_length=100)

    class Meta:
        db_table = "support_appeal_contact"

    def __str__(self) -> str:
        return str(self.appeal_id)


class AppealEvent(models.Model):
    """One thing that happened: a move between states, or an event within one."""

    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="+")
    event = models.CharField(max_length=14)
    before = models.CharField(max_length=10, blank=True)
    after = models.CharField(max_length=10)
    at = models.DateTimeField()
    side = models.CharField(max_length=12)
    by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    owner_role = models.CharField(max_length=30, blank=True)
    agency = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    reason = models.TextField(blank=True)
    article = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "support_appeal_event"

    def __str__(self) -> str:
        return f"{self.appeal_id} {self.event}"


class JointHandler(models.Model):
    """Another office that helps with an appeal; what it says is an event."""

    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="+")
    agency = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    asked_at = models.DateTimeField()
    given_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "support_joint_handler"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["appeal", "agency", "division"], name="support_joint_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.appeal_id} {self.agency}"


class AppealClock(models.Model):
    """One running of a term. ``step``: accept, answer, settle or confirm. Its due day moves only by
    an extension, or when a provisional calendar is announced."""

    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="clocks")
    step = models.CharField(max_length=8)
    term_id = models.CharField(max_length=60)
    started_on = models.DateField()
    due_on = models.DateField()
    is_provisional = models.BooleanField(default=False)
    extended_on = models.DateField(null=True)
    extension_reason = models.CharField(max_length=500, blank=True)
    stopped_on = models.DateField(null=True)

    class Meta:
        db_table = "support_appeal_clock"
        indexes: ClassVar = [
            models.Index(
                fields=["due_on"], name="support_due", condition=Q(stopped_on__isnull=True)
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["appeal"], condition=Q(stopped_on=None), name="support_one_clock_runs"
            ),
            models.CheckConstraint(
                condition=Q(extended_on=None) | ~Q(extension_reason=""),
                name="support_extended_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appeal_id} {self.term_id}"


class Escalation(models.Model):
    """A clock came near its end or ran over, and somebody was told: once for each step."""

    clock = models.ForeignKey(AppealClock, on_delete=models.PROTECT, related_name="escalations")
    step = models.CharField(max_length=10)
    due_on = models.DateField()
    at = models.DateTimeField()
    to_owner = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "support_escalation"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["clock", "step", "due_on"], name="support_escalated_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.clock_id} {self.step}"
