"""Objections to a datum, and who asked to be profiled by a person."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Objection(models.Model):
    """The operator says that a datum is wrong (浙江省公共信用信息管理条例 第三十条；个人信息保护法
    第四十六条). While it is open the datum is marked contested. ``slip`` is the decision made with
    it, kept for good; ``slip_after`` the one made when the department's next delivery came.
    """

    class State(models.TextChoices):
        OPEN = "open", "正在核实"
        PROMISED = "promised", "部门认可，等下一次送达更正"
        CORRECTED = "corrected", "已经更正"
        REFUSED = "refused", "部门核实后不改"
        WITHDRAWN = "withdrawn", "您撤回了"

    case = models.UUIDField(unique=True)
    trader_code = models.CharField(max_length=18, db_index=True)
    department = models.CharField(max_length=40)
    dataset = models.CharField(max_length=40)
    fact = models.CharField(max_length=60)
    shown = models.CharField(max_length=200)
    value_digest = models.CharField(max_length=64)
    snapshot_id = models.CharField(max_length=40)
    as_of = models.DateField()
    opened_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    slip = models.BinaryField()
    slip_sha256 = models.CharField(max_length=64)
    decided_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    shown_after = models.CharField(max_length=200, blank=True)
    snapshot_after = models.CharField(max_length=40, blank=True)
    slip_after = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trader_code", "fact"],
                condition=Q(state__in=["open", "promised"]),
                name="growth_one_objection_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "promised"], ended_at=None)
                | Q(state__in=["corrected", "refused", "withdrawn"], ended_at__isnull=False),
                name="growth_objection_ends",
            ),
            models.CheckConstraint(
                condition=~Q(state="corrected") | ~Q(snapshot_after=""),
                name="growth_corrected_by_a_delivery",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fact} {self.state}"


class HumanProfile(models.Model):
    """The operator does not want to be typed by a machine alone (个人信息保护法 第二十四条第三款):
    what a person decided, from when until she takes it back."""

    case = models.UUIDField(unique=True)
    trader_code = models.CharField(max_length=18)
    outcome = models.CharField(max_length=300)
    decided_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trader_code"], condition=Q(ended_at=None), name="growth_one_human_profile"
            )
        ]

    def __str__(self) -> str:
        return self.outcome
