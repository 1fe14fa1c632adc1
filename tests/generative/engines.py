"""The engines that must agree, each behind one function: rules and traders in, answers out."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from getihu.rulebook.columns.city import MemoryColumns
from getihu.rulebook.columns.sweep import sweep_columns
from getihu.rulebook.compile.spark import SETTINGS, compile_sweep_spark
from getihu.rulebook.compile.sweep import (
    SweepStatement,
    amount_column,
    compile_sweep,
    outcome_column,
)
from getihu.rulebook.evaluate.missing import missing_facts, open_clauses
from getihu.rulebook.evaluate.together import Together
from getihu.rulebook.evaluate.trees import deciding_clauses, tree_value
from getihu.rulebook.evaluate.verdicts import OUTCOMES, Verdict, judge, possible_rows
from getihu.rulebook.model.cases import NOT_APPLICABLE
from getihu.rulebook.model.rules import ELIGIBILITY, UNKNOWN, Rule
from tests.generative.strategies import FACTS

Facts = dict[str, Any]


class Answer(NamedTuple):
    """What one rule says of one trader. ``outcome`` None: the rule is not for her, and nothing
    else counts."""

    outcome: str | None
    amount: Fraction | None = None
    clauses: dict[str, bool | None] | None = None
    deciding: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()


Answers = dict[tuple[str, int], Answer]
"""Rule id and place of the trader → answer."""
Engine = Callable[[Sequence[Rule], Sequence[Facts], date], Answers]

_TYPES = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "money": pa.decimal128(18, 2),
    "decimal": pa.decimal128(18, 4),
    "date": pa.date32(),
    "enum": pa.string(),
    "code": pa.string(),
    "text": pa.string(),
}
TYPES = {name: _TYPES[fact.type.value] for name, fact in FACTS.items()}
SCHEMA = pa.schema(
    [pa.field("trader_code", pa.int32()), *(pa.field(n, t) for n, t in TYPES.items())]
)


def facts_table(table: Sequence[Facts]) -> pa.Table:
    """The facts table of these traders, typed as the data plane types it."""
    rows = [{"trader_code": number, **row} for number, row in enumerate(table)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


# the single-trader evaluator: what the others are held against


def by_evaluator(rules: Sequence[Rule], table: Sequence[Facts], as_of: date) -> Answers:
    return {
        (rule.id, number): _judged(rule, facts, as_of)
        for rule in rules
        for number, facts in enumerate(table)
    }


def _judged(rule: Rule, facts: Facts, as_of: date) -> Answer:
    verdict = judge(rule, facts, as_of)
    if verdict.applies is False:
        return Answer(None)
    return _answer(rule, verdict, verdict.outcome, verdict.amount, facts, as_of)


def _answer(
    rule: Rule,
    verdict: Verdict,
    outcome: str,
    amount: Fraction | None,
    facts: Facts,
    as_of: date,
) -> Answer:
    deciding = _deciding(rule, verdict)
    is_open = UNKNOWN in (outcome, verdict.visible)
    missing = missing_facts(rule, verdict, facts, as_of) if is_open else ()
    return Answer(outcome, amount, verdict.clauses, frozenset(deciding), frozenset(missing))


def _deciding(rule: Rule, verdict: Verdict) -> set[str]:
    """The clauses that settle the visible answer, or still keep it open."""
    if rule.requires is not None:
        return deciding_clauses(rule.requires, verdict.clauses)
    if verdict.visible == UNKNOWN:
        return open_clauses(rule, verdict)
    when = rule.rows[possible_rows(verdict.rows)[0]].when
    return set() if when is None else deciding_clauses(when, verdict.clauses)


def _reasoned(
    rule: Rule,
    outcome: str | None,
    amount: Fraction | None,
    clauses: dict[str, bool | None],
    facts: Facts,
    as_of: date,
) -> Answer:
    """The answer of an engine that keeps planes: reasons follow from its own clause planes."""
    if outcome is None:
        return Answer(None)
    verdict = replace(judge(rule, facts, as_of), clauses=clauses, rows=(), outcome=outcome)
    if rule.kind == ELIGIBILITY:
        visible = OUTCOMES[tree_value(rule.requires, clauses)]
    else:
        rows = tuple(True if r.when is None else tree_value(r.when, clauses) for r in rule.rows)
        values = {rule.rows[number].value for number in possible_rows(rows)}
        visible = values.pop() if len(values) == 1 else UNKNOWN
        verdict = replace(verdict, rows=rows)
    return _answer(rule, replace(verdict, visible=visible), outcome, amount, facts, as_of)


# the evaluator for all rules of one trader at once


def by_together(rules: Sequence[Rule], table: Sequence[Facts], as_of: date) -> Answers:
    """Sheets carry no amounts, and no deciding clauses of tables: those are taken as given."""
    together = Together(rules)
    answers: Answers = {}
    for number, facts in enumerate(table):
        for sheet in together.decide(facts, as_of):
            rule = sheet.rule
            outcome = None if sheet.outcome == NOT_APPLICABLE else sheet.outcome
            amount = judge(rule, facts, as_of).amount
            answer = _reasoned(rule, outcome, amount, sheet.clauses, facts, as_of)
            if outcome is not None and rule.kind == ELIGIBILITY:
                answer = answer._replace(deciding=frozenset(sheet.deciding))
            answers[rule.id, number] = answer
    return answers


# one SQL statement


def by_duckdb(rules: Sequence[Rule], table: Sequence[Facts], as_of: date) -> Answers:
    statement = compile_sweep(rules, as_of, "facts_table", with_clauses=True)
    cursor = _duckdb().cursor()
    cursor.register("facts_table", facts_table(table))
    result = cursor.execute(statement.sql)
    names = [column[0] for column in result.description]
    found = [dict(zip(names, values, strict=True)) for values in result.fetchall()]
    return dict(_from_sql(rules, table, as_of, statement, found))


@lru_cache(maxsize=1)
def _duckdb() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def _from_sql(
    rules: Sequence[Rule],
    table: Sequence[Facts],
    as_of: date,
    statement: SweepStatement,
    found: list[dict[str, Any]],
) -> Iterator[tuple[tuple[str, int], Answer]]:
    for row in found:
        number = row["trader_code"]
        for rule in rules:
            asked = {
                clause.id: row[statement.clauses[rule.id, clause.id]]
                for clause in rule.clauses
                if (rule.id, clause.id) in statement.clauses
            }
            money = row.get(amount_column(rule.id))
            yield (
                (rule.id, number),
                _reasoned(
                    rule,
                    row[outcome_column(rule.id)],
                    None if money is None else Fraction(money),
                    asked,
                    table[number],
                    as_of,
                ),
            )


# bit planes over coded columns


def by_columns(rules: Sequence[Rule], table: Sequence[Facts], as_of: date) -> Answers:
    swept = sweep_columns(MemoryColumns(table, TYPES), rules, as_of)
    answers: Answers = {}
    for rule in rules:
        names = swept.outcomes(rule.id)
        codes = swept.codes(rule.id).tolist()
        planes = {c.id: swept.clause(rule.id, c.id) for c in rule.clauses}
        money = swept.amount_of(rule.id)
        amounts = {
            int(row): Fraction(int(cents), 100)
            for row, cents, known in zip(
                money.rows, money.cents.values, money.cents.known, strict=True
            )
            if known
        }
        for number, code in enumerate(codes):
            clauses = {
                name: None if unknown[number] else bool(yes[number])
                for name, (yes, unknown) in planes.items()
            }
            outcome = None if code == 255 else names[code]
            answers[rule.id, number] = _reasoned(
                rule, outcome, amounts.get(number), clauses, table[number], as_of
            )
    return answers


# Spark


def by_spark(rules: Sequence[Rule], table: Sequence[Facts], as_of: date) -> Answers:
    """One job for the whole batch, over a Parquet file as the data plane writes it."""
    with tempfile.TemporaryDirectory(prefix="getihu-spark-") as folder:
        path = Path(folder) / "facts.parquet"
        pq.write_table(facts_table(table), path)
        statement = compile_sweep_spark(rules, as_of, f"parquet.`{path}`", with_clauses=True)
        found = [row.asDict() for row in _spark().sql(statement.sql).collect()]
    return dict(_from_sql(rules, table, as_of, statement, found))


@lru_cache(maxsize=1)
def _spark() -> Any:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").appName("getihu")
    for name, value in {**SETTINGS, **_LOCAL}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


@contextmanager
def spark_setting(name: str, value: str) -> Iterator[None]:
    """Another setting of the session for a while."""
    before = _spark().conf.get(name)
    _spark().conf.set(name, value)
    try:
        yield
    finally:
        _spark().conf.set(name, before)


_LOCAL = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.shuffle.partitions": "1",
    # A few rows a job: interpreting them is quicker than compiling Java for them.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}

ENGINES: dict[str, Engine] = {"together": by_together, "DuckDB": by_duckdb, "columns": by_columns}
"""The engines that run everywhere, beside the evaluator."""
