"""SM2 with SM3 beside ES256: made by one library, checked by another author's program."""

import base64
import json
import shutil
import subprocess

import pytest

from getihu.kernel import sm2
from getihu.passport.credentials import package
from getihu.passport.credentials.keys import FileKeyRing, Sm2Key
from getihu.passport.credentials.sd_jwt import BadCredential
from tests.passport.test_credentials import AT, ISSUER, KEYS, LICENCE, issued

KEY = Sm2Key(sm2.new_private_key(), "s1")
COMPANIONS = {"s1": KEY.public_jwk()}
BOTH = package.make(LICENCE, companion=KEY)
# SubjectPublicKeyInfo of a point on the SM2 curve (GB/T 35276), up to the point itself.
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


def read(text, **more):
    asked = {"keys": KEYS, "companions": COMPANIONS, "issuer": ISSUER, "at": AT} | more
    return package.check(text, **asked)


def changed(number, **parts):
    told = json.loads(BOTH)
    told["signatures"][number] |= parts
    return json.dumps(told)


def raw(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_both_signatures_hold_and_the_content_is_the_same():
    found = read(BOTH)
    assert (found.id, found.data["name"]) == ("one", "阿芬面馆")


@pytest.mark.parametrize(
    "forged",
    [
        changed(1, signature=json.loads(BOTH)["signatures"][0]["signature"]),
        changed(1, protected=json.loads(BOTH)["signatures"][0]["protected"]),
        changed(1, signature=""),
        changed(0, signature=json.loads(BOTH)["signatures"][1]["signature"]),
        changed(0, header={"disclosures": "x"}),
        json.dumps({**json.loads(BOTH), "signatures": json.loads(BOTH)["signatures"][:1]}),
        json.dumps({**json.loads(BOTH), "payload": json.loads(BOTH)["payload"][:-4] + "AAAA"}),
        changed(
            1, **json.loads(package.make(issued(name="别的店"), companion=KEY))["signatures"][1]
        ),
        "{}",
        '{"payload": 1, "signatures": [1, 2]}',
        "[" * 9000,
        "{" + " " * 30_000,
    ],
)
def test_one_true_signature_is_not_enough(forged):
    with pytest.raises(BadCredential):
        read(forged)


def test_another_companion_is_refused():
    stranger = Sm2Key(sm2.new_private_key(), "s1")
    with pytest.raises(BadCredential, match="国密签名不对"):
        read(package.make(LICENCE, companion=stranger))
    with pytest.raises(BadCredential, match="不是登记机关现在认可的"):
        read(BOTH, companions={})


def test_openssl_agrees_with_the_signature(tmp_path):
    """The independent path: OpenSSL's own SM2, given only the file and the published key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    told, key = json.loads(BOTH), COMPANIONS["s1"]
    second = told["signatures"][1]
    der = SPKI + raw(key["x"]) + raw(key["y"])
    signature = raw(second["signature"])

    def integer(part):
        value = part.lstrip(b"\0") or b"\0"
        value = b"\0" + value if value[0] & 0x80 else value
        return bytes([2, len(value)]) + value

    numbers = integer(signature[:32]) + integer(signature[32:])
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "sig").write_bytes(bytes([0x30, len(numbers)]) + numbers)

    def agrees(message):
        (tmp_path / "text").write_bytes(message)
        asked = "pkeyutl -verify -rawin -digest sm3 -pkeyopt distid:1234567812345678 -pubin"
        files = ["-inkey", "key.pem", "-in", "text", "-sigfile", "sig"]
        done = subprocess.run(
            [openssl, *asked.split(), *files], cwd=tmp_path, capture_output=True, timeout=60
        )
        return done.returncode == 0

    signed = f"{second['protected']}.{told['payload']}".encode()
    assert agrees(signed)
    assert not agrees(signed + b"x")


def test_the_companion_changes_and_is_withdrawn_with_the_key(tmp_path):
    ring = FileKeyRing(tmp_path / "keys")
    ring.current()
    first = ring.companion()
    ring.rotate()
    assert ring.companion().kid != first.kid and first.kid in ring.companion_keys()
    second = ring.companion()
    ring.rotate(withdraw=True)
    assert second.kid not in ring.companion_keys() and first.kid in ring.companion_keys()
    assert len(list((tmp_path / "keys" / "sm2").glob("*.hex"))) == 1
    kept = [p for p in (tmp_path / "keys").rglob("*") if p.is_file()]
    assert {p.stat().st_mode & 0o077 for p in kept} == {0}
