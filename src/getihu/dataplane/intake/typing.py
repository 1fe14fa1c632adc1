"""Cells to values: the engine types every column by the contract and names every cell that fails.

All checks are SQL over text columns; nothing is guessed and nothing is cast without a pattern
that says the text is exactly of that form.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import duckdb

from getihu.dataplane.contracts import Column, DatasetContract
from getihu.dataplane.engines.duckdb import quoted
from getihu.dataplane.intake import code_check
from getihu.reference import selectors as reference

SQL_TYPES: Final = {
    "credit_code": "VARCHAR",
    "text": "VARCHAR",
    "enum": "VARCHAR",
    "county": "VARCHAR",
    "town": "VARCHAR",
    "industry": "VARCHAR",
    "integer": "BIGINT",
    "money": "DECIMAL(18,2)",
    "decimal": "DECIMAL(18,4)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "month": "DATE",
    "year": "INTEGER",
}
STATUS_TEXT: Final = "record_status_text"
LONGGANG: Final = "330383"
MAX_TEXT: Final = 2000
# 本项目设定，非官方: no record of a trader is older, and a term that ends later is a slip.
_FIRST: Final = "DATE '1900-01-01'"
_LAST: Final = "DATE '2199-12-31'"
_PATTERNS: Final = {
    "integer": "[0-9]{1,15}",
    "money": r"[0-9]{1,14}(\.[0-9]{1,2})?",
    "decimal": r"[0-9]{1,12}(\.[0-9]{1,4})?",
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "month": "[0-9]{4}-[0-9]{2}",
    "year": "(19|20)[0-9]{2}",
}
_FULL_WIDTH: Final = "０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ　"
_HALF_WIDTH: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ "


@dataclass(frozen=True)
class TypedColumn:
    """SQL of one column: its value, and the reason code where the text is not one (else NULL)."""

    column: Column
    value: str
    problem: str


def typed_columns(contract: DatasetContract, issued_on: date) -> list[TypedColumn]:
    """Return value and problem SQL of every column, in the contract's order."""
    return [_typed(column, contract, issued_on) for column in contract.columns]


def plain_text_sql(column: Column, blanks: str = " ") -> str:
    """Return the SQL of a cell's text as it is checked: blanks around it gone, NULL when empty.

    Of a credit code the three stated forms (blanks, lower case, full width) are made one. Only a
    cell that begins or ends with one of ``blanks`` pays for the trimming.
    """
    text = _code_text(column.name) if column.type == "credit_code" else column.name
    at_edge = " OR ".join(
        f"{edge}({text}, {quoted(blank)})"
        for blank in blanks
        for edge in ("starts_with", "ends_with")
    )
    return f"CASE WHEN {at_edge} THEN nullif(trim({text}, {quoted(blanks)}), '') ELSE {text} END"


def valid_on_sql(contract: DatasetContract) -> str:
    """Return the SQL of a row's valid-from date: the contract's column; of a month its last day."""
    column = contract.column(contract.valid_on)
    return f"last_day({column.name})" if column.type == "month" else column.name


def create_code_lists(con: duckdb.DuckDBPyConnection) -> None:
    """Give the engine counties, towns and industry classes to look up, and the code check."""
    code_check.install(con)
    counties = [(c.code,) for c in reference.list_counties()]
    towns = [(t.code, t.county_code) for t in reference.list_towns()]
    classes = [(i.code,) for i in reference.list_industry_classes()]
    for name, columns, rows in (
        ("counties", "code VARCHAR", counties),
        ("towns", "code VARCHAR, county_code VARCHAR", towns),
        ("classes", "code VARCHAR", classes),
    ):
        values = ", ".join("(" + ", ".join(quoted(v) for v in row) + ")" for row in rows)
        con.execute(f"CREATE TABLE {name} ({columns})")
        con.execute(f"INSERT INTO {name} VALUES {values}")


def _typed(column: Column, contract: DatasetContract, issued_on: date) -> TypedColumn:
    text = column.name
    empty = "'blank'" if column.required else "NULL"
    checks = [f"WHEN {text} IS NULL THEN {empty}"]
    checks += [f"WHEN {wrong} THEN '{code}'" for code, wrong in _wrong(column, contract, text)]
    value = _value(column, text)
    if column.name == contract.valid_on:
        checks.append(f"WHEN {value} > DATE '{issued_on}' THEN 'future'")
    if column.type == "credit_code":
        rest = f"CASE WHEN NOT starts_with({text}, '92') THEN 'not_trader' END"
        problem = f"coalesce('code_' || {code_check.FUNCTION}({text}), {rest})"
        return TypedColumn(column, value, f"CASE {checks[0]} ELSE {problem} END")
    return TypedColumn(column, value, f"CASE {' '.join(checks)} END")


def _code_text(name: str) -> str:
    """Upper-case half-width text of a code; only a text with wide characters pays for it."""
    wide = f"translate({name}, '{_FULL_WIDTH.lower()}{_FULL_WIDTH}', '{_HALF_WIDTH}{_HALF_WIDTH}')"
    return f"upper(CASE WHEN strlen({name}) = length({name}) THEN {name} ELSE {wide} END)"


def _wrong(column: Column, contract: DatasetContract, text: str) -> list[tuple[str, str]]:
    """Reason codes of a column's type with the SQL that says the text is not of it."""
    kind = column.type
    if kind in ("date", "month"):
        full = text if kind == "date" else f"({text} || '-01')"
        pattern = f"NOT regexp_full_match({text}, '{_PATTERNS[kind]}')"
        day = f"TRY_CAST({full} AS DATE)"
        return [(kind, f"{pattern} OR {day} IS NULL OR {day} NOT BETWEEN {_FIRST} AND {_LAST}")]
    if kind in _PATTERNS:
        return [(kind, f"NOT regexp_full_match({text}, '{_PATTERNS[kind]}')")]
    if kind == "text":
        # The number of bytes is known; the number of characters must be counted.
        return [("text", f"strlen({text}) > {MAX_TEXT} AND length({text}) > {MAX_TEXT}")]
    if kind == "boolean":
        return [("boolean", f"{text} NOT IN ('是', '否')")]
    if kind == "enum":
        labels = ", ".join(quoted(label) for label in column.values.values())
        return [("enum", f"{text} NOT IN ({labels})")]
    if kind == "county":
        return [("county", f"{text} NOT IN (SELECT code FROM counties)")]
    if kind == "industry":
        return [("industry", f"{text} NOT IN (SELECT code FROM classes)")]
    if kind == "town":
        county = next(c.name for c in contract.columns if c.type == "county")
        pairs = f"({text} || ' ' || {county})"
        return [
            ("town", f"{text} NOT IN (SELECT code FROM towns)"),
            # Which of the two is wrong can only be said when the county is one.
            (
                "town_elsewhere",
                f"{county} IN (SELECT code FROM counties) AND "
                f"{pairs} NOT IN (SELECT code || ' ' || county_code FROM towns)",
            ),
        ]
    return []


def _value(column: Column, text: str) -> str:
    if column.type == "boolean":
        return f"CASE {text} WHEN '是' THEN true WHEN '否' THEN false END"
    if column.type == "enum":
        cases = " ".join(
            f"WHEN {quoted(label)} THEN {quoted(value)}" for value, label in column.values.items()
        )
        return f"CASE {text} {cases} END"
    if column.type == "month":
        return f"TRY_CAST({text} || '-01' AS DATE)"
    sql_type = SQL_TYPES[column.type]
    return text if sql_type == "VARCHAR" else f"TRY_CAST({text} AS {sql_type})"
