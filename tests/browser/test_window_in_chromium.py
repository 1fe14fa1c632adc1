"""The pages of the window in a real browser: phone and desk, keyboard, axe."""

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

import getihu.config.urls  # noqa: F401  every view has its clock before one is replaced
from getihu.entry import services
from getihu.entry.models import Appointment, HandingOver
from getihu.portal.views import casework, counter, mine, window
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.cases.cast import LUCHENG, SHOP, days, id_of
from tests.desk.conftest import cast, register  # noqa: F401  the same people and shop
from tests.signed_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OFFICE, CATERING = f"amr-{LUCHENG}", "entry.catering_opening"


@pytest.fixture
def place(cast, monkeypatch):  # noqa: F811
    """A Thursday at nine: one at the counter, two waiting, one question offered to fire."""
    for module in (casework, mine, window, counter):
        monkeypatch.setattr(module, "now", lambda: days(3))
    at = days(3)
    starts_at = window.selectors.list_slots(window.selectors.get_office(OFFICE), at.date(), at)[2]
    services.book(
        OFFICE, starts_at.starts_at, trader_code=SHOP, matters=[CATERING], by=cast.owner, at=at
    )
    services.walk_in(OFFICE, question="消防检查要多久", matters=[CATERING], by=cast.window, at=at)
    kept = services.call_next(OFFICE, by=cast.window, at=at)
    services.keep(kept, by=cast.window, at=at)
    services.offer_visit(kept, id_of(cast.fire), reason="归消防答", by=cast.window, at=at)
    for question in ("换经营者要带什么", ""):
        services.walk_in(OFFICE, question=question, matters=[CATERING], by=cast.window, at=at)
    return cast


@pytest.fixture
def enter(place, browse, live_server):
    def sign(name: str, path: str, width: int):
        page = browse("/guides/", width)
        client = Client()
        sign_in(client, get_user_model().objects.get(pk=getattr(place, name).account_id))
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
        )
        page.goto(f"{live_server.url}{path}", wait_until="load")
        return page

    return sign


PAGES = [
    ("owner", "/guides/", "guides"),
    ("owner", f"/guides/{CATERING}/", "guide"),
    ("owner", "/mine/appointments/", "appointments"),
    ("owner", "/mine/appointments/book/", "book"),
    ("owner", "/ratings/visit/", "ticket_form"),
    ("owner", "/mine/claim/", "claim"),
    ("window", "/desk/window/", "window"),
    ("window", "/desk/window/book/", "window_book"),
    ("superior", "/desk/window/days/", "window_days"),
    ("superior", "/desk/window/months/", "window_months"),
]


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_every_page_is_accessible_and_fits(enter, shoot, width):
    found = []
    for who, path, name in PAGES:
        page = enter(who, path, width)
        shoot(page, f"window_{name}_{width}")
        found += [(name, each) for each in axe_violations(page)]
        if is_wider_than_screen(page):
            found.append((name, "wider than the screen"))
        page.context.close()
    assert found == []


def test_the_counter_by_keys_alone(enter, shoot, place):
    page = enter("window", "/desk/window/", DESK)
    page.keyboard.press("n")
    page.wait_for_url("**/visits/**")
    page.keyboard.press("s")
    page.keyboard.type(SHOP)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("看身份证件核对过").wait_for()
    shoot(page, f"window_visit_{DESK}")
    assert axe_violations(page) == []
    page.locator("body").press("o")
    page.wait_for_url("**/cases/**")
    shoot(page, f"window_draft_{DESK}")
    assert axe_violations(page) == []
    page.keyboard.press("u")
    page.get_by_text("还差").first.wait_for()
    shoot(page, f"window_visit_open_{DESK}")
    page.keyboard.press("h")
    page.wait_for_url("**/hand-over/")
    shoot(page, f"window_hand_over_{DESK}")
    assert axe_violations(page) == []
    page.keyboard.press("u")
    page.get_by_text("还差").first.wait_for()
    page.keyboard.press("a")
    page.keyboard.type("材料还差一样，下次带来")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="打印评价码").wait_for()
    page.keyboard.press("p")
    page.get_by_text("请评一评这次接待").wait_for()
    shoot(page, f"window_ticket_{DESK}")
    assert axe_violations(page) == []


def test_the_receiver_takes_it_on_a_phone(enter, shoot, place):
    page = enter("fire", f"/desk/window/offers/{HandingOver.objects.get().pk}/", PHONE)
    shoot(page, f"window_offer_{PHONE}")
    assert axe_violations(page) == []
    page.get_by_role("button", name="接手", exact=True).click()
    page.get_by_text("已经接手").wait_for()
    page = enter("window", "/desk/window/", PHONE)
    shoot(page, f"window_counter_{PHONE}")
    assert Appointment.objects.count() == 1
