"""Every page on the hand-built city: what is shown, what is refused, and in which words."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse

from getihu.dataplane import selectors as dataplane
from getihu.portal import selectors
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import Settled, Settlement
from tests.portal import fakes

PACKAGE = Path(selectors.__file__).resolve().parents[1]
TRADER = f"/traders/{fakes.CODE}/"
PAGES = [
    "/",
    TRADER,
    f"{TRADER}decisions/policies.income_tax_half/",
    "/data/",
    "/data/deliveries/tax_years-2025-01/quarantine/",
    "/facts/",
]


def text_of(response) -> str:
    """The words of a page without its tags and without blanks."""
    return re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", response.content.decode()))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_under_the_strict_policy(client, city, path):
    response = client.get(path)
    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "nonce" not in policy


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_inline_style_or_script(client, city, path):
    html = client.get(path).content.decode()
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html) == []


@pytest.mark.parametrize("path", [p for p in PAGES if p != "/"])
def test_pages_that_only_show_refuse_to_be_written_to(client, city, path):
    assert client.post(path).status_code == 405


def test_templates_and_static_files_name_no_foreign_address():
    files = [*PACKAGE.glob("*/templates/**/*.html"), *PACKAGE.glob("*/static/**/*.*")]
    named = [
        (path.name, address)
        for path in files
        for address in re.findall(r"https?://[^\s\"'<>)]+", path.read_text("utf-8"))
        if address != "http://www.w3.org/2000/svg"  # a name of the format, fetched by nobody
    ]
    assert files
    assert named == []


# The trader's page


def test_a_trader_sees_her_type_with_its_date_and_reason(client, city):
    shown = text_of(client.get(TRADER))
    assert "成长型稳定经营，有雇员或缴过税，有一定销售额。" in shown
    assert "数据截至2026年10月31日（周六）" in shown


def test_each_policy_stands_where_its_answer_puts_it(city):
    page = selectors.get_trader_page(fakes.CODE)
    assert [line.decision.rule_id for line in page.granted] == [
        "policies.income_tax_half",
        "policies.insurance",
    ]
    assert [line.decision for line in page.near] == [fakes.NEAR]
    assert [line.decision for line in page.unknown] == [fakes.LOAN]
    assert [line.decision for line in page.refused] == [fakes.VETERAN]
    assert [line.decision for line in page.left_out] == [fakes.ELSEWHERE]


def test_what_cannot_change_is_never_one_step_away(city):
    page = selectors.get_trader_page(fakes.CODE)
    assert "policies.veteran_startup" not in [line.decision.rule_id for line in page.near]


def test_one_step_away_says_how_far(city):
    line = selectors.get_trader_page(fakes.CODE).near[0]
    assert line.hint == "再招 2 人并参保（现在 1 人，要至少 3 人）。"
    assert line.gap == "还差 2 人"


def test_an_unknown_names_the_department_what_it_lacks_and_since_when(client, city):
    shown = text_of(client.get(TRADER))
    lack = "缺中国人民银行温州市分行的服务业经营主体贷款余额：数据到2026年7月31日，"
    assert lack in shown


def test_a_trader_just_below_a_type_is_told_how_far(city):
    text = "营业额再多 4,000.00 元（现在 296,000.00 元，要至少 300,000.00 元）。"
    step = fakes.remedy("b", "有一定销售额", "change", text, "还差 4,000.00 元")
    below = fakes.advice(
        "growth.trader_type", "surviving", [step], goal="growing", goal_label="成长型"
    )
    city.patch(rulebook, advise_trader=lambda code, **_: {below.rule_id: below})
    assert selectors.get_trader_page(fakes.CODE).type_hint == f"离成长型差一步：{text}"


def test_the_total_leaves_out_limits_and_taxes_still_due(city):
    due = replace(fakes.HALF, rule_id="x", amount_note="当月应缴增值税，不是补贴")
    limit = replace(fakes.HALF, rule_id="y", amount_note="本年度扣减限额")
    explanation = replace(fakes.EXPLANATION, policies=(fakes.HALF, due, limit))
    city.patch(rulebook, explain_trader=lambda code, **_: explanation)
    page = selectors.get_trader_page(fakes.CODE)
    assert page.total_yuan == Decimal("3600.00")
    assert [line.worth_yuan for line in page.granted] == [Decimal("3600"), Decimal("3600"), None]
    assert [line.is_limit for line in page.granted] == [False, True, False]


def test_rules_of_other_places_and_of_past_years_are_no_open_questions(city):
    open_ones = [d for d in fakes.EXPLANATION.policies if d.outcome == "unknown"]
    far, past = (
        replace(open_ones[0], rule_id=name, incomplete="") for name in ("tests.far", "tests.past")
    )
    cut = replace(open_ones[0], rule_id="tests.cut", incomplete="附件没有看到。")
    explanation = replace(fakes.EXPLANATION, policies=(far, past, cut))
    rules = {
        "tests.far": SimpleNamespace(region_prefix="440310", benefit_kind="免税"),
        "tests.past": SimpleNamespace(
            region_prefix="",
            last_day_after=date(2023, 1, 1),
            is_over=lambda day: True,
            benefit_kind="免税",
        ),
    }
    city.patch(
        rulebook,
        explain_trader=lambda code, **_: explanation,
        governing_rules=lambda as_of: rules,
    )
    page = selectors.get_trader_page(fakes.CODE)
    assert (page.elsewhere, page.unknown) == (1, ())
    assert [line.decision.rule_id for line in page.unread] == ["tests.cut"]
    (over,) = page.left_out
    assert over.hint.startswith("有效期到 2022-12-31 为止。")


def test_the_total_counts_one_project_once(client, city):
    other = replace(fakes.HALF, rule_id="x", title="同一项目的另一条")
    explanation = replace(fakes.EXPLANATION, policies=(fakes.HALF, other))
    lower = Settled("x", Decimal("3600.00"), Decimal("0.00"), Settlement.LOWER, fakes.HALF.rule_id)
    city.patch(
        rulebook,
        explain_trader=lambda code, **_: explanation,
        settle=lambda explanation, awards=(): (lower,),
    )
    page = selectors.get_trader_page(fakes.CODE)
    assert page.total_yuan == Decimal("3600.00")
    told = client.get(f"/traders/{fakes.CODE}/").content.decode()
    assert f"和《{fakes.HALF.title}》是同一项目" in told


@pytest.mark.parametrize("how", [how for how in Settlement if how is not Settlement.FULL])
def test_every_way_of_paying_less_is_said(city, how):
    cut = Settled(fakes.HALF.rule_id, Decimal("3600.00"), None, how, again_on=date(2027, 1, 1))
    city.patch(rulebook, settle=lambda explanation, awards=(): (cut,))
    page = selectors.get_trader_page(fakes.CODE)
    line = next(line for line in page.granted if line.decision.rule_id == fakes.HALF.rule_id)
    assert line.beside and line.worth_yuan is None


def test_what_comes_by_itself_stands_first_and_says_when(client, city):
    late = fakes.decision("policies.x", "满一年的奖励", "no", [fakes.HIRE_CLAUSE])
    wait = fakes.remedy(
        "a",
        "满一年",
        "time",
        "再过 2 个月（2026-12-31）就满足。",
        "还差 2 个月",
        on=date(2026, 12, 31),
    )
    waits = fakes.advice(
        "policies.x", "no", [wait], cured_on=date(2026, 12, 31), caveat="按现有数据推算。"
    )
    city.patch(
        rulebook,
        explain_trader=lambda code, **_: replace(fakes.EXPLANATION, policies=(fakes.NEAR, late)),
        explain_rule=lambda code, rule_id, **_: late,
        advise_trader=lambda code, **_: {"policies.hire": fakes.HIRE_ADVICE, "policies.x": waits},
        advise=lambda code, rule_id, **_: waits,
    )
    page = selectors.get_trader_page(fakes.CODE)
    assert [(line.decision.rule_id, line.gap) for line in page.near] == [
        ("policies.x", "还差 2 个月"),
        ("policies.hire", "还差 2 人"),
    ]
    shown = text_of(client.get(f"{TRADER}decisions/policies.x/"))
    assert "2026年12月31日起自动符合，不用办理。按现有数据推算。" in shown


def test_a_dead_end_hides_the_steps_that_would_not_help(client, city):
    both = fakes.advice(
        "policies.veteran_startup",
        "no",
        [*fakes.VETERAN_ADVICE.remedies, *fakes.HIRE_ADVICE.remedies],
    )
    city.patch(rulebook, advise=lambda code, rule_id, **_: both)
    shown = text_of(client.get(f"{TRADER}decisions/policies.veteran_startup/"))
    assert "由经营者的身份决定" in shown
    assert "再招2人" not in shown and "再招 2 人" not in shown


def test_a_step_that_two_conditions_ask_for_is_said_once(client, city):
    hire = fakes.HIRE_ADVICE.remedies[0]
    twice = fakes.advice("policies.hire", "no", [hire, replace(hire, label="吸纳就业")])
    city.patch(rulebook, advise=lambda code, rule_id, **_: twice)
    page = selectors.get_decision_page(fakes.CODE, "policies.hire")
    assert [(step.label, step.gap) for step in page.steps] == [
        ("雇用 3 人以上；吸纳就业", "还差 2 人")
    ]


def test_an_open_answer_says_what_to_ask_and_whom(client, city):
    shown = text_of(client.get(f"{TRADER}decisions/policies.service_loan_interest_2025/"))
    assert "“服务业经营主体贷款余额”是多少元？" in shown
    assert "中国人民银行温州市分行知道" in shown


@pytest.mark.parametrize("text", ["31-10-2026", "2026-13-01", "明天"])
def test_a_date_that_is_none_is_refused_in_words(client, city, text):
    response = client.get(TRADER, {"as_of": text})
    assert response.status_code == 400
    assert "日期要写成2026-10-31这样。" in text_of(response)


def test_the_date_looked_from_goes_along_to_the_reasons(client, city):
    earlier = replace(fakes.EXPLANATION, as_of=date(2026, 6, 30))
    city.patch(rulebook, explain_trader=lambda code, **_: earlier)
    html = client.get(TRADER, {"as_of": "2026-06-30"}).content.decode()
    assert "decisions/growth.trader_type/?as_of=2026-06-30" in html


def test_a_lower_case_code_leads_to_the_one_address(client, city):
    response = client.get(f"/traders/{fakes.CODE.lower()}/")
    assert (response.status_code, response["Location"]) == (302, TRADER)


def test_a_wrong_code_says_what_is_wrong(client, city):
    response = client.get("/traders/92330302MA2ABC001X/")
    assert response.status_code == 404
    assert "校验位不符" in text_of(response) and "第18位应是" in text_of(response)
    assert "请核对原始登记" in text_of(response)


# A decision's page


def test_a_refusal_says_what_why_which_clause_what_next_and_whom_to_ask(client, city):
    shown = text_of(client.get(f"{TRADER}decisions/policies.hire/"))
    order = ["结论", "不符合", "原因", "依据", "第一条", "怎样就可以", "找谁", "人力资源"]
    places = [shown.index(word) for word in order]
    assert places == sorted(places)


def test_each_value_shows_its_department_date_and_who_set_the_limit(client, city):
    shown = text_of(client.get(f"{TRADER}decisions/growth.trader_type/"))
    assert "温州市人力资源和社会保障局，9月30日（周三）" in shown
    assert "国家税务总局温州市税务局，2025年12月31日（周三）" in shown
    assert shown.count("本项目设定，非官方借用增值税") == 1
    assert "版本4f5a9c01d2e3；快照s0123456789ab" in shown


# Search


def test_search_finds_by_a_posted_name(client, city):
    assert "鹿城区阿华面馆" in text_of(client.post("/", {"text": "阿华"}))


def test_a_live_search_answers_with_the_results_alone(client, city):
    response = client.post("/", {"text": "阿华"}, headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert "鹿城区阿华面馆" in text_of(response)


def test_a_search_without_a_hit_says_what_to_try(client, city):
    assert "没有找到" in text_of(client.post("/", {"text": "不存在的店"}))


@pytest.mark.parametrize("text", ["", "阿", "店" * 61])
def test_a_search_too_short_or_long_says_so(client, city, text):
    assert re.search("两个字|60个字", text_of(client.post("/", {"text": text})))


def test_a_search_needs_the_form_of_this_site(city):
    response = Client(enforce_csrf_checks=True).post("/", {"text": "阿华"})
    assert response.status_code == 403
    assert "这张表单过期了" in text_of(response)


# Data


def test_the_officer_sees_that_no_row_was_lost(client, city):
    shown = text_of(client.get("/data/"))
    assert "收到的行数等于入库、隔离、重复之和" in shown
    assert "98,765" in shown
    assert "请人行换一个编号重送" in shown


def test_rows_that_do_not_add_up_are_called_out(client, city):
    broken = replace(fakes.DELIVERY, accepted=1)
    city.patch(dataplane, list_deliveries=lambda limit=200: [broken])
    assert "行数对不上" in text_of(client.get("/data/"))


def test_nothing_delivered_yet_is_a_page_of_its_own(client, city):
    city.patch(
        dataplane,
        list_deliveries=lambda limit=200: [],
        list_snapshots=lambda: [],
        count_quarantine=lambda: [],
        list_feeds=lambda at: [],
    )
    shown = text_of(client.get("/data/"))
    assert "还没有收到任何数据" in shown
    assert "getihuingest" in shown


def test_the_quarantine_file_opens_in_a_spreadsheet_and_runs_nothing(client, city, tmp_path):
    path = tmp_path / "quarantine.csv"
    path.write_text("﻿行号,内容\r\n2,=1+1\r\n3,@x\r\n4,-5\r\n5,好\r\n", "utf-8", newline="")
    city.patch(dataplane, quarantine_file=lambda delivery_id: path)
    response = client.get("/data/deliveries/tax_years-2025-01/quarantine.csv")
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert response.content.decode("utf-8-sig").splitlines() == [
        "行号,内容",
        "2,'=1+1",
        "3,'@x",
        "4,'-5",
        "5,好",
    ]
    assert response["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("page", "number", "has_next"),
    [("", 1, True), ("2", 2, True), ("3", 3, False), ("x", 1, True), ("-1", 1, True)],
)
def test_quarantine_is_read_a_page_at_a_time(client, city, page, number, has_next):
    path = reverse("portal:quarantine", args=["tax_years-2025-01"])
    shown = text_of(client.get(path, {"page": page}))
    assert f"第{number}页" in shown
    assert ("下一页" in shown) == has_next


def test_an_unknown_delivery_is_not_found(client, city):
    assert client.get("/data/deliveries/none/quarantine/").status_code == 404


# What is not there


def raiser(error):
    def answer(*args, **kwargs):
        raise error

    return answer


def test_before_the_first_delivery_every_page_says_which_command_to_run(client, city):
    city.patch(dataplane, get_published_snapshot=raiser(dataplane.NothingPublished()))
    response = client.get("/")
    assert response.status_code == 503
    assert "makedemo" in text_of(response)


def test_a_page_that_does_not_exist_is_designed_too(client, city):
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "没有这个页面" in text_of(response)


def test_a_fault_of_ours_gives_a_number_and_no_detail(city):
    city.patch(selectors, get_data_page=raiser(RuntimeError("secret")))
    response = Client(raise_request_exception=False).get("/data/")
    assert response.status_code == 500
    assert "平台出错了" in text_of(response)
    assert "secret" not in text_of(response)


# Type size


def test_large_type_is_kept_in_a_cookie(client, city):
    response = client.post("/type-size/", {"size": "large", "back": TRADER})
    assert response["Location"] == TRADER
    assert 'class="large"' in client.get(TRADER).content.decode()


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "", "\\x"])
def test_the_way_back_never_leaves_the_site(client, city, back):
    location = client.post("/type-size/", {"size": "large", "back": back})["Location"]
    assert "elsewhere" not in location
