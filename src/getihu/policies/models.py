"""Awards, their budgets, and everything that happens to them. Money is whole cents."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from getihu.policies.machine import AwardState

ACCOUNT = settings.AUTH_USER_MODEL


class AllowedMove(models.Model):
    """The table of moves, for the trigger that refuses every other one."""

    before = models.CharField(max_length=12)
    after = models.CharField(max_length=12)

    class Meta:
        db_table = "policies_allowed_move"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["before", "after"], name="policies_allowed_move_once")
        ]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class ReviewAnswer(models.Model):
    """A named person's answer to one finding of a fair-competition review, for one version of a
    rule; only added."""

    rule_id = models.CharField(max_length=80)
    rule_version = models.CharField(max_length=64)
    finding = models.CharField(max_length=80)
    ground = models.CharField(max_length=1000)
    article = models.CharField(max_length=300)
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule_id", "rule_version", "finding"], name="policies_answer_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.finding}"


class Budget(models.Model):
    """The money of one programme in one period: what is left can never be below nothing."""

    programme_id = models.CharField(max_length=80)
    period = models.CharField(max_length=10)
    total_cents = models.BigIntegerField()
    reserved_cents = models.BigIntegerField(default=0)
    ordered_cents = models.BigIntegerField(default=0)
    paid_cents = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["programme_id", "period"], name="policies_budget_once"),
            models.CheckConstraint(
                condition=Q(reserved_cents__gte=0, ordered_cents__gte=0, paid_cents__gte=0)
                & Q(
                    total_cents__gte=F("reserved_cents") + F("ordered_cents") + F("paid_cents"),
                ),
                name="policies_budget_never_overspent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme_id} {self.period}"

    @property
    def left_cents(self) -> int:
        return self.total_cents - self.reserved_cents - self.ordered_cents - self.paid_cents


class AwardRun(models.Model):
    """One decision over the whole city: a dry run somebody approves, or the run that awards.

    ``list_sha256`` is of the list of everybody entitled, in order; the list itself lies beside the
    snapshots. ``findings`` say why a run was stopped. ``by_application``: no list, but what people
    granted on one day's data, one after the other.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    programme_id = models.CharField(max_length=80, db_index=True)
    period = models.CharField(max_length=10)
    family = models.CharField(max_length=80)
    rule_id = models.CharField(max_length=80)
    rule_version = models.CharField(max_length=64)
    as_of = models.DateField()
    snapshot_id = models.CharField(max_length=40)
    state = models.CharField(max_length=12)
    is_dry = models.BooleanField()
    by_application = models.BooleanField(default=False)
    approved_run = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    seed = models.CharField(max_length=64, blank=True)
    entitled_count = models.IntegerField(default=0)
    entitled_cents = models.BigIntegerField(default=0)
    unknown_count = models.IntegerField(default=0)
    already_count = models.IntegerField(default=0)
    unplaced_count = models.IntegerField(default=0)
    list_sha256 = models.CharField(max_length=64, blank=True)
    findings = models.JSONField(default=list)
    corrected_snapshot = models.CharField(
        max_length=40, blank=True
    )  # what was paid, held against it
    planned_at = models.DateTimeField()
    planned_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("planned_by")),
                name="policies_run_second_person",
            ),
            models.UniqueConstraint(
                fields=["programme_id", "period"],
                condition=Q(is_dry=False, state="allotting"),
                name="policies_one_run_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["programme_id", "period", "rule_version", "as_of", "snapshot_id"],
                condition=Q(by_application=True),
                name="policies_one_run_of_grants",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme_id} {self.period}"


class Award(models.Model):
    """What one trader gets under one programme in one period: at most one per family.

    ``adjustment``: this is what a correction showed she lacks, once per correction; the database
    holds that it is not more than that. ``case_id``: granted on her application.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    run = models.ForeignKey(AwardRun, on_delete=models.PROTECT, related_name="awards")
    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="+")
    family = models.CharField(max_length=80)
    subject = models.CharField(max_length=18)
    period = models.CharField(max_length=10)
    trader_code = models.CharField(max_length=18, db_index=True)
    division = models.CharField(max_length=9, db_index=True, blank=True)
    position = models.IntegerField()
    cents = models.BigIntegerField()
    state = models.CharField(max_length=12)
    slip_sha256 = models.CharField(max_length=64)
    slip = models.BinaryField()
    is_sampled = models.BooleanField(null=True)  # None: in no draw yet
    confirm_until = models.DateField()
    entitled_at = models.DateTimeField()
    paid_on = models.DateField(null=True)
    adjustment = models.ForeignKey(
        "Adjustment", null=True, on_delete=models.PROTECT, related_name="top_ups"
    )
    case_id = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["family", "subject", "period"],
                condition=Q(adjustment=None),
                name="policies_one_award",
            ),
            models.UniqueConstraint(
                fields=["adjustment"],
                condition=Q(adjustment__isnull=False),
                name="policies_one_top_up",
            ),
            models.UniqueConstraint(
                fields=["case_id"],
                condition=Q(case_id__isnull=False),
                name="policies_one_award_of_a_case",
            ),
            models.CheckConstraint(condition=Q(cents__gt=0), name="policies_award_gives"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in AwardState]), name="policies_state_known"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["run", "state", "position"])]

    def __str__(self) -> str:
        return str(self.pk)


class SubjectAlias(models.Model):
    """A later code of the same operator (个转企 by a new registration, 变更): awards count for the
    first one. Kept by a named person with what she saw; the database gives one subject one award,
    whichever code asks."""

    trader_code = models.CharField(max_length=18, primary_key=True)
    subject = models.CharField(max_length=18, db_index=True)
    evidence = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(trader_code=F("subject")), name="policies_alias_of_another"
            )
        ]

    def __str__(self) -> str:
        return "alias"


class AwardMove(models.Model):
    """One thing that happened to an award; only added."""

    award = models.ForeignKey(Award, on_delete=models.CASCADE, related_name="moves")
    before = models.CharField(max_length=12, blank=True)
    after = models.CharField(max_length=12)
    side = models.CharField(max_length=8)
    by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    article = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class LedgerEntry(models.Model):
    """Money moved from one account of a budget to another; only added. Both sides in one row, so
    that debits equal credits whatever happens."""

    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="entries")
    award = models.ForeignKey(Award, null=True, on_delete=models.PROTECT, related_name="entries")
    source = models.CharField(max_length=10)
    target = models.CharField(max_length=10)
    cents = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(cents__gt=0) & ~Q(source=F("target")), name="policies_entry_moves_money"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} → {self.target} {self.cents}"


class PayeeAccount(models.Model):
    """Where a trader wants her money, sealed; ``ending`` is what people may see of it."""

    trader_code = models.CharField(max_length=18)
    sealed = models.BinaryField()
    ending = models.CharField(max_length=4)
    bank = models.CharField(max_length=60)
    consented_at = models.DateTimeField()  # 个人信息保护法 第二十九条 单独同意
    replaced_at = models.DateTimeField(null=True)
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trader_code"],
                condition=Q(replaced_at=None),
                name="policies_one_account_in_use",
            )
        ]

    def __str__(self) -> str:
        return f"**** {self.ending}"


class SampleCheck(models.Model):
    """A person looked at one award of the sample; once."""

    award = models.OneToOneField(Award, on_delete=models.CASCADE, related_name="check_made")
    is_right = models.BooleanField()
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.is_right)


class Batch(models.Model):
    """Payments released together by two people."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(AwardRun, on_delete=models.PROTECT, related_name="batches")
    count = models.IntegerField()
    cents = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    prepared_by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField()
    released_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True, db_index=True)
    tries = models.IntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(released_by__isnull=True) | ~Q(released_by=F("prepared_by")),
                name="policies_batch_two_people",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True) | Q(released_by__isnull=False),
                name="policies_batch_released_first",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Order(models.Model):
    """One payment order. The first try has the award's own number; a try after a return the next."""

    id = models.CharField(primary_key=True, max_length=40)
    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="orders")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="orders")
    payee_account = models.ForeignKey(PayeeAccount, on_delete=models.PROTECT, related_name="+")
    attempt = models.IntegerField()
    cents = models.BigIntegerField()
    result = models.CharField(max_length=8, blank=True)
    answered_on = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["award", "attempt"], name="policies_one_try_each"),
            models.UniqueConstraint(
                fields=["award"], condition=~Q(result="returned"), name="policies_one_open_order"
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Statement(models.Model):
    """One line of the treasury's statement, as it came; only added."""

    line_id = models.CharField(primary_key=True, max_length=80)
    order_id = models.CharField(max_length=80, db_index=True)
    result = models.CharField(max_length=8)
    cents = models.BigIntegerField()
    on = models.DateField()
    why = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.line_id


class Discrepancy(models.Model):
    """Something that does not add up, for a person; once per kind and thing."""

    kind = models.CharField(max_length=20)
    about = models.CharField(max_length=80)
    detail = models.CharField(max_length=300)
    found_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    how = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "about"], name="policies_discrepancy_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"


class Adjustment(models.Model):
    """A correction showed that a paid award was too much or too little. Too little: a named person
    has the rest paid as an award of its own; too much: it comes back only by such a decision."""

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="adjustments")
    snapshot_id = models.CharField(max_length=40)
    should_cents = models.BigIntegerField(null=True)  # None: no longer known
    slip_sha256 = models.CharField(max_length=64)
    slip = models.BinaryField()
    state = models.CharField(max_length=10)
    reason = models.CharField(max_length=500, blank=True)
    article = models.CharField(max_length=200, blank=True)
    claim_cents = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField()
    decided_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    second_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    second_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["award"], condition=Q(state="open"), name="policies_one_open_adjustment"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "proposed"]) | Q(decided_by__isnull=False),
                name="policies_adjusted_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(second_by__isnull=True) | ~Q(second_by=F("decided_by")),
                name="policies_adjusted_by_two",
            ),
        ]

    def __str__(self) -> str:
        return self.state


class Instalment(models.Model):
    """One part of money asked back."""

    adjustment = models.ForeignKey(Adjustment, on_delete=models.PROTECT, related_name="instalments")
    number = models.IntegerField()
    due_on = models.DateField()
    cents = models.BigIntegerField()
    received_on = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["adjustment", "number"], name="policies_instalment_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class MatchConsent(models.Model):
    """Consents to find policies, as they were kept before the registry kept all of them. Copied
    there by a migration and read no more; the table goes with a later release."""

    trader_code = models.CharField(max_length=18, db_index=True)
    article = models.CharField(max_length=200)
    by = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trader_code", "article"],
                condition=Q(until=None),
                name="policies_one_consent",
            )
        ]

    def __str__(self) -> str:
        return self.article


class Push(models.Model):
    """A trader was told of a policy: of a match once for ever, of 差一步 once a quarter at most."""

    class Kind(models.TextChoices):
        MATCH = "match", "符合，告诉她"
        NEAR = "near", "差一步，告诉她"
        AWARD = "award", "免申即享，请她确认"

    rule_id = models.CharField(max_length=80)
    rule_version = models.CharField(max_length=64)
    trader_code = models.CharField(max_length=18)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    quarter = models.CharField(max_length=6, blank=True)  # 2026Q4, of 差一步 alone
    snapshot_id = models.CharField(max_length=40)
    pushed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule_id", "trader_code", "kind"],
                condition=Q(kind="match"),
                name="policies_pushed_once",
            ),
            models.UniqueConstraint(
                fields=["trader_code", "quarter"],
                condition=Q(kind="near"),
                name="policies_near_once_a_quarter",
            ),
            models.CheckConstraint(
                condition=Q(kind="near") & ~Q(quarter="") | ~Q(kind="near") & Q(quarter=""),
                name="policies_quarter_of_near",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["rule_id", "kind"])]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.kind}"


class PushRun(models.Model):
    """One pass over every operator with an account, for one published snapshot and quarter."""

    snapshot_id = models.CharField(max_length=40)
    as_of = models.DateField()
    quarter = models.CharField(max_length=6)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)  # rule id → what became of its matches

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["snapshot_id", "quarter"], name="policies_push_run_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id} {self.quarter}"


class PolicyDraft(models.Model):
    """A policy being written: its rule and cases as text, until a second person publishes it.

    Published texts are the record; the files the rulebook reads are written from them.
    """

    class State(models.TextChoices):
        WRITING = "writing", "在写"
        SUBMITTED = "submitted", "等第二个人审核"
        RETURNED = "returned", "退回修改"
        PUBLISHED = "published", "已公布"
        ABANDONED = "abandoned", "不写了"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule_id = models.CharField(max_length=80, db_index=True)
    title = models.CharField(max_length=200)
    text = models.TextField()
    cases_text = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WRITING)
    note = models.CharField(max_length=500, blank=True)  # why it was returned
    file_name = models.CharField(max_length=120, blank=True)  # known once published
    drift_key = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(ACCOUNT, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(published_by__isnull=True) | ~Q(published_by=F("author")),
                name="policies_draft_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="published")
                | Q(published_by__isnull=False, published_at__isnull=False) & ~Q(file_name=""),
                name="policies_published_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.rule_id
