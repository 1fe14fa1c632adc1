"""A bank asks, the trader shows: OpenID4VP with only the items she agreed to, until a day."""

import secrets
import uuid
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.kernel.errors import GetihuError
from getihu.passport.contracts import ITEMS, city_day
from getihu.passport.credentials import sd_jwt
from getihu.passport.credentials.answers import Answer
from getihu.passport.credentials.catalogue import LICENCE, scenes
from getihu.passport.models import Certificate, PresentationRequest
from getihu.passport.ports import key_ring
from getihu.passport.selectors.wallet import QUERY, client_id, judge_row
from getihu.passport.services.issuing import find_in_force
from getihu.passport.services.showing import NoLicence, NotHers
from getihu.passport.services.wallet import holder_key

ANSWER_WITHIN = timedelta(minutes=30)  # at the counter; 本项目设定，非官方
ANSWER_WITHIN_DAYS = timedelta(days=3)  # asked of one trader from afar; 本项目设定，非官方
LONGEST_DAYS = 180  # 本项目设定，非官方


class BadRequest(GetihuError):
    """The request cannot be made or answered any more; the message says why."""


class BadPresentation(GetihuError):
    """What came as an answer does not answer this request."""


@transaction.atomic
def ask(
    scene: str,
    purpose: str,
    wanted: Collection[str],
    *,
    until: date,
    by: Actor,
    at: datetime,
    trader_code: str = "",
) -> uuid.UUID:
    """A bank asks for items of a licence. Nothing beyond its scene, for a stated purpose, until a
    day; of one trader, or of whoever scans the code. Raises BadRequest."""
    if Role.BANK_CLERK not in by.roles:
        raise BadRequest("只有银行经办人员可以请求出示。")
    found = scenes().get(scene)
    if found is None or found.audience != "bank":
        raise BadRequest("没有这个银行场景。处理办法：从列出的场景里选。")
    beyond = sorted(set(wanted) - set(found.shows))
    if beyond or not wanted:
        labels = "、".join(ITEMS.get(name, name) for name in beyond)
        raise BadRequest(f"这个场景不能要：{labels or '空的清单'}（个人信息保护法 第六条）。")
    if not purpose.strip():
        raise BadRequest("要写明用途（个人信息保护法 第十七条）。")
    today = city_day(at)
    if not today <= until <= today + timedelta(days=LONGEST_DAYS):
        raise BadRequest(f"到期日要在今天以后 {LONGEST_DAYS} 天以内。")
    agency = next(g.agency for g in by.grants if g.role is Role.BANK_CLERK)
    return PresentationRequest.objects.create(
        asked_by_id=by.account_id,
        agency=agency,
        scene=scene,
        wanted=sorted(wanted),
        purpose=" ".join(purpose.split())[:200],
        nonce=secrets.token_urlsafe(32),
        asked_at=at,
        answer_by=at + (ANSWER_WITHIN_DAYS if trader_code else ANSWER_WITHIN),
        asked_of=trader_code or None,
        until=until,
    ).pk


@transaction.atomic
def answer(request_id: uuid.UUID, trader_code: str, *, by: Actor, at: datetime) -> None:
    """She agrees: her wallet answers with just what was asked, and the answer is checked like any
    other wallet's. Raises BadRequest, NoLicence, NotHers, BadPresentation."""
    row = _open(request_id, at)
    if trader_code not in by.own:
        raise NotHers("只有经营者本人可以同意出示。")
    _check_asked(row, {trader_code})
    licence = find_in_force(trader_code, LICENCE)
    if licence is None:
        raise NoLicence
    presentation = sd_jwt.present(
        licence.text,
        row.wanted,
        holder=holder_key(trader_code, at=at),
        audience=client_id(row),
        nonce=row.nonce,
        at=at,
    )
    take_response(request_id, {QUERY: [presentation]}, at=at)
    audit.record(
        AuditEvent(
            "licence.presented",
            f"account:{by.account_id}",
            f"trader:{trader_code}",
            at,
            {"request": str(row.pk), "items": list(row.wanted), "until": row.until.isoformat()},
        )
    )


@over_the_wall()
@transaction.atomic
def take_response(request_id: uuid.UUID, vp_token: Any, *, at: datetime) -> None:
    """Take what a wallet answered. Bound to this request's nonce, by the key the licence names, in
    force at this moment, and with nothing beyond what was asked. Raises BadRequest,
    BadPresentation."""
    row = _open(request_id, at)
    keys = key_ring().public_keys()
    try:
        texts = vp_token[QUERY]
        text = texts[0]
        if len(texts) != 1 or not isinstance(text, str):
            raise BadPresentation("要正好一张证照。")
        read = sd_jwt.check(
            text,
            keys=keys,
            issuer=settings.PUBLIC_URL,
            at=at,
            audience=client_id(row),
            nonce=row.nonce,
        )
    except (KeyError, IndexError, TypeError) as error:
        raise BadPresentation("回答的格式不对。") from error
    except sd_jwt.BadCredential as error:
        raise BadPresentation(str(error)) from error
    certificate = Certificate.objects.filter(pk=read.id, kind=LICENCE).first()
    judged = judge_row(certificate, at)
    if certificate is None or judged.answer is not Answer.VALID:
        raise BadPresentation(f"执照现在不是有效的：{judged.why}")
    _check_asked(row, {certificate.trader_code})
    on_it = sd_jwt.check(certificate.text, keys=keys, issuer=settings.PUBLIC_URL, at=at).data
    missing = [name for name in row.wanted if name in on_it and name not in read.data]
    if missing:
        raise BadPresentation(f"少了：{'、'.join(ITEMS.get(n, n) for n in missing)}。")
    kept = {name: read.data.get(name, "") for name in ("trader_code", *row.wanted)}
    changed = PresentationRequest.objects.filter(
        pk=row.pk, answered_at=None, declined_at=None
    ).update(answered_at=at, trader_code=certificate.trader_code, shown=kept)
    if not changed:
        raise BadRequest("这个请求已经回答过。")


@transaction.atomic
def decline(request_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """She does not agree; nothing is told but that."""
    row = _open(request_id, at)
    _check_asked(row, by.own)
    PresentationRequest.objects.filter(pk=row.pk).update(
        declined_at=at, trader_code=row.asked_of or ""
    )


@transaction.atomic
def take_back(request_id: uuid.UUID, *, by: Actor, at: datetime) -> None:
    """She takes back what she agreed to: the bank's page is empty from now on (个人信息保护法
    第十五条). Raises NotHers."""
    row = PresentationRequest.objects.filter(pk=request_id).first()
    if row is None or row.trader_code not in by.own:
        raise NotHers("只有出示的经营者本人可以撤回。")
    PresentationRequest.objects.filter(pk=row.pk, wiped_at=None).update(shown=None, wiped_at=at)


def wipe_expired(on: date, *, at: datetime) -> int:
    """Empty what was shown until a day before ``on``; returns how many."""
    over = PresentationRequest.objects.filter(until__lt=on, wiped_at=None, shown__isnull=False)
    return over.update(shown=None, wiped_at=at)


def erase_shown(before: datetime, *, at: datetime) -> int:
    """``wipe_expired`` by the moment before which the agreed time was over."""
    return wipe_expired(city_day(before), at=at)


def _open(request_id: uuid.UUID, at: datetime) -> PresentationRequest:
    row = PresentationRequest.objects.select_for_update().filter(pk=request_id).first()
    if row is None:
        raise BadRequest("没有这个请求。处理办法：请银行重新发。")
    if row.answered_at or row.declined_at:
        raise BadRequest("这个请求已经回答过。")
    if at > row.answer_by:
        raise BadRequest("这个请求过了回答的时间（当面30分钟，指名3天）。处理办法：请银行重新发。")
    return row


def _check_asked(row: PresentationRequest, traders: Collection[str]) -> None:
    if row.asked_of and row.asked_of not in traders:
        raise NotHers("这个请求问的是另一家店。处理办法：请银行核对统一社会信用代码。")
