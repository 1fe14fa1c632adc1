"""Plans, the people who check, who may not check whom, and visits. The order of a draw is kept by
the database: see migration 0002."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from getihu.supervision.contracts import (
    CHANCE_LABELS,
    FINDING_LABELS,
    NETWORK_LABELS,
    OUTCOME_LABELS,
    PLAN_LABELS,
    VISIT_LABELS,
    PlanState,
    SendState,
    VisitState,
)

ACCOUNT = settings.AUTH_USER_MODEL


class Inspector(models.Model):
    """A person on the list of those who check, by the number of her law-enforcement certificate.

    ``county_code``: where she checks. Her name is in her account, never in a published list.
    """

    number = models.CharField(max_length=30, unique=True)
    account = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    agency = models.CharField(max_length=30)
    county_code = models.CharField(max_length=6, db_index=True)
    qualifications = models.JSONField(default=list)
    certified_until = models.DateField(null=True)  # exclusive; None: no end known

    class Meta:
        db_table = "supervision_inspector"

    def __str__(self) -> str:
        return self.number


class Conflict(models.Model):
    """An inspector may not check a trader. Which relation it is stays in this table."""

    inspector = models.ForeignKey(Inspector, on_delete=models.PROTECT, related_name="conflicts")
    trader_code = models.CharField(max_length=18)
    relation = models.CharField(max_length=40)
    declared_at = models.DateTimeField()

    class Meta:
        db_table = "supervision_conflict"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["inspector", "trader_code"], name="supervision_conflict_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.inspector_id} {self.trader_code}"


class Plan(models.Model):
    """One plan of one office in one county and field, and its one draw."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=100)
    agency = models.CharField(max_length=30)
    county_code = models.CharField(max_length=6)
    field_id = models.CharField(max_length=40)
    year = models.IntegerField()
    team = models.IntegerField(default=2)
    rates = models.JSONField(default=dict)
    recipe = models.JSONField(default=dict)
    window_from = models.DateField()
    window_until = models.DateField()  # exclusive
    state = models.CharField(max_length=10, choices=PLAN_LABELS.items(), default=PlanState.DRAFT)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")

    commitment = models.TextField(null=True)
    commitment_sha256 = models.CharField(max_length=64, null=True, unique=True)
    committed_at = models.DateTimeField(null=True)
    committed_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")

    chance_kind = models.CharField(max_length=10, null=True, choices=CHANCE_LABELS.items())
    chance_digits = models.CharField(max_length=128, null=True)
    is_fallback = models.BooleanField(default=False)
    seed = models.CharField(max_length=300, null=True)
    seeded_at = models.DateTimeField(null=True)
    seeded_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    witness = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")

    result_sha256 = models.CharField(max_length=64, null=True)
    drawn_count = models.IntegerField(null=True)
    drawn_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "supervision_plan"
        indexes: ClassVar = [models.Index(fields=["county_code", "year"])]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state__in=["committed", "seeded", "drawn", "published"])
                | Q(commitment_sha256__isnull=False, committed_at__isnull=False),
                name="supervision_committed_first",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["seeded", "drawn", "published"])
                | Q(seed__isnull=False, seeded_at__gt=models.F("committed_at")),
                name="supervision_seed_after_commitment",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["drawn", "published"])
                | Q(result_sha256__isnull=False, drawn_at__gte=models.F("seeded_at")),
                name="supervision_drawn_after_seed",
            ),
            models.CheckConstraint(
                condition=Q(seeded_by=None) | ~Q(seeded_by=models.F("witness")),
                name="supervision_witness_is_another",
            ),
            models.CheckConstraint(condition=Q(team__gte=2), name="supervision_two_at_least"),
        ]

    def __str__(self) -> str:
        return self.number


class Visit(models.Model):
    """One visit to one trader, led by one agency.

    ``place``: division code of her premises, by which an office sees it. ``items``: field of
    supervision → what is checked. A drawn visit names its plan; any other names what caused it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    trader_code = models.CharField(max_length=18, db_index=True)
    place = models.CharField(max_length=9)
    kind = models.CharField(max_length=10, choices=VISIT_LABELS.items())
    agency = models.CharField(max_length=30)
    items = models.JSONField(default=dict)
    basis = models.CharField(max_length=200)
    cause = models.CharField(max_length=200, blank=True)
    trigger = models.CharField(max_length=40, null=True)  # of a targeted one: what brought it
    joined_to = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="joined"
    )
    basis_more = models.JSONField(null=True)  # of the other departments in a joint visit
    level = models.CharField(max_length=6, null=True)  # of the office that leads it: county or city
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT, related_name="visits")
    team = models.JSONField(default=list)
    year = models.IntegerField()
    planned_on = models.DateField(null=True)
    state = models.CharField(max_length=10, default=VisitState.PLANNED)
    code = models.CharField(max_length=12, unique=True)  # 检查码: what she scans at the door
    finding = models.CharField(max_length=12, blank=True, choices=FINDING_LABELS.items())
    found = models.TextField(blank=True)
    correct_until = models.DateField(null=True)
    done_on = models.DateField(null=True)
    done_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    publish_by = models.DateField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "supervision_visit"
        indexes: ClassVar = [models.Index(fields=["agency", "place", "state"])]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["plan", "trader_code"],
                condition=Q(plan__isnull=False),
                name="supervision_drawn_once",
            ),
            models.CheckConstraint(
                condition=~Q(kind="drawn") | Q(plan__isnull=False),
                name="supervision_drawn_by_a_plan",
            ),
            models.CheckConstraint(
                condition=Q(kind="drawn") | ~Q(cause=""), name="supervision_cause_is_told"
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | (Q(done_on__isnull=False) & ~Q(finding="")),
                name="supervision_done_has_a_finding",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trader_code} {self.kind}"


class Breach(models.Model):
    """One breach that was found, of one item of the list, whatever became of it: the memory every
    department asks before it says "first". Not punished is not unrecorded, and is not published.

    ``facts``: what the officer answered, as written. ``compared``: how comparable cases had ended
    when it was decided. ``follows``: None where the rule left it open.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    trader_code = models.CharField(max_length=18)
    place = models.CharField(max_length=9)
    agency = models.CharField(max_length=30)
    item = models.CharField(max_length=40)
    kind = models.CharField(max_length=40)
    found_on = models.DateField()
    visit = models.ForeignKey(Visit, null=True, on_delete=models.PROTECT, related_name="breaches")
    what = models.TextField()
    facts = models.JSONField(default=dict)
    checked_where = models.CharField(max_length=200, blank=True)
    band = models.CharField(max_length=60, blank=True)
    correct_until = models.DateField(null=True)
    corrected_on = models.DateField(null=True)
    not_corrected = models.BooleanField(default=False)
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")

    outcome = models.CharField(max_length=12, null=True, choices=OUTCOME_LABELS.items())
    rule_version = models.CharField(max_length=64, null=True)
    answer = models.CharField(max_length=40, null=True)
    reasons = models.JSONField(default=list)
    follows = models.BooleanField(null=True)
    departure = models.TextField(blank=True)
    education = models.TextField(blank=True)
    compared = models.JSONField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "supervision_breach"
        indexes: ClassVar = [
            models.Index(fields=["trader_code", "kind", "found_on"]),
            models.Index(fields=["item", "band"]),
            models.Index(fields=["agency", "place"]),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(outcome=None)
                | Q(
                    answer__isnull=False,
                    rule_version__isnull=False,
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="supervision_decided_by_a_rule",
            ),
            models.CheckConstraint(
                condition=~Q(follows=False) | ~Q(departure=""),
                name="supervision_departure_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="education") | ~Q(education=""),
                name="supervision_education_is_kept",
            ),
            models.CheckConstraint(
                condition=~Q(not_corrected=True, corrected_on__isnull=False),
                name="supervision_corrected_or_not",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trader_code} {self.item}"


class RecordNote(models.Model):
    """What an office knows of a delivered penalty or mark beyond the delivery: when it was published,
    how grave it is, what has been done since. ``facts``: answers as written, by the names the repair
    rules ask. ``next_on``: the first day repair is possible on some network, as far as known.

    ``contested_*``: an objection that is being looked into marks the record.
    """

    trader_code = models.CharField(max_length=18)
    place = models.CharField(max_length=9)
    record = models.CharField(max_length=80, unique=True)  # dataset:number
    facts = models.JSONField(default=dict)
    next_on = models.DateField(null=True, db_index=True)
    told_at = models.DateTimeField(null=True)
    contested_case = models.UUIDField(null=True)
    contested_at = models.DateTimeField(null=True)
    contested_ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "supervision_recordnote"
        indexes: ClassVar = [models.Index(fields=["trader_code"])]

    def __str__(self) -> str:
        return self.record


class RepairSend(models.Model):
    """One application on its way to one network. ``not_before``: the day that network's own clock is
    over; ``recognises``: the other network's conclusion that goes with it."""

    number = models.CharField(max_length=40, unique=True)
    case = models.UUIDField()
    trader_code = models.CharField(max_length=18)
    place = models.CharField(max_length=9)
    record = models.CharField(max_length=80)
    network = models.CharField(max_length=10, choices=NETWORK_LABELS.items())
    content = models.JSONField()
    not_before = models.DateField()
    state = models.CharField(max_length=10, default=SendState.WAITING)
    recognises = models.JSONField(null=True)
    receipt = models.CharField(max_length=60, blank=True)
    answered_on = models.DateField(null=True)
    why = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "supervision_repairsend"
        indexes: ClassVar = [
            models.Index(fields=["state", "not_before"]),
            models.Index(fields=["trader_code"]),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "network"], name="supervision_sent_once"),
            models.CheckConstraint(
                condition=~Q(state__in=["granted", "refused"])
                | Q(answered_on__isnull=False) & ~Q(receipt=""),
                name="supervision_result_has_a_receipt",
            ),
        ]

    def __str__(self) -> str:
        return self.number
