"""The small demo city in a real browser: the longest names, tables and reasons there are."""

import pytest

from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = {
    "growing": "/traders/{growing}/",
    "near": "/traders/{near}/",
    "held": "/traders/{held}/",
    "veteran": "/traders/{veteran}/",
    "why": "/traders/{near}/decisions/growth.trader_type/",
    "why-unknown": "/traders/{held}/decisions/growth.trader_type/",
    "why-yes": "/traders/{veteran}/decisions/policies.veteran_startup/",
    "data": "/data/",
    "rules": "/rules/",
    "rule": "/rules/growth.trader_type/",
    "facts": "/facts/",
}


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_accessible(real_city, browse, shoot, name, width):
    page = browse(PAGES[name].format(**real_city.personas), width)
    shoot(page, f"real-{name}-{width}")
    assert axe_violations(page) == []
    assert not is_wider_than_screen(page)


def test_searching_leads_to_a_trader_and_on_to_her_reasons(real_city, browse):
    page = browse("/", PHONE)
    page.get_by_role("searchbox").fill(real_city.personas["growing"])
    page.locator(f"a[href='/traders/{real_city.personas['growing']}/']").click()
    page.get_by_role("link", name="看原因").first.click()
    page.get_by_role("heading", name="个体工商户分型").wait_for()
    page.get_by_text("其余条件").click()
    assert axe_violations(page) == []
