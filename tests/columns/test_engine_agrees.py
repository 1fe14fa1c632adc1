"""The columnar engine says what the single-trader evaluator says, clause by clause."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from getihu.rulebook.columns.sweep import sweep_columns
from getihu.rulebook.evaluate.verdicts import judge
from tests.columns.cities import columns_of
from tests.generative.strategies import AS_OF, rows, rules

CALM = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "derandomize": True,
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
}
tables = st.lists(rows, min_size=6, max_size=12)


def check_agreement(made, table) -> None:
    swept = sweep_columns(columns_of(table), made, AS_OF)
    for rule in made:
        members = {name: swept.members(rule.id, name) for name in swept.outcomes(rule.id)}
        left_out = swept.members(rule.id, "not_applicable")
        clauses = {c.id: swept.clause(rule.id, c.id) for c in rule.clauses}
        amounts = dict(_amounts(swept, rule))
        for number, facts in enumerate(table):
            verdict = judge(rule, facts, AS_OF)
            expected = "not_applicable" if verdict.applies is False else verdict.outcome
            got = [name for name, who in members.items() if who[number]]
            got += ["not_applicable"] if left_out[number] else []
            assert got == [expected], (rule.clauses, facts)
            assert amounts.get(number) == verdict.amount, (rule.amount, facts)
            if verdict.applies is not False:
                for name, value in verdict.clauses.items():
                    yes, unknown = clauses[name]
                    said = None if unknown[number] else bool(yes[number])
                    assert said is value, f"{rule.clause_by_id[name].text} {facts}"


def _amounts(swept, rule):
    found = swept.amount_of(rule.id)
    for row, cents, known in zip(found.rows, found.cents.values, found.cents.known, strict=True):
        if known:
            yield int(row), Fraction(int(cents), 100)


@settings(max_examples=150, **CALM)
@given(st.tuples(rules(0), rules(1)), tables)
def test_outcomes_amounts_and_clauses_are_those_of_the_single_trader_evaluator(made, table):
    check_agreement(made, table)


@pytest.mark.scale
@settings(max_examples=3_000, **{**CALM, "derandomize": False})
@given(st.tuples(rules(0), rules(1)), tables)
def test_the_engines_agree_on_thousands_of_rules(made, table):
    check_agreement(made, table)
