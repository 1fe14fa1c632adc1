"""The nearest facts that make a condition answer as wanted: a small search, every find checked.

One fact at a time is moved, as little as possible, over its own grid (people, cents, days).
Where several conditions want to hold together they are cured one after the other and checked
again. The search has a budget; it may miss a way out, it never names a wrong one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from getihu.dataplane.contracts import FactDeclaration, FactScalar
from getihu.rulebook.advise.knowledge import Knowledge
from getihu.rulebook.evaluate.expressions import Facts, closure
from getihu.rulebook.model.expressions import (
    NUMBERS,
    And,
    Arithmetic,
    Case,
    Compare,
    Constant,
    Expression,
    Fact,
    IsKnown,
    Not,
    OneOf,
    Or,
    ValueType,
    walk,
)
from getihu.rulebook.model.numbers import FACT_PLACES

BUDGET = 5_000  # evaluations of one condition; some ten milliseconds at most
MOST_OPTIONS = 6  # ways followed per condition
UNWELCOME = 3.0  # the price of earning or employing less, in facts changed
FURTHEST = 60  # doublings of the step from the present value
Wanted = tuple[Expression, bool]
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1).toordinal(), date(2200, 12, 31).toordinal()


class OutOfBudget(Exception):
    """The search has cost enough."""


@dataclass
class Budget:
    """What one search may still cost, however many solvers share it."""

    left: int = BUDGET

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OutOfBudget


@dataclass(frozen=True)
class Option:
    """Facts after a change, and how far they are from the facts before."""

    facts: Facts
    cost: float


class Solver:
    """Searches changes to one trader's facts on one day.

    ``day_facts`` are the facts on that day if nobody acts.
    """

    def __init__(
        self,
        day_facts: Facts,
        day: date,
        catalogue: Mapping[str, FactDeclaration],
        knowledge: Knowledge,
        budget: Budget | None = None,
    ) -> None:
        self.start = day_facts
        self.day = day
        self.catalogue = catalogue
        self.knowledge = knowledge
        self.pinned: frozenset[str] = frozenset()
        self.budget = budget or Budget()
        self.links = [
            link for link in knowledge.links if closure(link.holds)(day_facts, day) is not False
        ]

    def solve(self, wanted: Sequence[Wanted], most: int = MOST_OPTIONS) -> list[Option]:
        """Facts under which every condition answers as wanted, the nearest first."""
        found: list[Option] = []
        try:
            for facts in self._all(tuple(wanted), self.start, 3 * len(wanted) + 4):
                found.append(Option(facts, self._cost(facts)))
                if len(found) >= most:
                    break
        except OutOfBudget:
            pass
        return sorted(found, key=lambda option: option.cost)

    def changed(self, facts: Facts) -> dict[str, FactScalar]:
        """The facts that are not as they were."""
        return {
            name: value
            for name, value in facts.items()
            if value is not None and value != self.start.get(name)
        }

    # conditions

    def _all(self, wanted: tuple[Wanted, ...], facts: Facts, rounds: int) -> Iterator[Facts]:
        """Cures the first open condition, then the next, until none is open and links hold."""
        for node, want in wanted:
            if self._ask(node, facts) is not want:
                if rounds > 0:
                    for option in self._options(node, want, facts):
                        yield from self._all(wanted, option.facts, rounds - 1)
                return
        yield from self._with_links(wanted, facts, rounds)

    def _with_links(self, wanted: tuple[Wanted, ...], facts: Facts, rounds: int) -> Iterator[Facts]:
        changed = self.changed(facts)
        for link in self.links:
            if link.facts & changed.keys() and self._ask(link.holds, facts) is False:
                if rounds > 0:
                    for option in self._dragged(link.holds, facts, frozenset(changed)):
                        yield from self._all(wanted, option, rounds - 1)
                return
        yield facts

    def _dragged(self, holds: Expression, facts: Facts, pinned: frozenset[str]) -> list[Facts]:
        """Changes to the other facts of a broken link."""
        before, self.pinned = self.pinned, pinned
        try:
            return [option.facts for option in self._options(holds, True, facts)]
        finally:
            self.pinned = before

    def _options(self, node: Expression, want: bool, facts: Facts) -> list[Option]:
        found = []
        for changed in self._ways(node, want, facts):
            found.append(Option(changed, self._cost(changed)))
            if len(found) >= MOST_OPTIONS:
                break
        return sorted(found, key=lambda option: option.cost)

    def _ways(self, node: Expression, want: bool, facts: Facts) -> Iterator[Facts]:
        if self._ask(node, facts) is want:
            yield facts
            return
        match node:
            case Not(x):
                yield from self._ways(x, not want, facts)
            case And(parts) | Or(parts):
                settles = isinstance(node, Or)
                if want is settles:
                    for part in parts:
                        yield from self._ways(part, want, facts)
                else:
                    yield from self._together(tuple((p, want) for p in parts), facts)
            case Case(branches, otherwise, ValueType.BOOLEAN):
                yield from self._branches(branches, otherwise, want, facts)
            case IsKnown(x):
                if want:
                    yield from self._filled(x, facts)
            case Compare() | OneOf() | Fact():
                yield from self._atom(node, want, facts)

    def _together(
        self, wanted: tuple[Wanted, ...], facts: Facts, rounds: int = 0
    ) -> Iterator[Facts]:
        rounds = rounds or 2 * len(wanted)
        for node, want in wanted:
            if self._ask(node, facts) is not want:
                if rounds > 1:
                    for option in self._options(node, want, facts):
                        yield from self._together(wanted, option.facts, rounds - 1)
                return
        yield facts

    def _branches(
        self,
        branches: tuple[tuple[Expression, Expression], ...],
        otherwise: Expression | None,
        want: bool,
        facts: Facts,
    ) -> Iterator[Facts]:
        before: tuple[Wanted, ...] = ()
        for when, then in branches:
            yield from self._together((*before, (when, True), (then, want)), facts)
            before = (*before, (when, False))
        if otherwise is not None:
            yield from self._together((*before, (otherwise, want)), facts)

    def _filled(self, node: Expression, facts: Facts) -> Iterator[Facts]:
        """Every unknown fact inside gets the plainest value there is."""
        seeds = {
            n.name: self._seed(n)
            for n in walk(node)
            if isinstance(n, Fact) and facts.get(n.name) is None and self._may_fill(n.name)
        }
        filled = {**facts, **seeds}
        if closure(node)(filled, self.day) is not None:
            yield filled

    # one comparison

    def _atom(self, node: Expression, want: bool, facts: Facts) -> Iterator[Facts]:
        names = {n.name: n for n in walk(node) if isinstance(n, Fact)}
        unknown = [name for name in names if facts.get(name) is None]
        if any(not self._may_fill(name) for name in unknown):
            return
        filled = {**facts, **{name: self._seed(names[name]) for name in unknown}}
        if unknown and self._ask(node, filled) is want:
            yield filled
        for name, fact in names.items():
            if not self._may_change(name) and name not in unknown:
                continue
            for value in self._values(node, want, fact, filled):
                if value is not None and self._allowed(name, value, facts):
                    changed = {**filled, name: value}
                    if self._ask(node, changed) is want:
                        yield changed

    def _values(
        self, node: Expression, want: bool, fact: Fact, facts: Facts
    ) -> Iterator[FactScalar | None]:
        if fact.type is ValueType.BOOLEAN:
            yield from (True, False)
        elif fact.type is ValueType.TEXT:
            yield from self._texts(node, fact)
        else:
            yield from self._points(node, want, fact, facts)

    def _texts(self, node: Expression, fact: Fact) -> Iterator[str]:
        for inside in walk(node):
            if isinstance(inside, Constant) and isinstance(inside.value, str):
                yield inside.value
            elif isinstance(inside, Fact) and isinstance(self.start.get(inside.name), str):
                yield str(self.start[inside.name])
        declared = self.catalogue.get(fact.name)
        yield from declared.values if declared else ()

    def _points(
        self, node: Expression, want: bool, fact: Fact, facts: Facts
    ) -> Iterator[FactScalar | None]:
        """Values of a number or date, nearest first on either side of the present one."""
        grid = _Grid(fact, self.knowledge, facts.get(fact.name))
        for tested, wanted in _parts(node, want):
            ask = self._asker(tested, wanted, fact.name, facts, grid)
            jump = _line(tested, wanted, fact.name, facts, self.day, grid)
            if jump is not None and grid.low <= jump <= grid.high and ask(jump):
                yield grid.value(jump)
                continue
            for step in (1, -1):
                place = _nearest(ask, grid, step)
                if place is not None:
                    yield grid.value(place)

    def _asker(
        self, node: Expression, want: bool, name: str, facts: Facts, grid: "_Grid"
    ) -> Callable[[int], bool]:
        inner = {**facts}

        def ask(place: int) -> bool:
            inner[name] = grid.value(place)
            return self._ask(node, inner) is want

        return ask

    # small things

    def _ask(self, node: Expression, facts: Facts) -> bool | None:
        self.budget.spend()
        answer: bool | None = closure(node)(facts, self.day)
        return answer

    def _seed(self, fact: Fact) -> FactScalar:
        match fact.type:
            case ValueType.BOOLEAN:
                return False
            case ValueType.DATE:
                return self.day
            case ValueType.TEXT:
                declared = self.catalogue.get(fact.name)
                return next(iter(declared.values), "") if declared else ""
            case ValueType.INTEGER:
                return 0
        return Decimal(0)

    def _may_fill(self, name: str) -> bool:
        return name not in self.pinned

    def _may_change(self, name: str) -> bool:
        if name in self.pinned or (
            name in self.knowledge.moves and name not in self.knowledge.acts
        ):
            return False
        return not self.knowledge.is_fixed(name)

    def _allowed(self, name: str, value: FactScalar, facts: Facts) -> bool:
        """False for a change of a fixed fact that is not among those possible after all."""
        now, fixed = facts.get(name), self.knowledge.fixed.get(name)
        return now is None or fixed is None or (str(now), str(value)) in fixed.but

    def _cost(self, facts: Facts) -> float:
        """Facts changed, then how far, each between 0 and 1."""
        total = 0.0
        for name, value in self.changed(facts).items():
            total += 1 + _distance(self.start.get(name), value)
            total += (
                UNWELCOME if self.knowledge.is_unwelcome(name, self.start.get(name), value) else 0
            )
        return total


class _Grid:
    """The values of a number or date fact as whole places."""

    def __init__(self, fact: Fact, knowledge: Knowledge, now: FactScalar | None) -> None:
        self.type = fact.type
        self.scale = 10 ** FACT_PLACES.get(fact.type, 0)
        self.now = self.place(now) if now is not None else 0
        if self.type is ValueType.DATE:
            self.low, self.high = _FIRST_DAY, _LAST_DAY
        else:
            signed = fact.name in knowledge.signed or self.now < 0
            self.high = 2**62
            self.low = -self.high if signed else 0

    def place(self, value: FactScalar) -> int:
        if isinstance(value, date):
            return value.toordinal()
        assert isinstance(value, int | Decimal)
        return int(Fraction(value) * self.scale)

    def value(self, place: int) -> FactScalar:
        if self.type is ValueType.DATE:
            return date.fromordinal(min(max(place, 1), date.max.toordinal()))
        if self.type is ValueType.INTEGER:
            return place
        return Decimal(place).scaleb(-FACT_PLACES[self.type])


def _parts(node: Expression, want: bool) -> list[Wanted]:
    """A comparison as conditions that hold on one side of a value, or at it."""
    match node:
        case Compare(sign, left, right) if not want:
            return _parts(Compare(_OPPOSITE[sign], left, right), True)
        case Compare("=", left, right):
            return [(Compare(s, left, right), True) for s in (">=", "<=")]
        case Compare("<>", left, right):
            return [(Compare(s, left, right), True) for s in (">", "<")]
        case OneOf(needle, values) if want:
            known = [value for value in values if value.value is not None]
            return [(Compare(s, needle, value), True) for value in known for s in (">=", "<=")]
    return [(node, want)]


def _line(
    node: Expression, want: bool, name: str, facts: Facts, day: date, grid: _Grid
) -> int | None:
    """The nearest place of a straight comparison, worked out instead of searched."""
    if not (isinstance(node, Compare) and want and node.left.type in NUMBERS):
        return None
    if any(isinstance(n, Case) for n in walk(node)):
        return None
    gap = _gap(node.left, node.right)

    def at(place: int) -> Fraction | None:
        value = gap({**facts, name: grid.value(place)}, day)
        return None if value is None else Fraction(value)

    here, next_ = at(grid.now), at(grid.now + 1)
    if here is None or next_ is None or here == next_:
        return None
    zero = grid.now - here / (next_ - here)  # where both sides are equal
    rising = next_ > here
    upward = rising is (node.operator in (">", ">="))
    if node.operator in (">", "<"):
        return zero.__floor__() + 1 if upward else zero.__ceil__() - 1
    return zero.__ceil__() if upward else zero.__floor__()


@lru_cache(maxsize=10_000)
def _gap(left: Expression, right: Expression) -> Callable[[Facts, date], int | Fraction | None]:
    return closure(Arithmetic("-", left, right, ValueType.DECIMAL))


def _nearest(ask: Callable[[int], bool], grid: _Grid, direction: int) -> int | None:
    """The first place in one direction at which ``ask`` holds, for one that turns once there."""
    step, far = 1, grid.now
    for _ in range(FURTHEST):
        near, far = far, grid.now + direction * step
        far = min(max(far, grid.low), grid.high)
        if ask(far):
            break
        if far in (grid.low, grid.high):
            return None
        step *= 2
    else:
        return None
    while abs(far - near) > 1:
        middle = (far + near) // 2
        if ask(middle):
            far = middle
        else:
            near = middle
    return far


def _distance(now: FactScalar | None, value: FactScalar) -> float:
    """Between 0 and 1: the share of the present value that is missing; unknown counts whole."""
    if now is None or isinstance(value, bool | str):
        return 1.0
    if isinstance(value, date):
        assert isinstance(now, date)
        days = abs((value - now).days)
        return days / (days + 365)
    assert isinstance(now, int | Decimal)
    gap = abs(float(value) - float(now))
    return gap / (gap + abs(float(now)) + 1)
