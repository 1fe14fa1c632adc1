"""The rule files of the slices load, and every worked case holds in the sweep too."""

from dataclasses import replace
from datetime import date

import duckdb
import pytest
from django.conf import settings

from getihu.dataplane import selectors as dataplane
from getihu.rulebook import selectors, services
from getihu.rulebook.compile.expressions import literal, quote
from getihu.rulebook.compile.sweep import compile_sweep, outcome_column
from getihu.rulebook.load.cases import read_cases
from getihu.rulebook.load.folder import cases_file, rule_files
from tests.generative.strategies import SQL_TYPES

FILES = rule_files([*settings.RULE_DIRS])
every_rule = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


def test_every_rule_and_case_file_is_without_problems():
    assert [str(problem) for problem in services.check_rules(settings.RULE_DIRS)] == []


@every_rule
def test_every_worked_case_holds_in_the_sweep(path):
    catalogue = dataplane.fact_catalogue()
    rule = selectors.get_rule(path.stem)
    cases, _ = read_cases(cases_file(path), rule, catalogue)
    with duckdb.connect() as connection:
        got = [sweep_case(connection, rule, case, catalogue) for case in cases]
    wanted = [None if case.expect == "not_applicable" else case.expect for case in cases]
    assert got == wanted


def sweep_case(connection, rule, case, catalogue):
    catalogue = rule.with_inputs(catalogue)
    cells = [
        f"CAST({'NULL' if case.facts.get(name) is None else literal(str(case.facts[name]))} AS "
        f"{SQL_TYPES[catalogue[name].type.value]}) AS {quote(name)}"
        for name in rule.facts
    ]
    relation = f"(SELECT {', '.join([chr(39) + 'x' + chr(39) + ' AS trader_code', *cells])})"
    # What a case answers is a column here; the city's table has none for it.
    statement = compile_sweep([replace(rule, inputs=())], case.as_of, relation)
    return connection.execute(f"SELECT {quote(outcome_column(rule.id))} FROM ({statement.sql})")\
        .fetchall()[0][0]  # fmt: skip


def test_the_rulebook_governs_every_date():
    for as_of in (date(2023, 6, 1), date(2024, 12, 31), date(2026, 10, 31)):
        assert selectors.get_rulebook().governing(as_of)
