"""Events for other systems: kept with the change they tell of, delivered until they are taken."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from django.db import transaction
from django.db.models import F

from getihu.notifications.carriers.webhook import endpoints, send_signed
from getihu.notifications.contracts import EVENT_TYPES, EventReport
from getihu.notifications.models import EventDelivery, PublishedEvent
from getihu.notifications.ports import PermanentFailure, TemporaryFailure

SOURCE = "urn:getihu:330300"
# After the first attempt: the pauses Standard Webhooks recommends, three days in all.
RETRY_AFTER = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
# A worker that has not reported by then has died; the event goes again under the same id.
LEASE = timedelta(minutes=2)


def publish(type_: str, *, subject: str, data: Mapping[str, str], at: datetime) -> None:
    """Keep an event for every endpoint that wants it; without any, nothing is kept.

    Call it inside the transaction that makes it true: both are kept or neither. ``subject`` and
    ``data`` hold ids and words of ours, never a person's. Raises BadEndpoint.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("publish an event inside the transaction it tells of")
    if type_ not in EVENT_TYPES:
        raise ValueError(f"unknown event type {type_}")
    wanted_by = [e.name for e in endpoints().values() if e.wants(type_)]
    if not wanted_by:
        return
    event = PublishedEvent.objects.create(type=type_, subject=subject, at=at, data=dict(data))
    EventDelivery.objects.bulk_create(
        EventDelivery(event=event, endpoint=name, next_try_at=at) for name in wanted_by
    )


def deliver_events(at: datetime, *, limit: int = 50) -> EventReport:
    """Send what is due by now. Several workers may do it at once, again, and after any stop.

    No transaction is open while the other side takes its time. A worker that dies after the other
    side has taken an event sends it once more under the same ``webhook-id``. An endpoint that did
    not take one is left alone for the rest of the sweep: a dead one costs one time-out.
    """
    due = EventDelivery.objects.filter(next_try_at__lte=at).order_by("next_try_at", "id")
    done: Counter[str] = Counter()
    down: set[str] = set()
    for pk, endpoint in list(due.values_list("pk", "endpoint")[:limit]):
        if endpoint in down:
            continue
        what = _send_one(pk, at)
        done[what] += 1
        if what == "to_retry":
            down.add(endpoint)
    return EventReport(sent=done["sent"], failed=done["failed"], to_retry=done["to_retry"])


def retry_failed(endpoint: str, *, at: datetime) -> int:
    """Try again, from the start, what an endpoint did not take; returns how many."""
    given_up = EventDelivery.objects.filter(endpoint=endpoint, sent_at=None, next_try_at=None)
    return given_up.update(next_try_at=at, attempts=0, why_not="")


def event_body(event: PublishedEvent) -> bytes:
    """The event as CloudEvents 1.0 in JSON: the same bytes at every attempt."""
    told = CloudEvent(
        {
            "id": str(event.pk),
            "source": SOURCE,
            "type": event.type,
            "subject": event.subject,
            "time": event.at.astimezone(UTC),
            "datacontenttype": "application/json",
        },
        event.data,
    )
    return JSONFormat().write(told)


def _send_one(delivery_id: int, at: datetime) -> str:
    # Claimed by a conditional update: of several workers one gets it.
    mine = EventDelivery.objects.filter(pk=delivery_id, next_try_at__lte=at)
    if not mine.update(next_try_at=at + LEASE, attempts=F("attempts") + 1):
        return "elsewhere"
    row = EventDelivery.objects.select_related("event").get(pk=delivery_id)
    endpoint = endpoints().get(row.endpoint)
    if endpoint is None:
        return _try_again(row, at, "设置里没有这个接收方")
    try:
        body = event_body(row.event)
        send_signed(endpoint, str(row.event_id), body, JSONFormat.CONTENT_TYPE, at)
    except PermanentFailure as error:
        return _give_up(row, str(error))
    except TemporaryFailure as error:
        return _try_again(row, at, str(error))
    EventDelivery.objects.filter(pk=row.pk).update(sent_at=at, next_try_at=None, why_not="")
    return "sent"


def _try_again(row: EventDelivery, at: datetime, why: str) -> str:
    if row.attempts > len(RETRY_AFTER):
        return _give_up(row, why)
    later = at + RETRY_AFTER[row.attempts - 1]
    EventDelivery.objects.filter(pk=row.pk).update(next_try_at=later, why_not=why[:200])
    return "to_retry"


def _give_up(row: EventDelivery, why: str) -> str:
    EventDelivery.objects.filter(pk=row.pk).update(next_try_at=None, why_not=why[:200])
    return "failed"
