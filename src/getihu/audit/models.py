"""Tables of the audit log. They only grow: triggers refuse the rest (guards.py)."""

from typing import ClassVar

from django.db import models


class Event(models.Model):
    """One event. ``record`` is the committed text; the columns repeat it for search.

    ``log_index`` is the only column that ever changes, once, from null to the event's place.
    """

    kind = models.CharField(max_length=80)
    actor = models.CharField(max_length=160)
    object_ref = models.CharField(max_length=160, db_index=True)
    at = models.DateTimeField(db_index=True)
    record = models.BinaryField()
    salt = models.BinaryField()
    commitment = models.CharField(max_length=64, unique=True)
    # Digest of the key its personal part lies under; empty where there is none.
    key_digest = models.CharField(max_length=64, blank=True, default="")
    log_index = models.BigIntegerField(null=True, unique=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["id"],
                condition=models.Q(log_index__isnull=True),
                name="audit_event_waiting",
            ),
            # Who did much of one thing lately is asked every few seconds.
            models.Index(fields=["kind", "at"], name="audit_event_kind_at"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(log_index__isnull=True) | models.Q(log_index__gte=0),
                name="audit_event_index_from_zero",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_ref}"


class SubjectKey(models.Model):
    """The key of one subject's personal content. Destroying it erases that content for good.

    Once destroyed, ``key`` and ``subject`` are null; the digest stays, for the proofs.
    """

    subject = models.CharField(max_length=160, null=True, unique=True)
    key = models.BinaryField(null=True)
    key_digest = models.CharField(max_length=64, unique=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(
                    subject__isnull=False, key__isnull=False, destroyed_at__isnull=True
                )
                | models.Q(subject__isnull=True, key__isnull=True, destroyed_at__isnull=False),
                name="audit_subject_key_whole_or_destroyed",
            ),
        ]

    def __str__(self) -> str:
        return self.key_digest


class Checkpoint(models.Model):
    """A signed state of the log, written here before it is published. One per size, for ever."""

    size = models.BigIntegerField(unique=True)
    root = models.CharField(max_length=64)
    note = models.TextField()
    signed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.size} {self.root}"
