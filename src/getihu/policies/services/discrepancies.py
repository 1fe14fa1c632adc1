"""What does not add up goes before a person, once."""

from datetime import datetime

from django.db import transaction

from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.policies.models import Discrepancy


def note_discrepancy(kind: str, about: str, detail: str, at: datetime) -> str:
    """Put something that does not add up before a person, once; "found" when it is new."""
    with transaction.atomic():
        _, is_new = Discrepancy.objects.get_or_create(
            kind=kind, about=about, defaults={"detail": detail[:300], "found_at": at}
        )
        if is_new:
            body = {"kind": kind, "detail": detail[:300]}
            audit.record(AuditEvent("payment.discrepancy", "job:payments", about, at, body))
    return "found" if is_new else "again"
