"""What a policy page counts, against the evaluator trader by trader."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from getihu.rulebook import selectors
from getihu.rulebook.advise.advice import advise_facts
from getihu.rulebook.evaluate.trees import tree_value
from getihu.rulebook.evaluate.verdicts import judge
from getihu.rulebook.model.scope import Override
from getihu.rulebook.whatif.reads import Scene
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SMALL_SHOP, load
from tests.whatif.conftest import AS_OF

FILLS = {
    "annual_sales_yuan": [Decimal(0), Decimal(900_000)],
    "paid_tax_last_year": [True, False],
    "insured_employees": [0, 20],
    "registration_status": ["active", "cancelled"],
    "county_code": ["330302"],
    "established_on": [AS_OF.replace(year=2019), AS_OF],
}


@pytest.mark.parametrize("rule_id", ["tests.small_shop", "tests.size"])
def test_counts_are_the_evaluator_s(small, rule_id):
    numbers = selectors.get_rule_numbers(rule_id)
    counted = Counter(small.outcomes(small.rule(rule_id)))
    assert {name: n for name, n in numbers.counts.items() if n} == counted
    assert sum(numbers.counts.values()) == numbers.traders == 600


def test_what_all_yes_are_worth_is_the_sum_of_the_single_amounts(small):
    numbers = selectors.get_rule_numbers("tests.small_shop")
    single = [amount for amount in small.amounts(small.rule()) if amount is not None]
    assert numbers.amount_yuan == Decimal(sum(single).numerator) / sum(single).denominator
    yes = numbers.counts["yes"]
    assert numbers.amount_unknown == yes - len(single) > 0


def test_parts_are_counted_where_traders_are(small):
    numbers = selectors.get_rule_numbers("tests.small_shop")
    outcomes = small.outcomes(small.rule())
    for dimension, fact in (("county", "county_code"), ("trade", "industry_section")):
        counted = Counter(
            (facts[fact], outcome) for facts, outcome in zip(small.traders, outcomes, strict=True)
        )
        for part in numbers.parts[dimension]:
            assert part.counts == {name: counted[part.code, name] for name in part.counts}


def test_types_are_those_of_the_type_rule(small):
    numbers = selectors.get_rule_numbers("tests.small_shop")
    pairs = Counter(
        zip(small.outcomes(small.rule("tests.size")), small.outcomes(small.rule()), strict=True)
    )
    assert [part.code for part in numbers.parts["type"]] == ["large", "middle", "small", "unknown"]
    for part in numbers.parts["type"]:
        assert part.counts["yes"] == pairs[part.code, "yes"]


def test_only_this_clause_means_that_turning_it_round_makes_a_yes(small):
    rule = small.rule()
    expected = Counter()
    for facts in small.traders:
        verdict = judge(rule, facts, AS_OF)
        if verdict.outcome == "no" and verdict.applies is True:
            for name, answer in verdict.clauses.items():
                turned = {**verdict.clauses, name: not answer}
                if answer is not None and tree_value(rule.requires, turned) is True:
                    expected[name] += 1
    numbers = selectors.get_rule_numbers("tests.small_shop")
    assert {c.id: c.alone for c in numbers.clauses} == {c.id: expected[c.id] for c in rule.clauses}
    assert sum(expected.values()) > 0


def test_one_step_away_is_what_the_advice_for_each_trader_says(small):
    path = small.folder / "tests.small_shop.yaml"
    text = path.read_text("utf-8").replace('"paid_tax_last_year"', '"insured_employees >= 3"')
    path.write_text(text, "utf-8")
    numbers = selectors.get_rule_numbers("tests.small_shop")
    by_id = {clause.id: clause for clause in numbers.clauses}
    assert by_id["has_paid_tax"].can_change  # she may take people on
    assert not by_id["is_active"].can_change  # but not undo a deregistration
    advised = [advise_facts(small.rule(), facts, AS_OF, CATALOGUE) for facts in small.traders]
    assert numbers.near == sum(advice.is_near for advice in advised) > 0


def test_a_department_s_data_alone_would_settle_everyone_it_is_named_for(small):
    """Whatever the tax office sends, those counted under it can then be judged, and no others
    can by it alone."""
    rule = small.rule()
    tax = ["annual_sales_yuan", "paid_tax_last_year"]
    settled = 0
    for facts in small.traders:
        verdict = judge(rule, facts, AS_OF)
        if verdict.outcome != "unknown" or verdict.applies is False:
            continue
        lacking = [name for name in tax if facts[name] is None]
        answers = {
            judge(rule, {**facts, **dict(zip(lacking, fill, strict=True))}, AS_OF).outcome
            for fill in _fills(lacking)
        }
        settled += bool(lacking) and "unknown" not in answers
    numbers = selectors.get_rule_numbers("tests.small_shop")
    named = {each.department: each.traders for each in numbers.missing}
    assert named["tax"] == settled > 0
    assert set(named) == {"tax", "amr"}


def _fills(names):
    fills = [()]
    for name in names:
        fills = [(*fill, value) for fill in fills for value in FILLS[name]]
    return fills


def test_numbers_are_kept_and_made_again_when_the_rule_changes(small):
    first = selectors.get_rule_numbers("tests.small_shop")
    kept = list((small.folder.parent / "rulebook").rglob("*numbers*.json"))
    assert len(kept) == 1
    assert selectors.get_rule_numbers("tests.small_shop") == first
    path = small.folder / "tests.small_shop.yaml"
    path.write_text(path.read_text("utf-8").replace("value: 300000", "value: 600000"), "utf-8")
    assert selectors.get_rule_numbers("tests.small_shop").counts["yes"] > first.counts["yes"]


def test_a_kept_answer_that_is_broken_is_made_again(small):
    first = selectors.get_rule_numbers("tests.small_shop")
    (kept,) = (small.folder.parent / "rulebook").rglob("*numbers*.json")
    kept.write_text("{", "utf-8")
    assert selectors.get_rule_numbers("tests.small_shop") == first


def test_a_regional_rule_above_makes_kept_answers_stale(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    rule = load(tmp_path, SMALL_SHOP)
    above = Override("tests.local", "当地规定", "330382", date(2026, 1, 1), None)
    kept = [
        Scene(each, None, date(2026, 10, 31), "s1").kept("numbers").name
        for each in (rule, replace(rule, overridden_by=(above,)))
    ]
    assert kept[0] != kept[1]
    assert kept[0].startswith(f"tests.small_shop-{rule.version}-none-numbers")
