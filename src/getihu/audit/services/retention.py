"""The end of an event's term: what it said goes, that it was there stays."""

from datetime import datetime

from django.db import transaction
from django.db.models import Case, F, Max, Min, Value, When

from getihu.audit.contracts import AuditEvent
from getihu.audit.guards import KEPT_YEARS
from getihu.audit.models import Checkpoint, Event
from getihu.audit.selectors import EMPTIED, NOTHING
from getihu.audit.services.events import record
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import add_months

BATCH = 10_000


class TooEarly(GetihuError):
    """Events are kept for three years at least."""


def empty_old_events(before: datetime, *, at: datetime) -> int:
    """Empty the events of the log's beginning that are all older than ``before``: text, salt, actor
    and object go (a slip's digest stays, to find it by), commitment and place remain, so every
    proof and every checkpoint holds. Says in the log how far it went. Returns how many; as many as
    fit one transaction, the rest the next time.

    Raises TooEarly for what is younger than three years; the database refuses that as well.
    """
    oldest_kept = add_months(at.date(), -12 * KEPT_YEARS)
    if before.date() > oldest_kept:
        raise TooEarly(f"审计事件至少保存 {KEPT_YEARS} 年，{oldest_kept} 以后的不能清。")
    signed = Checkpoint.objects.aggregate(n=Max("size"))["n"] or 0
    kept = Event.objects.filter(log_index__isnull=False, at__gte=before)
    end = kept.aggregate(n=Min("log_index"))["n"]
    end = signed if end is None else min(end, signed)
    with transaction.atomic():
        full = Event.objects.filter(log_index__lt=end).exclude(record=NOTHING)
        through = list(full.order_by("log_index").values_list("log_index", flat=True)[:BATCH])
        if not through:
            return 0
        gone = full.filter(log_index__lte=through[-1]).update(
            record=NOTHING,
            salt=NOTHING,
            actor="",
            key_digest="",
            object_ref=Case(
                When(object_ref__startswith="slip:", then=F("object_ref")), default=Value("")
            ),
        )
        body = {"through": through[-1], "before": before, "count": gone}
        record(AuditEvent(EMPTIED, "job:retention", f"log:{through[-1]}", at, body))
    return gone
