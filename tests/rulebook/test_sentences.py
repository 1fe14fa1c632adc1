"""A condition written out in Chinese, and the numbers people wrote beside it."""

import re

import pytest

from getihu.dataplane import selectors as dataplane
from getihu.rulebook import selectors
from getihu.rulebook.explain.labels import stale_labels, unbacked_numbers
from getihu.rulebook.explain.sentences import sentence
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SMALL_SHOP, load

FACTS = dataplane.fact_catalogue()


def says(folder, when: str) -> str:
    rule = load(folder, SMALL_SHOP.replace("registration_status = 'active'", when))
    return sentence(rule.clause_by_id["is_active"].expression, rule, FACTS)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("registration_status = 'active'", "登记状态为“存续”"),
        ("registration_status in ('active', 'suspended')", "登记状态是“存续”、“歇业”之一"),
        ("not paid_tax_last_year", "“上一年度实际缴纳过税款”为否"),
        ("annual_sales_yuan < most_sales_yuan", "上一年度应征销售额少于300,000 元"),
        ("not annual_sales_yuan < 5000", "上一年度应征销售额不少于5,000 元"),
        ("established_on >= date '2024-02-29'", "成立日期不早于2024-02-29"),
        (
            "established_on + open_months * interval '1' month <= as_of",
            "成立日期以后 12 个月不晚于判定之日",
        ),
        ("established_on - interval '10' day > as_of", "成立日期以前 10 天晚于判定之日"),
        (
            "paid_tax_last_year and (insured_employees >= 2 or insured_employees = 0)",
            "“上一年度实际缴纳过税款”为是，并且（单位参保人数不少于2 人，或者单位参保人数等于0 人）",
        ),
        (
            "case when insured_employees > 0 then true end",
            "单位参保人数多于0 人的，是；其余的，不能判断，由人核实",
        ),
        ("insured_employees * 2 - 1 > 3", "（（单位参保人数乘2）减1）多于3 人"),
    ],
)
def test_every_kind_of_condition_has_its_words(tmp_path, when, said):
    assert says(tmp_path, when) == said


def test_no_shipped_condition_shows_its_code():
    """What people read holds Chinese, numbers and dates, no name of a fact or a parameter."""
    for rule in selectors.get_rulebook().rules:
        said = [*selectors.clause_sentences(rule).values(), selectors.amount_sentence(rule)]
        assert not [each for each in said if re.search(r"[a-z]{3}", each)], rule.id


def test_the_labels_of_the_shipped_rules_name_the_numbers_they_decide_by():
    assert [(r.id, selectors.stale_labels(r)) for r in selectors.get_rulebook().rules
            if selectors.stale_labels(r)] == []  # fmt: skip


@pytest.mark.parametrize(
    ("label", "stale"),
    [
        ("年销售额不超过30万元", []),
        ("年销售额不超过20万元", ["20万元"]),
        ("年销售额不超过三百元", []),  # not read: no digits before the unit
        ("开业以来（100万元以上的另算）", []),  # an aside is not the condition
    ],
)
def test_a_label_that_no_longer_agrees_is_found(tmp_path, label, stale):
    rule = load(tmp_path, SMALL_SHOP.replace("年销售额不高", label))
    assert [text for _, text in stale_labels(rule, CATALOGUE)] == stale


def test_a_threshold_that_moves_makes_its_label_stale(tmp_path):
    text = SMALL_SHOP.replace("年销售额不高", "年销售额不超过30万元")
    assert stale_labels(load(tmp_path, text), CATALOGUE) == ()
    moved = text.replace("value: 300000", "value: 200000")
    assert [said for _, said in stale_labels(load(tmp_path, moved), CATALOGUE)] == ["30万元"]


def test_years_and_per_cents_agree_with_months_and_shares(tmp_path):
    text = SMALL_SHOP.replace("开业满一年", "开业满1年")
    assert stale_labels(load(tmp_path, text), CATALOGUE) == ()
    assert stale_labels(load(tmp_path, text.replace("满1年", "满2年")), CATALOGUE)


@pytest.mark.parametrize(
    ("words", "stale"),
    [("十二个月", ()), ("一十二个月", ()), ("二个月", ("二个月",)), ("二十个月", ("二十个月",)),
     ("九十九个月", ("九十九个月",)), ("两个月", ("两个月",))],
)  # fmt: skip
def test_numbers_written_in_words_are_read_whole(tmp_path, words, stale):
    text = SMALL_SHOP.replace("开业满一年", f"开业满{words}")
    assert tuple(said for _, said in stale_labels(load(tmp_path, text), CATALOGUE)) == stale


def test_numbers_the_rule_does_not_decide_by_are_named(tmp_path):
    rule = load(tmp_path, SMALL_SHOP.replace("小店每名雇员补一百元", "每人补100.5元，最多5万元"))
    assert unbacked_numbers(rule, CATALOGUE) == ("5万元",)
