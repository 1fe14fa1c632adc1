"""The pages of awards and of the policy library in a real browser, over one whole award run."""

from decimal import Decimal

import pytest
from django.conf import settings
from django.test import Client

import getihu.config.urls  # noqa: F401  every view has its clock before one is replaced
from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.policies.models import Award, AwardRun
from tests.browser import pictures
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.policies.conftest import (
    RULE,
    award_city,
    awarded,
    city,
    confirmed,
    officer,
    operator,
    supervisor,
    writer,
)
from tests.signed_in import sign_in

__all__ = ["award_city", "city", "supervisor", "writer"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = {
    "awards": ("", "/awards/"),
    "award-run": ("", "/awards/{run}/"),
    "mine-awards": ("hers", "/mine/awards/"),
    "mine-award": ("hers", "/mine/awards/{award}/"),
    "desk-awards": ("chief", "/desk/awards/"),
    "desk-award-run": ("chief", "/desk/awards/{run}/"),
    "desk-fairness": ("chief", "/desk/fairness/{rule}/"),
    "policies": ("", "/policies/"),
    "policy": ("", "/policies/policies.income_tax_half/"),
    "policy-incomplete": ("", "/policies/policies.conversion_deed_tax/"),
    "policy-applied-for": ("", "/policies/policies.demo_training_fee_2026/"),
    "policy-results": ("", "/policies/{rule}/results/"),
    "policy-clocks": ("", "/policies/clocks/"),
    "policy-barriers": ("", "/barriers/"),
}
# The manual shows these.
PICTURES = {("mine-award", PHONE): "award", ("award-run", DESK): "award-run"}


@pytest.fixture
def place(city, writer, supervisor):
    """A run whose budget ran out, some of it confirmed, one award held."""
    run = awarded(writer, supervisor, total_yuan=Decimal(9000))
    confirmed(run, 3)
    held = run.awards.filter(state="entitled").order_by("position").last()
    Award.objects.filter(pk=held.pk).update(state="held")
    mine = run.awards.filter(state="entitled").order_by("position").first()
    return {
        "run": AwardRun.objects.get(is_dry=False).pk,
        "award": mine.pk,
        "rule": RULE,
        "hers": operator(mine.trader_code),
        "chief": officer(Role.SUPERVISOR),
    }


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_pages_are_whole_and_accessible(place, browse, shoot, live_server, width):
    """All in one city: making it is the dear part."""
    wrong = {}
    for name, (who, path) in PAGES.items():
        page = browse("/rules/", width)
        page.wait_for_load_state("networkidle")  # leaving earlier would break off its icon
        if who:
            client = Client()
            sign_in(client, Account.objects.get(pk=place[who].account_id))
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            page.context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
            )
        page.goto(f"{live_server.url}{path.format(**place)}", wait_until="load")
        page.wait_for_load_state("networkidle")
        shoot(page, f"awards-{name}-{width}")
        if (name, width) in PICTURES:
            pictures.check(page, PICTURES[name, width])
        found = axe_violations(page)
        if is_wider_than_screen(page):
            found.append("wider than the screen")
        if found:
            wrong[name] = found
        page.context.close()
    assert wrong == {}
