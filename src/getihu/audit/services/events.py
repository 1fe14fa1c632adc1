"""Events in: in the caller's transaction, or not at all."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection

from getihu.audit import sealing
from getihu.audit.canonical import (
    KIND,
    SALT_BYTES,
    InvalidEvent,
    canonical_json,
    check_body,
    check_no_person,
    check_reference,
    commitment,
    moment_text,
)
from getihu.audit.contracts import AuditEvent, Receipt
from getihu.audit.models import Event, SubjectKey
from getihu.kernel.errors import GetihuError


class OutsideTransaction(GetihuError):
    """An event was told outside a transaction, so it could survive without its change."""


def record(event: AuditEvent) -> Receipt:
    """Write one event in the caller's transaction and return its receipt.

    Rolled back with the change it tells of, committed with it. The caller hands the receipt to
    whom it concerns: the log must hold this commitment once the sequencer has run.

    Raises: OutsideTransaction; InvalidEvent for what has no single text; PersonalInClear.
    Cost: one insert; one or two more for the first personal content of a subject.
    """
    return record_all([event])[0]


def record_all(events: Iterable[AuditEvent]) -> list[Receipt]:
    """Write several events with few statements; as ``record`` for each, in order."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(
            "审计事件必须与它所记的改动在同一个事务里。处理办法：放进 transaction.atomic()。"
        )
    rows = Event.objects.bulk_create([_row(event) for event in events], batch_size=500)
    return [Receipt(row.pk, row.commitment) for row in rows]


@contextmanager
def acting(*, actor: str, reason: str = "") -> Iterator[None]:
    """Say who acts and why, for the events that audited tables write by themselves.

    Holds within the running transaction only (PostgreSQL). Without it those events name the
    database role. Raises: OutsideTransaction, InvalidEvent, PersonalInClear.
    """
    check_reference(actor, "actor")
    check_no_person(reason, "reason")
    if not connection.in_atomic_block:
        raise OutsideTransaction("没有事务，说不清是谁在改。处理办法：放进 transaction.atomic()。")
    if connection.vendor != "postgresql":
        yield
        return
    before = _set_local(actor, reason)
    yield
    # After an error the transaction is rolled back, and with it this setting.
    _set_local(*before)


def destroy_subject_key(subject: str, *, actor: str, at: datetime) -> Receipt:
    """Erase all personal content of a subject for good; every proof still verifies.

    Writes an event that says so without naming the subject. What backups hold of the key ends
    with the backups. Raises: InvalidEvent when the subject has no key.
    """
    key = SubjectKey.objects.filter(subject=subject).first()
    if key is None:
        raise InvalidEvent("这个主体没有个人信息密钥，没有什么可销毁。处理办法：核对主体编号。")
    body = {"key_digest": key.key_digest}
    receipt = record(
        AuditEvent("audit.key_destroyed", actor, f"key:{key.key_digest[:32]}", at, body)
    )
    SubjectKey.objects.filter(pk=key.pk).update(key=None, subject=None, destroyed_at=at)
    return receipt


def _row(event: AuditEvent) -> Event:
    if not KIND.fullmatch(event.kind):
        raise InvalidEvent("事件类别要写成 case.accepted 这样的小写词。")
    check_reference(event.actor, "actor")
    check_reference(event.object, "object")
    check_body(event.body)
    sealed, key_digest = _seal(event)
    told: Mapping[str, Any] = {
        "actor": event.actor,
        "at": moment_text(event.at),
        "body": event.body,
        "kind": event.kind,
        "object": event.object,
        "personal": sealed,
        "v": 1,
    }
    text = canonical_json(told)
    salt = secrets.token_bytes(SALT_BYTES)
    return Event(
        kind=event.kind,
        actor=event.actor,
        object_ref=event.object,
        at=event.at,
        record=text,
        salt=salt,
        commitment=commitment(salt, text).hex(),
        key_digest=key_digest,
    )


def _seal(event: AuditEvent) -> tuple[dict[str, str] | None, str]:
    if (event.personal is None) != (event.subject is None):
        raise InvalidEvent("personal 与 subject 要么都给，要么都不给。")
    if event.personal is None or event.subject is None:
        return None, ""
    check_reference(event.subject, "subject")
    if event.subject.startswith("row:"):
        raise InvalidEvent("row: 开头的主体留给被审计的表。")
    fresh = secrets.token_bytes(sealing.KEY_BYTES)
    row, _ = SubjectKey.objects.get_or_create(
        subject=event.subject, defaults={"key": fresh, "key_digest": sealing.key_digest(fresh)}
    )
    assert row.key is not None
    return sealing.seal(bytes(row.key), canonical_json(event.personal)), row.key_digest


def _set_local(actor: str, reason: str) -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('getihu.actor', true), ''), "
            "coalesce(current_setting('getihu.reason', true), '')"
        )
        before = cursor.fetchone()
        cursor.execute(
            "SELECT set_config('getihu.actor', %s, true), set_config('getihu.reason', %s, true)",
            [actor, reason],
        )
    return (before[0], before[1])
