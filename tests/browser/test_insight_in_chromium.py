"""The pages of monitoring in a real browser: on a phone, on a desk, in the dark."""

import pytest

from getihu.insight import services
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.real_city import AT, made_city, real_city

__all__ = ["made_city", "real_city"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ("/insight/", "/insight/vitality.activity/", "/insight/vitality.registered/?county=330302",
         "/insight/measures/")  # fmt: skip


def test_every_page_is_whole_and_accessible(real_city, browse, shoot):
    services.measure(at=AT)
    for number, path in enumerate(PAGES):
        for width, dark in ((PHONE, False), (DESK, True)):
            page = browse(path, width, dark=dark)
            shoot(page, f"insight-{number}-{width}")
            assert axe_violations(page) == [], path
            assert not is_wider_than_screen(page), path
