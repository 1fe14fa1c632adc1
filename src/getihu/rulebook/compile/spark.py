"""The same statement for Spark: DuckDB's, carried over by sqlglot.

Where the two dialects mean different things by the same words, the tree is rewritten so that
Spark answers what DuckDB answers, bit by bit (``_REWRITES``, each with its reason). Tried with
Spark 4.3, ANSI mode on (its default: an overflow is an error, never a silent NULL) and off.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import sqlglot
from sqlglot import exp

from getihu.rulebook.compile.sweep import SweepStatement, compile_sweep
from getihu.rulebook.model.rules import Rule

SETTINGS: Final = {
    # An overflow stops the job instead of turning an answer into NULL.
    "spark.sql.ansi.enabled": "true",
    # Whole numbers of 38 digits keep their digits when divided; Spark's default, relied upon here.
    "spark.sql.decimalOperations.allowPrecisionLoss": "true",
    # A city's table may hold dates of the years 1 to 9999: the same calendar for all of them.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
}
"""What a session must be set to before it runs a statement of this module."""

_RELATION: Final = "__facts__"
_SPLIT: Final = 10**9
_FURTHEST_DAY: Final = 4_000_000  # more days than the years 1 to 9999 have


def compile_sweep_spark(
    rules: Sequence[Rule], as_of: date, relation: str, *, with_clauses: bool = False
) -> SweepStatement:
    """The statement of ``compile_sweep`` in the SQL of Spark, with the same columns.

    ``relation`` is Spark's SQL for the facts table (a view, or ``parquet.`/path` ``). The session
    must have ``SETTINGS``. Grain: one row per trader; the order is Spark's.
    """
    made = compile_sweep(rules, as_of, f'"{_RELATION}"', with_clauses=with_clauses)
    tree = sqlglot.parse_one(made.sql, read="duckdb")
    # From the inside out: a rewritten node may copy what is inside it.
    for node in reversed([n for n in tree.bfs() if type(n) in _REWRITES]):
        changed = _REWRITES[type(node)](node)
        if changed is not node:
            node.replace(changed)
    return replace(made, sql=tree.sql(dialect="spark").replace(f"`{_RELATION}`", relation))


def _type(node: exp.Expr) -> exp.Expr:
    """Spark has no 128-bit integers. ``model.numbers`` keeps every number within 38 digits."""
    if node.this == exp.DType.INT128:
        return exp.DataType.build("DECIMAL(38, 0)")
    if node.this == exp.DType.TIMESTAMPNTZ:
        # DuckDB moves a date to a timestamp, Spark to a date: the range is asked of dates.
        return exp.DataType.build("DATE")
    return node


def _add(node: exp.Expr) -> exp.Expr:
    """A date and an interval. Both clamp the end of a month; days would make Spark a timestamp.

    What lies further than the calendar is cut to just outside it: days are counted in 32 bits.
    """
    interval = node.expression
    if not isinstance(interval, exp.Interval):
        return node
    amount = _whole(interval.this)
    amount = max(-_FURTHEST_DAY, min(_FURTHEST_DAY, amount))
    name = {"MONTH": "ADD_MONTHS", "DAY": "DATE_ADD"}[str(interval.unit).upper()]
    return exp.Anonymous(this=name, expressions=[node.this, _number(amount)])


def _part(node: exp.Expr) -> exp.Expr:
    """A part of a date counts in 32 bits in Spark, in 64 in DuckDB: products would overflow."""
    if isinstance(node.parent, exp.Cast):
        return node
    return exp.cast(node.copy(), exp.DType.BIGINT, copy=False)


def _divided(node: exp.Expr) -> exp.Expr:
    """Whole division of a number that is not negative by a constant.

    Spark's ``div`` answers in 64 bits and its ``/`` keeps six decimals, leaving 32 digits. So the
    remainder is taken off first, and a small divisor is applied in two steps.
    """
    size, divisor = node.this, _whole(node.expression)
    if divisor == 1:
        return exp.paren(size.copy(), copy=False)
    if divisor >= 10**6:
        return _quotient(size, divisor)
    high = _quotient(size, _SPLIT)
    rest = _plus(_times(_remainder(high, divisor), _SPLIT), _remainder(size, _SPLIT))
    return exp.paren(
        _plus(_times(_quotient(high, divisor), _SPLIT), _quotient(rest, divisor)), copy=False
    )


def _sign(node: exp.Expr) -> exp.Expr:
    """Spark's sign of a DECIMAL is a DOUBLE, which would make the amount one."""
    number = node.this
    asked = exp.Case()
    for operator, answer in ((exp.GT, 1), (exp.LT, -1), (exp.EQ, 0)):
        test = operator(this=number.copy(), expression=_number(0))
        asked = asked.when(test, _number(answer), copy=False)
    return exp.paren(asked, copy=False)


_REWRITES: Final[dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]]] = {
    exp.DataType: _type,
    exp.Add: _add,
    exp.Extract: _part,
    exp.IntDiv: _divided,
    exp.Sign: _sign,
}


def _quotient(size: exp.Expr, divisor: int) -> exp.Expr:
    """Exact: what is divided is a multiple of the divisor, so no decimals are lost."""
    multiple = exp.Sub(this=_held(size), expression=_remainder(size, divisor))
    return _decimal(exp.Div(this=exp.paren(multiple, copy=False), expression=_constant(divisor)))


def _remainder(size: exp.Expr, divisor: int) -> exp.Expr:
    return exp.paren(exp.Mod(this=_held(size), expression=_constant(divisor)), copy=False)


def _times(size: exp.Expr, factor: int) -> exp.Expr:
    return exp.paren(exp.Mul(this=_held(size), expression=_constant(factor)), copy=False)


def _plus(one: exp.Expr, other: exp.Expr) -> exp.Expr:
    return exp.paren(exp.Add(this=_held(one), expression=_held(other)), copy=False)


def _held(size: exp.Expr) -> exp.Expr:
    return size.copy() if isinstance(size, exp.Paren | exp.Cast) else exp.paren(size)


def _decimal(node: exp.Expr) -> exp.Expr:
    return exp.cast(node, "DECIMAL(38, 0)", copy=False)


def _constant(value: int) -> exp.Expr:
    return _decimal(_number(value))


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def _whole(node: exp.Expr) -> int:
    """A whole number as the DuckDB statement writes its constants."""
    match node:
        case exp.Paren() | exp.Cast():
            return _whole(node.this)
        case exp.Neg():
            return -_whole(node.this)
        case exp.Literal():
            return int(node.this)
    raise AssertionError(f"not a constant: {node!r}")
