"""People who sign in, the roles they hold, the traders they own or may act for.

Nothing here is ever deleted: rights end by a moment, so that who could do what on any day can be
answered later.
"""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q

from getihu.accounts.contracts import ROLE_DUTY, Duty, Purpose, Role


class Account(AbstractBaseUser):
    """One person who signs in. ``duty`` never changes (a trigger holds it)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    login = models.CharField(max_length=120, unique=True)
    name = models.CharField(max_length=60)
    duty = models.CharField(max_length=10, choices=[(d.value, d.value) for d in Duty])
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # Who the identity provider says this is; null for accounts that sign in by password.
    identity_issuer = models.CharField(max_length=120, null=True)
    identity_subject = models.CharField(max_length=120, null=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar = []

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["identity_issuer", "identity_subject"], name="accounts_identity_once"
            ),
            models.CheckConstraint(
                condition=Q(duty__in=[d.value for d in Duty]), name="accounts_duty_known"
            ),
        ]

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.closed_at is None

    def __str__(self) -> str:
        return str(self.id)  # never the name: this text reaches logs


def _role_fits_duty() -> Q:
    """Each administrator's role has its own duty, every other role is business."""
    fits = Q()
    for role, duty in ROLE_DUTY.items():
        fits |= Q(role=role.value, duty=duty.value)
    administrators = [role.value for role in ROLE_DUTY]
    return fits | (Q(duty=Duty.BUSINESS.value) & ~Q(role__in=administrators))


class Assignment(models.Model):
    """A role × agency × region, from a moment until a moment (null: still holds)."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=30, choices=[(r.value, r.value) for r in Role])
    # Copied from the account; the check below and a trigger keep the three administrations apart.
    duty = models.CharField(max_length=10)
    agency = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    granted_by = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "role", "agency", "division"],
                condition=Q(until=None),
                name="accounts_assignment_once",
            ),
            models.CheckConstraint(condition=_role_fits_duty(), name="accounts_role_fits_duty"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("since")), name="accounts_assignment_period"
            ),
            # Nobody grants a right to themselves.
            models.CheckConstraint(
                condition=Q(granted_by=None) | ~Q(granted_by=F("account")),
                name="accounts_no_self_grant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.role} {self.division}"


class Ownership(models.Model):
    """A person is the operator of a trader, by the evidence named (登记 or 身份核验)."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    trader_code = models.CharField(max_length=18, db_index=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    evidence = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "trader_code"],
                condition=Q(until=None),
                name="accounts_ownership_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.since:%Y-%m-%d}"


class Claim(models.Model):
    """An account opened at a window for somebody who had none: nobody can sign in with it, and who
    it is gets what it owns by the code of her slip. ``code_digest`` is empty until a slip is
    printed."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="+")
    opened_by = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    code_digest = models.CharField(max_length=64, blank=True, db_index=True)
    until = models.DateTimeField(null=True)
    tries_left = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(claimed_by=None, claimed_at=None)
                | Q(claimed_by__isnull=False, claimed_at__isnull=False),
                name="accounts_claimed_by_somebody",
            ),
            # Who opened it never gets what it owns.
            models.CheckConstraint(
                condition=Q(claimed_by=None)
                | ~Q(claimed_by=F("opened_by")) & ~Q(claimed_by=F("account")),
                name="accounts_claimed_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"claim {self.pk}"


class ClaimTries(models.Model):
    """How many wrong codes a person gave on a day."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    on = models.DateField()
    wrong = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "on"], name="accounts_claim_tries_once")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.on}"


class UsedTicket(models.Model):
    """A ticket of the provincial login that signed somebody in; only its digest. A second time it
    is refused here, whatever the province says."""

    digest = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest[:8]


class Authorisation(models.Model):
    """An owner lets another person view or act, for a purpose and a limited time."""

    trader_code = models.CharField(max_length=18, db_index=True)
    by = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    to = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=10, choices=[(p.value, p.value) for p in Purpose])
    since = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(until__gt=F("since")), name="accounts_authorisation_period"
            ),
            models.CheckConstraint(
                condition=~Q(by=F("to")), name="accounts_authorisation_to_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by_id} → {self.to_id}"
