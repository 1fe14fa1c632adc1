"""The pages of monitoring in a real browser: on a phone, on a desk, in the dark."""

import pytest
from django.conf import settings
from django.test import Client

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Duty, Role
from getihu.accounts.models import Account
from getihu.insight import services
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.real_city import AT, made_city, real_city
from tests.signed_in import sign_in

__all__ = ["made_city", "real_city"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HALL = 1920
PAGES = ("/insight/", "/insight/vitality.activity/", "/insight/vitality.registered/?county=330302",
         "/insight/measures/", "/insight/reports/", "/insight/reports/2026Q3/",
         "/insight/open/")  # fmt: skip


def test_every_page_is_whole_and_accessible(real_city, browse, shoot):
    services.measure(at=AT)
    services.write_due_report(AT)
    for number, path in enumerate(PAGES):
        for width, dark in ((PHONE, False), (DESK, True)):
            page = browse(path, width, dark=dark)
            shoot(page, f"insight-{number}-{width}")
            assert axe_violations(page) == [], path
            assert not is_wider_than_screen(page), path


def test_the_halls_screen_is_one_page_and_accessible(real_city, browse, shoot, live_server):
    services.measure(at=AT)
    key = accounts.open_account(login="leader", name="示例领导", duty=Duty.BUSINESS, at=AT)
    accounts.assign(
        key, Role.COCKPIT_VIEWER, agency="government", division="330300", reason="到岗", at=AT,
        by=None,
    )  # fmt: skip
    for width in (PHONE, DESK, HALL):
        page = browse("/rules/", width)
        page.wait_for_load_state("networkidle")
        client = Client()
        sign_in(client, Account.objects.get(pk=key))
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "url": live_server.url,
              "value": client.cookies[settings.SESSION_COOKIE_NAME].value}]
        )  # fmt: skip
        page.set_viewport_size({"width": width, "height": 1080})
        asked = "dataset=loans&by=county&and=kind&measure=sum:amount_yuan"
        page.goto(f"{live_server.url}/explore/?{asked}", wait_until="networkidle")
        shoot(page, f"explore-{width}")
        assert axe_violations(page) == [], width
        assert not is_wider_than_screen(page), width
        page.goto(f"{live_server.url}/cockpit/", wait_until="networkidle")
        shoot(page, f"cockpit-{width}")
        assert axe_violations(page) == [], width
        assert not is_wider_than_screen(page), width
