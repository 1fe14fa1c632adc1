"""What nobody delivers and somebody is asked for; what must not be; and rules on told facts."""

from datetime import date

import duckdb
import pytest

from getihu.rulebook import selectors
from getihu.rulebook.advise.reads import UnknownAnswer
from getihu.rulebook.compile.sweep import compile_sweep, outcome_column
from getihu.rulebook.evaluate.missing import missing_facts
from getihu.rulebook.evaluate.verdicts import judge
from getihu.rulebook.model.rules import AllOf, NoneOf
from tests.rulebook import texts
from tests.rulebook.texts import SMALL_SHOP

INPUTS = """\
inputs:
  goods_value_yuan: {label: 货值金额, type: money, unit: yuan, asked_of: officer, question: 货值多少元？, null_means: 没有查明}
  packaging: {label: 包装, type: enum, values: {bulk: 散装, packed: 预包装}, asked_of: applicant, question: 怎样包装？, null_means: 没有回答}
"""
EXCLUSIONS = """\
exclusions:
  dishonest: {label: 列入严重违法失信名单, when: is_seriously_dishonest, article: 条例 第二十六条, credit_list: serious_dishonesty}
"""
ASKED = SMALL_SHOP.replace(
    '"paid_tax_last_year"', "\"goods_value_yuan <= 500 and packaging = 'packed'\""
)
WITH_INPUTS = ASKED.replace("clauses:\n", INPUTS + "clauses:\n", 1)
WITH_EXCLUSIONS = SMALL_SHOP.replace("requires:", EXCLUSIONS + "requires:", 1)
AS_OF = date(2026, 10, 31)


@pytest.fixture
def load(tmp_path):
    return lambda text: texts.load(tmp_path, text)


@pytest.fixture
def problems(tmp_path):
    return lambda text: texts.problems(tmp_path, "id: tests", "id: tests", text)


FACTS = {
    "county_code": "330302",
    "subject_kind": "individual",
    "registration_status": "active",
    "annual_sales_yuan": 400_000,
    "established_on": date(2020, 1, 1),
}


def test_an_input_is_a_fact_in_expressions_and_unknown_until_answered(load):
    rule = load(WITH_INPUTS)
    verdict = judge(rule, FACTS, AS_OF)
    assert verdict.outcome == "unknown"
    missing = missing_facts(rule, verdict, FACTS, AS_OF)
    assert missing == ("goods_value_yuan", "packaging")
    told = {**FACTS, "goods_value_yuan": 500, "packaging": "packed"}
    assert judge(rule, told, AS_OF).outcome == "yes"
    assert judge(rule, {**told, "packaging": "bulk"}, AS_OF).outcome == "no"


def test_a_city_without_the_column_does_not_know_it(load):
    rule = load(WITH_INPUTS)
    relation = (
        "(SELECT 'x' AS trader_code, '330302' AS county_code, 'individual' AS subject_kind, "
        "'active' AS registration_status, CAST(400000 AS DECIMAL(18,2)) AS annual_sales_yuan, "
        "DATE '2020-01-01' AS established_on, CAST(1 AS BIGINT) AS insured_employees)"
    )
    statement = compile_sweep([rule], AS_OF, relation)
    assert not {"goods_value_yuan", "packaging"} & set(statement.facts)
    with duckdb.connect() as connection:
        result = connection.execute(statement.sql)
        row = dict(zip([c[0] for c in result.description], result.fetchall()[0], strict=True))
    assert row[outcome_column(rule.id)] == "unknown"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("goods_value_yuan:", "annual_sales_yuan:", "已经是部门送来的事实"),
        ("type: money, unit: yuan", "type: money", "不相配"),
        ("values: {bulk: 散装, packed: 预包装}, ", "", "不相配"),
        ("asked_of: officer", "asked_of: oficer", "officer"),
        ("question: 货值多少元？, ", "", "缺少“question”"),
        ("= 'packed'", "= 'paked'", "packed"),
        ("goods_value_yuan <= 500 and ", "", "“goods_value_yuan”没有用到"),
    ],
)
def test_mistakes_in_inputs_are_told(problems, old, new, message):
    assert old in WITH_INPUTS
    assert any(message in str(p) for p in problems(WITH_INPUTS.replace(old, new, 1)))


def test_an_exclusion_must_not_hold(load):
    rule = load(WITH_EXCLUSIONS)
    assert isinstance(rule.requires, AllOf)
    assert isinstance(rule.requires.items[1], NoneOf)
    clause = rule.clause_by_id["dishonest"]
    assert (clause.is_exclusion, clause.credit_list) == (True, "serious_dishonesty")
    small = {**FACTS, "annual_sales_yuan": 1}
    outcomes = {
        listed: judge(rule, {**small, "is_seriously_dishonest": listed}, AS_OF).outcome
        for listed in (False, True, None)
    }
    assert outcomes == {False: "yes", True: "no", None: "unknown"}


def test_a_credit_exclusion_names_its_list_and_its_article(problems):
    """F-06：严重失信名单不等于经营异常名录，排除项要写是哪一份名单、哪一条。"""
    without_list = WITH_EXCLUSIONS.replace(", credit_list: serious_dishonesty", "")
    assert any("没有写是哪一份名单" in str(p) for p in problems(without_list))
    without_article = WITH_EXCLUSIONS.replace(", article: 条例 第二十六条", "")
    assert any("缺少“article”" in str(p) for p in problems(without_article))


def test_an_exclusion_is_not_named_like_a_clause(problems):
    same = WITH_EXCLUSIONS.replace("  dishonest:", "  is_small:")
    assert any("同名" in str(p) for p in problems(same))


def g_32(months: int | None, rule_id: str = "supervision.first_breach_loose_food"):
    told = {"ever_same_breach": True, "months_since_same_breach": months, "corrected_in_time": True}
    if rule_id.endswith("food"):
        told |= {"is_loose_cooked_food": False, "caused_food_accident": False}
    else:
        told |= {"county_code": "430682"}
    return selectors.decide_facts(rule_id, told, AS_OF)


def test_g_32_a_first_breach_by_the_window_of_each_region():
    """同类 23 个月前被罚：总局口径（24 个月）不是首违，临湘（6 个月）是。"""
    assert (g_32(23).outcome, g_32(24).outcome) == ("no", "yes")
    linxiang = g_32(23, "supervision.first_breach_linxiang")
    assert linxiang.outcome_label == "待核"
    assert next(c for c in linxiang.clauses if c.id == "first_breach").result == "yes"


def test_what_was_not_answered_names_who_is_asked():
    [missing] = g_32(None).missing
    assert missing.department_name == "办案人员"
    assert missing.why_unknown == "办案人员还没有回答：还没有查。"


def test_an_answer_to_nothing_asked_is_refused():
    with pytest.raises(UnknownAnswer, match="colour"):
        selectors.decide_facts("supervision.first_breach_loose_food", {"colour": "red"}, AS_OF)
