"""Numbers that people wrote into a clause's label, against those the clause decides by.

A label is a short text beside the condition; when a threshold moves and the label does not, the
two contradict each other. Only clauses with a standard are looked at, and only what a label says
outside brackets.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.model.expressions import Constant, Expression, Fact, ParameterUse, walk
from getihu.rulebook.model.rules import Clause, Parameter, Rule

_TIMES = {"万": 10_000, "亿": 100_000_000}
_ONES = {"两": 2} | {word: n for n, word in enumerate("一二三四五六七八九", start=1)}
_DATE = re.compile(r"(\d{4})年(?:(\d{1,2})月)?(?:(\d{1,2})日)?")
_DAY = re.compile(r"\d{1,2}月\d{1,2}日")  # of a year named before: not told apart
# A number that measures something: with its unit, not the number of a list or of a document.
_NUMBER = re.compile(
    r"(?<![A-Za-z\d第令上同首每月一二三四五六七八九十])"
    r"(\d+(?:\.\d+)?|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九两])(万|亿)?"
    r"(%|个?月|年|日|天|元|人|名|家|户|平方米|次|项)(?!之一|以来)"
)


_ASIDE = re.compile(r"（[^）]*）|\([^)]*\)")


def stale_labels(
    rule: Rule, catalogue: Mapping[str, FactDeclaration]
) -> tuple[tuple[Clause, str], ...]:
    """Clauses whose label names a number that the clause does not decide by, with that text.

    ``catalogue`` holds the facts and the rule's inputs: what a fact is called counts as well
    (近12个月…).
    """
    return tuple(
        (clause, text)
        for clause in rule.clauses
        if clause.parameters
        for text, agreeing in _numbers(_ASIDE.sub("", clause.label))
        if not agreeing & set(_known(clause.expression, rule, catalogue))
    )


def unbacked_numbers(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> tuple[str, ...]:
    """Numbers that the rule's text on what it gives names and nothing in the rule decides by."""
    known = {
        found for clause in rule.clauses for found in _known(clause.expression, rule, catalogue)
    }
    if rule.amount is not None:
        known |= set(_known(rule.amount.expression, rule, catalogue))
    for parameter in rule.parameters:
        known |= {found for value in _values(parameter) for found in _exact(value)}
    for part in rule.instalments:
        known |= {*_exact(part.yuan), *_exact(part.share)}
    if rule.budget is not None:
        known |= {*_exact(rule.budget.yuan), *_exact(rule.budget.places)}
    said = dict(_numbers(rule.benefit))
    return tuple(text for text, agreeing in said.items() if not agreeing & known)


def _values(parameter: Parameter) -> list[object]:
    return [parameter.value, *(row.value for row in parameter.rows)]


def _numbers(label: str) -> Iterator[tuple[str, set[Fraction | date]]]:
    """Each number of a label and the values any of which would agree with it."""
    rest = label
    for match in _DATE.finditer(label):
        year, month, day = match.groups()
        wanted: set[Fraction | date] = {Fraction(year)}
        if month and day:
            wanted = {date(int(year), int(month), int(day))}
        elif not month:
            wanted |= {date(int(year), 1, 1), date(int(year), 12, 31), date(int(year) + 1, 1, 1)}
        rest = rest.replace(match.group(), "")
        yield match.group(), wanted
    for match in _NUMBER.finditer(_DAY.sub("", rest)):
        digits, times, unit = match.groups()
        value = _value(digits) * _TIMES.get(times or "", 1)
        agreeing: set[Fraction | date] = {value}
        if unit == "%":
            agreeing = {value / 100}
        elif unit == "年":
            agreeing |= {value * 12}
        yield match.group(), agreeing


def _value(digits: str) -> Fraction:
    """24 of 24, of 二十四; labels count no further than 九十九 in words."""
    if digits[0].isdigit():
        return Fraction(digits)
    tens, ten, ones = digits.rpartition("十")
    return Fraction((_ONES.get(tens, 1) * 10 if ten else 0) + _ONES.get(ones, 0))


def _known(
    expression: Expression, rule: Rule, catalogue: Mapping[str, FactDeclaration]
) -> Iterator[Fraction | date]:
    parameters = {parameter.name: parameter for parameter in rule.parameters}
    for node in walk(expression):
        if isinstance(node, Constant):
            yield from _exact(node.value)
        elif isinstance(node, Fact):
            for _, said in _numbers(catalogue[node.name].label):
                yield from said
        elif isinstance(node, ParameterUse):
            for value in _values(parameters[node.name]):
                yield from _exact(value)


def _exact(value: object) -> Iterator[Fraction | date]:
    if isinstance(value, date):
        yield value
    elif isinstance(value, int | Fraction | Decimal) and not isinstance(value, bool):
        yield Fraction(value)
