"""Expressions made ready for columns: the date put in, facts nobody holds unknown, constants
worked out by the single-trader evaluator itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from getihu.rulebook.evaluate.expressions import closure
from getihu.rulebook.model.expressions import (
    And,
    Arithmetic,
    AsOf,
    Case,
    Compare,
    Constant,
    Divide,
    Expression,
    Extract,
    Fact,
    IsKnown,
    Negate,
    Not,
    OneOf,
    Or,
    Shift,
    ValueType,
    children,
    facts_in,
)


class Simplifier:
    """Simplifies expressions for one date and one set of columns; each distinct part once."""

    def __init__(self, as_of: date, is_held: Callable[[str], bool]) -> None:
        self._as_of, self._is_held = as_of, is_held
        self._done: dict[Expression, Expression] = {}
        self._same: dict[Expression, Expression] = {}
        # By identity first: to hash an expression means to walk it. The node is held, so that no
        # other one can come to stand at its place in memory.
        self._seen: dict[int, tuple[Expression, Expression]] = {}
        self._facts: dict[int, tuple[Expression, tuple[str, ...]]] = {}

    def __call__(self, node: Expression) -> Expression:
        """The simplified expression; equal ones are one object."""
        seen = self._seen.get(id(node))
        if seen is not None:
            return seen[1]
        found = self._done.get(node)
        if found is None:
            found = self._simple(node)
            found = self._done[node] = self._same.setdefault(found, found)
        self._seen[id(node)] = node, found
        return found

    def facts(self, node: Expression) -> tuple[str, ...]:
        """Names of the facts in an expression this simplifier returned."""
        seen = self._facts.get(id(node))
        if seen is None:
            seen = self._facts[id(node)] = node, facts_in(node)
        return seen[1]

    def _simple(self, node: Expression) -> Expression:
        if isinstance(node, Constant):
            return node
        if isinstance(node, AsOf):
            return Constant(self._as_of, node.type)
        if isinstance(node, Fact):
            return node if self._is_held(node.name) else Constant(None, node.type)
        node = _rebuilt(node, self)
        if _is_never_known(node):
            return Constant(None, node.type)
        inside = children(node)
        if inside and all(isinstance(child, Constant) for child in inside):
            return Constant(closure(node)({}, self._as_of), node.type)
        return node


def _rebuilt(node: Expression, inner: Callable[[Expression], Expression]) -> Expression:
    match node:
        case Not(x) | IsKnown(x) | Negate(x) | Extract(_, x):
            return replace(node, operand=inner(x))
        case And(operands) | Or(operands):
            return replace(node, operands=tuple(map(inner, operands)))
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return replace(node, left=inner(left), right=inner(right))
        case Divide(dividend, divisor):
            return replace(node, dividend=inner(dividend), divisor=inner(divisor))
        case OneOf(needle, _):
            return replace(node, needle=inner(needle))
        case Shift(start, amount, _):
            return replace(node, start=inner(start), amount=inner(amount))
        case Case(branches, otherwise, kind):
            pairs = tuple((inner(when), inner(then)) for when, then in branches)
            return _settled(pairs, None if otherwise is None else inner(otherwise), kind)
    raise AssertionError(f"not resolved: {node}")


def _settled(
    branches: tuple[tuple[Expression, Expression], ...],
    otherwise: Expression | None,
    kind: ValueType,
) -> Expression:
    """A case without the branches whose condition is settled beforehand."""
    kept: list[tuple[Expression, Expression]] = []
    for when, then in branches:
        if isinstance(when, Constant):
            if when.value is False:
                continue
            otherwise = then if when.value is True else Constant(None, kind)
            break
        kept.append((when, then))
    if kept:
        return Case(tuple(kept), otherwise, kind)
    return Constant(None, kind) if otherwise is None else otherwise


def _is_never_known(node: Expression) -> bool:
    """A strict operation on something that is never known."""
    if isinstance(node, OneOf):
        return _is_null(node.needle)
    strict = Compare | Arithmetic | Divide | Negate | Extract | Shift | Not | IsKnown
    return isinstance(node, strict) and any(map(_is_null, children(node)))


def _is_null(node: Expression) -> bool:
    return isinstance(node, Constant) and node.value is None
