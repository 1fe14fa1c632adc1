"""A demo city is taken away whole, and nothing else ever with it."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from getihu.config import demo
from getihu.dataplane import selectors, services
from tests.dataplane.department import CODES, Department, registration

AT = datetime(2026, 11, 10, 2, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def installation(data_dir, settings):
    """A data folder whose only delivery and key are a demo's."""
    inbox = data_dir / "demo" / "inbox"
    (inbox / "keys").mkdir(parents=True)
    office = Department(inbox=inbox, keys=inbox / "keys")
    office.deliver("registrations", [registration(CODES[0])], delivery_id="registrations-demo")
    where = SimpleNamespace(
        DATA_DIR=data_dir,
        DEPARTMENT_KEYS_DIR=settings.DEPARTMENT_KEYS_DIR,
        PASSPORT_KEY_DIR=data_dir / "keys" / "passport",
        WALLET_KEY_FILE=data_dir / "keys" / "wallets.key",
        office=office,
    )
    demo.note(where, inbox, 1000, 7, complete=False)
    settings.DEPARTMENT_KEYS_DIR.mkdir(parents=True)
    for path in office.keys.glob("*.pem"):
        (settings.DEPARTMENT_KEYS_DIR / path.name).write_bytes(path.read_bytes())
    services.ingest_directory(inbox, at=AT)
    demo.note(where, inbox, 1000, 7, complete=True)
    return where


def test_a_demo_city_goes_without_a_trace(installation):
    assert demo.is_ready(installation, 1000, 7)
    assert not demo.is_ready(installation, 1000, 8)
    demo.remove(installation)
    assert selectors.list_deliveries() == []
    assert not (installation.DATA_DIR / "dataplane" / "landed").exists()
    assert list(installation.DEPARTMENT_KEYS_DIR.glob("*")) == []
    demo.remove(installation)  # of an empty installation: nothing


def test_a_real_delivery_beside_the_demo_stops_everything(installation, tmp_path):
    inbox = tmp_path / "real"
    inbox.mkdir()
    office = Department(inbox, installation.office.keys, installation.office.private)
    office.deliver("registrations", [registration(CODES[0])], delivery_id="registrations-real")
    services.ingest_directory(inbox, at=AT)
    with pytest.raises(demo.NotADemo, match="registrations-real"):
        demo.remove(installation)
    assert len(selectors.list_deliveries()) == 2
    assert (installation.DATA_DIR / "dataplane" / "landed").exists()


def test_a_real_key_is_never_removed(installation):
    key = installation.DEPARTMENT_KEYS_DIR / "tax.pem"
    key.write_text("a real department's key")
    with pytest.raises(demo.NotADemo, match=r"tax\.pem"):
        demo.remove(installation)
    assert key.exists()
    assert selectors.list_deliveries() != []


def test_a_key_put_in_the_place_of_the_demo_s_is_not_the_demo_s(installation):
    (installation.DEPARTMENT_KEYS_DIR / "amr.pem").write_text("a real one")
    with pytest.raises(demo.NotADemo, match=r"amr\.pem"):
        demo.remove(installation)


def test_deliveries_without_a_mark_are_somebody_s(installation):
    (installation.DATA_DIR / demo.MARK).write_text(json.dumps({}))
    with pytest.raises(demo.NotADemo):
        demo.remove(installation)


def test_nothing_is_removed_under_a_running_ingest(installation):
    with services.store_alone(), pytest.raises(services.IngestRunning):
        demo.remove(installation)
    assert selectors.list_deliveries() != []
