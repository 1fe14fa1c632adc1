"""Generated rules on generated facts: evaluator and DuckDB sweep agree on everything."""

from fractions import Fraction

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from getihu.rulebook.compile.expressions import literal, quote
from getihu.rulebook.compile.sweep import amount_column, compile_sweep, outcome_column
from getihu.rulebook.evaluate.missing import missing_facts
from getihu.rulebook.evaluate.verdicts import judge
from tests.generative.strategies import AS_OF, FACTS, SQL_TYPES, fact_values, rows, rules

CALM = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "derandomize": True,
    # A failure is reported as found: shrinking whole rules takes minutes.
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
}


def facts_relation(table: list[dict]) -> str:
    """SQL of a facts table with these rows, typed as the data plane types it."""
    types = {name: SQL_TYPES[fact.type.value] for name, fact in FACTS.items()}
    lines = []
    for number, row in enumerate(table):
        cells = [
            f"CAST({'NULL' if row[name] is None else literal(str(row[name]))} AS {types[name]})"
            for name in FACTS
        ]
        lines.append(f"({number}, {', '.join(cells)})")
    names = ", ".join(["trader_code", *map(quote, FACTS)])
    return f"(VALUES {', '.join(lines)}) AS facts({names})"


def swept(made, table: list[dict]) -> list[dict]:
    statement = compile_sweep(made, AS_OF, facts_relation(table))
    with duckdb.connect() as connection:
        result = connection.execute(statement.sql)
        names = [column[0] for column in result.description]
        found = [dict(zip(names, values, strict=True)) for values in result.fetchall()]
    return sorted(found, key=lambda row: row["trader_code"])


def evaluated(rule, facts) -> tuple[str | None, Fraction | None]:
    verdict = judge(rule, facts, AS_OF)
    outcome = None if verdict.applies is False else verdict.outcome
    return outcome, verdict.amount


def check_agreement(made, table) -> None:
    decided = swept(made, table)
    for facts, row in zip(table, decided, strict=True):
        for rule in made:
            outcome, amount = evaluated(rule, facts)
            in_sql = row.get(amount_column(rule.id))
            assert row[outcome_column(rule.id)] == outcome, (rule.clauses, facts)
            assert in_sql == amount or Fraction(in_sql) == amount, (rule.amount, facts)


tables = st.lists(rows, min_size=6, max_size=12)
two_rules = st.tuples(rules(0), rules(1))


@settings(max_examples=100, **CALM)
@given(two_rules, tables)
def test_evaluator_and_duckdb_give_the_same_outcome_and_amount(made, table):
    check_agreement(made, table)


@pytest.mark.scale
@settings(max_examples=2_000, **{**CALM, "derandomize": False})
@given(two_rules, tables)
def test_evaluator_and_duckdb_agree_on_thousands_of_rules(made, table):
    check_agreement(made, table)


@st.composite
def filled_in(draw):
    """A rule, facts with unknowns, and the same facts with some unknowns filled."""
    rule = draw(rules())
    before = draw(rows)
    unknown = [name for name, value in before.items() if value is None]
    chosen = draw(st.sets(st.sampled_from(unknown))) if unknown else set()
    return rule, before, {**before, **{name: draw(fact_values(name)) for name in sorted(chosen)}}


@settings(max_examples=80, **CALM)
@given(filled_in())
def test_filling_an_unknown_never_turns_a_known_answer_into_another(example):
    rule, before, after = example
    old, new = judge(rule, before, AS_OF), judge(rule, after, AS_OF)
    assert all(new.clauses[k] is v for k, v in old.clauses.items() if v is not None)
    assert old.applies is None or new.applies is old.applies
    assert old.outcome == "unknown" or new.outcome == old.outcome
    assert old.amount is None or new.amount == old.amount


@settings(max_examples=80, **CALM)
@given(filled_in())
def test_only_the_facts_named_as_missing_can_settle_an_unknown(example):
    rule, before, after = example
    old = judge(rule, before, AS_OF)
    named = missing_facts(rule, old, before, AS_OF)
    assume(old.applies is not False and "unknown" in (old.outcome, old.visible))
    others = {k: before[k] if k in named else v for k, v in after.items()}
    new = judge(rule, others, AS_OF)
    assert new.outcome == old.outcome
    assert new.visible == old.visible
