"""What is in a wallet, who looked at it, what banks hold of it; the status as others read it."""

import uuid
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.passport import ports
from getihu.passport.contracts import (
    AUDIENCE_LABELS,
    ITEMS,
    Audience,
    CertificateView,
    HeldCertificate,
    Numbers,
    RequestView,
    ScanView,
    StreetCount,
    city_day,
)
from getihu.passport.credentials.answers import ANSWER_LABELS, Answer, Judgement, judge
from getihu.passport.credentials.catalogue import LICENCE, certificate_kinds, scenes, streets
from getihu.passport.credentials.sd_jwt import VCT, BadCredential, check
from getihu.passport.credentials.status import LIST_SIZE, STATUS_LABELS, Status, build_list
from getihu.passport.models import Certificate, FollowedData, PresentationRequest, Scan
from getihu.passport.ports import key_ring
from getihu.reference import selectors as reference

QUERY = "licence"


def list_certificates(trader_code: str, *, at: datetime) -> list[CertificateView]:
    """The wallet of a trader: what is in force first, the licence before the others."""
    rows = Certificate.objects.filter(trader_code=trader_code).order_by("status", "-issued_at")
    return sorted(
        (certificate_view(r, at=at) for r in rows),
        key=lambda v: (not v.is_valid, v.kind != LICENCE),
    )


@over_the_wall()
def list_held(after: str, limit: int) -> dict[str, list[HeldCertificate]]:
    """What the next ``limit`` traders after a code hold that was not taken back, by trader."""
    rows = Certificate.objects.exclude(status=Status.REVOKED)
    codes = rows.filter(trader_code__gt=after).order_by("trader_code").values_list("trader_code")
    found: dict[str, list[HeldCertificate]] = {code: [] for (code,) in codes.distinct()[:limit]}
    for row in rows.filter(trader_code__in=list(found)).order_by("trader_code", "place"):
        held = HeldCertificate(row.kind, row.number, row.valid_until, row.status == Status.VALID)
        found[row.trader_code].append(held)
    return found


def was_followed(snapshot_id: str, on: date) -> bool:
    """Whether the wallets were brought to what a snapshot says, on a day."""
    return FollowedData.objects.filter(snapshot_id=snapshot_id, on=on).exists()


def certificate_view(
    row: Certificate, items: Collection[str] | None = None, *, at: datetime
) -> CertificateView:
    """A certificate with some of its items; None: all."""
    is_over = row.valid_until is not None and row.valid_until < city_day(at)
    is_valid = row.status == Status.VALID and not is_over
    kind = certificate_kinds()[row.kind]
    try:
        keys = key_ring().public_keys()
        data = check(row.text, keys=keys, issuer=settings.PUBLIC_URL, at=row.issued_at).data
    except BadCredential:  # its key was withdrawn: it says nothing any more
        data = {}
    return CertificateView(
        id=str(row.pk),
        kind=row.kind,
        title=kind.title,
        law=kind.law,
        number=row.number,
        status_label="过了有效期" if is_over else STATUS_LABELS[Status(row.status)],
        is_valid=is_valid,
        issued_at=row.issued_at,
        valid_until=row.valid_until,
        items=tuple(
            (ITEMS[name], str(data[name]))
            for name in ITEMS
            if name in data and (items is None or name in items)
        ),
    )


def judge_row(row: Certificate | None, at: datetime) -> Judgement:
    """What may be said of a certificate whose status is asked here and now."""
    if row is None:
        return Judgement(Answer.NOT_VALID, at, "没有在有效期内的执照。")
    if row.key_id not in key_ring().public_keys():
        return Judgement(Answer.NOT_VALID, at, "签发它的密钥已经撤回，请重新领取。")
    if row.valid_until is not None and row.valid_until < city_day(at):
        return Judgement(Answer.NOT_VALID, at, "过了有效期。")
    return judge(Status(row.status), at, at)


@over_the_wall()
def status_list(number: int, at: datetime) -> str | None:
    """The signed list of one block of places; None where no certificate has a place in it."""
    block = Certificate.objects.filter(
        place__gte=number * LIST_SIZE, place__lt=(number + 1) * LIST_SIZE
    )
    if not block.exists():
        return None
    told = block.exclude(status=0).values_list("place", "status")
    statuses = {place % LIST_SIZE: Status(status) for place, status in told}
    uri = f"{settings.PUBLIC_URL}/passport/status/{number}.jwt"
    return build_list(statuses, uri=uri, signer=key_ring().current(), at=at)


def issuer_metadata() -> dict[str, Any]:
    """Who issues and with which keys (JWT VC Issuer Metadata)."""
    ring = key_ring()
    return {
        "issuer": settings.PUBLIC_URL,
        "jwks": {"keys": [*ring.public_keys().values(), *ring.companion_keys().values()]},
    }


def list_scans(trader_code: str, limit: int = 50) -> list[ScanView]:
    """Who looked at a licence, newest first."""
    rows = Scan.objects.filter(trader_code=trader_code).order_by("-at", "-id")[:limit]
    return [
        ScanView(
            row.at,
            _who(row),
            scenes()[row.scene].title if row.scene in scenes() else "",
            tuple(row.shown),
            ANSWER_LABELS[Answer(row.answer)],
            row.is_repeat,
            bool(row.is_own),
        )
        for row in rows
    ]


def _who(row: Scan) -> str:
    label = AUDIENCE_LABELS[Audience(row.audience)]
    return _office(row.agency, label) if row.audience == Audience.INSPECTOR else label


def _office(agency: str, otherwise: str) -> str:
    """The name of an office; of one that is on no list, what kind of office it is."""
    name = reference.department_name(agency) if agency else ""
    return otherwise if name in ("", agency) else name


@over_the_wall()
def count_visits(trader_code: str, since: datetime) -> int:
    """How often offices scanned the licence on the spot since a moment: the burden a visit is."""
    scans = Scan.objects.filter(trader_code=trader_code, at__gte=since)
    return scans.filter(audience=Audience.INSPECTOR).count()


def get_request(request_id: uuid.UUID, *, by: Actor, at: datetime) -> RequestView | None:
    """A bank's request as the trader sees it before she answers: no answer in it. None: there is
    none, or it asks somebody else."""
    row = PresentationRequest.objects.filter(pk=request_id).first()
    if row is None or (row.asked_of and row.asked_of not in by.own):
        return None
    return _request(row, at, with_answer=False)


def list_waiting(trader_code: str, *, at: datetime) -> list[RequestView]:
    """What banks asked of just this trader and still wait for, the most urgent first."""
    rows = PresentationRequest.objects.filter(
        asked_of=trader_code, answered_at=None, declined_at=None, answer_by__gte=at
    )
    return [_request(row, at, with_answer=False) for row in rows.order_by("answer_by")]


def get_request_object(request_id: uuid.UUID) -> dict[str, Any] | None:
    """A request as OpenID4VP has it; None: there is none."""
    row = PresentationRequest.objects.filter(pk=request_id).first()
    return request_object(row) if row else None


def client_id(row: PresentationRequest) -> str:
    """Who asks, as a presentation is bound to it."""
    return f"{settings.PUBLIC_URL}/passport/verifiers/{row.agency}"


def request_object(row: PresentationRequest) -> dict[str, Any]:
    """The request as OpenID4VP 1.0 has it: a DCQL query for a licence with just these claims."""
    return {
        "response_type": "vp_token",
        "response_mode": "direct_post",
        "client_id": client_id(row),
        "response_uri": f"{settings.PUBLIC_URL}/passport/requests/{row.pk}/response/",
        "nonce": row.nonce,
        "dcql_query": {
            "credentials": [
                {
                    "id": QUERY,
                    "format": "dc+sd-jwt",
                    "meta": {"vct_values": [VCT + LICENCE]},
                    "claims": [{"path": [name]} for name in ("trader_code", *row.wanted)],
                }
            ]
        },
    }


def list_asked(actor: Actor, *, at: datetime, limit: int = 50) -> list[RequestView]:
    """What a bank asked and was shown: the clerks of one bank see theirs."""
    banks = actor.agencies(Role.BANK_CLERK)
    rows = PresentationRequest.objects.filter(
        agency__in=banks, asked_by_id=uuid.UUID(actor.account_id)
    )
    return [_request(row, at, with_answer=True) for row in rows.order_by("-asked_at")[:limit]]


def list_shown(trader_codes: Collection[str], *, at: datetime) -> list[RequestView]:
    """What traders agreed to show, newest first."""
    rows = PresentationRequest.objects.filter(trader_code__in=trader_codes)
    return [_request(row, at, with_answer=True) for row in rows.order_by("-asked_at")[:50]]


def _request(row: PresentationRequest, at: datetime, *, with_answer: bool) -> RequestView:
    if row.declined_at:
        state = "declined"
    elif row.answered_at:
        state = "over" if city_day(at) > row.until else "taken_back" if row.wiped_at else "answered"
    else:
        state = "too_late" if at > row.answer_by else "open"
    shown = row.shown if with_answer and state == "answered" and row.shown else {}
    return RequestView(
        id=str(row.pk),
        agency_name=_office(row.agency, AUDIENCE_LABELS[Audience.BANK]),
        scene_title=scenes()[row.scene].title,
        purpose=row.purpose,
        wanted=tuple((name, ITEMS[name]) for name in row.wanted),
        asked_at=row.asked_at,
        answer_by=row.answer_by,
        until=row.until,
        state=state,
        trader_code=row.trader_code if with_answer else "",
        asked_of=row.asked_of or "",
        shown=tuple(
            (ITEMS[name], str(shown[name] or "执照上没有")) for name in ITEMS if name in shown
        ),
    )


@over_the_wall()
def count_numbers(active: int | None, *, at: datetime) -> Numbers:
    """The indicators of the plan's measure 4, from events: scenes in which somebody else was
    shown a licence, kinds of certificates issued, traders whose licence somebody else was shown
    of those who trade, streets with enough shops scanned. ``active``: how many trade."""
    seen = Scan.objects.exclude(is_own=True)
    answered = PresentationRequest.objects.exclude(answered_at=None)
    used = set(seen.exclude(scene="").values_list("scene", flat=True))
    used |= set(answered.values_list("scene", flat=True))
    held = Certificate.objects.filter(kind=LICENCE).exclude(status=Status.REVOKED)
    shown = Q(trader_code__in=seen.values("trader_code"))
    shown |= Q(trader_code__in=answered.values("trader_code"))
    users = held.filter(shown).values("trader_code").distinct().count()
    counted = _count_streets(at)
    return Numbers(
        scenes_used=len(used & set(scenes())),
        scenes_registered=len(scenes()),
        kinds_issued=Certificate.objects.values("kind").distinct().count(),
        kinds_registered=len(certificate_kinds()),
        holders=held.values("trader_code").distinct().count(),
        users=users,
        active=active,
        share=users / active if active else None,
        streets_counted=sum(street.is_counted for street in counted),
        streets=counted,
        street_days=streets().days,
        street_shops_at_least=streets().shops_at_least,
    )


def _count_streets(at: datetime) -> tuple[StreetCount, ...]:
    """Different shops of each street that somebody else scanned and found valid; a code used
    again counts for nothing."""
    kept = streets()
    scans = Scan.objects.filter(
        town_code__in=kept.streets,
        at__gt=at - timedelta(days=kept.days),
        at__lte=at,
        is_own=False,
        is_repeat=False,
        answer=Answer.VALID,
    )
    per_town = scans.values("town_code").annotate(shops=Count("trader_code", distinct=True))
    shops = {row["town_code"]: row["shops"] for row in per_town}
    found = [
        StreetCount(
            title=title,
            county=reference.division_name(code[:6]),
            shops=shops.get(code, 0),
            is_counted=shops.get(code, 0) >= kept.shops_at_least,
        )
        for code, title in kept.streets.items()
    ]
    return tuple(sorted(found, key=lambda street: -street.shops))


def find_burden(trader_code: str, *, at: datetime) -> ports.Burden | None:
    """What the shop has had of visits; None: not known yet."""
    return ports.find_burden(trader_code, at=at)


def find_grades(trader_code: str, *, at: datetime) -> tuple[ports.Grade, ...] | None:
    """The shop's published grades; None: not known yet."""
    return ports.find_grades(trader_code, at=at)
