"""The 企业码: a code for a minute, and what each audience gets of it. Every look is noted."""

import base64
import hashlib
import secrets
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.kernel.errors import GetihuError
from getihu.passport.contracts import Audience, Shown
from getihu.passport.credentials import offline, package, sd_jwt
from getihu.passport.credentials.answers import ANSWER_LABELS, Answer
from getihu.passport.credentials.catalogue import LICENCE, scenes
from getihu.passport.models import Certificate, Scan, ShowToken
from getihu.passport.ports import key_ring
from getihu.passport.selectors.wallet import certificate_view, judge_row
from getihu.passport.services.issuing import find_in_force

LIFE = timedelta(seconds=60)  # 本项目设定，非官方
_INSPECTING = frozenset({Role.INSPECTOR, Role.CASE_OFFICER, Role.WINDOW_OFFICER, Role.SUPERVISOR})
# What somebody sees who names no scene: enough to know with whom one deals.
_PUBLIC_ITEMS = ("trader_code", "name", "scope", "industry", "premises", "valid_until")


class CodeExpired(GetihuError):
    """The code is older than a minute, or none of ours; the two are told the same way."""

    def __init__(self) -> None:
        super().__init__("这个码已经过期或者不是我们的。处理办法：请店主打开“企业码”，扫新的。")


class NoLicence(GetihuError):
    """The trader has no licence in force to show."""

    def __init__(self) -> None:
        super().__init__("还没有电子营业执照，或者已经失效。处理办法：在“我的企业码”里领取。")


def make_code(trader_code: str, *, by: Actor, at: datetime, scene: str = "") -> str:
    """A code that stands for the licence for one minute; shown to its owner alone. Raises
    NoLicence; NotHers."""
    _check_hers(trader_code, by)
    if find_in_force(trader_code, LICENCE) is None:
        raise NoLicence
    code = base64.b32encode(secrets.token_bytes(10)).decode()
    ShowToken.objects.create(
        sha256=_digest(code),
        trader_code=trader_code,
        made_at=at,
        scene=scene if scene in scenes() else "",
    )
    return code


def erase_codes(before: datetime, *, at: datetime) -> int:
    """Forget codes made before a moment; none lasts longer than a minute."""
    return ShowToken.objects.filter(made_at__lt=before).delete()[0]


@over_the_wall()
@transaction.atomic
def scan(code: str, *, by: Actor, at: datetime) -> Shown:
    """What a code gives whoever scans it, by her role. Used again it is told on both sides. Raises
    CodeExpired."""
    token = ShowToken.objects.filter(sha256=_digest(code)).first()
    if token is None or not token.made_at - LIFE <= at <= token.made_at + LIFE:
        raise CodeExpired
    ShowToken.objects.filter(pk=token.pk).update(uses=F("uses") + 1)
    audience = audience_of(by)
    scene = scenes().get(token.scene)
    items = (*scene.shows, "trader_code") if scene else _PUBLIC_ITEMS
    if audience is Audience.BANK:
        items = ("trader_code", "name")  # more only by consent: see presenting.py
    rows = [find_in_force(token.trader_code, LICENCE)]
    if audience is Audience.INSPECTOR:
        items = (*_PUBLIC_ITEMS, "form", "established_on", "number")
        rows = list(Certificate.objects.filter(trader_code=token.trader_code).exclude(status=1))
    kept = [row for row in rows if row is not None]
    licence = next((row for row in kept if row.kind == LICENCE), None)
    is_repeat = token.uses > 0
    return _note(token.trader_code, licence, kept, items, audience, by, at, token.scene, is_repeat)


@over_the_wall()
def check_text(text: str, *, by: Actor, at: datetime) -> Shown:
    """What is to be said of a certificate handed over as text or as an offline code: its signature
    by our keys, its place in the log, its status of this moment. Raises BadCredential."""
    plain = "".join(text.split())
    items: Collection[str]
    keys, issuer = key_ring().public_keys(), _issuer()
    if plain.startswith("{"):
        companions = key_ring().companion_keys()
        both = package.check(plain, keys=keys, companions=companions, issuer=issuer, at=at)
        certificate, items = both.id, [name for name in both.data if name != "kind"]
    elif plain.startswith(offline.PREFIX):
        certificate = offline.read(text.strip(), keys=keys, issuer=issuer, at=at).id
        items = ("trader_code", "name")
    else:
        read = sd_jwt.check(plain, keys=keys, issuer=issuer, at=at)
        certificate, items = read.id, [name for name in read.data if name != "kind"]
    row = Certificate.objects.filter(pk=certificate).first()
    if row is None:  # a true signature over something we never issued: the key was stolen
        raise sd_jwt.BadCredential("签名是真的，但登记机关没有签发过这一张。请马上报告登记机关。")
    audience = audience_of(by)
    return _note(row.trader_code, row, [row], items, audience, by, at, "", False)


def audience_of(by: Actor) -> Audience:
    if by.roles & _INSPECTING:
        return Audience.INSPECTOR
    return Audience.BANK if Role.BANK_CLERK in by.roles else Audience.PUBLIC


def make_offline_code(trader_code: str, *, by: Actor, at: datetime) -> str:
    """The text of the code for places without a network; good for a day. Raises NoLicence."""
    _check_hers(trader_code, by)
    row = find_in_force(trader_code, LICENCE)
    if row is None or judge_row(row, at).answer is not Answer.VALID:
        raise NoLicence  # what cannot be asked later must hold when it is made
    name = dict(certificate_view(row, at=at).items).get("名称", "")
    signer = key_ring().current()
    return offline.make(str(row.pk), trader_code, name, issuer=_issuer(), signer=signer, at=at)


def make_package(certificate_id: uuid.UUID, *, by: Actor, at: datetime) -> str:
    """A certificate as a file with both signatures, for its owner to hand on. Raises NoLicence
    (not in force), NotHers."""
    row = Certificate.objects.filter(pk=certificate_id).first()
    if row is None or row.trader_code not in by.own:
        raise NotHers("只有经营者本人能下载。处理办法：请经营者本人登录。")
    companion = key_ring().companion()
    if companion is None or judge_row(row, at).answer is not Answer.VALID:
        raise NoLicence
    return package.make(row.text, companion=companion)


def _note(
    trader_code: str,
    licence: Certificate | None,
    rows: list[Certificate],
    items: Collection[str],
    audience: Audience,
    by: Actor,
    at: datetime,
    scene: str,
    is_repeat: bool,
) -> Shown:
    judged = judge_row(licence, at)
    shown = tuple(certificate_view(row, items, at=at) for row in rows)
    if judged.answer is not Answer.VALID and audience is Audience.PUBLIC:
        shown = ()
    agencies = sorted({grant.agency for grant in by.grants})
    Scan.objects.create(
        trader_code=trader_code,
        at=at,
        audience=audience.value,
        account_id=None if by.is_anonymous else by.account_id,
        agency=agencies[0] if agencies else "",
        scene=scene,
        shown=sorted({label for view in shown for label, _ in view.items}),
        answer=judged.answer.value,
        is_repeat=is_repeat,
        is_own=trader_code in by.own,
        town_code=licence.town_code if licence else None,
    )
    return Shown(
        trader_code=trader_code,
        answer=judged.answer.value,
        answer_label=ANSWER_LABELS[judged.answer],
        why=judged.why,
        as_of=judged.as_of,
        audience=audience,
        certificates=shown,
        is_repeat=is_repeat,
    )


def _check_hers(trader_code: str, by: Actor) -> None:
    if trader_code not in by.own:
        raise NotHers("企业码只有经营者本人能打开。处理办法：请经营者本人登录。")


class NotHers(GetihuError):
    """Only who runs the shop shows its licence."""


def _issuer() -> str:
    return str(settings.PUBLIC_URL)


def _digest(code: str) -> str:
    return hashlib.sha256(code.upper().encode()).hexdigest()
