"""A draw run again by whoever looks at its page, with the browser's own cryptography."""

from contextlib import contextmanager

import pytest

from getihu.audit import services as audit
from getihu.supervision.models import Plan, Visit
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.supervision.conftest import chief, county, drawn, later, planned, witness

__all__ = ["chief", "county", "planned", "witness"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def published(planned, chief, witness) -> Plan:
    drawn(planned, chief, witness)
    audit.sequence(later(40))
    return Plan.objects.get(pk=planned)


@contextmanager
def answered(page):
    page.get_by_role("button", name="在这里重算").click()
    page.locator("#said", has_text="一致：").wait_for()
    yield page.locator("#said").inner_text()


def test_the_reader_s_own_browser_draws_the_same(browse, shoot, published):
    for width in (PHONE, DESK):
        page = browse(f"/supervision/draws/{published.pk}/", width)
        with answered(page) as said:
            assert said.startswith("一致") and f"{published.drawn_count} 户" in said
        shoot(page, f"draw-{width}")
        assert axe_violations(page) == []
        assert not is_wider_than_screen(page)
    page = browse("/supervision/", PHONE)
    shoot(page, "draws-390")
    assert axe_violations(page) == [] and not is_wider_than_screen(page)
    page = browse(f"/supervision/check/?code={Visit.objects.first().code}", PHONE)
    shoot(page, "check-390")
    assert axe_violations(page) == [] and not is_wider_than_screen(page)


def test_a_changed_result_is_seen_in_the_browser(browse, published):
    page = browse(f"/supervision/draws/{published.pk}/", DESK)
    page.route("**/result.csv", lambda route: route.fulfill(body="class_a,1,X,0.1,A+B\n"))
    with answered(page) as said:
        assert said.startswith("不一致")
