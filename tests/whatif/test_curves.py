"""The slider's curve, point by point against the evaluator on a changed copy."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from getihu.dataplane.contracts import PersonalClass
from getihu.rulebook import selectors
from getihu.rulebook.contracts import RuleChange
from getihu.rulebook.whatif.changes import changed_rule, rule_text
from getihu.rulebook.whatif.curves import grid, rule_curves
from tests.rulebook.catalogue import CATALOGUE
from tests.whatif.conftest import AS_OF


def copy(small, name, value):
    rule = small.rule()
    return changed_rule(rule, rule_text(rule), [RuleChange("parameter", name, value)], CATALOGUE)


@pytest.mark.parametrize("name", ["most_sales_yuan", "open_months", "per_person_yuan"])
def test_every_point_is_what_the_changed_rule_would_give(small, name):
    curve = next(c for c in selectors.list_curves("tests.small_shop") if c.name == name)
    assert len(curve.values) > 20
    for place in range(0, len(curve.values), 5):
        made = copy(small, name, curve.values[place])
        outcomes = small.outcomes(made)
        assert curve.counts[place] == outcomes.count("yes")
        counties = Counter(
            facts["county_code"]
            for facts, outcome in zip(small.traders, outcomes, strict=True)
            if outcome == "yes"
        )
        shown = {code: counts[place] for code, counts in curve.parts["county"].items()}
        assert {c: n for c, n in shown.items() if n} == {c: n for c, n in counties.items() if c}


def test_the_value_in_force_is_on_the_curve_with_its_cost(small):
    numbers = selectors.get_rule_numbers("tests.small_shop")
    for curve in selectors.list_curves("tests.small_shop"):
        rule_value = small.rule().parameter_by_name[curve.name].value
        assert Decimal(curve.values[curve.at]) == rule_value
        assert curve.counts[curve.at] == numbers.counts["yes"]
        assert curve.amounts_yuan[curve.at] == int(numbers.amount_yuan)


def test_the_curve_of_a_table_counts_one_of_its_values(small):
    path = small.folder / "tests.size.yaml"
    text = path.read_text("utf-8")
    text = text.replace('"insured_employees >= 3"', '"insured_employees >= some"')
    parameter = "parameters:\n  some: {label: 三人, value: 3, unit: person, source: 三}\nclauses:"
    path.write_text(text.replace("clauses:", parameter, 1), "utf-8")
    (curve,) = selectors.list_curves("tests.size")
    assert curve.outcome == "middle"
    assert curve.counts[curve.at] == small.outcomes(small.rule("tests.size")).count("middle")
    (other,) = selectors.list_curves("tests.size", outcome="small")
    assert other.counts[other.at] == small.outcomes(small.rule("tests.size")).count("small")


def test_dates_move_by_months_and_words_do_not_slide(small):
    rule = small.rule()
    parameter = replace(rule.parameters[0], value=date(2026, 1, 31), unit="date")
    values = grid(small.city, rule, parameter)
    assert date(2026, 2, 28) in values and date(2025, 12, 31) in values
    assert values[0] == date(2024, 1, 31)
    assert grid(small.city, rule, replace(parameter, value="北京")) == []


def test_of_a_rule_over_personal_facts_parts_move_in_fives(small):
    sales = replace(CATALOGUE["annual_sales_yuan"], personal=PersonalClass.SENSITIVE)
    guarded = {**CATALOGUE, "annual_sales_yuan": sales}
    curves = rule_curves(small.city, small.rule(), guarded)
    plain = rule_curves(small.city, small.rule(), CATALOGUE)
    counts = [n for c in curves for of in c.parts.values() for line in of.values() for n in line]
    assert counts and all(n % 5 == 0 for n in counts)
    assert any(
        n % 5 for c in plain for of in c.parts.values() for line in of.values() for n in line
    )
    assert [c.counts for c in curves] == [c.counts for c in plain]


def test_a_sum_moves_only_when_five_traders_moved(small):
    curve = next(
        c for c in selectors.list_curves("tests.small_shop") if c.name == "most_sales_yuan"
    )
    for place in range(curve.at + 1, len(curve.values)):
        if 0 < curve.counts[place] - curve.counts[place - 1] < 5:
            last = curve.amounts_yuan[place - 1]
            moved = curve.amounts_yuan[place] != last
            assert not moved or curve.counts[place] - curve.counts[curve.at] >= 5
    assert small.city.as_of == AS_OF
