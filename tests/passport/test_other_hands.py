"""Our licences checked by programs of other authors, and our codes read by another reader."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy
import pytest
import qrcode
import zxingcpp
from sd_jwt.verifier import SDJWTVerifier

from getihu.passport.credentials import offline, sd_jwt
from getihu.passport.credentials.status import Status, build_list
from tests.passport.test_credentials import (
    AT,
    DATA,
    HOLDER,
    ISSUER,
    KEYS,
    LICENCE,
    OFFLINE,
    OTHER,
    SIGNER,
    URI,
)

FOLDER = Path(__file__).parent / "verifier"
NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")


@pytest.fixture(scope="module")
def ask_node():
    if NODE is None or not (FOLDER / "node_modules").exists():
        pytest.skip("no packages here: make test brings them (npm ci in tests/passport/verifier)")

    def ask(credential, *, statuses=None, key=SIGNER, nonce=""):
        told = build_list(statuses or {}, uri=URI, signer=SIGNER, at=datetime.now(UTC))
        asked = {"credential": credential, "key": key.public_jwk(), "list": told, "nonce": nonce}
        done = subprocess.run(
            [NODE, "verify.mjs"],
            cwd=FOLDER,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr[-500:]
        return json.loads(done.stdout)

    return ask


def test_a_verifier_in_javascript_reads_what_we_issue(ask_node):
    found = ask_node(LICENCE)
    assert found["ok"], found
    assert found["claims"]["name"] == "阿芬面馆"
    assert found["claims"]["vct"] == "urn:getihu:certificate:business_licence"
    cut = ask_node(sd_jwt.show_only(LICENCE, ["name"]))
    assert cut["ok"] and "premises" not in cut["claims"]


@pytest.mark.parametrize("status", [Status.REVOKED, Status.SUSPENDED])
def test_it_reads_our_status_list(ask_node, status):
    assert ask_node(LICENCE, statuses={8: status})["ok"]  # the neighbour's is not ours
    refused = ask_node(LICENCE, statuses={7: status})
    assert not refused["ok"] and f"status {int(status)}" in refused["why"]


def test_it_refuses_another_key_and_a_changed_name(ask_node):
    assert not ask_node(LICENCE, key=OTHER)["ok"]
    parts = LICENCE.split("~")
    changed = "~".join([parts[0], parts[1][:-2] + "AA", *parts[2:]])
    assert not ask_node(changed)["ok"] or "阿芬面馆" not in json.dumps(ask_node(changed))


def test_it_takes_a_presentation_bound_to_its_question(ask_node):
    shown = sd_jwt.present(LICENCE, ["name"], holder=HOLDER, audience="bank", nonce="n1", at=AT)
    found = ask_node(shown, nonce="n1")
    assert found["ok"] and found["bound"], found
    assert not ask_node(shown, nonce="n2")["ok"]


def test_a_verifier_in_python_by_another_author_reads_it_too():
    from jwcrypto.jwk import JWK

    key = JWK.from_json(json.dumps(SIGNER.public_jwk()))
    payload = SDJWTVerifier(LICENCE, lambda *_: key).get_verified_payload()
    assert payload["name"] == "阿芬面馆" and payload["iss"] == ISSUER


@pytest.mark.parametrize("text", [OFFLINE, f"{ISSUER}/c/ABCDEFGHIJKLMNOP/"])
def test_the_codes_we_draw_are_read_back(text):
    drawn = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M)
    drawn.add_data(text)
    dark = numpy.array(drawn.get_matrix(), dtype=numpy.uint8)  # with its quiet border
    picture = numpy.kron(255 - dark * 255, numpy.ones((6, 6), dtype=numpy.uint8))
    found = zxingcpp.read_barcodes(picture.astype(numpy.uint8))
    assert [code.text for code in found] == [text]
    if text == OFFLINE:
        assert offline.read(found[0].text, keys=KEYS, issuer=ISSUER, at=AT).name == DATA["name"]
