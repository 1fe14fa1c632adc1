"""Consents of traders' operators: the one place where they are kept. Given, ended, never deleted."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

ACCOUNT = settings.AUTH_USER_MODEL


class Consent(models.Model):
    """An operator's written consent that facts an article names be used for one purpose
    (浙江省公共信用信息管理条例 第十四条；个人信息保护法 第十四、十五、二十九条).

    ``by`` is None for a consent signed on paper. ``ended_at`` None: it holds.
    """

    class How(models.TextChoices):
        ONLINE = "online", "网上同意"
        PAPER = "paper", "书面同意书"

    class End(models.TextChoices):
        WITHDRAWN = "withdrawn", "本人撤回"
        EXPIRED = "expired", "到期"

    trader_code = models.CharField(max_length=18, db_index=True)
    purpose = models.CharField(max_length=20)
    article = models.CharField(max_length=200)
    how = models.CharField(max_length=10, choices=How.choices)
    by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    expires_on = models.DateField(null=True)  # the first day it no longer holds
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    ended_how = models.CharField(max_length=10, choices=End.choices, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trader_code", "purpose", "article"],
                condition=Q(ended_at=None),
                name="registry_one_consent",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("given_at")),
                name="registry_consent_period",
            ),
            models.CheckConstraint(
                condition=Q(how="paper") | Q(by__isnull=False), name="registry_consent_by_somebody"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["purpose", "ended_at"])]

    def __str__(self) -> str:
        return f"{self.purpose} {self.article}"
