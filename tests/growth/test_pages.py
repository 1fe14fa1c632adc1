"""The pages: what everybody sees, what a trader says, what an office tends."""

import re

import pytest

from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.growth import services
from getihu.growth.models import Refresh, RefreshHold, TypeMove
from getihu.portal.views import casework, growth
from tests.growth.conftest import AT, AUTUMN, LUCHENG, code, officer, operator, publish_summer
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on_that_day(monkeypatch):
    monkeypatch.setattr(casework, "now", lambda: AT)
    monkeypatch.setattr(growth, "now", lambda: AT)


def as_person(client, actor) -> None:
    sign_in(client, Account.objects.get(pk=actor.account_id))


def post(client, path: str, page: str, **given):
    once = re.search(r'name="once" value="([^"]+)"', page).group(1)
    return client.post(path, {"once": once, **given})


def test_the_public_pages_of_a_typed_city(client, city):
    assert client.get("/types/").status_code == 404  # nothing published: a designed page
    publish_summer()
    services.review_types(as_of=AUTUMN, at=AT)
    from datetime import timedelta

    services.publish_types(at=AT + timedelta(days=60))
    services.update_pools(at=AT + timedelta(days=60))
    page = client.get("/types/").content.decode()
    assert "生存型" in page
    assert "<svg" in page
    assert "缺谁的数据" in page
    assert client.get(f"/types/?county={LUCHENG}").status_code == 200
    pools = client.get("/pools/").content.decode()
    assert "目标 20,000 户" in pools
    assert "目标 2,000 户" in pools
    for path in ("/pools/famous/", "/pools/type_surviving/", "/recognition/"):
        assert client.get(path).status_code == 200
    assert client.get("/pools/nothing/").status_code == 404
    api = client.get("/api/types").json()
    assert api["total"] > 0
    assert client.get("/api/pools").json()[0]["id"] == "type_developing"


def test_a_trader_sees_why_and_objects_once(client, city):
    officer(Role.CASE_OFFICER, division="330300")
    publish_summer()
    services.review_types(as_of=AUTUMN, at=AT)
    move = TypeMove.objects.order_by("trader_code").first()
    owner = operator(move.trader_code)
    as_person(client, owner)
    path = f"/mine/pools/{move.trader_code}/"
    page = client.get(path).content.decode()
    assert "您的分型要变" in page
    page = client.get(f"{path}?about=move:{move.pk}").content.decode()
    form = page[page.index('id="object"') :]
    given = {"do": "object", "about": f"move:{move.pk}", "grounds": "参保人数不对"}
    first = post(client, f"{path}say/", form, **given)
    again = post(client, f"{path}say/", form, **given)
    assert first.status_code == again.status_code == 302
    assert first["Location"] == again["Location"]
    move.refresh_from_db()
    assert move.state == "held"
    assert "正在核实" in client.get(path).content.decode()


def test_an_office_lists_and_another_person_publishes(
    client, city, clerk, chief, facts_say, settings
):
    facts_say(AUTUMN, yes=[1, 2])
    as_person(client, clerk)
    page = client.get("/desk/pools/").content.decode()
    made = post(
        client, "/desk/pools/act/", page, do="list", pool="safe_consumption", county=LUCHENG,
        year="2026",
    )  # fmt: skip
    assert made.status_code == 302
    row = Refresh.objects.get()
    assert row.members_count == 2
    assert client.get(f"/pools/lists/{row.pk}/").status_code == 404
    as_person(client, chief)
    page = client.get(made["Location"]).content.decode()
    opened = post(client, "/desk/pools/act/", page, do="open", id=str(row.pk))
    assert opened.status_code == 302
    client.logout()
    public = client.get(f"/pools/lists/{row.pk}/").content.decode()
    assert row.list_sha256 in public
    assert code(1) in public
    assert not RefreshHold.objects.exists()


def test_a_list_of_counts_names_nobody(client, clerk, chief, facts_say):
    facts_say(AUTUMN, yes=[1, 2])
    row = services.list_refresh("conversion", LUCHENG, 2026, by=clerk, at=AT)
    services.open_refresh(row.pk, by=chief, at=AT)
    public = client.get(f"/pools/lists/{row.pk}/").content.decode()
    assert code(1) not in public
    assert row.list_sha256 in public
