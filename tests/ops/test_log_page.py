"""The public log page: is mine in it, and can it be checked with the published files alone."""

import pytest
from django.db import transaction

from getihu.audit import selectors, services
from getihu.audit.contracts import AuditEvent
from tests.audit.conftest import AT, verify

pytestmark = pytest.mark.django_db
SLIP = "ab" * 32


@pytest.fixture
def receipt(data_dir, settings):
    settings.AUDIT_SIGNERS = ["getihu.audit.signers.ed25519_from_file"]
    with transaction.atomic():
        made = services.record(AuditEvent("slip.issued", "job:slips", f"slip:{SLIP}", AT, {"n": 1}))
    services.sequence(AT)
    return made


@pytest.mark.parametrize("what", ["slip", "receipt"])
def test_a_slip_and_a_receipt_are_found_and_proven(client, receipt, what):
    page = client.get("/log/", {"find": SLIP if what == "slip" else receipt.commitment})

    assert "在日志里" in page.content.decode()
    assert page.context["found"][0]["holds"] is True


def test_control_a_proof_to_another_root_is_told(client, receipt, monkeypatch):
    monkeypatch.setattr(selectors.merkle, "is_included", lambda *_: False)

    assert "不一致" in client.get("/log/", {"find": SLIP}).content.decode()


def test_what_waits_is_called_waiting_and_what_is_unknown_unknown(client, receipt):
    with transaction.atomic():
        later = services.record(AuditEvent("slip.issued", "job:slips", "slip:x", AT, {"n": 2}))

    assert "等待收录" in client.get("/log/", {"find": later.commitment}).content.decode()
    assert "日志里没有" in client.get("/log/", {"find": "0" * 64}).content.decode()
    assert "请核对" in client.get("/log/", {"find": "<b>"}).content.decode()


def test_the_downloaded_proof_holds_for_the_public_verifier(client, receipt, tmp_path):
    proof, keys = tmp_path / "mine.tlog-proof", tmp_path / "published-keys"
    proof.write_bytes(client.get(f"/log/proofs/{receipt.commitment}.tlog-proof").content)
    keys.write_bytes(client.get("/log/files/keys").content)

    assert verify("receipt", proof, "--keys", keys) == 0
    text = proof.read_text("utf-8").replace("index 0", "index 1")
    proof.write_text(text, "utf-8")
    assert verify("receipt", proof, "--keys", keys) != 0


@pytest.mark.parametrize("name", ["../secret_key", "private", "tile/0/../../keys", "witness", ""])
def test_nothing_but_the_published_files_is_given_out(client, receipt, name):
    (selectors.log_folder() / "private").write_text("no")

    assert client.get(f"/log/files/{name}").status_code == 404


def test_the_tree_itself_is_given_out(client, receipt):
    assert client.get("/log/files/tile/0/000.p/1").status_code == 200
    assert client.get("/log/files/checkpoint")["Cache-Control"] == "no-cache"
