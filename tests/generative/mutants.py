"""Small mistakes an engine could make, one at a time, put in place by replacing an operator.

Each is a function that breaks something through ``monkeypatch``; the fixed run must notice it.
"""

import operator
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from getihu.rulebook.columns import circuit, sweep, vectors
from getihu.rulebook.columns import leaves as column_leaves
from getihu.rulebook.compile import expressions as sql
from getihu.rulebook.compile import sweep as sql_sweep
from getihu.rulebook.evaluate import expressions as evaluator
from getihu.rulebook.evaluate import together, verdicts
from getihu.rulebook.model.expressions import IsKnown
from getihu.rulebook.model.rules import ELIGIBILITY, AtLeast, NoneOf

Break = Callable[[Any], None]
MUTANTS: dict[str, Break] = {}


def mutant(name: str) -> Callable[[Break], Break]:
    def add(change: Break) -> Break:
        MUTANTS[name] = change
        return change

    return add


# the single-trader evaluator


@mutant("evaluator: <= for <")
def _less(patch) -> None:
    patch.setitem(evaluator._COMPARE, "<", operator.le)


@mutant("evaluator: > for >=")
def _more(patch) -> None:
    patch.setitem(evaluator._COMPARE, ">=", operator.gt)


@mutant("evaluator: an unknown in AND is unknown whatever the others say")
def _strict_and(patch) -> None:
    patch.setattr(evaluator, "_first", _strict)


def _strict(operands, *, settles):
    def joined(facts, as_of):
        values = [operand(facts, as_of) for operand in operands]
        return None if None in values else settles if settles in values else not settles

    return joined


@mutant("evaluator: NOT of unknown is yes")
def _not_unknown(patch) -> None:
    patch.setattr(evaluator, "_not", lambda x: lambda facts, as_of: not x(facts, as_of))


@mutant("evaluator: a null in a list is passed over")
def _null_in_list(patch) -> None:
    right = evaluator._one_of
    patch.setattr(
        evaluator, "_one_of", lambda x, values: right(x, [v for v in values if v is not None])
    )


@mutant("evaluator: IS NOT NULL answers no")
def _known_says_no(patch) -> None:
    patch.setattr(
        evaluator, "_is_known", lambda x: lambda facts, as_of: x(facts, as_of) is not None
    )


@mutant("evaluator: an unknown condition of CASE counts as no")
def _case_of_sql(patch) -> None:
    def case(pairs, otherwise):
        def chosen(facts, as_of):
            for when, then in pairs:
                if when(facts, as_of):
                    return then(facts, as_of)
            return None if otherwise is None else otherwise(facts, as_of)

        return chosen

    patch.setattr(evaluator, "_case", case)


@mutant("evaluator: a month is 30 days")
def _month(patch) -> None:
    def shift(start: date, months: int) -> date | None:
        try:
            return start + timedelta(days=30 * months)
        except OverflowError:
            return None

    patch.setitem(evaluator._shifts, "month", shift)


@mutant("evaluator: division drops what is behind the point")
def _floor(patch) -> None:
    right = evaluator._binary

    def binary(function, left, rights):
        probe = function(3, Fraction(2)) if function.__name__ == "<lambda>" else None
        if probe == Fraction(3, 2):
            return right(lambda a, b: a // b, left, rights)
        return right(function, left, rights)

    patch.setattr(evaluator, "_binary", binary)


@mutant("evaluator: half a cent goes down")
def _half_down(patch) -> None:
    right = verdicts.round_amount
    patch.setattr(verdicts, "round_amount", lambda value, how: right(value, "down_2"))


@mutant("evaluator: the first unknown row of a table ends the search")
def _stops_early(patch) -> None:
    def possible_rows(rows):
        return next(([n] for n, value in enumerate(rows) if value is not False), [])

    patch.setattr(verdicts, "possible_rows", possible_rows)


@mutant("evaluator: at least n wants one more")
def _one_more(patch) -> None:
    right = verdicts.tree_value

    def tree_value(tree, results):
        return right(_raised(tree), results)

    patch.setattr(verdicts, "tree_value", tree_value)


def _raised(tree):
    match tree:
        case AtLeast(n, items):
            return AtLeast(n + 1, tuple(map(_raised, items)))
        case _ if hasattr(tree, "items"):
            return type(tree)(tuple(map(_raised, tree.items)))
    return tree


@mutant("together: any tree is taken for all of its clauses")
def _together_all(patch) -> None:
    patch.setattr(together, "_needs_all", lambda rule: rule.kind == ELIGIBILITY)


# DuckDB


@mutant("SQL: < is not turned when its sides are")
def _unmirrored(patch) -> None:
    patch.setattr(sql, "_MIRROR", {})


@mutant("SQL: CASE without the branch for unknown")
def _sql_case(patch) -> None:
    def case(self, pairs, otherwise, write):
        parts = [f"WHEN {self.value(when)} THEN {then}" for when, then in pairs]
        last = "" if otherwise is None else f" ELSE {write(otherwise)}"
        return f"(CASE {' '.join(parts)}{last} END)"

    patch.setattr(sql._Writer, "_case", case)


@mutant("SQL: IS NOT NULL of SQL")
def _sql_known(patch) -> None:
    right = sql._Writer.value

    def value(self, node):
        return (
            f"({self.any(node.operand)} IS NOT NULL)"
            if isinstance(node, IsKnown)
            else right(self, node)
        )

    patch.setattr(sql._Writer, "value", value)


@mutant("SQL: dates beyond the calendar stay")
def _sql_calendar(patch) -> None:
    right = sql._Writer._shift

    def shift(self, start, amount, unit):
        return right(self, start, amount, unit).replace("'9999-12-31'", "'2025-12-31'")

    patch.setattr(sql._Writer, "_shift", shift)


@mutant("SQL: none of is any of")
def _sql_none(patch) -> None:
    right = sql_sweep._tree

    def tree(layers, rule, node):
        found = right(layers, rule, node)
        return found.replace("(NOT ", "(", 1) if isinstance(node, NoneOf) else found

    patch.setattr(sql_sweep, "_tree", tree)


@mutant("SQL: amounts are cut instead of rounded")
def _sql_cut(patch) -> None:
    right = sql_sweep.rounded_sql
    patch.setattr(
        sql_sweep,
        "rounded_sql",
        lambda column, node, how: right(column, node, how.replace("half_up", "down")),
    )


# columns


@mutant("columns: the unknown of AND is lost")
def _columns_and(patch) -> None:
    def all3(self, items):
        yes = self.all_of(x.yes for x in items)
        return circuit.Plane3(yes, yes)

    patch.setattr(circuit.Circuit, "all3", all3)


@mutant("columns: NOT keeps the planes in place")
def _columns_not(patch) -> None:
    patch.setattr(
        circuit.Circuit,
        "not3",
        lambda self, x: circuit.Plane3(self.not_(x.yes), self.not_(x.possible)),
    )


@mutant("columns: at least n counts unknowns as yes")
def _columns_least(patch) -> None:
    def at_least3(self, n, items):
        may = self.at_least(n, [x.possible for x in items])
        return circuit.Plane3(may, may)

    patch.setattr(circuit.Circuit, "at_least3", at_least3)


@mutant("columns: < for <= over whole columns")
def _columns_less(patch) -> None:
    patch.setitem(vectors._COMPARE, "<=", vectors._COMPARE["<"])


@mutant("columns: the range of a comparison is one code short")
def _columns_range(patch) -> None:
    right = column_leaves._compared

    def compared(node, column):
        found = right(node, column)
        if found is None:
            return None
        sign, (low, high) = found
        return sign, (low, max(low, high - 1))

    patch.setattr(column_leaves, "_compared", compared)


@mutant("columns: dates are moved a day too far")
def _columns_shift(patch) -> None:
    right = vectors._shift

    def shift(start, amount, unit, length):
        found = right(start, amount, unit, length)
        return vectors.replace(found, values=found.values + 1)

    patch.setattr(vectors, "_shift", shift)


@mutant("columns: amounts are cut instead of rounded")
def _columns_cut(patch) -> None:
    right = sweep.rounded
    patch.setattr(
        sweep, "rounded", lambda amount, how: right(amount, how.replace("half_up", "down"))
    )
