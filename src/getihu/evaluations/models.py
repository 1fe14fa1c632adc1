"""Ratings, apart from who gave them.

``CaseRated`` knows that a case was rated, and on which day. ``Rating`` knows what was said of a
matter at an office, and on which day. Nothing leads from one to the other: no key, no time of day,
no account, no trader. The rater alone holds the code whose digest stands in the rating.

What somebody with the whole database could still infer: the order in which rows were written (row
numbers of SQLite, transaction numbers of PostgreSQL, its write-ahead log and backups), and the
only case of an office that was rated on a day. Offices have no way to either: their pages show no
``CaseRated``. A small office may still guess from what a bad rating says; the rater is told so
before she gives it.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from getihu.evaluations.contracts import BAD, Grade, Outcome, RatingChannel, RectificationState

ACCOUNT = settings.AUTH_USER_MODEL


class CaseRated(models.Model):
    """This case was rated on this day: one rating per case (一事一评). A trigger lets only decided
    cases in."""

    case = models.OneToOneField(
        "cases.Case", primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    on = models.DateField()

    def __str__(self) -> str:
        return str(self.case_id)


class Rating(models.Model):
    """One rating. Never changed; a later opinion is a follow-up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    matter_id = models.CharField(max_length=60)
    agency = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    on = models.DateField(db_index=True)
    grade = models.PositiveSmallIntegerField()
    comment = models.CharField(max_length=500, blank=True)
    channel = models.CharField(max_length=8)
    # SHA-256 of the rater's code.
    code_digest = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(grade__in=[g.value for g in Grade]), name="evaluations_five_grades"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=[c.value for c in RatingChannel]),
                name="evaluations_channel_known",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RatingContact(models.Model):
    """Where the rater of a bad rating wants to be called back, if she left it. Personal: shown to
    the office until it is erased, never logged."""

    rating = models.OneToOneField(
        Rating, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    value = models.CharField(max_length=100)

    def __str__(self) -> str:
        return str(self.rating_id)


class FollowUp(models.Model):
    """The one rating after the rating (追评)."""

    rating = models.OneToOneField(
        Rating, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    on = models.DateField()
    grade = models.PositiveSmallIntegerField()
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(grade__in=[g.value for g in Grade]),
                name="evaluations_follow_up_five_grades",
            )
        ]

    def __str__(self) -> str:
        return str(self.rating_id)


class Rectification(models.Model):
    """What an office does about a bad rating: call back, then mend or show that nothing was wrong.

    Not a run of a matter: a case has a trader and an applicant, this must have neither. Its terms
    are those of the cases' clocks. ``due_on`` is the last day of the clock that runs: of calling
    back while waiting, of mending after.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=20, unique=True)
    rating = models.OneToOneField(Rating, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, default=RectificationState.WAITING.value)
    due_on = models.DateField(null=True)
    is_provisional = models.BooleanField(default=False)
    called_back_at = models.DateTimeField(null=True)
    called_back_by = models.ForeignKey(
        ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reply = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=10, blank=True)
    result = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    state=RectificationState.WAITING.value,
                    due_on__isnull=False,
                    called_back_at=None,
                    ended_at=None,
                )
                | (
                    Q(
                        state=RectificationState.MENDING.value,
                        due_on__isnull=False,
                        called_back_at__isnull=False,
                        called_back_by__isnull=False,
                        ended_at=None,
                    )
                    & ~Q(reply="")
                )
                | (
                    Q(
                        state=RectificationState.ENDED.value,
                        due_on=None,
                        called_back_at__isnull=False,
                        ended_at__isnull=False,
                        ended_by__isnull=False,
                        outcome__in=[o.value for o in Outcome],
                    )
                    & ~Q(reply="")
                    & ~Q(result="")
                ),
                name="evaluations_rectification_steps",
            ),
            # Who handled the rating is not the one to say that nothing was wrong.
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.UNFOUNDED.value) | ~Q(ended_by=F("called_back_by")),
                name="evaluations_unfounded_by_another",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_on"],
                name="evaluations_due",
                condition=Q(due_on__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.number


class RectificationLate(models.Model):
    """A clock of a rectification ran over and its superiors were told: once for each."""

    rectification = models.ForeignKey(Rectification, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rectification", "state"], name="evaluations_late_once")
        ]

    def __str__(self) -> str:
        return f"{self.rectification_id} {self.state}"


class SealedDay(models.Model):
    """A day's ratings as the audit log knows them: their number and one digest over all of them,
    in an order that says nothing. A rating changed or taken away afterwards shows."""

    day = models.DateField(primary_key=True)
    count = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return str(self.day)


class VisitToRate(models.Model):
    """A visit to a window that can be rated once (一次一评), by whoever holds its ticket or made the
    visit. ``rated_on`` says that it was, never how: nothing leads from here to the rating.

    ``ticket_digest`` is of the code handed out on paper; null until one was. ``case`` was decided
    in this very visit: visit and case then have one rating together. ``about``: what else than a
    visit it is, such as an appeal that was closed; null: a visit to a window.
    """

    visit = models.UUIDField(primary_key=True)
    number = models.CharField(max_length=60)
    agency = models.CharField(max_length=40)
    division = models.CharField(max_length=9)
    until = models.DateField()
    ticket_digest = models.CharField(max_length=64, null=True, unique=True)
    case = models.UUIDField(null=True)
    rated_on = models.DateField(null=True)
    about = models.CharField(max_length=20, null=True)

    def __str__(self) -> str:
        return self.number


BAD_GRADES = sorted(grade.value for grade in BAD)
