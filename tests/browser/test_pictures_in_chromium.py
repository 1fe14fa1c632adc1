"""The pictures of the manual show the pages as they are."""

import pytest

from tests.browser import pictures
from tests.browser.conftest import DESK, PHONE
from tests.browser.test_cases_in_chromium import cases, enter  # noqa: F401  the same people
from tests.browser.test_policies_in_chromium import TYPE, open_policy  # noqa: F401
from tests.desk.conftest import cast, register  # noqa: F401
from tests.portal import fakes
from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TRADER = f"/traders/{fakes.CODE}/"


@pytest.mark.parametrize(
    ("name", "path", "width"),
    [
        ("trader", TRADER, PHONE),
        ("refusal", f"{TRADER}decisions/policies.hire/", PHONE),
    ],
)
def test_what_a_trader_sees(visit, name, path, width):
    pictures.check(visit(path, width), name)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("policy", TYPE),
        ("what-if", f"{TYPE}what-if/?set.growing_sales_yuan=200000"),
    ],
)
def test_what_a_policy_writer_sees(real_city, open_policy, name, path):  # noqa: F811
    pictures.check(open_policy(path, DESK), name)


@pytest.mark.parametrize(
    ("name", "who", "path", "width"),
    [
        ("case", "owner", "/mine/cases/{accepted}/", PHONE),
        ("desk", "window", "/desk/", DESK),
        ("desk-case", "colleague", "/desk/cases/{paused}/", DESK),
    ],
)
def test_what_a_case_looks_like(enter, name, who, path, width):  # noqa: F811
    pictures.check(enter(who, path, width), name)


def test_control_a_page_with_another_word_is_told(visit, monkeypatch):
    monkeypatch.delenv(pictures.TAKE, raising=False)
    page = visit(TRADER, PHONE)
    page.evaluate("document.querySelector('h1').append('新的一个字')")
    with pytest.raises(AssertionError, match="out of date"):
        pictures.check(page, "trader")
