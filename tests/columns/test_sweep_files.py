"""The sweep of a demo city writes what the second engine, DuckDB, writes."""

import duckdb
import pytest

from getihu.dataplane import selectors as dataplane
from getihu.rulebook import selectors
from getihu.rulebook.compile.sweep import compile_sweep

pytestmark = pytest.mark.django_db


def test_columns_and_duckdb_decide_a_demo_city_alike_rule_by_rule(real_city):
    snapshot = dataplane.get_published_snapshot().snapshot_id
    written = selectors.decisions_path(real_city.as_of, snapshot)
    rules = selectors.get_rulebook().governing(real_city.as_of)
    facts = dataplane.facts_path(real_city.as_of)
    statement = compile_sweep(rules, real_city.as_of, f"read_parquet('{facts}')")
    with duckdb.connect() as connection:
        ours = connection.execute(f"SELECT * FROM read_parquet('{written}')")
        names = [(column[0], str(column[1])) for column in ours.description]
        rows = ours.fetchall()
        theirs = connection.execute(statement.sql)
        assert names == [(column[0], str(column[1])) for column in theirs.description]
        assert rows == theirs.fetchall()
    assert len(rows) > 400
    outcomes = {value for row in rows for value in row[1:] if isinstance(value, str)}
    assert {"yes", "no", "unknown"} <= outcomes


def test_counts_beside_the_file_are_those_of_the_file(real_city):
    snapshot = dataplane.get_published_snapshot().snapshot_id
    written = selectors.decisions_path(real_city.as_of, snapshot)
    counts = selectors.sweep_counts(real_city.as_of)
    with duckdb.connect() as connection:
        for rule_id, said in counts.items():
            column = '"' + rule_id.replace(".", "__") + '"'
            found = connection.execute(
                f"SELECT coalesce({column}, 'not_applicable'), count(*) "
                f"FROM read_parquet('{written}') GROUP BY 1"
            ).fetchall()
            assert said == dict(found), rule_id
