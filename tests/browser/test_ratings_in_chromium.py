"""The pages of ratings in a real browser."""

from datetime import date

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import expect

import getihu.config.urls  # noqa: F401  every view has its clock before one is replaced
from getihu.cases import services as cases
from getihu.evaluations import services
from getihu.evaluations.codes import fresh_code
from getihu.evaluations.contracts import Grade, Outcome
from getihu.evaluations.models import Rating, Rectification
from getihu.portal.views import casework, ratings
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.cases.cast import days
from tests.cases.test_cases import submitted
from tests.desk.conftest import cast, register  # noqa: F401  the same people and shop
from tests.signed_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW = 360


@pytest.fixture
def city(cast, monkeypatch):  # noqa: F811
    """Rated cases, rectifications in each state, numbers of two months; seen on 2026-11-16."""
    for module in (casework, ratings):
        monkeypatch.setattr(module, "now", lambda: days(14))

    def decided():
        case = submitted(cast)
        given = {"reason": "不属于受理范围", "article": "行政许可法 第三十二条"}
        cases.refuse_to_accept(case, by=cast.window, at=days(1), **given)
        return case

    def rated(on: int, comment: str, **more) -> tuple[str, str]:
        case, code = decided(), fresh_code()
        services.rate(
            case, grade=Grade.DISSATISFIED, code=code, comment=comment, by=cast.owner, at=days(on),
            **more,
        )  # fmt: skip
        services.sweep_ratings(days(on))
        return code, str(Rectification.objects.get(rating__comment=comment).pk)

    code, ended = rated(4, "窗口中午没有人，跑了三次。")
    services.call_back(ended, reply="核实：当天午休没有留人。", by=cast.window, at=days(5))
    services.report_result(
        ended, outcome=Outcome.MENDED, result="中午留一个窗口，门口贴了时间。",
        by=cast.colleague, at=days(9),
    )  # fmt: skip
    _, mending = rated(6, "要的材料说了两遍，第二遍才说全。")
    services.call_back(mending, reply="核实属实。", by=cast.window, at=days(7))
    _, waiting = rated(13, "电话没人接。", contact="周三下午打店里电话")
    done = decided()
    services.rate(done, grade=Grade.SATISFIED, code=fresh_code(), by=cast.owner, at=days(13))
    Rating.objects.bulk_create(
        Rating(
            matter_id=matter, agency="amr", division="330302", on=date(2026, month, 5),
            grade=5 - n % 4, comment="办得快" if n == 4 else "", channel="web",
            code_digest=f"{matter}{month}{n}",
        )
        for matter, month, count in (
            ("entry.catering_opening", 9, 12),
            ("entry.catering_opening", 10, 1180),
            ("entry.operator_change", 10, 4),
        )
        for n in range(count)
    )  # fmt: skip
    return {
        "open": decided(), "rated": done, "code": code,
        "ended": ended, "mending": mending, "waiting": waiting,
    }  # fmt: skip


@pytest.fixture
def enter(browse, live_server, cast, city):  # noqa: F811
    def go(who: str, path: str, width: int, **options):
        client = Client()
        page = browse("/rules/", width, **options)
        page.wait_for_load_state("networkidle")  # leaving earlier would break off its icon
        if who:
            sign_in(client, get_user_model().objects.get(pk=getattr(cast, who).account_id))
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            page.context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
            )
        page.goto(f"{live_server.url}{path.format(**city)}", wait_until="load")
        return page

    return go


PAGES = {
    "rate": ("owner", "/mine/cases/{open}/rating/"),
    "rated": ("owner", "/mine/cases/{rated}/rating/"),
    "rate-case": ("owner", "/mine/cases/{open}/"),
    "ratings": ("", "/ratings/"),
    "ratings-follow": ("", "/ratings/follow/"),
    "desk-ratings": ("window", "/desk/ratings/"),
    "desk-ratings-empty": ("elsewhere", "/desk/ratings/"),
    "desk-rectification-waiting": ("window", "/desk/ratings/{waiting}/"),
    "desk-rectification-mending": ("superior", "/desk/ratings/{mending}/"),
    "desk-rectification-ended": ("window", "/desk/ratings/{ended}/"),
}


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_accessible(enter, shoot, name, width):
    page = enter(*PAGES[name], width)
    shoot(page, f"{name}-{width}")
    assert axe_violations(page) == []
    assert not is_wider_than_screen(page)
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert not is_wider_than_screen(page)


@pytest.mark.parametrize("name", ["rate", "desk-ratings"])
def test_page_is_accessible_in_the_dark(enter, name):
    assert axe_violations(enter(*PAGES[name], PHONE, dark=True)) == []


def test_a_trader_rates_by_thumb_without_scripts_and_reads_the_answer_by_her_code(
    enter, shoot, city
):
    page = enter("owner", "/mine/cases/{open}/rating/", PHONE, scripts=False)
    for label in page.locator(".grades label").all():
        assert label.bounding_box()["height"] >= 44
    page.get_by_label("非常满意").check()
    page.get_by_role("button", name="交评价").click()
    shoot(page, f"rated-thanks-{PHONE}")
    code = page.locator(".ticket").inner_text()
    assert len(code) == 19
    page.goto(page.url.split("/mine/")[0] + "/ratings/follow/")
    page.get_by_label("评价码").fill(city["code"].lower())
    page.get_by_role("button", name="看答复").click()
    expect(page.get_by_text("中午留一个窗口")).to_be_visible()
    shoot(page, f"ratings-follow-answer-{PHONE}")
    assert city["code"] not in page.url
    assert not is_wider_than_screen(page)


def test_grades_are_chosen_by_keyboard(enter):
    page = enter("owner", "/mine/cases/{open}/rating/", DESK)
    page.locator("input[type=radio]").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("满意", exact=True).is_checked()
