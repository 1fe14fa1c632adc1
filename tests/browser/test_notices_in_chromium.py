"""The pages of notices in a real browser."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from playwright.sync_api import expect

import getihu.config.urls  # noqa: F401  every view has its clock before one is replaced
from getihu.cases import services as cases
from getihu.notifications import services
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.portal.views import casework, notices
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.cases.cast import days, id_of
from tests.cases.test_cases import accepted, submitted
from tests.desk.conftest import cast, register  # noqa: F401  the same people and shop
from tests.signed_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW = 360


@pytest.fixture
def told(cast, monkeypatch, settings):  # noqa: F811
    """An owner who was told of her cases, a permit and a policy; the first ones she has read."""
    settings.NOTICE_CARRIERS = {"email": ["getihu.notifications.carriers.mail.Mail"]}
    for module in (casework, notices):
        monkeypatch.setattr(module, "now", lambda: days(14))
    accepted(cast)
    services.deliver(days(1))
    services.mark_read(id_of(cast.owner), at=days(2))
    case = submitted(cast)
    cases.request_materials(case, ["布局图", "安全制度清单"], by=cast.window, at=days(3))
    with transaction.atomic():
        for number, (template, values) in enumerate(
            {
                "permit.expires": {
                    "permit": "食品经营许可", "until": "2026年12月10日",
                    "last_day": "2026年11月19日", "article": "食品经营许可和备案管理办法 第三十二条",
                },
                "policy.available": {"policy": "个人所得税减半征收", "benefit": "少缴一半", "why": "有应缴的税"},
            }.items()
        ):  # fmt: skip
            request = NoticeRequest(f"thing:{number}", "x", id_of(cast.owner), template, values)
            services.queue(request, at=days(3))
    services.deliver(days(3) + timedelta(hours=1))
    services.set_address(id_of(cast.owner), Channel.SMS, "13800000000")


@pytest.fixture
def enter(browse, live_server, cast, told):  # noqa: F811
    def go(who: str, path: str, width: int, **options):
        client = Client()
        sign_in(client, get_user_model().objects.get(pk=getattr(cast, who).account_id))
        name = django_settings.SESSION_COOKIE_NAME
        page = browse("/rules/", width, **options)
        page.wait_for_load_state("networkidle")  # leaving earlier would break off its icon
        cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
        page.context.add_cookies([cookie])
        page.goto(f"{live_server.url}{path}", wait_until="load")
        return page

    return go


PAGES = {
    "notices": ("owner", "/mine/notices/"),
    "notices-empty": ("stranger", "/mine/notices/"),
    "notice-settings": ("owner", "/mine/notices/settings/"),
    "notice-settings-officer": ("window", "/mine/notices/settings/"),
}


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_accessible(enter, shoot, name, width):
    page = enter(*PAGES[name], width)
    shoot(page, f"{name}-{width}")
    assert axe_violations(page) == []
    assert not is_wider_than_screen(page)
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert not is_wider_than_screen(page)


@pytest.mark.parametrize("name", ["notices", "notice-settings"])
def test_page_is_accessible_in_the_dark(enter, name):
    assert axe_violations(enter(*PAGES[name], PHONE, dark=True)) == []


def test_a_notice_leads_to_its_case_and_the_count_goes_down_without_scripts(enter):
    page = enter("owner", "/mine/notices/", PHONE, scripts=False)
    count = page.locator(".nav .badge")
    assert count.inner_text().startswith("3")
    page.get_by_role("button", name="看办件：请补材料").click()
    expect(page.get_by_role("heading", name="等您补材料")).to_be_visible()
    assert page.locator(".nav .badge").inner_text().startswith("2")


def test_an_address_is_proved_by_its_code(enter, shoot):
    from django.core import mail

    page = enter("owner", "/mine/notices/settings/", PHONE)
    page.get_by_label("您的邮箱").fill("someone@example.com")
    page.get_by_role("button", name="发验证码").click()
    page.get_by_label("验证码", exact=True).wait_for()
    shoot(page, f"notice-settings-code-{PHONE}")
    assert axe_violations(page) == []
    page.get_by_label("验证码", exact=True).fill(mail.outbox[0].body[4:10])
    page.get_by_role("button", name="确认邮箱").click()
    page.get_by_text("s•••@example.com").wait_for()
    assert "someone" not in page.url
