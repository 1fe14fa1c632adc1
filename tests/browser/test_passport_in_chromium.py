"""The 企业码 in a real browser: the shop's phone, whoever scans it, the bank, the paper."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as conf
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import expect

from getihu.accounts.contracts import ANONYMOUS, CITY, Role
from getihu.passport import selectors, services
from getihu.passport.contracts import city_day
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.cases.cast import LUCHENG, SHOP, officer, person
from tests.signed_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(tmp_path, settings, live_server, monkeypatch):
    """A shop with licence and permits, looked at by three, asked by a bank in every state."""
    settings.PASSPORT_KEY_DIR = tmp_path / "issuer"
    settings.WALLET_KEY_FILE = tmp_path / "wallets.key"
    settings.PUBLIC_URL = live_server.url
    monkeypatch.setattr("getihu.accounts.middleware._actor", lambda request: _signed_in(request))
    at = datetime.now(UTC)
    owner, clerk = person("owner", SHOP), officer("clerk", Role.BANK_CLERK, "bank", CITY)
    inspector = officer("inspector", Role.INSPECTOR, "amr", LUCHENG)
    began = at - timedelta(days=40)
    data = {
        "name": "温州市鹿城区阿芬面馆",
        "scope": "许可项目：餐饮服务（依法须经批准的项目，经批准后方可开展经营活动）",
        "industry": "正餐服务",
        "premises": "温州市鹿城区五马街道公安路23号",
        "form": "个人经营",
        "established_on": "2023-05-06",
    }
    services.issue_certificate(SHOP, "business_licence", data, at=began, town_code="330302006")
    for kind, number, days in (
        ("food_permit", "JY23303020001234", 900),
        ("hygiene_permit", "8", 5),
    ):
        until = city_day(at) + timedelta(days=days)
        more = {"number": number, "valid_until": until}
        services.issue_certificate(SHOP, kind, {"name": data["name"]}, at=began, **more)
    for days, by, scene in ((9, ANONYMOUS, "consumer_scan"), (5, inspector, "inspection")):
        then = at - timedelta(days=days)
        made = services.make_code(SHOP, by=owner, at=then, scene=scene)
        services.scan(made, by=by, at=then)
        services.scan(made, by=by, at=then)
    for scene, days, until, agrees in (
        ("bank_account", 30, 10, True),
        ("bank_loan", 8, 60, True),
        ("payment_code", 0, 30, False),
    ):
        then = at - timedelta(days=days)
        items = selectors.scenes()[scene].shows
        last = city_day(then) + timedelta(days=until)
        request = services.ask(
            scene, "评估贷款", items, until=last, by=clerk, at=then, trader_code=SHOP
        )
        if agrees:
            services.answer(request, SHOP, by=owner, at=then)
    return {"owner": owner, "clerk": clerk, "inspector": inspector, "request": request}


def _signed_in(request):
    from getihu.accounts import selectors as accounts

    if not request.user.is_authenticated:
        return ANONYMOUS
    return accounts.actor_of(request.user.pk, datetime.now(UTC))


def fresh(shop):
    code = services.make_code(SHOP, by=shop["owner"], at=datetime.now(UTC))
    return f"/c/{code}/"


def opened(browse, path, width, actor=None):
    page = browse("/passport/", width)
    home = page.url.removesuffix("/passport/")
    if actor is not None:
        client = Client()
        sign_in(client, get_user_model().objects.get(pk=actor.account_id))
        cookie = client.cookies[conf.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": home}])
    page.goto(home + path, wait_until="networkidle")
    return page


def test_every_page_fits_and_is_clean(browse, shop, shoot):
    (licence,) = [c for c in selectors.list_certificates(SHOP, at=datetime.now(UTC))
                  if c.kind == selectors.LICENCE]  # fmt: skip
    owner = shop["owner"]
    pages = [
        ("numbers", "/passport/", None),
        ("check", "/passport/check/", None),
        ("mine", "/mine/", owner),
        ("code", f"/mine/code/{SHOP}/", owner),
        ("certificate", f"/mine/code/{SHOP}/certificates/{licence.id}/", owner),
        ("asked", f"/passport/requests/{shop['request']}/", owner),
        ("public", None, None),
        ("inspector", None, shop["inspector"]),
        ("bank-scan", None, shop["clerk"]),
        ("bank", "/desk/bank/", shop["clerk"]),
    ]
    for name, path, actor in pages:
        for width in (PHONE, DESK):
            page = opened(browse, path or fresh(shop), width, actor)
            shoot(page, f"passport-{name}-{width}")
            assert not is_wider_than_screen(page), (name, width)
            assert axe_violations(page) == [], (name, width)


def test_the_code_renews_itself_and_is_one_tap_from_home(browse, shop):
    page = opened(browse, "/mine/me/", PHONE, shop["owner"])
    page.get_by_role("main").get_by_role("link", name="企业码", exact=False).first.click()
    page.wait_for_selector(".code-picture img")
    assert page.locator(".code-picture a").get_attribute("href").startswith(conf.PUBLIC_URL)


def test_the_printed_licence_is_the_paper_alone(browse, shop, shoot):
    (licence,) = [c for c in selectors.list_certificates(SHOP, at=datetime.now(UTC))
                  if c.kind == selectors.LICENCE]  # fmt: skip
    path = f"/mine/code/{SHOP}/certificates/{licence.id}/"
    page = opened(browse, path, DESK, shop["owner"])
    page.emulate_media(media="print")
    shoot(page, "passport-print")
    expect(page.get_by_role("heading", name="营业执照", exact=True)).to_be_visible()
    for hidden in ("下载证照文件", "我的企业码"):
        expect(page.get_by_text(hidden).first).not_to_be_visible()


def test_a_suspended_licence_says_what_to_do(browse, shop, shoot):
    at = datetime.now(UTC)
    path = fresh(shop)
    services.set_status(SHOP, "business_licence", services.Status.SUSPENDED, "歇业备案", at=at)
    page = opened(browse, path, PHONE)
    shoot(page, "passport-suspended")
    assert page.get_by_text("歇业中").is_visible() and axe_violations(page) == []
    page = opened(browse, f"/mine/code/{SHOP}/", PHONE, shop["owner"])
    shoot(page, "passport-suspended-code")
    assert page.get_by_text("提前恢复经营").is_visible() and axe_violations(page) == []
