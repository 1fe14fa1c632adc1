"""Filings and the register they make. Filings are only added; the register can be thrown away and
made again from them."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

ACCOUNT = settings.AUTH_USER_MODEL


class Filing(models.Model):
    """One entry into the register: what was said, from which day it counts, who filed it when.

    ``sequence`` counts the filings of a trader from 1; 1 of a trader that was registered before
    this platform is the baseline taken from the department's register. ``is_late``: filed after
    the term its article gives.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    trader_code = models.CharField(max_length=18)
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=30)
    effective_on = models.DateField()
    filed_at = models.DateTimeField()
    content = models.JSONField()
    case = models.UUIDField(null=True, unique=True)
    by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    is_late = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            # Two filings made at the same moment: the second finds the first or is refused.
            models.UniqueConstraint(
                fields=["trader_code", "sequence"], name="entry_filing_sequence"
            ),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="entry_filing_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.trader_code} {self.sequence} {self.kind}"


class RegisterRow(models.Model):
    """The register's entry of one trader, as its filings make it. ``through`` is the last filing
    in it."""

    trader_code = models.CharField(primary_key=True, max_length=18)
    through = models.PositiveIntegerField()
    status = models.CharField(max_length=10)
    county_code = models.CharField(max_length=6, blank=True)
    town_code = models.CharField(max_length=9, blank=True)
    entry = models.JSONField()

    def __str__(self) -> str:
        return self.trader_code


class AllottedCode(models.Model):
    """One subject number of the block this registrar was given; each is used once."""

    number = models.PositiveIntegerField(primary_key=True)
    trader_code = models.CharField(max_length=18, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.trader_code


class TakeOver(models.Model):
    """One promise of somebody to take a shop over: she makes it and gives the code to who runs the
    shop now. Kept as a digest; good once and for a week."""

    code_sha256 = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"take-over {self.pk}"


class WindowSlot(models.Model):
    """One slot of an office, from its first appointment on. ``capacity`` is how many are received
    at once; a slot of a day that was closed later has none."""

    office_id = models.CharField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["office_id", "starts_at"], name="entry_slot_once"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")), name="entry_slot_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office_id} {self.starts_at}"


class Closure(models.Model):
    """A day on which an office is closed though the calendar says it works. Only added."""

    office_id = models.CharField(max_length=40)
    on = models.DateField()
    reason = models.CharField(max_length=100)
    at = models.DateTimeField()
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["office_id", "on"], name="entry_closure_once")
        ]

    def __str__(self) -> str:
        return f"{self.office_id} {self.on}"


class Appointment(models.Model):
    """One place of a slot, taken by somebody. ``place`` counts from 1: no two share one, and a
    trigger refuses one above the slot's capacity or on a closed day.

    ``visitor`` is who comes, so that nobody holds two places at once: the trader's code, else her
    account, else empty (booked at the counter for somebody without either). ``matters`` are ids;
    ``question`` is what she wrote, personal. ``missed`` is noted and nothing follows from it.
    """

    class State(models.TextChoices):
        BOOKED = "booked", "已约"
        CANCELLED = "cancelled", "已取消"
        KEPT = "kept", "已到"
        MISSED = "missed", "没有来"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=8, unique=True)
    slot = models.ForeignKey(WindowSlot, on_delete=models.PROTECT, related_name="+")
    office_id = models.CharField(max_length=40)
    on = models.DateField()
    starts_at = models.DateTimeField()
    place = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.BOOKED)
    trader_code = models.CharField(max_length=18, blank=True, db_index=True)
    account = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    visitor = models.CharField(max_length=45, blank=True)
    booked_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    matters = models.JSONField(default=list)
    question = models.CharField(max_length=200, blank=True)
    booked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["slot", "place"],
                condition=~Q(state="cancelled"),
                name="entry_appointment_place",
            ),
            models.UniqueConstraint(
                fields=["visitor", "starts_at"],
                condition=Q(state="booked") & ~Q(visitor=""),
                name="entry_appointment_one_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["visitor", "office_id", "on"],
                condition=Q(state="booked") & ~Q(visitor=""),
                name="entry_appointment_one_a_day",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["booked", "cancelled", "kept", "missed"]),
                name="entry_appointment_state",
            ),
            models.CheckConstraint(
                condition=Q(state="booked", ended_at=None)
                | (~Q(state="booked") & Q(ended_at__isnull=False)),
                name="entry_appointment_ended",
            ),
            models.CheckConstraint(condition=Q(place__gte=1), name="entry_appointment_from_one"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["office_id", "on"], name="entry_appointment_day"),
        ]

    def __str__(self) -> str:
        return self.code


class Visit(models.Model):
    """Somebody came to the window: with or without appointment, trader or case.

    The officer who takes what is asked owns it until it is answered (首问负责); a trigger lets
    another own it only by a hand-over that was taken. ``pending``: she went home, the question is
    still her officer's. ``question`` and ``answer`` are personal. ``identified_by`` says how the
    officer knew whom she served: by the minute code of her 企业码, or by her identity document.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "等着"
        SERVING = "serving", "正在办"
        PENDING = "pending", "等答复"
        ANSWERED = "answered", "已答复"
        LEFT = "left", "没等到就走了"

    class Identified(models.TextChoices):
        NO = "", "没有核对"
        CODE = "code", "扫企业码"
        DOCUMENT = "document", "看身份证件"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    office_id = models.CharField(max_length=40)
    on = models.DateField()
    sequence = models.PositiveSmallIntegerField()
    appointment = models.OneToOneField(
        Appointment, null=True, on_delete=models.PROTECT, related_name="+"
    )
    trader_code = models.CharField(max_length=18, blank=True, db_index=True)
    account = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    identified_by = models.CharField(
        max_length=8, blank=True, choices=Identified.choices, default=Identified.NO
    )
    matters = models.JSONField(default=list)
    question = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    owner = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    arrived_at = models.DateTimeField()
    called_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["office_id", "on", "sequence"], name="entry_visit_sequence"
            ),
            # One officer receives one person at a time.
            models.UniqueConstraint(
                fields=["owner"], condition=Q(state="serving"), name="entry_visit_one_at_a_time"
            ),
            # 首问负责: taken means owned, by exactly one.
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "left"], owner=None, called_at=None)
                | Q(
                    state__in=["serving", "pending", "answered"],
                    owner__isnull=False,
                    called_at__isnull=False,
                ),
                name="entry_visit_owned",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "serving", "pending"], ended_at=None)
                | Q(state="left", ended_at__isnull=False)
                | (Q(state="answered", ended_at__isnull=False) & ~Q(answer="")),
                name="entry_visit_answered",
            ),
            models.CheckConstraint(
                condition=Q(identified_by="")
                | (Q(identified_by__in=["code", "document"]) & ~Q(trader_code="")),
                name="entry_visit_identified",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["office_id", "state"],
                name="entry_visit_open",
                condition=Q(ended_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.office_id} {self.on} {self.sequence}"


class VisitCase(models.Model):
    """A case worked on in a visit. ``on_behalf``: the officer opened it for who stood there."""

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+")
    case = models.UUIDField()
    on_behalf = models.BooleanField()
    at = models.DateTimeField()
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["visit", "case"], name="entry_visit_case_once")
        ]

    def __str__(self) -> str:
        return f"{self.visit_id} {self.case}"


class HandingOver(models.Model):
    """An offer to hand over a question or a case with its file. Until it is taken the giver owns
    it; it is taken or declined once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, null=True, on_delete=models.PROTECT, related_name="+")
    case = models.UUIDField(null=True, db_index=True)
    from_owner = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    to_owner = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    offered_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    offered_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    why_not = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["visit"],
                condition=Q(taken_at=None, declined_at=None, visit__isnull=False),
                name="entry_hand_over_one_of_visit",
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(taken_at=None, declined_at=None, case__isnull=False),
                name="entry_hand_over_one_of_case",
            ),
            models.CheckConstraint(
                condition=Q(visit__isnull=False, case=None) | Q(visit=None, case__isnull=False),
                name="entry_hand_over_of_one",
            ),
            models.CheckConstraint(
                condition=~Q(from_owner=models.F("to_owner")) & ~Q(reason=""),
                name="entry_hand_over_to_another",
            ),
            models.CheckConstraint(
                condition=Q(taken_at=None, declined_at=None)
                | Q(taken_at__isnull=False, declined_at=None)
                | (Q(taken_at=None, declined_at__isnull=False) & ~Q(why_not="")),
                name="entry_hand_over_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_owner_id} → {self.to_owner_id}"
