"""Published figures: what was measured, over which data, by which text. Rows are only added."""

from typing import ClassVar

from django.db import models


class Definition(models.Model):
    """The text of an indicator as it once measured: so that a figure can be made again for ever."""

    text_sha256 = models.CharField(primary_key=True, max_length=64)
    indicator_id = models.CharField(max_length=60, db_index=True)
    version = models.IntegerField()
    text = models.TextField()
    first_used_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.indicator_id} v{self.version}"


class Measurement(models.Model):
    """One pass of one definition over one snapshot and the work tables frozen for it.

    ``digest`` names it in public: of the definition, the snapshot, the frozen tables and the months
    asked; ``result_sha256`` of every figure it gave, in order.
    """

    digest = models.CharField(primary_key=True, max_length=64)
    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="+")
    snapshot_id = models.CharField(max_length=80)
    work = models.CharField(max_length=64, blank=True)  # digest of the frozen work tables
    months = models.JSONField()  # the days it speaks of
    result_sha256 = models.CharField(max_length=64)
    measured_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest[:12]


class Figure(models.Model):
    """One number: an indicator on a day in a county, or in the city (330300).

    ``part`` of ``whole`` (null: a plain number); ``unknown``: of whom it is not known. ``value`` is
    null where there is nothing to divide by. ``low`` and ``high``: a 95 % interval, null where the
    figure counts everybody. ``is_withheld``: too few to be told, or needed to hide those that are.
    """

    measurement = models.ForeignKey(Measurement, on_delete=models.CASCADE, related_name="figures")
    as_of = models.DateField()
    division = models.CharField(max_length=6)
    part = models.DecimalField(max_digits=22, decimal_places=2)
    whole = models.DecimalField(max_digits=22, decimal_places=2, null=True)
    unknown = models.DecimalField(max_digits=22, decimal_places=2, null=True)
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    is_withheld = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["measurement", "as_of", "division"], name="insight_figure_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.division} {self.as_of}"


class MeasuredDay(models.Model):
    """A day on which everything due was measured, over the snapshot named."""

    on = models.DateField(primary_key=True)
    snapshot_id = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.on.isoformat()


class Report(models.Model):
    """A report as it was published: the text with its figures, each with the digest it came from.
    A later one of the same quarter is a new edition; rows are only added (migration 0002)."""

    quarter = models.CharField(max_length=6)  # 2026Q3
    edition = models.IntegerField()
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["quarter", "edition"], name="insight_report_once")
        ]

    def __str__(self) -> str:
        return f"{self.quarter} 第 {self.edition} 版"
