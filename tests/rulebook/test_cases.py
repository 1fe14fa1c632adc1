"""Worked cases: what they may say, and what the runner reports."""

import pytest

from getihu.rulebook.evaluate.cases import run_case
from getihu.rulebook.load.cases import read_cases
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import load

CASES = """\
defaults: {registration_status: active, established_on: 2024-01-31, insured_employees: 2}
cases:
  - name: 销售额不高
    as_of: 2026-10-31
    facts: {annual_sales_yuan: "120000.00"}
    expect: yes
    amount: 67
  - name: 税务没有数据
    as_of: 2026-10-31
    facts: {}
    expect: unknown
    missing: [annual_sales_yuan, paid_tax_last_year]
    clauses: {is_active: yes, is_small: unknown}
  - name: 外地
    as_of: 2026-10-31
    facts: {county_code: "440310"}
    expect: not_applicable
"""


@pytest.fixture
def rule(tmp_path):
    return load(tmp_path)


def read(tmp_path, rule, text):
    path = tmp_path / f"{rule.id}.cases.yaml"
    path.write_text(text, "utf-8")
    return read_cases(path, rule, CATALOGUE)


def test_cases_that_hold_pass(tmp_path, rule):
    cases, document = read(tmp_path, rule, CASES)
    assert document.problems == []
    assert [run_case(rule, case).message for case in cases] == ["", "", ""]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("expect: yes", "expect: no", "应当是 no，得到 yes"),
        ("amount: 67", "amount: 68", "金额应当是 68 元，得到 67 元"),
        ("amount: 67", "amount: null", "金额应当是 算不出"),
        ("[annual_sales_yuan, ", "[", "缺的事实应当是"),
        ("is_small: unknown", "is_small: no", "条件 is_small 应当是 no，得到 unknown"),
    ],
)
def test_a_case_that_fails_says_what_came_out(tmp_path, rule, old, new, words):
    cases, _ = read(tmp_path, rule, CASES.replace(old, new, 1))
    messages = [run_case(rule, case).message for case in cases]
    assert any(words in message for message in messages), messages


@pytest.mark.parametrize(
    ("old", "new", "line", "nearest"),
    [
        ("annual_sales_yuan:", "annual_sale_yuan:", 5, "annual_sales_yuan"),
        ("status: active", "status: actve", 1, "active"),
        ("expect: yes", "expect: yess", 6, "yes"),
        ("is_small: unknown", "is_smal: unknown", 13, "is_small"),
        ("[annual_sales_yuan", "[annual_sales", 12, "annual_sales_yuan"),
        ("    amount: 67", "    amunt: 67", 7, "amount"),
        ("insured_employees: 2}", "insured_employees: two}", 1, None),
        ('"120000.00"', '"120000.005"', 5, None),
        ("name: 税务没有数据", "name: 销售额不高", 8, None),
    ],
)
def test_a_mistake_in_a_case_is_named(tmp_path, rule, old, new, line, nearest):
    _, document = read(tmp_path, rule, CASES.replace(old, new, 1))
    assert [(p.line, p.nearest) for p in document.problems] == [(line, nearest)]


def test_a_rule_without_cases_is_a_problem(tmp_path, rule):
    _, document = read_cases(tmp_path / f"{rule.id}.cases.yaml", rule, CATALOGUE)
    assert "没有案例文件" in document.problems[0].message


def test_a_case_that_names_no_county_is_about_a_trader_inside_the_region(tmp_path, rule):
    (case, *_), _ = read(tmp_path, rule, CASES)
    assert (case.facts["subject_kind"], case.facts["county_code"]) == ("individual", "330300")


def test_a_case_may_leave_the_subject_kind_open(tmp_path, rule):
    text = CASES.replace("facts: {}", "facts: {subject_kind: null}").replace(
        "missing: [", "missing: [subject_kind, "
    )
    cases, _ = read(tmp_path, rule, text)
    assert run_case(rule, cases[1]).passed
