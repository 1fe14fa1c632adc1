"""A decision names every clause, value, source and date, and what an unknown waits for."""

import json
from datetime import date
from decimal import Decimal

import pytest

from getihu.dataplane.contracts import FactState
from getihu.rulebook.explain.canonical import canonical_json
from getihu.rulebook.explain.decisions import decide
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SIZE_TABLE, SMALL_SHOP, load
from tests.rulebook.traders import trader


@pytest.fixture
def rule(tmp_path):
    return load(tmp_path)


@pytest.fixture
def size(tmp_path):
    return load(tmp_path, SIZE_TABLE)


def explained(rule, changes=None, **how):
    return decide(rule, trader(changes, **how), CATALOGUE)


def test_a_yes_shows_what_holds_it_up_and_its_exact_amount(rule):
    decision = explained(rule)
    assert (decision.outcome, decision.outcome_label) == ("yes", "符合")
    assert decision.deciding == ("is_active", "is_small", "is_settled")
    assert decision.amount_yuan == Decimal("67.00")
    assert [f.name for f in decision.amount_facts] == ["insured_employees"]
    assert decision.missing == ()


def test_every_clause_shows_its_values_with_source_and_date(rule):
    clause = explained(rule).clauses[1]
    fact, parameter = clause.facts[0], clause.parameters[0]
    assert (fact.shown, fact.department_name) == ("120,000.00 元", "国家税务总局温州市税务局")
    assert (fact.recorded_on, fact.delivery_id) == (date(2026, 9, 30), "tax_years-2026-10")
    assert (parameter.shown, parameter.source) == ("300,000 元", "第一条")
    assert (clause.expression, clause.article) == ("annual_sales_yuan <= most_sales_yuan", "第一条")


def test_a_no_names_every_clause_in_the_way(rule):
    changes = {"annual_sales_yuan": Decimal(400000), "registration_status": "suspended"}
    decision = explained(rule, changes)
    assert decision.outcome == "no"
    assert decision.deciding == ("is_active", "is_small", "has_paid_tax")
    assert "登记在册" in decision.reason and decision.amount_yuan is None


def test_an_unknown_names_the_missing_fact_its_department_and_since_when(rule):
    decision = explained(rule, {"annual_sales_yuan": None})
    assert (decision.outcome, decision.deciding) == ("unknown", ("is_small",))
    assert [f.name for f in decision.missing] == ["annual_sales_yuan"]
    why = decision.missing[0].why_unknown
    assert "国家税务总局温州市税务局" in why and "2026-08-31" in why and "2026-09-01" in why


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (FactState.LATE, "还没有送来"),
        (FactState.HELD, "更正后重送"),
        (FactState.MISSING, "没有这户的这项记录"),
        (FactState.UNDELIVERED, "从来没有送来过"),
        (FactState.RECORDED, "没有写明"),
        (FactState.ABSENT, "没有这户的这项记录"),
    ],
)
def test_each_state_of_an_unknown_has_its_own_sentence(rule, state, words):
    decision = explained(rule, {"annual_sales_yuan": None}, state=state)
    assert words in decision.missing[0].why_unknown
    assert "国家税务总局温州市税务局" in decision.missing[0].why_unknown


def test_a_fact_that_no_longer_matters_is_not_called_missing(rule):
    decision = explained(rule, {"annual_sales_yuan": None, "registration_status": "cancelled"})
    assert (decision.outcome, decision.missing) == ("no", ())


def test_a_yes_without_a_countable_amount_says_what_is_missing(rule):
    decision = explained(rule, {"insured_employees": None})
    assert (decision.outcome, decision.amount_yuan) == ("yes", None)
    assert "事实insured_employees" in decision.amount_note


@pytest.mark.parametrize(
    ("changes", "as_of", "words"),
    [
        ({"county_code": "440310"}, date(2026, 10, 31), "只在温州市适用"),
        ({"subject_kind": "enterprise"}, date(2026, 10, 31), "只适用于个体工商户"),
        ({}, date(2025, 12, 31), "2026-01-01 起才施行"),
        ({}, date(2028, 1, 1), "有效期到 2027-12-31"),
    ],
)
def test_a_rule_that_does_not_apply_says_why(rule, changes, as_of, words):
    decision = explained(rule, changes, as_of=as_of)
    assert (decision.applies, decision.outcome_label) == (False, "不适用")
    assert words in decision.not_applicable
    assert decision.missing == () and decision.amount_yuan is None


def test_a_rule_ended_early_names_the_ending_document(tmp_path):
    ended = "ended_by: {rule: tests.next, from: 2026-06-01, source: 测试〔2026〕9号第六条}\n"
    decision = explained(load(tmp_path, SMALL_SHOP + ended))
    assert not decision.applies
    assert "测试〔2026〕9号第六条" in decision.not_applicable and "2026-06-01" in decision.reason


def test_an_unknown_county_makes_the_answer_unknown(rule):
    decision = explained(rule, {"county_code": None})
    assert (decision.applies, decision.outcome) == (True, "unknown")
    assert [f.name for f in decision.missing] == ["county_code"]
    assert decision.deciding == ()


@pytest.mark.parametrize("sales", [Decimal(1), Decimal(400000), None], ids=["yes", "no", "open"])
def test_an_incomplete_source_is_never_yes_and_never_no(tmp_path, sales):
    rule = load(tmp_path, SMALL_SHOP + "incomplete: 第三条被截断\n")
    decision = explained(rule, {"annual_sales_yuan": sales})
    assert (decision.outcome, decision.outcome_label) == ("unknown", "待核")
    assert "看得到的条件" in decision.reason and "第三条被截断" in decision.reason
    assert decision.amount_yuan is None


def test_a_table_gives_its_value_label_and_reason(size):
    changes = {"insured_employees": 12, "annual_sales_yuan": Decimal(6_000_000)}
    decision = explained(size, changes)
    assert (decision.outcome, decision.outcome_label) == ("large", "大")
    assert decision.reason == "人多销售额高。"
    assert decision.deciding == ("has_many", "sells_much")


def test_the_last_row_is_explained_by_what_fails_the_row_before(size):
    decision = explained(size)
    assert (decision.outcome, decision.deciding) == ("small", ("sells_much", "has_some"))


def test_a_table_is_known_when_every_possible_row_agrees(size):
    decision = explained(size, {"insured_employees": 4, "annual_sales_yuan": None})
    assert decision.outcome == "middle"


def test_a_table_with_two_possible_values_is_unknown(size):
    decision = explained(size, {"insured_employees": 12, "annual_sales_yuan": None})
    assert (decision.outcome, decision.deciding) == ("unknown", ("sells_much",))
    assert decision.reason.startswith("可能是大、中。")
    assert [f.name for f in decision.missing] == ["annual_sales_yuan"]


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    first = canonical_json(explained(load(tmp_path)))
    again = canonical_json(explained(load(tmp_path)))
    assert first == again
    assert b" " not in first.split(b'"amount_note"')[0]


def test_canonical_bytes_hold_decimals_as_text_and_dates_as_iso(rule):
    read = json.loads(canonical_json(explained(rule)))
    assert read["amount_yuan"] == "67.00"
    assert read["as_of"] == "2026-10-31"
    assert list(read) == sorted(read)
