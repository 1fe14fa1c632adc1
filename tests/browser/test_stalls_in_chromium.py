"""May I stand here, and what help there is: on a phone and on a desk, light and dark."""

import pytest

from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = (
    "/stalls/",
    "/stalls/?zone=demo_wuma_night&goods=food&at=2026-11-06T19:00",
    "/stalls/?zone=demo_wuma_night&goods=crafts&at=2026-11-09T19:00",
    "/stalls/?zone=none&goods=food&at=2026-11-06T19:00",
    "/help-for-traders/",
    "/help-for-traders/first_loan/",
)


def test_every_page_is_whole_and_accessible(browse, shoot):
    for number, path in enumerate(PAGES):
        for width, dark in ((PHONE, False), (DESK, True)):
            page = browse(path, width, dark=dark)
            shoot(page, f"stalls-{number}-{width}")
            assert axe_violations(page) == [], path
            assert not is_wider_than_screen(page), path
