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
