"""The policy writer's pages in a real browser: sliders without the server, forms without scripts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services
from getihu.rulebook.contracts import RuleChange
from tests.browser.conftest import DESK, PHONE, axe_violations, is_wider_than_screen
from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TYPE = "/rules/growth.trader_type/"
TAX = "/rules/policies.six_taxes_half/"
PAGES = {
    "list": "/rules/?text=税",
    "list-empty": "/rules/?text=火星",
    "tax": TAX,
    "guarded": "/rules/policies.income_tax_half/",
    "type": TYPE,
    "undecided": f"{TAX}?as_of=2026-09-30",
    "what-if": f"{TYPE}what-if/?set.growing_sales_yuan=200000",
    "draft": f"{TYPE}draft/?set.growing_sales_yuan=200000&valid_from=2027-01-01",
    "scenarios-empty": "/scenarios/",
}


def wait_for_sliders(page):
    page.locator("polyline[points*=',']").first.wait_for(state="attached")


@pytest.fixture
def open_policy(browse):
    """A page, once its sliders are ready to be moved."""

    def open_page(path, width, **how):
        page = browse(path, width, **how)
        slides = page.locator("[data-curves]:not([data-curves=''])").count()
        if slides and how.get("scripts", True):
            wait_for_sliders(page)
        return page

    return open_page


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_accessible(real_city, open_policy, shoot, name, width):
    page = open_policy(PAGES[name], width)
    shoot(page, f"policy-{name}-{width}")
    assert axe_violations(page) == []
    assert not is_wider_than_screen(page)


@pytest.mark.parametrize("name", ["tax", "type", "what-if"])
def test_page_is_accessible_in_the_dark(real_city, open_policy, shoot, name):
    page = open_policy(PAGES[name], DESK, dark=True)
    shoot(page, f"policy-{name}-dark")
    assert axe_violations(page) == []


def test_a_slider_moves_count_counties_and_trades_without_asking(real_city, open_policy, shoot):
    page = open_policy(TYPE, DESK)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    curve = next(
        c
        for c in rulebook.list_curves("growth.trader_type", outcome="growing")
        if c.name == "growing_sales_yuan"
    )
    slider = page.get_by_role("slider", name="有一定销售额：年销售额下限")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    place = curve.at - 4
    assert page.locator("#live-count").inner_text() == f"{curve.counts[place]:,}"
    assert slider.get_attribute("aria-valuetext") == curve.shown[place]
    assert page.locator("#set-growing_sales_yuan").input_value() == curve.values[place]
    tile = page.locator(".tile[data-code='330302'] b")
    assert tile.inner_text() == str(curve.parts["county"]["330302"][place])
    trade = page.locator("#trades [data-code='F'] b")
    assert trade.inner_text() == str(curve.parts["trade"]["F"][place])
    assert curve.shown[place] in page.locator("#live-said").inner_text()
    assert asked == []
    shoot(page, "policy-slid")
    assert axe_violations(page) == []
    page.get_by_role("button", name="恢复现行标准").click()
    assert page.locator("#live-count").inner_text() == f"{curve.counts[curve.at]:,}"
    assert page.locator("#set-growing_sales_yuan").input_value() == "300000"


def test_only_one_standard_is_slid_at_a_time(real_city, open_policy):
    page = open_policy(TYPE, DESK)
    first = page.get_by_role("slider", name="稳定经营的最短月数")
    at = first.input_value()
    first.focus()
    page.keyboard.press("ArrowRight")
    assert first.input_value() != at
    page.get_by_role("slider", name="有一定销售额：年销售额下限").focus()
    page.keyboard.press("ArrowLeft")
    assert first.input_value() == at


def test_on_a_phone_the_answer_stays_in_sight(real_city, open_policy, shoot):
    page = open_policy(TAX, PHONE)
    slider = page.get_by_role("slider").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".answer").bounding_box()["y"] < 844
    shoot(page, "policy-slid-390")
    assert not is_wider_than_screen(page)


def test_without_scripts_the_server_works_it_out(real_city, open_policy):
    page = open_policy(TYPE, DESK, scripts=False)
    assert page.get_by_role("slider").count() == 0
    page.get_by_role("spinbutton", name="有一定销售额：年销售额下限").fill("200000")
    page.get_by_role("button", name="一起重新计算").click()
    made = rulebook.compare_changes(
        "growth.trader_type", [RuleChange("parameter", "growing_sales_yuan", "200000")]
    )
    expect(page.get_by_role("heading", name=f"变动 {made.moved:,} 户")).to_be_visible()


def test_from_what_if_to_scenario_to_draft(real_city, open_policy, shoot):
    page = open_policy(PAGES["what-if"], DESK)
    page.get_by_label("方案名称").fill("降到20万")
    page.get_by_role("button", name="留存方案").click()
    page.get_by_role("heading", name="降到20万").wait_for()
    assert axe_violations(page) == []
    page.get_by_role("button", name="写成草案版本").click()
    page.get_by_role("heading", name="草案版本").wait_for()
    shoot(page, "policy-draft")
    assert "本项目设定，非官方；草案待定" in page.locator("pre").first.inner_text()


def test_scenarios_lie_side_by_side(real_city, open_policy, shoot):
    at = datetime(2026, 11, 6, tzinfo=UTC)
    for value in ("200000", "400000"):
        change = [RuleChange("parameter", "growing_sales_yuan", value)]
        services.keep_scenario("growth.trader_type", change, title=f"改成{value}", at=at)
    page = open_policy("/scenarios/", DESK)
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="放在一起比较").click()
    page.get_by_role("heading", name="放在一起").wait_for()
    shoot(page, "policy-scenarios")
    assert axe_violations(page) == []
    assert page.locator(".tiles").count() == 2


def test_the_list_narrows_while_typing_and_so_does_its_file(real_city, open_policy):
    page = open_policy("/rules/", DESK)
    page.get_by_label("找什么").press_sequentially("依次", delay=20)
    page.get_by_text("找到 1 条").wait_for()
    address = page.get_by_role("link", name="下载清单").get_attribute("href")
    assert "text=%E4%BE%9D%E6%AC%A1" in address
    expect(page.get_by_role("link", name="自主就业退役士兵")).to_be_visible()


def test_a_page_prints_without_its_controls(real_city, open_policy, shoot):
    page = open_policy(TAX, DESK)
    page.emulate_media(media="print")
    assert page.get_by_role("slider").count() == 0
    assert page.get_by_role("button", name="一起重新计算").count() == 0
    expect(page.get_by_role("heading", name="条文、规则、户数")).to_be_visible()
    shoot(page, "policy-print")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_drift_report_is_whole_and_accessible(real_city, open_policy, shoot, tmp_path, width):
    shipped = Path(rulebook.get_rule("growth.trader_type").file).read_text("utf-8")
    changed = tmp_path / "growth.trader_type.yaml"
    changed.write_text(shipped.replace("value: 300000", "value: 200000"), "utf-8")
    at = datetime(2026, 11, 6, tzinfo=UTC)
    report = services.make_drift_report("growth.trader_type", str(changed), at=at)
    page = open_policy(f"{TYPE}drift/{report.key}/", width)
    shoot(page, f"policy-drift-{width}")
    assert axe_violations(page) == []
    assert not is_wider_than_screen(page)
