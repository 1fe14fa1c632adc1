"""The public log in a real browser: who checks a slip needs no account and no script."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.ops.test_log_page import SLIP, receipt  # noqa: F401  a slip in the log

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = {"log": "/log/", "log-found": f"/log/?find={SLIP}", "log-unknown": f"/log/?find={'0' * 64}"}


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_accessible(receipt, visit, shoot, name, width):  # noqa: F811
    page = visit(PAGES[name], width)
    shoot(page, f"{name}-{width}")
    assert axe_violations(page) == []
    assert not is_wider_than_screen(page)


def test_a_slip_is_found_without_scripts(receipt, visit):  # noqa: F811
    page = visit("/", PHONE, scripts=False)
    page.get_by_role("link", name="公开日志").click()
    page.get_by_role("textbox").fill(SLIP)
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_text("在日志里").first).to_be_visible()
