"""Writes of the registry: an operator consents, takes it back; a consent's term ends."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from getihu.accounts.contracts import Actor
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.kernel.errors import GetihuError
from getihu.registry.contracts import Purpose
from getihu.registry.models import Consent

CITY_TIME = ZoneInfo("Asia/Shanghai")
STRETCH = 5_000


class NotTheOperator(GetihuError):
    """Only the operator herself consents or takes a consent back."""


class BadTerm(GetihuError):
    """A consent would end before it begins."""


@transaction.atomic
def give_consent(
    trader_code: str,
    purpose: Purpose,
    article: str,
    *,
    by: Actor,
    at: datetime,
    expires_on: date | None = None,
) -> None:
    """The operator consents that what an article protects be used for one purpose, until
    ``expires_on`` (None: until taken back). Said twice, it is said once; with another term the
    old consent ends and a new one begins. Raises: NotTheOperator, BadTerm."""
    _check_hers(trader_code, by)
    if expires_on is not None and expires_on <= at.astimezone(CITY_TIME).date():
        raise BadTerm("到期的日子要在今天以后。处理办法：改一个以后的日子，或者不写。")
    open_ = _open(trader_code, purpose, article)
    if open_ is not None:
        if open_.expires_on == expires_on:
            return
        _end(open_, Consent.End.WITHDRAWN, by, at)
    Consent.objects.create(
        trader_code=trader_code,
        purpose=purpose.value,
        article=article,
        how=Consent.How.ONLINE,
        by_id=by.account_id,
        given_at=at,
        expires_on=expires_on,
    )
    _record("consent.given", trader_code, purpose, article, by, at)


@transaction.atomic
def withdraw_consent(
    trader_code: str, purpose: Purpose, article: str, *, by: Actor, at: datetime
) -> None:
    """The operator takes it back; from now on those facts count as unknown for that purpose.
    Raises: NotTheOperator."""
    _check_hers(trader_code, by)
    open_ = _open(trader_code, purpose, article)
    if open_ is not None:
        _end(open_, Consent.End.WITHDRAWN, by, at)
        _record("consent.withdrawn", trader_code, purpose, article, by, at)


@transaction.atomic
def record_paper_consents(
    trader_codes: Iterable[str],
    purposes: Collection[Purpose],
    articles: Collection[str],
    *,
    at: datetime,
) -> int:
    """Note consents signed on paper, e.g. with an annual report; returns how many were new. Who
    has one already keeps it; who took one back keeps that: paper never overrules her own step."""
    said = set(
        Consent.objects.filter(purpose__in=[p.value for p in purposes]).values_list(
            "trader_code", "purpose", "article"
        )
    )
    rows = (
        Consent(
            trader_code=code,
            purpose=purpose.value,
            article=article,
            how=Consent.How.PAPER,
            given_at=at,
        )
        for code in trader_codes
        for purpose in purposes
        for article in articles
        if (code, purpose.value, article) not in said
    )
    made = len(Consent.objects.bulk_create(rows, batch_size=STRETCH))
    audit.record(
        AuditEvent(
            "consent.paper_recorded", "job:consents", "register:consents", at, {"count": made}
        )
    )
    return made


@transaction.atomic
def expire_consents(at: datetime) -> int:
    """End the consents whose term is over; safe to run again. Returns how many ended."""
    today = at.astimezone(CITY_TIME).date()
    over = Consent.objects.filter(ended_at=None, expires_on__lte=today).select_for_update()
    ended = list(over)
    for consent in ended:
        _end(consent, Consent.End.EXPIRED, None, at)
        purpose = Purpose(consent.purpose)
        _record("consent.expired", consent.trader_code, purpose, consent.article, None, at)
    return len(ended)


def _open(trader_code: str, purpose: Purpose, article: str) -> Consent | None:
    found = Consent.objects.select_for_update().filter(
        trader_code=trader_code, purpose=purpose.value, article=article, ended_at=None
    )
    return found.first()


def _end(consent: Consent, how: Consent.End, by: Actor | None, at: datetime) -> None:
    consent.ended_at, consent.ended_how = at, how.value
    consent.ended_by_id = by.account_id if by else None
    consent.save(update_fields=["ended_at", "ended_how", "ended_by_id"])


def _check_hers(trader_code: str, by: Actor) -> None:
    if trader_code not in by.own:
        raise NotTheOperator("只有经营者本人可以同意或者撤回。处理办法：请经营者本人登录。")


def _record(
    kind: str, trader_code: str, purpose: Purpose, article: str, by: Actor | None, at: datetime
) -> None:
    audit.record(
        AuditEvent(
            kind,
            f"account:{by.account_id}" if by else "job:consents",
            f"trader:{trader_code}",
            at,
            {"purpose": purpose.value, "article": article},
        )
    )
