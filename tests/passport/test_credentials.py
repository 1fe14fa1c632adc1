"""Licences nobody can forge, replay or call valid without knowing. Pure but for keys in a folder."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openvc.keys import P256SigningKey

from getihu.cases.selectors import matter_catalogue
from getihu.dataplane.selectors import dataset_contracts
from getihu.passport.contracts import ITEMS
from getihu.passport.credentials import offline, sd_jwt
from getihu.passport.credentials.answers import Answer, judge
from getihu.passport.credentials.catalogue import certificate_kinds, scenes
from getihu.passport.credentials.keys import FileKeyRing
from getihu.passport.credentials.sd_jwt import BadCredential
from getihu.passport.credentials.status import Status, build_list, read_list, status_at

AT = datetime.now(UTC)
ISSUER = "https://licences.example"
URI = f"{ISSUER}/passport/status/0.jwt"
SIGNER, OTHER = P256SigningKey.generate("k1"), P256SigningKey.generate("k2")
HOLDER = P256SigningKey.generate("holder")
KEYS = {"k1": SIGNER.public_jwk()}
DATA = {"trader_code": "92330302MA2ECR1A0J", "name": "阿芬面馆", "premises": "公安路23号"}


def issued(signer=SIGNER, issuer=ISSUER, **more):
    return sd_jwt.issue(
        "business_licence",
        DATA | more,
        id="one",
        issuer=issuer,
        signer=signer,
        holder_jwk=HOLDER.public_jwk(),
        status_uri=URI,
        status_index=7,
        at=AT,
    )


LICENCE = issued()
OFFLINE = offline.make("one", DATA["trader_code"], "阿芬面馆", issuer=ISSUER, signer=SIGNER, at=AT)


def read(text, **more):
    return sd_jwt.check(text, keys=KEYS, issuer=ISSUER, at=AT, **more)


def test_only_what_is_chosen_is_shown():
    cut = read(sd_jwt.show_only(LICENCE, ["name"]))
    assert cut.data == {
        "kind": "business_licence",
        "trader_code": DATA["trader_code"],
        "name": "阿芬面馆",
    }
    assert "公安路" not in base64.b64decode(LICENCE.split(".")[1] + "==", altchars=b"-_").decode()
    assert (cut.status_uri, cut.status_index) == (URI, 7)


@pytest.mark.parametrize(
    "forged",
    [
        issued(OTHER),  # a key nobody published
        issued(P256SigningKey(OTHER._private_key, "k1")) if hasattr(OTHER, "_private_key") else "",
        issued(issuer="https://elsewhere.example"),  # another registrar
        LICENCE.replace(".", "", 1),
        "~".join([LICENCE.split("~")[0][:-4] + "AAAA", *LICENCE.split("~")[1:]]),  # signature cut
        "",
        "a.b.c",
        "{}",
        "[" * 9000,
    ],
)
def test_forgeries_fail(forged):
    with pytest.raises(BadCredential):
        read(forged)


def test_another_algorithm_is_no_way_in():
    head, body, signature = LICENCE.split("~")[0].split(".")
    for alg in ("none", "HS256"):
        header = {"alg": alg, "typ": "dc+sd-jwt", "kid": "k1"}
        told = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        with pytest.raises(BadCredential):
            read(f"{told}.{body}.{signature}~")
    assert read(f"{head}.{body}.{signature}~").id == "one"  # the control


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(LICENCE) - 1), st.sampled_from("AZaz09-_.~"))
def test_one_changed_character_is_a_forgery_or_shows_less(place, letter):
    changed = LICENCE[:place] + letter + LICENCE[place + 1 :]
    try:
        found = read(changed)
    except BadCredential:
        return
    assert found.data.items() <= ({"kind": "business_licence"} | DATA).items()


def test_an_answer_holds_for_one_question_and_one_asker():
    shown = sd_jwt.present(LICENCE, ["name"], holder=HOLDER, audience="bank", nonce="n1", at=AT)
    assert read(shown, audience="bank", nonce="n1").is_bound
    for audience, nonce in (("bank", "n2"), ("shop", "n1")):
        with pytest.raises(BadCredential):
            read(shown, audience=audience, nonce=nonce)
    with pytest.raises(BadCredential):  # a copy of the licence is no answer
        read(LICENCE, audience="bank", nonce="n1")
    stolen = sd_jwt.present(LICENCE, ["name"], holder=OTHER, audience="bank", nonce="n1", at=AT)
    with pytest.raises(BadCredential):
        read(stolen, audience="bank", nonce="n1")


def test_the_list_tells_the_status_and_is_signed():
    text = build_list({7: Status.REVOKED, 8: Status.SUSPENDED}, uri=URI, signer=SIGNER, at=AT)
    bits, made = read_list(text, keys=KEYS, uri=URI, at=AT)
    assert [status_at(bits, n) for n in (6, 7, 8)] == [0, 1, 2]
    assert abs(made - AT) < timedelta(seconds=1)
    with pytest.raises(BadCredential):
        read_list(text, keys=KEYS, uri=URI.replace("0.jwt", "1.jwt"), at=AT)
    with pytest.raises(BadCredential):
        read_list(text, keys={"k2": OTHER.public_jwk()}, uri=URI, at=AT)
    with pytest.raises(BadCredential):
        read_list(text, keys=KEYS, uri=URI, at=AT + timedelta(hours=25))
    with pytest.raises(BadCredential):
        status_at(bits, 65_536)


@pytest.mark.parametrize(
    ("status", "age", "answer"),
    [
        (Status.VALID, timedelta(0), Answer.VALID),
        (Status.VALID, timedelta(seconds=60), Answer.VALID),
        (Status.VALID, timedelta(seconds=61), Answer.WAS_VALID),
        (Status.VALID, timedelta(hours=24), Answer.WAS_VALID),
        (Status.VALID, timedelta(hours=24, seconds=1), Answer.UNKNOWN),
        (Status.VALID, -timedelta(minutes=4), Answer.VALID),
        (Status.VALID, -timedelta(minutes=6), Answer.UNKNOWN),
        (Status.SUSPENDED, timedelta(0), Answer.NOT_VALID),
        (Status.REVOKED, timedelta(hours=30), Answer.NOT_VALID),
        (None, None, Answer.UNKNOWN),
    ],
)
def test_never_plain_valid_without_a_fresh_status(status, age, answer):
    told_at = None if age is None else AT - age
    assert judge(status, told_at, AT).answer is answer


def test_the_offline_code_is_small_and_says_when():
    found = offline.read(OFFLINE, keys=KEYS, issuer=ISSUER, at=AT)
    assert (found.trader_code, found.name) == (DATA["trader_code"], "阿芬面馆")
    assert len(OFFLINE) < 300
    for at, keys, issuer in (
        (AT + timedelta(hours=25), KEYS, ISSUER),
        (AT - timedelta(minutes=6), KEYS, ISSUER),
        (AT, {"k1": OTHER.public_jwk()}, ISSUER),
        (AT, KEYS, "https://elsewhere.example"),
    ):
        with pytest.raises(BadCredential):
            offline.read(OFFLINE, keys=keys, issuer=issuer, at=at)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.text(max_size=300).map(lambda t: "GT1:" + t)))
def test_whatever_a_stranger_puts_into_a_code_is_told_the_same_way(text):
    for reader in (lambda: offline.read(text, keys=KEYS, issuer=ISSUER, at=AT), lambda: read(text)):
        with pytest.raises(BadCredential):
            reader()


def test_a_key_goes_out_of_use_or_is_withdrawn(tmp_path):
    ring = FileKeyRing(tmp_path / "keys")
    first = ring.current()
    text = issued(first)
    second = ring.rotate()
    assert ring.current().kid == second != first.kid
    assert sd_jwt.check(text, keys=ring.public_keys(), issuer=ISSUER, at=AT).key_id == first.kid
    again = issued(ring.current())
    ring.rotate(withdraw=True)
    with pytest.raises(BadCredential, match="密钥"):
        sd_jwt.check(again, keys=ring.public_keys(), issuer=ISSUER, at=AT)
    assert {p.stat().st_mode & 0o077 for p in (tmp_path / "keys").iterdir()} == {0}
    assert len(list((tmp_path / "keys").glob("*.pem"))) == 1  # old private keys are gone


def test_a_kind_comes_from_a_matter_or_a_dataset_that_is_there():
    gives = {m.result.certificate for m in matter_catalogue().values() if m.result.certificate}
    assert gives <= set(certificate_kinds())
    read = [k.source.split("/") for k in certificate_kinds().values() if "/" in k.source]
    for dataset, kind in read:
        columns = {column.name: column for column in dataset_contracts()[dataset].columns}
        assert kind in dict(columns["kind"].values), (dataset, kind)
    # Matters and what departments deliver give these; the others wait for their departments.
    sourced = {k.id for k in certificate_kinds().values() if k.source}
    assert len(gives | sourced) == 15


def test_kinds_and_scenes_are_data_with_their_law():
    assert len(certificate_kinds()) == 35 and len(scenes()) == 30
    for kind in certificate_kinds().values():
        assert kind.title and "第" in kind.law, kind.id
    for scene in scenes().values():
        assert scene.shows and set(scene.shows) <= set(ITEMS), scene.id
