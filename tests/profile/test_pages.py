"""The pages of the profile, the conversion and the desk, by who asks."""

import pytest
from django.contrib.auth import get_user_model

from getihu.growth import services
from getihu.portal.views import casework
from tests.cases.cast import AT, days, person
from tests.profile.test_converting import convert
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def enter(client, monkeypatch):
    monkeypatch.setattr(casework, "now", lambda: days(1))

    def go(actor):
        sign_in(client, get_user_model().objects.get(pk=actor.account_id))
        return client

    return go


def key(response) -> str:
    return response.context["once"]


def test_she_sees_what_is_held_and_gives_and_takes_back_consent(shop, enter):
    trader, owner = shop
    browser, path = enter(owner), f"/mine/profile/{trader.trader_code}/"
    page = browser.get(path)
    assert page.status_code == 200
    text = page.content.decode()
    assert "没有同意，现在没有用" in text and "上一年度应征销售额" in text
    article = page.context["profile"].consents[0].article
    said = {"once": key(page), "do": "give", "article": article}
    assert browser.post(f"{path}say/", said).status_code == 302
    assert browser.post(f"{path}say/", said).status_code == 302  # sent twice it is said once
    page = browser.get(path)
    assert [bool(c.given) for c in page.context["profile"].consents].count(True) == 1
    said = {"once": key(page), "do": "withdraw", "article": article}
    browser.post(f"{path}say/", said)
    page = browser.get(path)
    assert not any(c.given for c in page.context["profile"].consents)
    assert len(page.context["profile"].history) == 1


def test_she_contests_a_datum_from_its_page(shop, enter, tax_officer):
    trader, owner = shop
    path = f"/mine/profile/{trader.trader_code}/facts/annual_sales_yuan/"
    browser = enter(owner)
    page = browser.get(path)
    assert "5 个工作日" in page.content.decode()
    assert browser.post(path, {"once": key(page), "claimed": ""}).status_code == 422
    led = browser.post(path, {"once": key(page), "claimed": "不是这个数"})
    assert led.status_code == 302 and "/mine/cases/" in led["Location"]
    assert "有异议" in browser.get(f"/mine/profile/{trader.trader_code}/").content.decode()


def test_the_way_to_a_company_shows_both_sides_and_no_advice(shop, enter):
    trader, owner = shop
    path = f"/mine/conversion/{trader.trader_code}/"
    asked = {
        "profit_yuan": "200000", "sales_yuan": "900000", "employees": "2",
        "as_company_months": "6", "pays_out": "on",
    }  # fmt: skip
    page = enter(owner).get(path, asked)
    text = page.content.decode()
    assert page.status_code == 200 and "两边各是什么样" in text and "信用代码" in text
    assert not any(word in text for word in ("建议您", "推荐", "划算", "更合适", "节税"))


def test_afterwards_she_sees_what_the_city_owes(shop, window, enter):
    trader, owner = shop
    convert(shop, window)
    text = enter(owner).get(f"/mine/conversion/{trader.trader_code}/").content.decode()
    assert "免费基础代理记账（第 1 季度）" in text and "还没到日子" in text


def test_the_office_works_links_conflicts_transfers_and_duties(shop, window, enter):
    trader, _ = shop
    convert(shop, window, at=AT)
    record = {
        "id": "会员001", "name": trader.name, "county_code": trader.county_code,
        "town_code": trader.town_code, "industry_code": trader.industry_code,
        "established_on": trader.established_on, "premises_m2": None,
    }  # fmt: skip
    services.link_records("名单", [record], at=AT)
    browser = enter(window)
    page = browser.get("/desk/growth/")
    assert page.status_code == 200
    task = page.context["tasks"][0]
    said = {"once": key(page), "do": "task", "id": task.id, "state": "done", "text": "改好了"}
    assert browser.post("/desk/growth/act/", said).status_code == 302
    assert task.id not in [t.id for t in browser.get("/desk/growth/").context["tasks"]]
    linked = [*page.context["links"], *page.context["linked"]]
    assert linked[0].trader_code == trader.trader_code


def test_nobody_else_sees_her_profile_or_her_conversion(shop, enter):
    code = shop[0].trader_code
    browser = enter(person("stranger"))
    for path in (f"/mine/profile/{code}/", f"/mine/conversion/{code}/"):
        assert browser.get(path).status_code in (403, 404)
