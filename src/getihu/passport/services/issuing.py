"""Certificates: issued, suspended, taken back; every one in the log, so that a forged one fails
even if it carries a true signature."""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from getihu.access.services import over_the_wall
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.passport.credentials import sd_jwt
from getihu.passport.credentials.catalogue import certificate_kinds
from getihu.passport.credentials.status import LIST_SIZE, Status
from getihu.passport.models import Certificate, FollowedData, StatusChange, WalletKey
from getihu.passport.ports import key_ring
from getihu.passport.services.wallet import holder_key

_TRIES = 5


@over_the_wall()
@transaction.atomic
def issue_certificate(
    trader_code: str,
    kind: str,
    data: Mapping[str, Any],
    *,
    at: datetime,
    number: str = "",
    valid_until: date | None = None,
    filing: uuid.UUID | None = None,
    town_code: str | None = None,
) -> uuid.UUID:
    """Issue one certificate; the one of the same kind and number in force before is taken back.

    ``data``: item → text, as in ``contracts.ITEMS``; never who runs the shop. ``town_code``: where
    the shop is, None where that is not known. The same content
    while one is in force is no change and returns that one.
    """
    assert kind in certificate_kinds(), kind
    items = {"trader_code": trader_code, **{k: v for k, v in data.items() if v}}
    if number:
        items["number"] = number
    if valid_until is not None:
        items["valid_until"] = valid_until.isoformat()
    before = find_in_force(trader_code, kind, number)
    if before is not None:
        if before.status == Status.VALID and _same(before, items):
            return before.pk
        _set_status(before, Status.REVOKED, "换发新证", at)
    row = _place(trader_code, kind, number, items, valid_until, filing, town_code, at)
    audit.record(
        AuditEvent(
            "certificate.issued",
            "service:passport",
            f"trader:{trader_code}",
            at,
            {"certificate": str(row.pk), "kind": kind, "sha256": row.sha256, "key": row.key_id},
        )
    )
    return row.pk


def find_in_force(trader_code: str, kind: str, number: str = "") -> Certificate | None:
    kept = Certificate.objects.filter(trader_code=trader_code, kind=kind, number=number)
    return kept.exclude(status=Status.REVOKED).first()


@over_the_wall()
@transaction.atomic
def set_status(
    trader_code: str,
    kind: str,
    status: Status,
    reason: str,
    *,
    at: datetime,
    number: str | None = None,
) -> int:
    """Give every certificate of a kind that is in force a status, or the one with ``number`` alone;
    returns how many changed. What was taken back stays so."""
    kept = Certificate.objects.select_for_update().filter(trader_code=trader_code, kind=kind)
    if number is not None:
        kept = kept.filter(number=number)
    changed = 0
    for row in kept.exclude(status__in=[Status.REVOKED, status]):
        _set_status(row, status, reason, at)
        changed += 1
    return changed


@over_the_wall()
@transaction.atomic
def revoke_all(trader_code: str, reason: str, *, at: datetime) -> int:
    """Take every certificate of a trader back (the shop has ended); returns how many."""
    kept = Certificate.objects.select_for_update().filter(trader_code=trader_code)
    rows = list(kept.exclude(status=Status.REVOKED))
    for row in rows:
        _set_status(row, Status.REVOKED, reason, at)
    return len(rows)


@over_the_wall()
@transaction.atomic
def change_hands(trader_code: str, *, at: datetime) -> int:
    """Somebody else runs the shop now: what the one before holds answers nobody any more. Takes
    every certificate back and gives the wallet a new key; returns how many were taken back."""
    WalletKey.objects.filter(pk=trader_code).delete()
    return revoke_all(trader_code, "变更经营者", at=at)


@transaction.atomic
def note_followed(snapshot_id: str, on: date, *, at: datetime) -> None:
    """The wallets say what a snapshot says on a day. Again is no change."""
    FollowedData.objects.get_or_create(snapshot_id=snapshot_id, on=on, defaults={"at": at})


def _set_status(row: Certificate, status: Status, reason: str, at: datetime) -> None:
    row.status = int(status)
    row.save(update_fields=["status"])
    StatusChange.objects.create(certificate=row, status=int(status), at=at, reason=reason)
    audit.record(
        AuditEvent(
            "certificate.status",
            "service:passport",
            f"trader:{row.trader_code}",
            at,
            {"certificate": str(row.pk), "status": int(status), "reason": reason},
        )
    )


def _same(row: Certificate, items: Mapping[str, Any]) -> bool:
    keys = key_ring().public_keys()
    if row.key_id not in keys:
        return False
    read = sd_jwt.check(row.text, keys=keys, issuer=settings.PUBLIC_URL, at=row.issued_at)
    return {k: v for k, v in read.data.items() if k != "kind"} == dict(items)


def _place(
    trader_code: str,
    kind: str,
    number: str,
    items: Mapping[str, Any],
    valid_until: date | None,
    filing: uuid.UUID | None,
    town_code: str | None,
    at: datetime,
) -> Certificate:
    """Sign with the next free place; two at once try again."""
    signer, holder = key_ring().current(), holder_key(trader_code, at=at)
    for _ in range(_TRIES):
        last = Certificate.objects.aggregate(last=Max("place"))["last"]
        place = 0 if last is None else last + 1
        pk = uuid.uuid4()
        text = sd_jwt.issue(
            kind,
            items,
            id=str(pk),
            issuer=settings.PUBLIC_URL,
            signer=signer,
            holder_jwk=holder.public_jwk(),
            status_uri=list_uri(place // LIST_SIZE),
            status_index=place % LIST_SIZE,
            at=at,
        )
        try:
            with transaction.atomic():
                return Certificate.objects.create(
                    id=pk,
                    trader_code=trader_code,
                    kind=kind,
                    number=number,
                    place=place,
                    key_id=signer.kid,
                    text=text,
                    sha256=hashlib.sha256(text.encode()).hexdigest(),
                    issued_at=at,
                    valid_until=valid_until,
                    filing=filing,
                    town_code=town_code,
                )
        except IntegrityError:
            if find_in_force(trader_code, kind, number) is not None:
                raise
    raise RuntimeError("no free place for a certificate")


def list_uri(number: int) -> str:
    return f"{settings.PUBLIC_URL}/passport/status/{number}.jwt"
