"""Who acts, read afresh: rights as of a moment, straight from the tables."""

import unicodedata
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django_otp.plugins.otp_totp.models import TOTPDevice

from getihu.accounts.contracts import (
    ANONYMOUS,
    CITY,
    ROLE_LABELS,
    Actor,
    AuthorisationSummary,
    CastMember,
    Duty,
    Grant,
    OfficerSummary,
    Purpose,
    Role,
    Scope,
)
from getihu.accounts.models import Account, Assignment, Authorisation, Claim, Ownership

DEMO_ISSUER = "demo"  # no identity provider is called so; only the demo's people carry it


def actor_of(account_id: uuid.UUID | str | None, at: datetime) -> Actor:
    """The actor an account is at a moment; anonymous for none, an unknown or a closed one.

    Cost: four look-ups by key.
    """
    account = Account.objects.filter(pk=account_id).first() if account_id else None
    if account is None or (account.closed_at is not None and account.closed_at <= at):
        return ANONYMOUS
    assignments = Assignment.objects.filter(holds_at(at), account=account)
    owned = Ownership.objects.filter(holds_at(at), account=account)
    authorised = Authorisation.objects.filter(_authorised_at(at), to=account)
    return Actor(
        account_id=str(account.pk),
        name=account.name,
        duty=Duty(account.duty),
        grants=tuple(
            Grant(Role(row.role), row.agency, Scope(frozenset({row.division})))
            for row in assignments.order_by("id")
        ),
        own=frozenset(owned.values_list("trader_code", flat=True)),
        authorised=frozenset(
            (code, Purpose(purpose))
            for code, purpose in authorised.values_list("trader_code", "purpose")
        ),
    )


def holds_at(at: datetime) -> Q:
    """Rows with ``since`` and ``until`` that hold at a moment."""
    return Q(since__lte=at) & (Q(until=None) | Q(until__gt=at))


def _authorised_at(at: datetime) -> Q:
    """Leave that has begun, has not run out, was not ended, and whose giver still owns."""
    still_owned = Ownership.objects.filter(
        holds_at(at), account=OuterRef("by"), trader_code=OuterRef("trader_code")
    )
    return (
        Q(since__lte=at, until__gt=at)
        & (Q(ended_at=None) | Q(ended_at__gt=at))
        & Q(Exists(still_owned))
    )


def within(scope: Scope, field: str) -> Q:
    """The condition that a row's division lies in a scope; nothing for an empty scope.

    For the query itself: rows outside are never read.
    """
    inside = Q(pk__in=())
    for prefix in scope.prefixes:
        inside |= Q(**{f"{field}__startswith": prefix})
    return inside


def list_authorisations(trader_code: str) -> list[AuthorisationSummary]:
    """Everybody an owner ever let view or act for a trader, newest first."""
    rows: Any = Authorisation.objects.filter(trader_code=trader_code).select_related("to")
    return [
        AuthorisationSummary(
            id=row.pk,
            trader_code=row.trader_code,
            to_name=row.to.name,
            purpose=Purpose(row.purpose),
            since=row.since,
            until=row.until,
            ended_at=row.ended_at,
        )
        for row in rows.order_by("-since", "-id")
    ]


def list_officers(role: Role, agency: str, division: str, at: datetime) -> list[uuid.UUID]:
    """Open accounts that hold a role for an agency over a place at a moment, by id."""
    held = Assignment.objects.filter(
        holds_at(at), role=role.value, agency=agency, account__closed_at=None
    )
    return sorted(
        {row.account_id for row in held if Scope(frozenset({row.division})).covers(division)}
    )


def list_officers_under(
    actor: Actor, at: datetime, *, text: str = "", limit: int = 50
) -> list[OfficerSummary]:
    """Open accounts all of whose roles lie in the region this security administrator manages, by
    login; ``text`` is part of a login or the name. Nobody for everybody else."""
    scope = actor.scope(Role.SECURITY_ADMINISTRATOR)
    held = Assignment.objects.filter(holds_at(at))
    wider = held.filter(account=OuterRef("pk")).exclude(within(scope, "division"))
    rows = (
        Account.objects.filter(closed_at=None, pk__in=held.values("account"))
        .exclude(Exists(wider))
        .filter(Q(login__icontains=text) | Q(name__icontains=text))
        .order_by("login")[:limit]
    )
    if not scope.divisions:
        return []
    found: dict[uuid.UUID, list[str]] = {}
    for row in held.filter(account__in=[account.pk for account in rows]).order_by("id"):
        told = f"{ROLE_LABELS[Role(row.role)]}（{row.agency}，{row.division}）"
        found.setdefault(row.account_id, []).append(told)
    return [
        OfficerSummary(
            account_id=str(account.pk),
            login=account.login,
            name=account.name,
            roles=tuple(found.get(account.pk, ())),
            has_second_factor=has_second_factor(account),
        )
        for account in rows
    ]


def is_administered(account_id: uuid.UUID, scope: Scope, at: datetime) -> bool:
    """Whether a region holds every place an account has a role in. Who has no role anywhere is the
    whole city's."""
    held = Assignment.objects.filter(holds_at(at), account=account_id)
    places = frozenset(held.values_list("division", flat=True)) or {CITY}
    return all(scope.covers(place) for place in places)


def list_security_administrators(over: uuid.UUID, at: datetime) -> list[uuid.UUID]:
    """Open accounts of the security administrators in whose region an account works, by id; the
    account itself is never among them."""
    held = Assignment.objects.filter(
        holds_at(at), role=Role.SECURITY_ADMINISTRATOR.value, account__closed_at=None
    ).exclude(account=over)
    reach: dict[uuid.UUID, set[str]] = {}
    for account, division in held.values_list("account", "division"):
        reach.setdefault(account, set()).add(division)
    return sorted(a for a, d in reach.items() if is_administered(over, Scope(frozenset(d)), at))


def find_actor(login: str, at: datetime) -> Actor:
    """The actor a login name is at a moment; anonymous for an unknown or a closed one."""
    account = Account.objects.filter(login=login).first()
    return actor_of(account.pk if account else None, at)


def find_account_id(login: str) -> uuid.UUID | None:
    """The id of the open account with a login name."""
    return Account.objects.filter(login=login, closed_at=None).values_list("pk", flat=True).first()


def list_operators(trader_codes: Sequence[str]) -> dict[str, list[uuid.UUID]]:
    """Trader code → the open accounts that own it; traders without an account are left out."""
    rows = Ownership.objects.filter(
        trader_code__in=trader_codes, until=None, account__closed_at=None
    ).order_by("trader_code", "account_id")
    found: dict[str, list[uuid.UUID]] = {}
    for row in rows:
        found.setdefault(row.trader_code, []).append(row.account_id)
    return found


def list_owned(account_id: uuid.UUID) -> list[str]:
    """Codes of everything an open account owns, in order."""
    rows = Ownership.objects.filter(account=account_id, until=None, account__closed_at=None)
    return list(rows.order_by("trader_code").values_list("trader_code", flat=True))


def list_operated(after: str, limit: int) -> list[str]:
    """Codes of traders whose operator has an open account, in order, those after ``after``."""
    rows = Ownership.objects.filter(until=None, account__closed_at=None, trader_code__gt=after)
    codes = rows.order_by("trader_code").values_list("trader_code", flat=True).distinct()
    return list(codes[:limit])


def is_unclaimed(account_id: uuid.UUID | str | None) -> bool:
    """Whether an account was opened at a window and nobody has claimed it yet."""
    if not account_id:
        return False
    return Claim.objects.filter(account_id=account_id, claimed_by=None).exists()


def is_called(account_id: uuid.UUID, name: str) -> bool:
    """Whether an open person's account bears a name, blanks, dots and width aside."""
    own = Account.objects.filter(pk=account_id, duty=Duty.PERSON.value, closed_at=None)
    held = own.values_list("name", flat=True).first()
    return held is not None and _plain_name(held) == _plain_name(name) != ""


def _plain_name(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in text if c.isalnum())


def find_account(account_id: str) -> Account | None:
    """An open account by id."""
    return Account.objects.filter(pk=account_id, closed_at=None).first() if account_id else None


def find_by_identity(issuer: str, subject: str) -> Account | None:
    """The open account an identity provider's person is linked to; None when there is none."""
    found = Account.objects.filter(identity_issuer=issuer, identity_subject=subject, closed_at=None)
    return found.first()


def has_second_factor(account: Account) -> bool:
    return TOTPDevice.objects.filter(user=account, confirmed=True).exists()


def is_demo() -> bool:
    """Whether the installation holds a demo city; its mark is written by the demo alone."""
    return (settings.DATA_DIR / "demo.json").exists()


def list_cast() -> list[CastMember]:
    """The people of the demo city, to sign in as; nobody in a real installation."""
    if not is_demo():
        return []
    now = Account.objects.filter(identity_issuer=DEMO_ISSUER, closed_at=None)
    return [
        CastMember(
            login=row.login, name=row.name, told=(row.identity_subject or "").rpartition("（")[0]
        )
        for row in now.order_by("-duty", "login")
    ]


def find_cast_member(login: str) -> Account | None:
    """One of the demo's people; None outside a demo and for every other account."""
    if not is_demo():
        return None
    return Account.objects.filter(login=login, identity_issuer=DEMO_ISSUER, closed_at=None).first()
