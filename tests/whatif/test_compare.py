"""Before and after: who moves, what it costs, and what is held back."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from operator import ne

import pytest
from hypothesis import given
from hypothesis import strategies as st

from getihu.dataplane.contracts import PersonalClass
from getihu.kernel.errors import InvalidInput
from getihu.rulebook import selectors
from getihu.rulebook.contracts import RuleChange
from getihu.rulebook.whatif.changes import UnknownPart, changed_rule, rule_text
from getihu.rulebook.whatif.compare import compare
from getihu.rulebook.whatif.privacy import FEWEST, held_back
from tests.rulebook.catalogue import CATALOGUE

CHANGES = {
    "parameter": [RuleChange("parameter", "most_sales_yuan", "150,000")],
    "two": [
        RuleChange("parameter", "open_months", "24"),
        RuleChange("parameter", "per_person_yuan", "50.25"),
    ],
    "clause": [RuleChange("clause", "is_small", "annual_sales_yuan < 100000")],
    "drop": [RuleChange("drop", "is_settled")],
}


def copy(small, changes):
    rule = small.rule()
    return changed_rule(rule, rule_text(rule), changes, CATALOGUE)


@pytest.mark.parametrize("name", ["parameter", "two", "drop"])
def test_moves_and_amounts_are_the_evaluator_s(small, name):
    after = copy(small, CHANGES[name])
    made = selectors.compare_changes("tests.small_shop", CHANGES[name])
    before_outcomes, after_outcomes = small.outcomes(small.rule()), small.outcomes(after)
    expected = Counter(zip(before_outcomes, after_outcomes, strict=True))
    assert {(b, a): n for b, a, n in made.moves} == expected
    assert made.moved == sum(n for (b, a), n in expected.items() if b != a)
    before = [amount or 0 for amount in small.amounts(small.rule())]
    later = [amount or 0 for amount in small.amounts(after)]
    pairs = list(zip(before, later, strict=True))
    assert made.before_yuan == yuan(sum(before))
    assert made.after_yuan == yuan(sum(later))
    assert made.gained_yuan == yuan(sum(max(b - a, 0) for a, b in pairs))
    assert made.lost_yuan == yuan(sum(max(a - b, 0) for a, b in pairs))


def yuan(amount):
    return Decimal(amount.numerator) / amount.denominator


def test_a_part_tells_who_is_gained_and_who_is_lost(small):
    made = selectors.compare_changes("tests.small_shop", CHANGES["parameter"])
    after = small.outcomes(copy(small, CHANGES["parameter"]))
    before = small.outcomes(small.rule())
    lost = Counter(
        facts["county_code"]
        for facts, b, a in zip(small.traders, before, after, strict=True)
        if b == "yes" != a
    )
    assert {p.code: p.lost for p in made.parts["county"] if p.lost} == {
        code: n for code, n in lost.items() if code
    }
    assert all(p.before - p.lost + p.gained == p.after for p in made.parts["county"])


def test_the_differences_name_what_was_changed_and_nothing_else(small):
    shown = {
        name: [(d.what, d.label, d.before, d.after) for d in made.differences]
        for name, changes in CHANGES.items()
        if name != "clause"
        for made in [selectors.compare_changes("tests.small_shop", changes)]
    }
    assert shown["parameter"] == [("参数", "年销售额上限", "300,000 元", "150,000 元")]
    assert [d[1] for d in shown["two"]] == ["开业月数", "每人补助"]
    assert [d[0] for d in shown["drop"]] == ["参数", "条件", "组合"]


def test_a_parameter_nobody_uses_after_a_clause_is_changed_is_reported(small):
    with pytest.raises(InvalidInput, match=r"most_sales_yuan.*没有用到"):
        copy(small, CHANGES["clause"])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (RuleChange("parameter", "most_sale_yuan", "1"), UnknownPart, "most_sales_yuan"),
        (RuleChange("parameter", "most_sales_yuan", "很多"), InvalidInput, "不相配"),
        (RuleChange("clause", "is_small", "anual_sales_yuan < 1"), InvalidInput, "annual_sales"),
        (RuleChange("clause", "nothing", "true"), UnknownPart, "is_small"),
        (RuleChange("drop", "nothing"), UnknownPart, "可以改的有"),
        (RuleChange("rename", "is_small"), UnknownPart, "is_small"),
    ],
)
def test_a_change_that_cannot_be_made_says_what_can(small, change, error, words):
    with pytest.raises(error, match=words):
        copy(small, [change])


def test_not_every_clause_can_be_dropped(small):
    with pytest.raises(UnknownPart, match="至少留下一个条件"):
        copy(small, [RuleChange("drop", clause.id) for clause in small.rule().clauses])


def test_tables_of_different_outcomes_are_compared_by_name(small):
    rule = small.rule("tests.size")
    text = (
        rule_text(rule)
        .replace("middle: 中", "medium: 中")
        .replace("value: middle", "value: medium")
    )
    from getihu.rulebook.whatif.changes import read_text

    after = read_text(rule.file, text, CATALOGUE)
    made = compare(small.city, rule, after, None, CATALOGUE)
    moves = {(b, a): n for b, a, n in made.moves}
    assert moves["middle", "medium"] == small.outcomes(rule).count("middle")
    assert ("middle", "middle") not in moves


def test_sums_over_a_few_are_held_back(small):
    tried = (
        copy(small, [RuleChange("parameter", "most_sales_yuan", str(300_000 + 1000 * n))])
        for n in range(1, 60)
    )
    now = small.amounts(small.rule())
    few = next(c for c in tried if 0 < sum(map(ne, now, small.amounts(c))) < FEWEST)
    made = compare(small.city, small.rule(), few, None, CATALOGUE)
    assert made.gained_yuan is None
    assert made.lost_yuan == 0


def test_cells_of_a_few_people_are_held_back_only_where_facts_are_personal(small):
    after = copy(small, [RuleChange("parameter", "most_sales_yuan", "310000")])
    sales = replace(CATALOGUE["annual_sales_yuan"], personal=PersonalClass.SENSITIVE)
    guarded = {**CATALOGUE, "annual_sales_yuan": sales}
    open_cells = compare(small.city, small.rule(), after, None, CATALOGUE).parts["county"]
    made = compare(small.city, small.rule(), after, None, guarded)
    assert any(0 < cell.gained < FEWEST for cell in open_cells)
    assert made.is_guarded
    assert all(cell.gained is None or not 0 < cell.gained < FEWEST for cell in made.parts["county"])


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(0, 12), min_size=width, max_size=width), min_size=1, max_size=6
        )
    )
)
def test_a_hidden_cell_cannot_be_found_by_subtraction(table):
    hidden = held_back(table)
    lines = [
        *(list(zip(row, marks, strict=True)) for row, marks in zip(table, hidden, strict=True)),
        *([(table[r][c], hidden[r][c]) for r in range(len(table))] for c in range(len(table[0]))),
    ]
    for row, marks in zip(table, hidden, strict=True):
        for count, hide in zip(row, marks, strict=True):
            assert hide or not 0 < count < FEWEST
    for line in lines:
        others = [count for count, hide in line if count and not hide]
        assert sum(hide for _, hide in line) != 1 or not others
