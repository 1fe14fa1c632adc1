"""Every signer keeps the promises of the port, whatever it signs with."""

import base64
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from getihu.audit import selectors, services, signers
from getihu.audit.signers import Ed25519Signer, KeyMissing, Sm2Signer, Sm2Verifier
from getihu.audit.tlog import note
from tests.audit.conftest import AT, record, verify_whole

NAME = "getihu.example/audit"


def ed25519() -> Ed25519Signer:
    return Ed25519Signer(NAME, Ed25519PrivateKey.generate())


def sm2() -> Sm2Signer:
    return Sm2Signer(NAME, secrets.token_bytes(32))


@pytest.fixture(params=[ed25519, sm2], ids=["Ed25519", "SM2"])
def make(request):
    return request.param


def test_a_signature_holds_for_its_text_and_key_only(make):
    signer, other = make(), make()
    signature = signer.sign(b"text\n")

    assert signer.verifier.verify(b"text\n", signature)
    assert not signer.verifier.verify(b"texu\n", signature)
    assert not other.verifier.verify(b"text\n", signature)


def test_no_flipped_bit_of_a_signature_is_accepted(make):
    signer = make()
    signature = signer.sign(b"text\n")

    for place in range(0, 512, 17):
        number = int.from_bytes(signature, "big") ^ (1 << place)
        assert not signer.verifier.verify(b"text\n", number.to_bytes(64, "big"))


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 64, b"\0" * 63, b"\1" * 65])
def test_nonsense_is_no_signature_and_no_error(make, signature):
    assert not make().verifier.verify(b"text\n", signature)


def test_the_published_line_names_the_key_by_its_id(make):
    verifier = make().verifier
    name, id_, typed = verifier.vkey.split("+", 2)

    assert (name, id_) == (NAME, verifier.key_id.hex())
    assert note.key_id(name, base64.b64decode(typed)) == verifier.key_id


def test_a_note_of_both_signatures_holds_for_either_key():
    keys = [ed25519(), sm2()]
    text = note.sign("origin\n0\nx\n", keys)

    assert [note.verify(text, [key.verifier]) for key in keys] == ["origin\n0\nx\n"] * 2


def test_a_key_that_begins_with_the_digits_the_library_strips_still_signs():
    key = Sm2Signer(NAME, (11).to_bytes(32, "big"))

    assert key._public_key.hex().startswith("04")
    assert key.verifier.verify(b"text\n", key.sign(b"text\n"))


def test_a_point_off_the_curve_is_no_key():
    with pytest.raises(signers.SigningFailed, match="不在曲线上"):
        Sm2Verifier(NAME, b"\1" * 64)


def test_two_signatures_never_share_their_secret_number(monkeypatch):
    key = sm2()
    first, second = key.sign(b"text\n"), key.sign(b"text\n")
    assert first[:32] != second[:32]

    # Control: with a number anyone can foresee, they do.
    monkeypatch.setattr(secrets, "randbelow", lambda n: 12345)
    assert key.sign(b"text\n")[:32] == key.sign(b"text\n")[:32]


@pytest.mark.django_db
def test_a_checkpoint_carries_ed25519_and_sm2(data_dir, settings):
    settings.AUDIT_SIGNERS = [
        "getihu.audit.signers.ed25519_from_file",
        "getihu.audit.signers.sm2_from_file",
    ]
    record(3)
    services.sequence(AT)
    text = selectors.find_checkpoint().note

    assert [note.verify(text, [verifier])[:20] for verifier in selectors.log_verifiers()] == [
        "getihu.example/audit"
    ] * 2
    assert verify_whole(selectors.log_folder()) == 0
    assert selectors.check_log() == []


@pytest.mark.django_db
def test_without_its_key_the_log_stops(log):
    record(1)
    (log.parent / "keys" / "audit" / "ed25519.pem").unlink()

    with pytest.raises(KeyMissing, match="从密钥备份放回"):
        services.sequence(AT)
    assert selectors.log_status().waiting == 1


@pytest.mark.django_db
def test_who_checks_needs_no_private_key(grow, log):
    (receipt,) = grow(1)
    (log.parent / "keys" / "audit" / "ed25519.pem").unlink()

    assert selectors.receipt_file(receipt).startswith("c2sp.org/tlog-proof@v1")
    assert selectors.check_log() == []


@pytest.mark.django_db
def test_a_public_key_that_was_exchanged_is_noticed(grow, log):
    grow(1)
    other = ed25519().verifier.vkey
    (log.parent / "keys" / "audit" / "public").write_text(f"{other}\n", "utf-8")

    assert "没有一个已知密钥的签名" in selectors.check_log()[0].message


@pytest.mark.parametrize("make_verifier", [ed25519, sm2], ids=["Ed25519", "SM2"])
def test_a_published_key_line_reads_back(make_verifier):
    signer = make_verifier()

    again = signers.verifier_of(signer.verifier.vkey)
    assert again.verify(b"text\n", signer.sign(b"text\n"))


@pytest.mark.django_db
def test_a_key_file_is_readable_by_its_owner_only(log):
    assert (log.parent / "keys" / "audit" / "ed25519.pem").stat().st_mode & 0o077 == 0
