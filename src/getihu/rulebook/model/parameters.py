"""Parameters put into expressions, those that vary by region, trade, subject or period too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product

from getihu.dataplane.contracts import FactScalar
from getihu.rulebook.model.expressions import (
    Case,
    Constant,
    Expression,
    parameters_in,
    resolve,
)
from getihu.rulebook.model.rules import Parameter, Rule

Constants = Mapping[str, Constant]


def settle(expression: Expression, parameters: Sequence[Parameter]) -> Expression:
    """The expression with values in place of its parameters.

    A parameter that varies is lifted out: the whole expression is asked once for each of its
    rows, as a case over the rows' conditions. So engines meet ordinary expressions only, and a
    trader whose county nobody delivered gets an unknown answer, not the answer of some row.
    """
    used = parameters_in(expression)
    fixed = {p.name: p.constant for p in parameters if not p.rows}
    return _lifted(expression, [p for p in parameters if p.rows and p.name in used], fixed)


def _lifted(expression: Expression, varying: Sequence[Parameter], fixed: Constants) -> Expression:
    if not varying:
        return resolve(expression, fixed)
    first, rest = varying[0], varying[1:]
    branches = tuple(
        (row.condition, _lifted(expression, rest, {**fixed, first.name: row.constant}))
        for row in first.rows
    )
    elsewhere = None
    if first.value is not None:
        elsewhere = _lifted(expression, rest, {**fixed, first.name: first.constant})
    return Case(branches, elsewhere, expression.type)


def value_sets(names: Sequence[str], parameters: Sequence[Parameter]) -> Iterator[Constants]:
    """Every set of values the named parameters can have together."""
    used = [p for p in parameters if p.name in names]
    for values in product(*map(_values, used)):
        yield {p.name: value for p, value in zip(used, values, strict=True)}


def _values(parameter: Parameter) -> list[Constant]:
    own = [] if parameter.value is None else [parameter.constant]
    return list(dict.fromkeys([*own, *(row.constant for row in parameter.rows)]))


def with_value(rule: Rule, name: str, value: FactScalar) -> Rule:
    """A copy of a rule with another value of one parameter, or of one of its rows (``name#2``)."""
    base, _, row = name.partition("#")
    parameters = tuple(
        _changed(each, int(row) if row else 0, value) if each.name == base else each
        for each in rule.parameters
    )
    clauses = tuple(
        replace(clause, resolved=settle(clause.expression, parameters))
        if base in clause.parameters
        else clause
        for clause in rule.clauses
    )
    amount = rule.amount
    if amount is not None and base in amount.parameters:
        amount = replace(amount, resolved=settle(amount.expression, parameters))
    return replace(rule, parameters=parameters, clauses=clauses, amount=amount)


def _changed(parameter: Parameter, row: int, value: FactScalar) -> Parameter:
    number = Fraction(value) if isinstance(value, Decimal) else value
    if isinstance(number, Fraction) and number.denominator == 1:
        number = number.numerator
    constant = Constant(number, parameter.constant.type)
    if not row:
        return replace(parameter, value=value, constant=constant)
    rows = list(parameter.rows)
    rows[row - 1] = replace(rows[row - 1], value=value, constant=constant)
    return replace(parameter, rows=tuple(rows))
