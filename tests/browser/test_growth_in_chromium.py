"""The pages of types, pools, recognitions, profile and conversion in a real browser."""

import pytest
from django.conf import settings
from django.test import Client

import getihu.config.urls  # noqa: F401  every view has its clock before one is replaced
from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.growth import services
from getihu.growth.services.pooling import belief, enter
from getihu.portal.views import casework
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.growth.conftest import (
    AT,
    LUCHENG,
    city,
    days,
    made_city,
    officer,
    operator,
    publish_summer,
    typed_city,
)
from tests.signed_in import sign_in

__all__ = ["city", "made_city", "typed_city"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = {
    "types": ("", "/types/"),
    "pools": ("", "/pools/"),
    "pool": ("", "/pools/fine/"),
    "pool-list": ("", "/pools/lists/{list}/"),
    "recognition": ("", "/recognition/"),
    "mine-pools": ("hers", "/mine/pools/{code}/"),
    "mine-profile": ("hers", "/mine/profile/{code}/"),
    "mine-objection": ("hers", "/mine/profile/{code}/facts/annual_sales_yuan/"),
    "mine-conversion": ("hers", "/mine/conversion/{code}/"),
    "desk-growth": ("chief", "/desk/growth/"),
    "desk-pools": ("chief", "/desk/pools/"),
    "desk-members": ("chief", "/desk/pools/members/"),
    "desk-list": ("chief", "/desk/pools/lists/{list}/"),
    "desk-juries": ("chief", "/desk/juries/"),
}


@pytest.fixture
def place(city, monkeypatch):
    """A typed city, one list published, a recognition that stands and one taken away."""
    monkeypatch.setattr(casework, "now", lambda: days(1))
    publish_summer()
    code, chief, clerk = (
        city.personas["surviving"],
        officer(Role.SUPERVISOR),
        officer(Role.CASE_OFFICER),
    )
    services.update_pools(at=days(-5), pool_ids=["type_surviving"])
    made = services.list_refresh("type_surviving", LUCHENG, 2026, by=clerk, at=days(-4))
    services.open_refresh(made.pk, by=chief, at=days(-3))
    hers = operator(code)
    enter(
        [
            belief(
                pool, "county", code, LUCHENG, valid_from=days(-40).date(),
                valid_until=days(900).date(), at=days(-40), why="recognised", ground="办件",
            )
            for pool in ("fine", "special")
        ]
    )  # fmt: skip
    services.remove(
        "special", "county", code, reason="证书是假的", article="通知 第六条", by=chief, at=AT
    )
    return {"code": code, "list": made.pk, "hers": hers, "chief": chief}


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_pages_are_whole_and_accessible(place, browse, shoot, live_server, width):
    """All in one city: making it is the dear part."""
    wrong = {}
    page = browse("/rules/", width)
    page.wait_for_load_state("networkidle")
    who_is_in = ""
    for name, (who, path) in PAGES.items():
        if who and who != who_is_in:
            client = Client()
            sign_in(client, Account.objects.get(pk=place[who].account_id))
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            page.context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
            )
            who_is_in = who
        page.goto(f"{live_server.url}{path.format(**place)}", wait_until="load")
        page.wait_for_load_state("networkidle")
        shoot(page, f"growth-{name}-{width}")
        found = axe_violations(page)
        if is_wider_than_screen(page):
            found.append("wider than the screen")
        if found:
            wrong[name] = found
    assert wrong == {}
