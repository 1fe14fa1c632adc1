"""Many rules on one trader at once say what each says alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from getihu.rulebook.evaluate.together import Together
from getihu.rulebook.evaluate.trees import deciding_clauses
from getihu.rulebook.evaluate.verdicts import judge
from tests.columns.test_engine_agrees import CALM
from tests.columns.test_shapes import UNKNOWN, rule_of
from tests.generative.strategies import AS_OF, rows, rules


@settings(max_examples=80, **CALM)
@given(st.tuples(rules(0), rules(1)), st.lists(rows, min_size=3, max_size=6))
def test_outcomes_and_clauses_are_those_of_one_rule_at_a_time(made, table):
    together = Together(made)
    for facts in table:
        for sheet in together.decide(facts, AS_OF):
            verdict = judge(sheet.rule, facts, AS_OF)
            left_out = verdict.applies is False
            assert sheet.outcome == ("not_applicable" if left_out else verdict.outcome)
            assert sheet.clauses == verdict.clauses


def test_the_deciding_clauses_are_those_of_the_explanation():
    whens = {"a": "is_a", "b": "is_b", "many": "count_a > 1.5", "odd": "sales_yuan <> 0.07"}
    plain = rule_of(whens, {"all_of": list(whens)})
    nested = rule_of(whens, {"all_of": ["a", {"any_of": ["b", "many", "odd"]}]})
    for a in (None, True, False):
        for count in (None, 1, 2):
            facts = UNKNOWN | {"is_a": a, "is_b": False, "count_a": count}
            for sheet in Together([plain, nested]).decide(facts, AS_OF):
                chosen = deciding_clauses(sheet.rule.requires, sheet.clauses)
                assert set(sheet.deciding) == chosen, facts
