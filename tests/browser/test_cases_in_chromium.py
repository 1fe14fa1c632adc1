"""The pages of cases in a real browser: whole, accessible, reachable by keyboard, the same after
a swap as after a reload."""

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import expect

from getihu.cases import services
from getihu.cases.contracts import PauseKind
from getihu.portal.views import casework
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.cases.cast import AT, SHOP, TOWN, days
from tests.desk.conftest import cast, register  # noqa: F401  the same people and shop
from tests.signed_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CATERING = "entry.catering_opening"
FORM = {"use_area_m2": "80", "seats": 20, "has_signboard": True}
PNG = b"\x89PNG\r\n\x1a\n" + b"a plan of the kitchen"
NARROW = 360


@pytest.fixture
def cases(cast, monkeypatch):  # noqa: F811
    """One case in each situation, seen on 2026-11-16."""
    monkeypatch.setattr(casework, "now", lambda: days(14))

    def new(state: str):
        case = services.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
        services.save_draft(case, FORM, by=cast.owner)
        services.attach(case, "layout", PNG, by=cast.owner, at=AT)
        if state == "draft":
            return case
        services.submit(case, by=cast.owner, at=AT if state != "submitted" else days(14))
        if state in ("submitted", "late"):
            return case
        if state == "correction":
            services.request_materials(case, ["安全制度清单"], by=cast.window, at=days(1))
            return case
        services.accept(case, by=cast.window, at=days(1))
        if state == "paused":
            kind, why = PauseKind.TESTING, "送检"
            services.pause_clock(case, "food", kind, reason=why, by=cast.colleague, at=days(2))
        if state == "refused":
            given = {"reason": "操作间没有独立水池", "article": "食品安全法 第三十五条"}
            services.finish_stage(
                case, "food", passed=False, by=cast.colleague, at=days(3), **given
            )
        return case

    states = ("draft", "submitted", "late", "correction", "accepted", "paused", "refused")
    return {state: new(state) for state in states}


@pytest.fixture
def enter(browse, live_server, cast, cases):  # noqa: F811
    """Open a page as one of the people; ``{state}`` in the path is the case in that state."""

    def go(who: str, path: str, width: int, **options):
        client = Client()
        sign_in(client, get_user_model().objects.get(pk=getattr(cast, who).account_id))
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        page = browse("/rules/", width, **options)
        page.wait_for_load_state("networkidle")  # leaving earlier would break off its icon
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
        )
        page.goto(f"{live_server.url}{path.format(**cases)}", wait_until="load")
        return page

    return go


PAGES = {
    "shop": ("owner", "/"),
    "me": ("owner", "/mine/me/"),
    "mine": ("owner", "/mine/"),
    "mine-start": ("owner", f"/mine/matters/{CATERING}/"),
    "mine-draft": ("owner", "/mine/cases/{draft}/draft/"),
    "mine-correction": ("owner", "/mine/cases/{correction}/"),
    "mine-accepted": ("owner", "/mine/cases/{accepted}/"),
    "mine-refused": ("owner", "/mine/cases/{refused}/"),
    "mine-withdraw": ("owner", "/mine/cases/{accepted}/withdraw/"),
    "mine-empty": ("elsewhere", "/mine/"),
    "desk": ("window", "/desk/"),
    "desk-empty": ("elsewhere", "/desk/"),
    "desk-new": ("window", "/desk/cases/{submitted}/"),
    "desk-task": ("superior", "/desk/cases/{accepted}/"),
    "desk-paused": ("colleague", "/desk/cases/{paused}/"),
}


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_accessible(enter, shoot, name, width):
    page = enter(*PAGES[name], width)
    shoot(page, f"{name}-{width}")
    assert axe_violations(page) == []
    assert not is_wider_than_screen(page)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_lost_at_360_pixels_and_at_200_percent(enter, name):
    page = enter(*PAGES[name], NARROW)
    assert not is_wider_than_screen(page)
    # 200 % of a screen of 1280 is a window of 640.
    page.set_viewport_size({"width": 640, "height": 450})
    assert not is_wider_than_screen(page)


@pytest.mark.parametrize("name", ["mine-accepted", "desk"])
def test_page_is_accessible_in_the_dark(enter, name):
    assert axe_violations(enter(*PAGES[name], PHONE, dark=True)) == []


def main_of(page) -> str:
    return page.evaluate("document.querySelector('#inbox').innerHTML.replace(/\\s+/g, ' ').trim()")


def test_after_a_filter_the_list_is_that_of_a_reload(enter):
    page = enter("window", "/desk/", DESK)
    with page.expect_response(lambda r: "queue=late" in r.url):
        page.locator("#queue").select_option("late")
    page.wait_for_url("**/desk/?queue=late")
    page.get_by_role("heading", name="已超期").wait_for()
    swapped = main_of(page)
    page.reload()
    assert main_of(page) == swapped
    assert page.locator("#queue").input_value() == "late"


def test_the_desk_is_worked_by_keyboard(enter):
    page = enter("window", "/desk/", DESK)
    first, second = (link.inner_text() for link in page.locator("[data-row] a").all()[:2])
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") == first
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") == second
    page.keyboard.press("k")
    address = page.evaluate("document.activeElement.href")
    page.keyboard.press("Enter")
    page.wait_for_url(address)
    page.keyboard.press("u")
    page.wait_for_url("**/desk/")
    page.keyboard.press("/")
    page.keyboard.type("j")
    assert page.get_by_role("searchbox").input_value() == "j"
    page.wait_for_url("**/desk/?text=j")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    assert page.locator("#keys").get_attribute("open") is not None


def test_a_trader_hands_in_without_scripts(enter):
    page = enter("owner", "/mine/cases/{draft}/draft/", PHONE, scripts=False)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("等待：鹿城区市场监督管理局").first).to_be_visible()


def test_printed_a_case_keeps_its_course_and_drops_its_buttons(enter):
    page = enter("owner", "/mine/cases/{accepted}/", DESK)
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="谁在办")).to_be_visible()
    expect(page.get_by_text("等待：").first).to_be_visible()
    expect(page.get_by_role("link", name="撤回")).not_to_be_visible()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_bundle_from_its_first_page_to_the_desk(enter, shoot, cast, width):  # noqa: F811
    """一类事: what it takes, one form, its course for her and for the office; then one part is
    taken back."""
    form = {"use_area_m2": "80", "is_public_gathering": True, "drains_to_sewer": False}
    form |= {"sells_tobacco": False, "hires_people": True, "food_kinds": "热食", "hired_count": 1}
    form |= {"fire_promise": True, "has_licence": True}
    runs = []
    for _ in range(2):
        run = services.open_bundle("entry.catering", SHOP, place=TOWN, by=cast.owner, at=AT)
        services.save_bundle(run, form, by=cast.owner)
        runs.append(run)
    services.submit_bundle(runs[1], by=cast.owner, at=AT)
    page = enter("owner", "/mine/bundles/entry.catering/", width)
    site = page.url.split("/mine/")[0]
    course = f"{site}/mine/runs/{runs[1]}/"
    found = []
    for name, path in {
        "start": page.url,
        "draft": f"{site}/mine/runs/{runs[0]}/draft/",
        "course": course,
        "withdraw": f"{course}withdraw/?part=fire",
    }.items():
        page.goto(path, wait_until="networkidle")
        found += trouble(page, shoot, f"bundle-{name}-{width}")
    page.get_by_role("button", name="撤回").click()
    page.get_by_role("button", name="重办这一项").wait_for()
    desk = enter("window", "/desk/bundles/", width)
    found += trouble(desk, shoot, f"bundle-desk-{width}")
    desk.get_by_role("link", name="开餐饮店").first.click()
    desk.get_by_role("heading", name="全过程").wait_for()
    found += trouble(desk, shoot, f"bundle-desk-course-{width}")
    assert found == []


def trouble(page, shoot, name):
    shoot(page, name)
    wide = ["wider than the screen"] if is_wider_than_screen(page) else []
    return [(name, each) for each in [*axe_violations(page), *wide]]
