"""Checks the SQL of every fact by binding it to empty tables: names and types, before any data."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

import duckdb

from getihu.dataplane.catalogue.facts import REGISTRATION, FactGroup
from getihu.dataplane.catalogue.facts_sql import (
    COLUMN_TYPES,
    SQL_TYPES,
    VERSION_COLUMNS,
    fill,
)
from getihu.dataplane.contracts import FactType
from getihu.kernel.errors import InvalidInput, Problem, nearest_name

_INTEGERS: Final = r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)"
_FITTING: Final = {
    FactType.BOOLEAN: r"BOOLEAN",
    FactType.INTEGER: _INTEGERS,
    # Money and ratios are exact: a DOUBLE would round behind our back.
    FactType.MONEY: rf"DECIMAL\(\d+,[012]\)|{_INTEGERS}",
    FactType.DECIMAL: rf"DECIMAL\(\d+,[0-4]\)|{_INTEGERS}",
    FactType.DATE: r"DATE",
    FactType.TEXT: r"VARCHAR",
    FactType.ENUM: r"VARCHAR",
    FactType.CODE: r"VARCHAR",
}
_SCOPE: Final = {"covered_until": "DATE", "last_month": "DATE", "first_month": "DATE"}
_ANY_DAY: Final = date(2026, 10, 31)


def check_fact_sql(groups: Mapping[str, FactGroup]) -> None:
    """Bind each fact's SQL to its dataset's columns.

    Raises: InvalidInput with every fact whose SQL names an unknown column, is not SQL, or has
    another type than declared.
    """
    engine = duckdb.connect(":memory:", config={"autoload_known_extensions": False})
    try:
        problems = [p for group in groups.values() for p in _group_problems(engine, group)]
    finally:
        engine.close()
    if problems:
        raise InvalidInput(problems)


def _group_problems(engine: duckdb.DuckDBPyConnection, group: FactGroup) -> list[Problem]:
    columns = {c.name: COLUMN_TYPES.get(c.type, "VARCHAR") for c in group.contract.columns}
    columns |= VERSION_COLUMNS | _SCOPE
    if group.name != REGISTRATION:
        columns["established_on"] = "DATE"
    listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    engine.execute(f"CREATE OR REPLACE TABLE rows ({listed})")
    source = fill(group.relation or "SELECT * FROM rows", _ANY_DAY, {})
    wrong = _type_of(engine, "1", source, group, columns)
    if isinstance(wrong, Problem):
        return [wrong]
    found = []
    for fact in group.facts:
        kind = fact.declaration.type
        for field, sql in (("value", fact.value), ("absent_sql", fact.absent_sql)):
            if not sql:
                continue
            bound = _type_of(engine, sql, source, group, columns, field, fact.line)
            if isinstance(bound, Problem):
                found.append(bound)
            elif not re.fullmatch(_FITTING[kind], bound) and bound != '"NULL"':
                found.append(
                    Problem(
                        f"事实“{fact.name}”声明为 {kind}，SQL 的结果却是 {bound}",
                        group.file,
                        fact.line,
                        field=field,
                        fix=f"改声明的类型，或让 SQL 得出 {SQL_TYPES[kind]}",
                    )
                )
    return found


def _type_of(
    engine: duckdb.DuckDBPyConnection,
    sql: str,
    source: str,
    group: FactGroup,
    columns: Mapping[str, str],
    field: str = "relation",
    line: int = 1,
) -> str | Problem:
    """The DuckDB type of an expression over a relation, or what is wrong with it."""
    expression = fill(sql, _ANY_DAY, {})
    alone = field == "absent_sql" or sql == "1"
    by = "" if group.shape == "one" or alone else f" GROUP BY trader_code, {', '.join(_SCOPE)}"
    if by and group.name != REGISTRATION:
        by += ", established_on"
    try:
        row = engine.execute(
            f"DESCRIBE SELECT {expression} AS value FROM ({source}) AS relation{by}"
        ).fetchone()
    except duckdb.Error as error:
        return _problem(str(error), group, columns, field, line)
    assert row is not None
    return str(row[1])


def _problem(
    message: str, group: FactGroup, columns: Mapping[str, str], field: str, line: int
) -> Problem:
    unknown = re.search(r'column "([^"]+)" not found', message)
    if not unknown:
        first = message.splitlines()[0]
        return Problem(f"SQL 不能执行：{first}", group.file, line, field=field, fix="改正这段 SQL")
    near = nearest_name(unknown[1], columns)
    return Problem(
        f"数据集 {group.contract.id} 没有列“{unknown[1]}”",
        group.file,
        line,
        field=field,
        fix=f"改为“{near}”" if near else f"可用的列有：{'、'.join(columns)}",
    )
