"""What a rule says beside its conditions, and what a review must still answer."""

from dataclasses import replace

import pytest

from getihu.dataplane.contracts import PersonalClass
from getihu.rulebook.explain.frame import consent_needed, frame_of, review_flags
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SMALL_SHOP, load, problems

GIVES = SMALL_SHOP.replace("kind: 补助", "kind: 奖励")
INPUT = """
inputs:
  contribution: {label: 地方贡献, type: money, unit: yuan, asked_of: officer, question: 多少？, null_means: 没有核定}
"""  # fmt: skip


def with_lines(text: str, lines: str) -> str:
    return text.replace("decides_on: as_of", f"{lines.strip()}\ndecides_on: as_of", 1)


def frame(folder, lines: str) -> dict[str, str]:
    rule = load(folder, with_lines(SMALL_SHOP, lines))
    return {line.id: line.text for line in frame_of(rule, CATALOGUE)}


def test_every_part_is_said_in_words(tmp_path):
    said = frame(
        tmp_path,
        INPUT
        + """
instalments: [{share: 0.4, due: 第一年}, {share: 0.6, due: 第二年}]
group: {id: shop.support, how: highest, window_months: 60, source: 叠加规则}
ceiling: {id: year, fact: contribution, from_registered_months: 36, source: 叠加规则}
budget: {places: 240, order: [applied_on, -insured_employees], source: 通知}
legal_basis: {text: 促进个体工商户发展条例 第二十二条, kind: regulation}
""",
    )
    assert said["decides_on"] == "判定之日"
    assert said["instalments"] == "第一年付40%；第二年付60%"
    assert said["group"] == "同一项目就高不重复，60个月内算一次（项目 shop.support）"
    assert said["ceiling"] == "登记满36个月的，一年内合计不超过地方贡献"
    assert said["budget"].startswith("240个名额；先后按申请日期从前往后、")
    assert said["budget"].endswith("从后往前，相同的公开抽签")
    assert said["legal_basis"] == "促进个体工商户发展条例 第二十二条（行政法规）"


def test_a_ceiling_is_a_sum_of_money(tmp_path):
    (found,) = problems(
        tmp_path,
        "decides_on: as_of",
        "ceiling: {id: year, fact: insured_employees, source: 叠加规则}\ndecides_on: as_of",
    )
    assert "不是金额" in found.message
    (found,) = problems(
        tmp_path,
        "decides_on: as_of",
        "ceiling: {id: year, fact: anual_sales_yuan, source: 叠加规则}\ndecides_on: as_of",
    )
    assert found.nearest == "annual_sales_yuan"


BASIS = "legal_basis: {text: 某条例, kind: %s}"


@pytest.mark.parametrize(
    ("lines", "flags"),
    [
        ("", {"no_legal_basis"}),
        (BASIS % "local", {"no_legal_basis"}),
        (BASIS % "none", {"no_legal_basis"}),
        (BASIS % "regulation", set()),
        (BASIS % "law", set()),
    ],
)
def test_local_money_needs_a_law_and_an_end(tmp_path, lines, flags):
    text = with_lines(GIVES, lines) if lines else GIVES
    rule = load(tmp_path, text)
    assert rule.benefit_kind in ("奖励", "补助")
    assert {flag.id for flag in review_flags(rule)} == flags
    endless = replace(rule, valid_until=None)
    assert {flag.id for flag in review_flags(endless)} == {*flags, "no_end"}
    assert review_flags(replace(rule, region="CN")) == ()
    assert review_flags(replace(endless, benefit_kind="服务")) == ()


def test_consent_is_asked_for_what_the_law_names(tmp_path):
    taxed = replace(CATALOGUE["annual_sales_yuan"], consent="浙江信用条例 第十四条")
    hidden = replace(CATALOGUE["insured_employees"], personal=PersonalClass.SENSITIVE)
    catalogue = {**CATALOGUE, "annual_sales_yuan": taxed, "insured_employees": hidden}
    needs = {each.article: each.facts for each in consent_needed(load(tmp_path), catalogue)}
    assert needs["浙江信用条例 第十四条"] == ("annual_sales_yuan",)
    assert needs["个人信息保护法 第二十九条"] == ("insured_employees",)
    assert consent_needed(load(tmp_path), CATALOGUE) == ()
