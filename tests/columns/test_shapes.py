"""Cities of awkward sizes, dictionaries that outgrow their codes, and every shape of rule."""

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from getihu.rulebook.columns.coding import encode_values
from getihu.rulebook.columns.sweep import CHUNK, sweep_columns
from getihu.rulebook.evaluate.verdicts import judge
from tests.columns.cities import columns_of
from tests.generative.strategies import AS_OF, FACTS, load

UNKNOWN = dict.fromkeys(FACTS)


def document(**parts):
    return {
        "id": "made.rule",
        "title": "测试",
        "source": {
            "document": "文号",
            "title": "名称",
            "article": "第一条",
            "url": "https://example.org",
            "trust": "D",
        },
        "region": "CN",
        "subjects": ["individual", "enterprise"],
        "valid_from": date(2020, 1, 1),
        "decides_on": "as_of",
        "benefit": {"kind": "无", "text": "无"},
        **parts,
    }


def rule_of(whens, requires, **parts):
    clauses = {
        name: {"label": name, "when": text, "article": "第一条"} for name, text in whens.items()
    }
    return load(document(kind="eligibility", clauses=clauses, requires=requires, **parts))


def outcomes_of(rule, rows):
    swept = sweep_columns(columns_of(rows), [rule], AS_OF)
    names = (*swept.outcomes(rule.id), "not_applicable")
    return [names[min(int(code), len(names) - 1)] for code in swept.codes(rule.id)]


def judged(rule, rows):
    found = []
    for row in rows:
        verdict = judge(rule, row, AS_OF)
        found.append("not_applicable" if verdict.applies is False else verdict.outcome)
    return found


@pytest.mark.parametrize("traders", [1, 7, 63, 64, 65, 4095, 4097])
def test_the_last_word_counts_no_more_traders_than_there_are(traders):
    rule = rule_of({"many": "count_a >= 3"}, {"none_of": ["many"]})
    rows = [UNKNOWN | {"count_a": None if n % 5 == 0 else n % 7} for n in range(traders)]
    swept = sweep_columns(columns_of(rows), [rule], AS_OF)
    expected = judged(rule, rows)
    counts = {name: expected.count(name) for name in set(expected)}
    assert swept.counts() == {rule.id: counts}
    assert outcomes_of(rule, rows) == expected


def test_a_city_of_several_stretches_is_one_city():
    rule = rule_of({"many": "count_a >= 3", "a": "is_a"}, {"all_of": ["many", "a"]})
    few = [UNKNOWN | {"count_a": n % 9, "is_a": (None, True, False)[n % 3]} for n in range(90)]
    rows = [few[n % 90] for n in range(CHUNK + 130)]
    expected = judged(rule, few)
    assert outcomes_of(rule, rows) == [expected[n % 90] for n in range(len(rows))]


def test_an_empty_city_has_no_outcomes():
    rule = rule_of({"a": "is_a"}, {"all_of": ["a"]})
    swept = sweep_columns(columns_of([]), [rule], AS_OF)
    assert swept.counts() == {rule.id: {}}
    assert len(swept.members(rule.id, "yes")) == 0


@pytest.mark.parametrize(
    ("values", "kind"),
    [(255, np.uint8), (256, np.uint16), (65_535, np.uint16), (65_536, np.uint32)],
)
def test_a_dictionary_gets_codes_wide_enough_for_it(values, kind):
    column = encode_values([*range(values), None], pa.int64())
    assert column.codes.dtype == kind
    assert column.codes[values - 1] == values
    assert column.codes[values] == 0
    assert column.has_unknown


@pytest.mark.parametrize("values", [200, 300, 70_000])
def test_lists_and_ranges_hold_whatever_the_width_of_the_codes(values):
    rule = rule_of(
        {
            "listed": "count_a in (3, 250, 69999, 5.5)",
            "between": "count_a between 100 and 260",
            "other": "sales_yuan * 0.5 <> count_a",
        },
        {"at_least": {"n": 2, "of": ["listed", "between", "other"]}},
    )
    rows = [UNKNOWN | {"count_a": n, "sales_yuan": Decimal(2 * (n // 2))} for n in range(values)]
    rows.append(UNKNOWN)
    assert outcomes_of(rule, rows) == judged(rule, rows)


def test_at_least_counts_unknowns_as_possible():
    whens = {"a": "is_a", "b": "is_b", "many": "count_a > 1", "red": "colour = 'red'"}
    rule = rule_of(whens, {"at_least": {"n": 2, "of": list(whens)}})
    truths = (None, True, False)
    rows = [
        UNKNOWN | {"is_a": a, "is_b": b, "count_a": c, "colour": d}
        for a in truths
        for b in truths
        for c in (None, 1, 2)
        for d in (None, "red", "blue")
    ]
    assert outcomes_of(rule, rows) == judged(rule, rows)


def test_a_table_gives_a_value_only_if_all_rows_still_possible_share_it():
    rule = load(
        document(
            kind="table",
            clauses={
                "a": {"label": "a", "when": "is_a", "article": "第一条"},
                "b": {"label": "b", "when": "is_b", "article": "第一条"},
            },
            rows=[
                {"when": "a", "value": "one"},
                {"when": "b", "value": "two"},
                {"otherwise": True, "value": "one"},
            ],
            values={"one": "甲", "two": "乙"},
        )
    )
    truths = (None, True, False)
    rows = [UNKNOWN | {"is_a": a, "is_b": b} for a in truths for b in truths]
    expected = judged(rule, rows)
    assert outcomes_of(rule, rows) == expected
    assert set(expected) == {"one", "two", "unknown"}


def test_a_fact_nobody_holds_is_unknown_for_all():
    rule = rule_of({"a": "is_a or count_a > 3"}, {"all_of": ["a"]})
    rows = [UNKNOWN | {"count_a": n} for n in (None, 3, 4)]
    columns = columns_of(rows, {"count_a": pa.int64()})
    swept = sweep_columns(columns, [rule], AS_OF)
    assert swept.members(rule.id, "yes").tolist() == [False, False, True]
    assert swept.members(rule.id, "unknown").tolist() == [True, True, False]


def test_the_largest_numbers_stay_exact():
    rule = rule_of(
        {"product": "count_a * sales_yuan > 0", "sum": "count_a + count_b > sales_yuan"},
        {"any_of": ["product", "sum"]},
    )
    big = Decimal("9999999999999999.99")
    rows = [
        UNKNOWN | {"count_a": a, "count_b": b, "sales_yuan": s}
        for a in (2**63 - 1, -(2**63), 0)
        for b in (2**63 - 1, -(2**63), None)
        for s in (big, -big, None)
    ]
    assert outcomes_of(rule, rows) == judged(rule, rows)


def test_two_rules_that_ask_the_same_share_the_planes():
    one = rule_of({"old": "opened_on <= DATE '2020-01-01'", "a": "is_a"}, {"all_of": ["old", "a"]})
    two = load(
        {
            **document(
                kind="eligibility",
                clauses={
                    "long": {
                        "label": "x",
                        "when": "opened_on <= DATE '2020-01-01'",
                        "article": "第一条",
                    }
                },
                requires={"all_of": ["long"]},
            ),
            "id": "made.other",
        }
    )
    swept = sweep_columns(columns_of([UNKNOWN]), [one, two], AS_OF)
    planned = swept.plan.rules
    assert planned["made.rule"].clauses["old"] == planned["made.other"].clauses["long"]
    assert swept.plan.distinct_clauses == 2
