"""Bookkeeping of the data plane: what was delivered, what came of it, what is published.

The delivered rows themselves are Parquet files (docs/adr/0002).
"""

from typing import ClassVar

from django.db import models


class Delivery(models.Model):
    """One attempt to deliver. A number may be tried again; only one attempt is ever published."""

    class Status(models.TextChoices):
        PUBLISHED = "published", "已发布"
        HELD = "held", "待人工"
        REJECTED = "rejected", "已拒收"
        DUPLICATE = "duplicate", "重复送达"

    delivery_id = models.CharField(max_length=80, db_index=True)
    content_sha256 = models.CharField(max_length=64)
    dataset = models.CharField(max_length=40)
    department = models.CharField(max_length=40)
    period = models.CharField(max_length=20)
    issued_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    covers_until = models.DateField(null=True)
    divisions = models.JSONField(default=list)
    corrects = models.CharField(max_length=80, null=True)
    is_late = models.BooleanField(default=False)
    rows_in = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    duplicate = models.BigIntegerField(default=0)
    status = models.CharField(max_length=12, choices=Status.choices)
    problem = models.TextField(blank=True)
    released_by = models.CharField(max_length=80, blank=True)
    release_reason = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["delivery_id"],
                condition=models.Q(status="published"),
                name="dataplane_delivery_published_once",
            ),
            # Nothing vanishes: every row received is accepted, quarantined or a duplicate.
            models.CheckConstraint(
                condition=~models.Q(status="published")
                | models.Q(
                    rows_in=models.F("accepted") + models.F("quarantined") + models.F("duplicate")
                ),
                name="dataplane_delivery_rows_conserved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.status}"


class QuarantineReason(models.Model):
    """How many rows of a delivery were held back for one reason."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="+")
    reason_code = models.CharField(max_length=40)
    reason = models.CharField(max_length=200)
    rows = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["delivery", "reason_code"], name="dataplane_quarantine_reason_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.reason_code} {self.rows}"


class Snapshot(models.Model):
    """One published state. Inserting the row is what publishes it; rows never change."""

    number = models.PositiveIntegerField(unique=True)
    snapshot_id = models.CharField(max_length=13, unique=True)
    published_at = models.DateTimeField()
    data_until = models.DateField()
    row_count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.number} {self.snapshot_id}"


class SnapshotDelivery(models.Model):
    """A published delivery that belongs to a snapshot."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="+")
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["snapshot", "delivery"], name="dataplane_snapshot_delivery_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id} {self.delivery_id}"
