"""What the licence promises against forgers, copiers, stale knowledge and the curious: small here,
full sizes with ``-m scale``. Each with its control: the guard taken away, it goes wrong."""

import json
import os
import random
import re
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as conf
from openvc.keys import P256SigningKey

from getihu.accounts import services as accounts
from getihu.accounts.contracts import ANONYMOUS, CITY, Role, duty_of
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of
from getihu.kernel import sm2
from getihu.passport import selectors, services
from getihu.passport.credentials import answers, offline, package, sd_jwt
from getihu.passport.credentials.answers import Answer, judge
from getihu.passport.credentials.keys import FileKeyRing, Sm2Key
from getihu.passport.credentials.sd_jwt import BadCredential
from getihu.passport.credentials.status import Status, read_list, status_at
from getihu.passport.models import Certificate, PresentationRequest, Scan
from getihu.passport.selectors.wallet import client_id
from getihu.passport.services import showing
from getihu.passport.services.wallet import holder_key
from tests.cases.cast import AT as CAST_AT
from tests.cases.cast import officer, person
from tests.passport import test_credentials as made
from tests.signed_in import sign_in

AT = datetime.now(UTC)
SHOP, NEXT_DOOR = "92330302MA2ECR1A0J", "92330382MA2JXW6N1X"
FULL = int(os.environ.get("PROMISES", "20000"))
small_and_full = pytest.mark.parametrize(
    "count", [60, pytest.param(FULL, marks=pytest.mark.scale, id="full")]
)


def issue(code=SHOP, **more):
    data = {"name": "阿芬面馆", "scope": "餐饮服务", "premises": "公安路23号"}
    services.issue_certificate(code, "business_licence", data, at=AT, **more)
    return Certificate.objects.get(trader_code=code, status=0)


@pytest.fixture
def owner(db):
    return person("owner", SHOP)


@pytest.fixture
def licence(owner):
    return issue()


# Q1

BESIDE = Sm2Key(sm2.new_private_key(), "s1")
BOTH = package.make(made.LICENCE, companion=BESIDE)


def mutations(count, seed):
    """Texts made from true ones: letters changed, cut, doubled, parts exchanged, keys swapped."""
    draw = random.Random(seed)
    for _ in range(count):
        text = draw.choice([made.LICENCE, made.OFFLINE, BOTH])
        place, kind = draw.randrange(len(text)), draw.randrange(4)
        if kind == 0:
            yield text[:place] + draw.choice("AZaz09-_.~:") + text[place + 1 :]
        elif kind == 1:
            yield text[:place]
        elif kind == 2:
            yield text[:place] + text[place:] * 2
        else:
            other = draw.randrange(len(text))
            yield text[: min(place, other)] + text[max(place, other) :]


def says_more_than_was_signed(text):
    """Whether a text is taken for ours and tells what we never signed."""
    asked = {"keys": made.KEYS, "issuer": made.ISSUER, "at": made.AT}
    signed = made.DATA | {"kind": "business_licence"}
    try:
        if text.startswith(offline.PREFIX):
            found = offline.read(text, **asked)
            return (found.trader_code, found.name) != (made.DATA["trader_code"], "阿芬面馆")
        reader = package.check if text.startswith("{") else sd_jwt.check
        more = {"companions": {"s1": BESIDE.public_jwk()}} if text.startswith("{") else {}
        return not reader(text, **asked, **more).data.items() <= signed.items()
    except BadCredential:
        return False


@small_and_full
def test_no_changed_text_says_what_was_never_signed(count):
    assert not any(says_more_than_was_signed(text) for text in mutations(count, 1))


def built_forgeries():
    """Well-formed, signed by somebody: another key under our key's name, an old key, another
    registrar's key, HMAC with the public key, no signature at all."""
    for kid in ("k1", "k2", ""):
        other = P256SigningKey(made.OTHER._sk, kid)
        yield made.issued(other, name="假店")
        yield offline.make("one", SHOP, "假店", issuer=made.ISSUER, signer=other, at=made.AT)
    yield made.issued(made.SIGNER, issuer="https://ruian.example", name="假店")


def test_no_built_forgery_is_read():
    forged = list(built_forgeries())
    assert len(forged) == 7 and not any(map(says_more_than_was_signed, forged))


def test_control_a_reader_that_takes_the_key_a_text_brings_is_fooled():
    class Whatever(dict):
        def get(self, kid, default=None):
            return made.OTHER.public_jwk()

    forged = made.issued(made.OTHER, name="假店")
    read = sd_jwt.check(forged, keys=Whatever(), issuer=made.ISSUER, at=made.AT)
    assert read.data["name"] == "假店"


# Q2


@pytest.mark.parametrize("count", [5, pytest.param(2000, marks=pytest.mark.scale, id="full")])
def test_a_copied_code_is_worthless_after_a_minute(licence, owner, count):
    for number in range(count):
        code = services.make_code(SHOP, by=owner, at=AT)
        later = AT + timedelta(seconds=61 + number)
        with pytest.raises(services.CodeExpired):
            services.scan(code, by=ANONYMOUS, at=later)
    assert not Scan.objects.exists()


def test_control_without_the_minute_a_copy_is_taken(licence, owner, monkeypatch):
    monkeypatch.setattr(showing, "LIFE", timedelta(days=1))
    code = services.make_code(SHOP, by=owner, at=AT)
    assert services.scan(code, by=ANONYMOUS, at=AT + timedelta(hours=1)).answer == "valid"


def test_a_presentation_is_worth_nothing_elsewhere_or_twice(licence, owner):
    clerk = officer("clerk", Role.BANK_CLERK, "bank", CITY)

    def ask():
        given = {"until": AT.date() + timedelta(days=9), "by": clerk, "at": AT}
        return services.ask("bank_loan", "评估", ["name"], **given)

    first, second = ask(), ask()
    row = PresentationRequest.objects.get(pk=first)
    shown = sd_jwt.present(
        licence.text,
        ["name"],
        holder=holder_key(SHOP, at=AT),
        audience=client_id(row),
        nonce=row.nonce,
        at=AT,
    )
    with pytest.raises(services.BadPresentation):
        services.take_response(second, {"licence": [shown]}, at=AT)
    services.take_response(first, {"licence": [shown]}, at=AT)
    with pytest.raises(services.BadRequest):
        services.take_response(first, {"licence": [shown]}, at=AT)


# Q3


@small_and_full
def test_nothing_is_plainly_valid_without_a_fresh_status(count):
    draw = random.Random(3)
    seen = set()
    for _ in range(count):
        status = draw.choice([None, *Status])
        age = timedelta(seconds=draw.choice([0, 59, 60, 61, 299, 3600, 86_400, 86_401, -299, -301]))
        found = judge(status, None if status is None else AT - age, AT).answer
        seen.add(found)
        fresh = timedelta(minutes=-5) <= age <= timedelta(seconds=60)
        assert (found is Answer.VALID) == (status is Status.VALID and fresh)
    assert seen == set(Answer)


def test_control_a_judge_that_trusts_an_old_status_says_valid(monkeypatch):
    monkeypatch.setattr(answers, "FRESH", timedelta(days=365))
    assert judge(Status.VALID, AT - timedelta(days=9), AT).answer is Answer.VALID


# Q4


@pytest.mark.parametrize("count", [30, pytest.param(1000, marks=pytest.mark.scale, id="full")])
def test_a_licence_taken_back_amid_scans_is_valid_for_none_after(licence, owner, count):
    code = services.make_code(SHOP, by=owner, at=AT)
    taken_back = count // 2
    for number in range(count):
        if number == taken_back:
            services.revoke_all(SHOP, "注销", at=AT)
        found = services.scan(code, by=ANONYMOUS, at=AT).answer
        assert found == ("valid" if number < taken_back else "not_valid"), number
    text = selectors.status_list(0, AT)
    uri = f"{conf.PUBLIC_URL}/passport/status/0.jwt"
    bits, told_at = read_list(text, keys=FileKeyRing().public_keys(), uri=uri, at=AT)
    assert status_at(bits, licence.place) is Status.REVOKED
    assert abs(told_at - AT) <= timedelta(seconds=1)
    with pytest.raises(BadCredential):  # a list of the day before is not taken
        read_list(text, keys=FileKeyRing().public_keys(), uri=uri, at=AT + timedelta(hours=25))


# Q5


@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.scale, id="full")])
def test_a_stolen_key_forges_nothing_that_is_asked_about(licence, owner, count):
    thief = FileKeyRing().current()
    more = {"issuer": conf.PUBLIC_URL, "signer": thief, "at": AT}
    for number in range(count):
        forged = offline.make(str(uuid.uuid4()), SHOP, f"假店{number}", **more)
        keys = FileKeyRing().public_keys()
        assert offline.read(forged, keys=keys, issuer=conf.PUBLIC_URL, at=AT)  # the signature holds
        with pytest.raises(BadCredential, match="没有签发过"):
            services.check_text(forged, by=ANONYMOUS, at=AT)
    began = time.monotonic()
    FileKeyRing().rotate(withdraw=True)
    assert time.monotonic() - began < 60
    with pytest.raises(BadCredential):
        offline.read(forged, keys=FileKeyRing().public_keys(), issuer=conf.PUBLIC_URL, at=AT)
    again = issue_again()
    assert services.check_text(again.text, by=ANONYMOUS, at=AT).answer == "valid"


def issue_again():
    issue()
    return Certificate.objects.exclude(status=1).get(trader_code=SHOP)


# Q6


CANARIES = ("330302199001019999", "13800009999", "家庭住址九十九号")


def test_no_audience_sees_the_person_behind_the_shop(licence, client, owner, db):
    account = Account.objects.get(pk=owner.account_id)
    account.name, account.identity_subject = CANARIES[2], CANARIES[0]
    account.save()
    visitors = [None, officer("i", Role.INSPECTOR, "amr", CITY)]
    visitors += [officer("b", Role.BANK_CLERK, "bank", CITY), person("p")]
    for by in visitors:
        visitor = type(client)()
        if by is not None:
            sign_in(visitor, Account.objects.get(pk=by.account_id))
        code = services.make_code(SHOP, by=owner, at=datetime.now(UTC))
        page = visitor.get(f"/c/{code}/").content.decode()
        assert "现在有效" in page and not [c for c in CANARIES if c in page]
    for scan in Scan.objects.all():
        assert not [c for c in CANARIES if c in json.dumps(scan.shown, ensure_ascii=False)]


def test_control_a_canary_in_the_licence_is_seen(owner, client):
    data = {"name": "阿芬面馆", "scope": CANARIES[2]}
    services.issue_certificate(SHOP, "business_licence", data, at=AT)
    code = services.make_code(SHOP, by=owner, at=datetime.now(UTC))
    assert CANARIES[2] in client.get(f"/c/{code}/").content.decode()


# Q7


def fuzzed(count, seed):
    draw = random.Random(seed)
    heads = [
        "",
        "GT1:",
        "{",
        "eyJ",
        "a.b.c~",
        "https://evil.example/",
        '{"payload":',
        "~~~",
        "GT1:6BF",
    ]
    letters = "AZaz09-_.~:{}[]\"',+/= \u0000汉😀\ud7ff"
    for _ in range(count):
        body = "".join(draw.choices(letters, k=draw.randrange(200)))
        yield draw.choice(heads) + body


@small_and_full
def test_whatever_is_read_is_refused_in_time_and_never_breaks(db, count):
    FileKeyRing().current()
    slowest = 0.0
    for text in fuzzed(count, 7):
        began = time.process_time()
        with pytest.raises(BadCredential):
            services.check_text(text, by=ANONYMOUS, at=AT)
        slowest = max(slowest, time.process_time() - began)
    assert slowest < 0.25, slowest
    assert not Scan.objects.exists()


def test_a_large_text_is_no_bomb(db):
    import zlib

    import base45

    packed = base45.b45encode(zlib.compress(b"\0" * 20_000_000, 9)).decode()
    for text in ("GT1:" + packed[:1900], "GT1:" + packed, "{" + '"a":' * 100_000, "[" * 100_000):
        with pytest.raises(BadCredential):
            services.check_text(text, by=ANONYMOUS, at=AT)


def test_a_scan_leads_nowhere_but_home(licence, owner, client):
    """A code holds our own address; the page links only to us and redirects nowhere."""
    code = services.make_code(SHOP, by=owner, at=datetime.now(UTC))
    answer = client.get(f"/c/{code}/")
    assert answer.status_code == 200
    linked = re.findall(r'(?:href|src|action)="([^"]+)"', answer.content.decode())
    assert linked and all(link.startswith(("/", "#", "data:image/svg")) for link in linked)
    strange = client.get("/c/https:%2F%2Fevil.example/")
    assert strange.status_code == 404 and not strange.has_header("Location")


# Q8


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role.value if role else "trader")
def test_nobody_but_its_owner_has_a_licence_issued(db, client, role):
    actor = person("somebody", NEXT_DOOR)
    if role is not None:
        account = accounts.open_account(login="a", name="a", duty=duty_of(role), at=CAST_AT)
        given = {"agency": "amr", "division": CITY, "reason": "到岗", "at": CAST_AT, "by": None}
        accounts.assign(account, role, **given)
        actor = actor_of(account, CAST_AT)
    sign_in(client, Account.objects.get(pk=actor.account_id))
    answer = client.post(f"/mine/code/{SHOP}/", {"once": str(uuid.uuid4())})
    assert answer.status_code in (403, 404), answer.status_code
    assert not Certificate.objects.exists()


def test_looking_issues_nothing(db, client, owner):
    sign_in(client, Account.objects.get(pk=owner.account_id))
    for path in ("", "fresh/", f"certificates/{uuid.uuid4()}/"):
        client.get(f"/mine/code/{SHOP}/{path}")
    client.get("/passport/")
    assert not Certificate.objects.exists()


def test_a_test_key_signs_nothing_this_installation_takes(licence):
    """A certificate signed elsewhere with a key of the same shape, for our own number."""
    stranger = FileKeyRing(conf.PASSPORT_KEY_DIR.parent / "elsewhere")
    forged = sd_jwt.issue(
        "business_licence",
        {"trader_code": SHOP, "name": "阿芬面馆"},
        id=str(licence.pk),
        issuer=conf.PUBLIC_URL,
        signer=stranger.current(),
        holder_jwk=made.HOLDER.public_jwk(),
        status_uri=made.URI,
        status_index=licence.place,
        at=AT,
    )
    with pytest.raises(BadCredential, match="不是登记机关现在认可的"):
        services.check_text(forged, by=ANONYMOUS, at=AT)


# what the database keeps


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (Certificate, {"text": "x"}),
        (Certificate, {"trader_code": NEXT_DOOR}),
        (PresentationRequest, {"until": AT.date() + timedelta(days=999)}),
        (PresentationRequest, {"purpose": "别的用途"}),
        (PresentationRequest, {"shown": {"name": "x", "premises": "y"}}),
        (PresentationRequest, {"answered_at": None}),
    ],
)
def test_the_database_keeps_what_was_issued_and_agreed(licence, owner, table, change):
    from django.db import DatabaseError, transaction

    clerk = officer("clerk", Role.BANK_CLERK, "bank", CITY)
    given = {"until": AT.date() + timedelta(days=9), "by": clerk, "at": AT}
    request = services.ask("bank_loan", "评估", ["name"], **given)
    services.answer(request, SHOP, by=owner, at=AT)
    with pytest.raises(DatabaseError), transaction.atomic():
        table.objects.update(**change)
    services.take_back(request, by=owner, at=AT)  # what may be done still can
    with pytest.raises(DatabaseError), transaction.atomic():
        PresentationRequest.objects.update(shown={"name": "x"})
    services.revoke_all(SHOP, "注销", at=AT)
    with pytest.raises(DatabaseError), transaction.atomic():
        Certificate.objects.update(status=0)
