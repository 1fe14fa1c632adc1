"""The noodle shop in 鹿城, on a phone: from the question to the licence in her wallet."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of
from getihu.entry.models import Filing
from tests.browser.conftest import PHONE, axe_violations, is_wider_than_screen
from tests.cases.cast import officer, person
from tests.real_city import made_city, real_city
from tests.signed_in import sign_in

__all__ = ["made_city", "real_city"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADDRESS = "鹿城区五马街道公安路23号"


@pytest.fixture
def enter(browse, live_server):
    """A page as one of the people, or as nobody."""

    def go(path, who=None, width=PHONE):
        page = browse("/facts/", width)
        page.wait_for_load_state("networkidle")  # leaving earlier would break off its icon
        if who is not None:
            client = Client()
            sign_in(client, Account.objects.get(pk=who.account_id))
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            page.context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
            )
        page.goto(f"{live_server.url}{path}", wait_until="load")
        return page

    return go


def whole(page, shoot, name):
    page.wait_for_load_state("networkidle")
    shoot(page, f"noodles-{name}")
    assert axe_violations(page) == [], name
    assert not is_wider_than_screen(page), name


def answer(page, label):
    page.get_by_label(label, exact=True).check()
    page.get_by_role("button", name="下一步").click()


def test_from_the_question_to_the_licence_in_the_wallet(real_city, enter, shoot):
    newcomer = person("newcomer")
    window = officer("window", Role.WINDOW_OFFICER, "amr", "330302")
    page = enter("/open/", newcomer)
    whole(page, shoot, "1-question")
    page.get_by_label("想开什么店").fill("我想开一家面馆")
    page.get_by_label("开在哪里").press_sequentially("wuma", delay=20)
    page.locator("#places option").first.wait_for(state="attached")
    assert page.locator("#places option").first.get_attribute("value") == "鹿城区五马街道"
    page.get_by_label("县（市、区）").select_option("瑞安市")  # only what lies there from now on
    page.get_by_label("开在哪里").fill("")
    page.get_by_label("开在哪里").press_sequentially("an", delay=20)
    page.locator("#places option[value^=瑞安市]").first.wait_for(state="attached")
    assert page.locator("#places option:not([value^=瑞安市])").count() == 0
    page.get_by_label("县（市、区）").select_option("")
    page.get_by_label("开在哪里").fill(ADDRESS)
    page.get_by_role("button", name="看一看").click()
    page.get_by_text("属于鹿城区五马街道").wait_for()
    whole(page, shoot, "2-trades")
    page.get_by_role("link", name="小吃服务").click()
    page.get_by_role("heading", name="有固定的店面吗").wait_for()
    whole(page, shoot, "3-first-answer")
    answer(page, "是")
    page.get_by_label("店里的使用面积是多少平方米？").fill("38")
    page.get_by_role("button", name="下一步").click()
    for label in ("否", "是", "否", "是", "店招、灯箱、显示屏"):
        answer(page, label)
    page.get_by_role("link", name="去办营业执照").wait_for()
    expect(page.get_by_text("小餐饮店登记证").first).to_be_visible()
    expect(page.get_by_text("鹿城区消防救援大队").first).to_be_visible()
    whole(page, shoot, "4-permits")
    page.get_by_role("link", name="去办营业执照").click()
    page.get_by_role("heading", name="鹿城区 五马街道").wait_for()
    whole(page, shoot, "5-where")
    page.get_by_role("button", name="开始填").click()
    page.get_by_role("heading", level=1).wait_for()
    assert page.get_by_role("textbox", name="经营场所").input_value() == ADDRESS
    page.locator("[name=composition]").first.select_option("personal")
    page.locator("#id_name").fill("阿芬面馆")
    whole(page, shoot, "6-filing")
    page.get_by_role("button", name="提交").click()
    page.get_by_text("受理").first.wait_for()
    whole(page, shoot, "7-handed-in")
    case = page.url.rstrip("/").split("/")[-1]
    desk = enter(f"/desk/cases/{case}/", window, width=1440)
    whole(desk, shoot, "8-desk")
    from getihu.cases import services as cases

    done_at = datetime.now(UTC)
    cases.accept(case, by=window, at=done_at)
    cases.finish_stage(case, "registration", passed=True, by=window, at=done_at)
    code = Filing.objects.get().trader_code
    assert code in actor_of(newcomer.account_id, datetime.now(UTC)).own
    page.reload()
    whole(page, shoot, "9-granted")
    page.goto(f"{page.url.split('/mine/')[0]}/mine/code/{code}/")
    page.get_by_text("营业执照").first.wait_for()
    whole(page, shoot, "10-wallet")
    page.goto(f"{page.url.split('/mine/')[0]}/mine/register/{code}/")
    page.get_by_text("存续（在营）").wait_for()
    whole(page, shoot, "11-register")
