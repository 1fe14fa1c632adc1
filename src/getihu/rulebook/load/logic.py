"""What can never happen: conditions that contradict themselves or each other, rows nobody reaches.

Each question is put to the theorem prover Z3: is there any trader, with every fact known, of whom
this holds? Only a proof counts: what is too hard to say (products of facts, lengths of months) is
left free, so that nothing sound is ever refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

import z3  # type: ignore[import-untyped]

from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.model.expressions import (
    NUMBERS,
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
    walk,
)
from getihu.rulebook.model.rules import (
    ELIGIBILITY,
    AllOf,
    AnyOf,
    AtLeast,
    ClauseRef,
    Rule,
    Tree,
)

_COUNTED = frozenset({"person", "count", "month", "day", "m2", "m", "kw", "level"})
_LIMITS = {"year": (1, 9999), "month": (1, 12), "day": (1, 31)}
_MILLISECONDS = 2000  # a question that takes longer is given up: nothing is reported


@dataclass(frozen=True)
class Finding:
    """Something that can never happen. ``path`` is the place in the rule file."""

    path: tuple[str | int, ...]
    message: str
    fix: str


@dataclass(frozen=True)
class _Term:
    """A value and whether it is known (the text may leave it open)."""

    value: Any
    known: Any = None

    @property
    def is_known(self) -> Any:
        return z3.BoolVal(True) if self.known is None else self.known


@dataclass(frozen=True)
class _Answer:
    """When a condition holds and when it does not; otherwise the text leaves it open."""

    yes: Any
    no: Any


def findings(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> list[Finding]:
    """Everything of a rule that can never happen."""
    world = _World(rule, rule.with_inputs(catalogue))
    found = [*_clauses(rule, world), *_parameter_rows(rule, world)]
    if not found:
        found += _requires(rule, world) if rule.kind == ELIGIBILITY else _rows(rule, world)
    return found


def possible_outcomes(rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> set[str]:
    """yes and no, or the values of a table, as far as some trader can come to them."""
    if rule.incomplete:
        return set()
    world = _World(rule, rule.with_inputs(catalogue))
    if rule.kind != ELIGIBILITY:
        numbers = [n for n in range(len(rule.rows)) if world.can(_reaches(rule, world, n))]
        return {rule.rows[n].value for n in numbers}
    assert rule.requires is not None
    whole = _tree(rule, rule.requires, world)
    asked = {"yes": whole.yes, "no": whole.no}
    return {outcome for outcome, holds in asked.items() if world.can(holds)}


def _clauses(rule: Rule, world: _World) -> Iterator[Finding]:
    for clause in rule.clauses:
        answer = world.answer(clause.resolved)
        if not world.can(z3.Not(answer.no)):
            yield Finding(
                ("exclusions" if clause.is_exclusion else "clauses", clause.id, "when"),
                f"条件“{clause.id}”自相矛盾，无论什么事实都不成立",
                "检查比较的方向和数；要问有没有数据，写 is not null。",
            )


def _parameter_rows(rule: Rule, world: _World) -> Iterator[Finding]:
    for parameter in rule.parameters:
        earlier: list[Any] = []
        for number, row in enumerate(parameter.rows):
            answer = world.answer(row.condition)
            if not world.can(z3.And(z3.Not(answer.no), *(z3.Not(e) for e in earlier))):
                yield Finding(
                    ("parameters", parameter.name, "by", number),
                    f"参数“{parameter.name}”的这一行永远用不到：前面的行已经包括了它",
                    "把范围小的一行放到前面。",
                )
            earlier.append(answer.yes)


def _requires(rule: Rule, world: _World) -> Iterator[Finding]:
    """All conditions together, with what says for whom the rule is."""
    assert rule.requires is not None
    scope = {
        name: world.answer(part)
        for name, part in rule.scope(rule.valid_from).parts.items()
        if name != "not_overridden"
    }
    whole = _tree(rule, rule.requires, world)
    if world.can(z3.And(z3.Not(whole.no), *(z3.Not(each.no) for each in scope.values()))):
        return
    parts = {clause.id: world.answer(clause.resolved) for clause in rule.clauses}
    needed = world.conflict(rule, parts, scope)
    if not needed:
        message = "这些条件合在一起永远不能满足"
    elif len(needed) == 1:
        message = f"条件“{needed[0]}”和适用的地区、对象、期限矛盾，永远不能满足"
    else:
        message = f"条件“{'”和“'.join(needed)}”互相矛盾，永远不能同时满足"
    yield Finding(("requires",), message, "改其中一个条件，或把 all_of 改成 any_of。")


def _rows(rule: Rule, world: _World) -> Iterator[Finding]:
    for number, row in enumerate(rule.rows):
        if row.when is not None and not world.can(_reaches(rule, world, number)):
            yield Finding(
                ("rows", number),
                f"第 {number + 1} 行永远用不到：前面的行先满足，或条件自相矛盾",
                "调整行的次序，或删掉这一行。",
            )


def _reaches(rule: Rule, world: _World, number: int) -> Any:
    """No earlier row holds, and this one is not refused."""
    earlier = [z3.Not(_tree(rule, row.when, world).yes) for row in rule.rows[:number] if row.when]
    when = rule.rows[number].when
    own = [] if when is None else [z3.Not(_tree(rule, when, world).no)]
    return z3.And(*earlier, *own)


def _tree(rule: Rule, tree: Tree, world: _World) -> _Answer:
    if isinstance(tree, ClauseRef):
        return world.answer(rule.clause_by_id[tree.id].resolved)
    items = [_tree(rule, item, world) for item in tree.items]
    yes, no = [item.yes for item in items], [item.no for item in items]
    match tree:
        case AllOf():
            return _Answer(z3.And(*yes), z3.Or(*no))
        case AnyOf():
            return _Answer(z3.Or(*yes), z3.And(*no))
        case AtLeast(n):
            return _Answer(z3.AtLeast(*yes, n), z3.AtLeast(*no, len(items) - n + 1))
    return _Answer(z3.And(*no), z3.Or(*yes))


class _World:
    """Any one trader with every fact known, as variables and what is always true of them."""

    def __init__(self, rule: Rule, catalogue: Mapping[str, FactDeclaration]) -> None:
        self.catalogue = catalogue
        self.always: list[Any] = []
        self.variables: dict[Expression, Any] = {}
        self.answers: dict[Expression, _Answer] = {}
        self.rule = rule

    @cached_property
    def codes(self) -> dict[str, int]:
        """Texts in their order, with room between them for all others."""
        rule = self.rule
        roots = [clause.resolved for clause in rule.clauses]
        roots += [row.condition for p in rule.parameters for row in p.rows]
        roots += rule.scope(rule.valid_from).parts.values()
        texts: set[str] = set()
        for root in roots:
            for node in walk(root):
                if isinstance(node, Constant) and isinstance(node.value, str):
                    texts.add(node.value)
                if isinstance(node, Fact):
                    texts.update(self.catalogue[node.name].values or ())
        return {text: 2 * n + 1 for n, text in enumerate(sorted(texts))}

    def can(self, condition: Any) -> bool:
        """False only when it is proved that the condition never holds."""
        solver = z3.Solver()
        solver.set("timeout", _MILLISECONDS)
        solver.add(*self.always, condition)
        return bool(solver.check() != z3.unsat)

    def conflict(
        self, rule: Rule, parts: Mapping[str, _Answer], scope: Mapping[str, _Answer]
    ) -> list[str]:
        """Fewest clauses that cannot hold together, when all must hold; else nothing."""
        solver = z3.Solver()
        solver.set("timeout", _MILLISECONDS)
        solver.set("core.minimize", True)
        solver.add(*self.always)
        for each in scope.values():
            solver.add(z3.Not(each.no))
        for name, answer in parts.items():
            refused = answer.yes if rule.clause_by_id[name].is_exclusion else answer.no
            solver.assert_and_track(z3.Not(refused), name)
        if solver.check() != z3.unsat:
            return []
        core = {str(each) for each in solver.unsat_core()}
        return [name for name in parts if name in core]

    # conditions

    def answer(self, node: Expression) -> _Answer:
        if node not in self.answers:
            self.answers[node] = self._answer(node)
        return self.answers[node]

    def _answer(self, node: Expression) -> _Answer:
        match node:
            case Not(x):
                inner = self.answer(x)
                return _Answer(inner.no, inner.yes)
            case And(operands):
                parts = [self.answer(part) for part in operands]
                return _Answer(z3.And(*(p.yes for p in parts)), z3.Or(*(p.no for p in parts)))
            case Or(operands):
                parts = [self.answer(part) for part in operands]
                return _Answer(z3.Or(*(p.yes for p in parts)), z3.And(*(p.no for p in parts)))
            case Compare(operator, left, right) if left.type is not ValueType.BOOLEAN:
                a, b = self.term(left), self.term(right)
                holds = _compare(operator, a.value, b.value)
                known = z3.And(a.is_known, b.is_known)
                return _Answer(z3.And(known, holds), z3.And(known, z3.Not(holds)))
            case Compare(operator, left, right):
                one, two = self.answer(left), self.answer(right)
                same = z3.Or(z3.And(one.yes, two.yes), z3.And(one.no, two.no))
                differ = z3.Or(z3.And(one.yes, two.no), z3.And(one.no, two.yes))
                return _Answer(same, differ) if operator == "=" else _Answer(differ, same)
            case OneOf(needle, values):
                return self._one_of(needle, values)
            case IsKnown(x):
                return _Answer(self._known(x), z3.BoolVal(False))
            case Case(branches, otherwise, _):
                return self._case(branches, otherwise)
            case Constant(None):
                return _Answer(z3.BoolVal(False), z3.BoolVal(False))
            case Constant(value):
                return _Answer(z3.BoolVal(bool(value)), z3.BoolVal(not value))
        free = self._variable(node, z3.Bool)
        return _Answer(free, z3.Not(free))

    def _known(self, node: Expression) -> Any:
        if node.type is ValueType.BOOLEAN:
            inner = self.answer(node)
            return z3.Or(inner.yes, inner.no)
        return self.term(node).is_known

    def _one_of(self, needle: Expression, values: tuple[Constant, ...]) -> _Answer:
        known = [value for value in values if value.value is not None]
        if needle.type is ValueType.BOOLEAN:
            free = self._variable(OneOf(needle, values), z3.Bool)
            return _Answer(free, z3.Not(free))
        term = self.term(needle)
        among = z3.Or(*(term.value == self.term(value).value for value in known))
        yes = z3.And(term.is_known, among)
        if len(known) < len(values):
            return _Answer(yes, z3.BoolVal(False))
        return _Answer(yes, z3.And(term.is_known, z3.Not(among)))

    def _case(
        self, branches: tuple[tuple[Expression, Expression], ...], otherwise: Expression | None
    ) -> _Answer:
        yes: list[Any] = []
        no: list[Any] = []
        before: list[Any] = []
        for when, then in branches:
            asked, result = self.answer(when), self.answer(then)
            yes.append(z3.And(*before, asked.yes, result.yes))
            no.append(z3.And(*before, asked.yes, result.no))
            before.append(asked.no)
        if otherwise is not None:
            result = self.answer(otherwise)
            yes.append(z3.And(*before, result.yes))
            no.append(z3.And(*before, result.no))
        return _Answer(z3.Or(*yes), z3.Or(*no))

    # values

    def term(self, node: Expression) -> _Term:
        match node:
            case Constant(None):
                return _Term(self._fresh(node), z3.BoolVal(False))
            case Constant(value):
                return _Term(self._constant(value))
            case Fact() | AsOf():
                return _Term(self._fresh(node))
            case Negate(x):
                inner = self.term(x)
                return _Term(-inner.value, inner.known)
            case Arithmetic(operator, left, right) if operator != "*" or _is_linear(node):
                return _calculated(operator, self.term(left), self.term(right))
            case Divide(x, Constant(by)):
                inner = self.term(x)
                assert isinstance(by, int | Fraction)
                return _Term(_real(inner.value) / self._constant(Fraction(by)), inner.known)
            case Shift(start, Constant(amount), unit):
                return self._shift(node, start, amount, unit)
            case Extract(part, x):
                value = self._fresh(node)
                low, high = _LIMITS[part]
                self.always += [value >= low, value <= high]
                return _Term(value, self.term(x).known)
            case Case(branches, otherwise, _):
                return self._choice(branches, otherwise)
        return _Term(self._fresh(node))

    def _shift(self, node: Expression, start: Expression, amount: Any, unit: str) -> _Term:
        begun = self.term(start)
        if unit == "day":
            return _Term(begun.value + int(amount), begun.known)
        moved = self._fresh(node)
        shortest, longest = sorted((28 * int(amount), 31 * int(amount)))
        self.always += [moved >= begun.value + shortest, moved <= begun.value + longest]
        return _Term(moved, begun.known)

    def _choice(
        self, branches: tuple[tuple[Expression, Expression], ...], otherwise: Expression | None
    ) -> _Term:
        last = otherwise if otherwise is not None else Constant(None, branches[0][1].type)
        result = self.term(last)
        value, known = result.value, result.is_known
        for when, then in reversed(branches):
            asked, chosen = self.answer(when), self.term(then)
            both = _alike(chosen.value, value)
            value = z3.If(asked.yes, *both)
            known = z3.Or(z3.And(asked.yes, chosen.is_known), z3.And(asked.no, known))
        return _Term(value, known)

    def _fresh(self, node: Expression) -> Any:
        kind = node.type
        if kind in (ValueType.MONEY, ValueType.DECIMAL):
            return self._variable(node, z3.Real)
        return self._variable(node, z3.Int)

    def _variable(self, node: Expression, make: Any) -> Any:
        """One variable for one thing; what is always so of a fact is noted with it."""
        if node in self.variables:
            return self.variables[node]
        variable = make(f"v{len(self.variables)}")
        self.variables[node] = variable
        if isinstance(node, Fact):
            declared = self.catalogue[node.name]
            if declared.values:
                codes = [self.codes[text] for text in declared.values]
                self.always.append(z3.Or(*(variable == code for code in codes)))
            elif (
                node.type in NUMBERS and declared.unit in _COUNTED and not declared.may_be_negative
            ):
                self.always.append(variable >= 0)
        return variable

    def _constant(self, value: Any) -> Any:
        match value:
            case bool():
                return z3.BoolVal(value)
            case int():
                return z3.IntVal(value)
            case Fraction():
                return z3.Q(value.numerator, value.denominator)
            case date():
                return z3.IntVal(value.toordinal())
        return z3.IntVal(self.codes[value])


def _calculated(operator: str, a: _Term, b: _Term) -> _Term:
    known = z3.And(a.is_known, b.is_known)
    if operator == "*":
        return _Term(a.value * b.value, known)
    return _Term(a.value + b.value if operator == "+" else a.value - b.value, known)


def _compare(operator: str, left: Any, right: Any) -> Any:
    a, b = _alike(left, right)
    return {
        "=": a == b,
        "<>": a != b,
        "<": a < b,
        "<=": a <= b,
        ">": a > b,
        ">=": a >= b,
    }[operator]


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    if z3.is_real(left) != z3.is_real(right) and z3.is_arith(left) and z3.is_arith(right):
        return _real(left), _real(right)
    return left, right


def _real(value: Any) -> Any:
    return value if z3.is_real(value) else z3.ToReal(value)


def _is_linear(node: Arithmetic) -> bool:
    """Whether at most one side of a product holds facts."""
    sides = (node.left, node.right)
    return any(all(not isinstance(n, Fact | AsOf | Case) for n in walk(side)) for side in sides)
