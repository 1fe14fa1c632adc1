"""Every page in a real browser: nothing fails, nothing is blocked, nothing is out of reach."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.portal import fakes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TRADER = f"/traders/{fakes.CODE}/"
PAGES = {
    "home": "/",
    "trader": TRADER,
    "decision-yes": f"{TRADER}decisions/policies.income_tax_half/",
    "decision-no": f"{TRADER}decisions/policies.hire/",
    "decision-unknown": f"{TRADER}decisions/policies.service_loan_interest_2025/",
    "decision-type": f"{TRADER}decisions/growth.trader_type/",
    "data": "/data/",
    "quarantine": "/data/deliveries/tax_years-2025-01/quarantine/",
    "facts": "/facts/",
}


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_accessible(visit, shoot, name, width):
    page = visit(PAGES[name], width)
    shoot(page, f"{name}-{width}")
    assert axe_violations(page) == []
    assert not is_wider_than_screen(page)


@pytest.mark.parametrize("name", ["trader", "decision-unknown", "data"])
def test_page_is_accessible_in_the_dark(visit, shoot, name):
    page = visit(PAGES[name], PHONE, dark=True)
    shoot(page, f"{name}-dark")
    assert axe_violations(page) == []


def test_search_answers_while_typing_and_keeps_names_out_of_addresses(visit, shoot):
    page = visit("/", PHONE)
    page.get_by_role("searchbox").press_sequentially("阿华", delay=20)
    page.get_by_role("link", name="鹿城区阿华面馆").wait_for()
    shoot(page, "search-390")
    assert page.url.endswith("/")
    assert axe_violations(page) == []


def test_search_works_without_scripts(visit):
    page = visit("/", PHONE, scripts=False)
    page.get_by_role("searchbox").fill("阿华面馆")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("link", name="鹿城区阿华面馆")).to_be_visible()
    assert page.url.endswith("/")


def test_large_type_stays_until_it_is_turned_off(visit, shoot):
    page = visit(TRADER, PHONE)
    page.get_by_role("button", name="大字模式").click()
    page.wait_for_load_state()
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "20px"
    assert page.url.endswith(TRADER)
    assert not is_wider_than_screen(page)
    assert axe_violations(page) == []
    shoot(page, "trader-large")
    page.get_by_role("button", name="恢复标准字号").click()
    page.wait_for_load_state()
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "16px"


def test_the_first_tab_leads_past_the_navigation(visit):
    page = visit(TRADER, DESK)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
