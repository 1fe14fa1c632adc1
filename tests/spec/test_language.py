"""The tables of this folder hold in both engines, and the manual is made of them."""

from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest

from getihu.rulebook.compile.expressions import literal, quote
from getihu.rulebook.compile.sweep import amount_column, compile_sweep, outcome_column
from getihu.rulebook.evaluate.verdicts import judge
from getihu.rulebook.model.cases import NOT_APPLICABLE
from tests.generative.strategies import SQL_TYPES
from tests.spec.manual import MANUAL, manual_text
from tests.spec.tables import FACTS, UNKNOWN, Example, read_examples, rule_of

EXAMPLES = read_examples()
WORDS = {"是": "yes", "否": "no", UNKNOWN: "unknown", "不适用": "not_applicable"}
every_example = pytest.mark.parametrize("example", EXAMPLES, ids=[e.place for e in EXAMPLES])


def expected(example: Example) -> tuple[str, Fraction | None]:
    if example.kind == "amount":
        known = example.expected != UNKNOWN
        return "yes", Fraction(Decimal(example.expected)) if known else None
    if example.kind == "date":
        return "unknown" if example.expected == UNKNOWN else "yes", None
    outcome, _, yuan = example.expected.partition(" ")
    amount = Fraction(Decimal(yuan)) if yuan else None
    return WORDS.get(outcome, outcome), amount


@every_example
def test_the_evaluator_gives_the_result_in_the_table(example):
    verdict = judge(rule_of(example), example.facts, example.as_of)
    outcome = NOT_APPLICABLE if verdict.applies is False else verdict.outcome
    assert (outcome, verdict.amount) == expected(example)


@every_example
def test_duckdb_gives_the_result_in_the_table(example):
    rule = rule_of(example)
    cells = [
        f"CAST({'NULL' if value is None else literal(str(value))} AS "
        f"{SQL_TYPES[FACTS[name].type.value]}) AS {quote(name)}"
        for name, value in {**dict.fromkeys(FACTS), **example.facts}.items()
    ]
    relation = f"(SELECT 'x' AS trader_code, {', '.join(cells)})"
    with duckdb.connect() as connection:
        result = connection.execute(compile_sweep([rule], example.as_of, relation).sql)
        row = dict(zip([c[0] for c in result.description], result.fetchall()[0], strict=True))
    outcome, amount = expected(example)
    assert row[outcome_column(rule.id)] == (None if outcome == NOT_APPLICABLE else outcome)
    assert row.get(amount_column(rule.id)) == (None if amount is None else amount)


def test_every_kind_of_table_is_there():
    assert {e.kind for e in EXAMPLES} == {"condition", "amount", "date", "tree", "table", "rule"}


def test_the_manual_is_made_of_these_tables():
    assert MANUAL.read_text("utf-8") == manual_text(), "运行 python -m tests.spec.manual"
