"""The register's own delivery: through the departments' door, and the facts follow."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import override_settings

from getihu.accounts.contracts import Role
from getihu.cases import services as cases
from getihu.dataplane import selectors as dataplane
from getihu.dataplane import services as intake
from getihu.entry import services
from getihu.registry import selectors as registry
from tests.cases.cast import officer, person

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)  # 23:00 in the city
ON = date(2026, 11, 10)
REST = {"until": "2027-05-09", "cause": "other", "service_address": "某路2号", "staff_agreed": True}


@pytest.fixture
def city(real_city, tmp_path):
    """A copy of the city that may be written into, with the registrar's own key."""
    folder = tmp_path / "data"
    shutil.copytree(real_city.folder, folder)
    key = Ed25519PrivateKey.generate()
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file = tmp_path / "register.pem"
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    keys = folder / "keys" / "departments"
    (keys / "amr.pem").write_bytes(public)
    with override_settings(DATA_DIR=folder, DEPARTMENT_KEYS_DIR=keys):
        yield tmp_path / "inbox", key_file


@pytest.fixture
def shop(real_city):
    found = dataplane.engine().execute(
        "select trader_code from read_parquet($path) where registration_status = 'active'"
        " and subject_kind = 'individual' and town_code is not null order by 1 limit 1",
        {"path": str(dataplane.facts_path(real_city.as_of))},
    )
    return found.fetchone()[0]


def test_what_was_filed_by_day_is_a_fact_by_night(city, shop):
    inbox, key_file = city
    owner = person("owner", shop)
    services.file(shop, "suspension", REST, effective_on=ON, by=owner, at=AT - timedelta(hours=5))
    made = services.deliver_register(inbox, on=ON, at=AT, key_file=key_file)
    manifest = json.loads((inbox / made / "manifest.json").read_text("utf-8"))
    assert (manifest["dataset"], manifest["department"]) == ("registrations", "amr")
    intake.ingest_directory(inbox, at=AT)
    published = {d.delivery_id: d for d in dataplane.list_deliveries(20)}[made]
    assert (published.status, published.accepted, published.problem) == ("published", 1, "")
    assert dataplane.get_published_snapshot().data_until == ON
    facts = dataplane.get_trader_facts(shop, ON).scalars()
    assert (facts["registration_status"], facts["status_on"]) == ("suspended", ON)


def test_a_new_shop_is_a_trader_of_the_city_by_night_and_nothing_new_is_not_sent_again(city):
    inbox, key_file = city
    newcomer = person("newcomer")
    said = {
        "premises": "鹿城区五马街道某路3号",
        "scope": "小吃服务",
        "industry_code": "6291",
        "form": "personal",
        "name": "阿芬面馆",
        "county_code": "330302",
        "town_code": "330302006",
        "operator": newcomer.account_id,
    }
    code = services.allot_code("330302", at=AT)
    services.file(code, "opening", said, effective_on=ON, by=newcomer, at=AT - timedelta(hours=5))
    made = services.deliver_register(inbox, on=ON, at=AT, key_file=key_file)
    intake.ingest_directory(inbox, at=AT)
    facts = dataplane.get_trader_facts(code, ON).scalars()
    assert (facts["trade_name"], facts["town_code"]) == ("阿芬面馆", "330302006")
    assert facts["established_on"] == ON and facts["registration_status"] == "active"
    later = AT + timedelta(days=1)
    assert services.deliver_register(inbox, on=later.date(), at=later, key_file=key_file) is None
    assert made is not None


def test_who_became_a_company_by_day_is_one_by_night_under_the_same_code(city, shop):
    inbox, key_file = city
    owner, trader = person("owner", shop), registry.get_trader(shop)
    window = officer("window", Role.WINDOW_OFFICER, "amr", trader.county_code)
    case = cases.open_draft("growth.conversion", shop, place=trader.town_code, by=owner, at=AT)
    said = {"company_form": "limited", "company_name": "温州某某面馆有限公司"}
    cases.save_draft(case, said | {"own_will": True, "seen_both_sides": True}, by=owner)
    cases.submit(case, by=owner, at=AT)
    cases.accept(case, by=window, at=AT)
    cases.finish_stage(case, "registration", passed=True, by=window, at=AT)
    services.deliver_register(inbox, on=ON, at=AT, key_file=key_file)
    intake.ingest_directory(inbox, at=AT)
    facts = dataplane.get_trader_facts(shop, ON).scalars()
    assert (facts["subject_kind"], facts["converted_on"]) == ("enterprise", ON)
    assert facts["trade_name"] == "温州某某面馆有限公司"
    assert facts["established_on"] == trader.established_on


def test_without_the_registrars_key_nothing_is_sent(city, tmp_path):
    inbox, _ = city
    with pytest.raises(services.NoKey, match="公钥放进部门公钥目录"):
        services.deliver_register(inbox, on=ON, at=AT, key_file=tmp_path / "none.pem")
    assert not inbox.exists()
