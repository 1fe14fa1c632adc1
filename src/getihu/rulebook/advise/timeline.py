"""A trader's facts on later days, if nobody acts, and the days on which anything can change.

Facts that no move is declared for keep their value. A moved fact is unknown on days for which
its value cannot be told; then nothing is claimed about those days.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from getihu.dataplane.contracts import FactScalar
from getihu.kernel.periods import add_months, full_months_between
from getihu.rulebook.advise.knowledge import Move
from getihu.rulebook.evaluate.expressions import Facts, closure
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
    Negate,
    Not,
    OneOf,
    Or,
    Shift,
    ValueType,
    children,
    walk,
)

DAY = timedelta(days=1)
HORIZON_YEARS = 30
# A leap cycle: what depends on the day of a month or year shows all its turns within it.
SCANNED_DAYS = 4 * 366
_EITHER = 2  # rises or falls, but never turns
_TURNS = 3  # may turn


class Timeline:
    """The facts of one trader on every day from ``as_of`` on."""

    def __init__(self, facts: Facts, as_of: date, moves: Mapping[str, Move]) -> None:
        self.facts = facts
        self.as_of = as_of
        self.last = date(min(as_of.year + HORIZON_YEARS, date.max.year), 1, 1)
        self.moves = {name: move for name, move in moves.items() if facts.get(name) is not None}
        self.steps = tuple(sorted({day for day in self._steps() if as_of < day <= self.last}))
        self._kept: dict[date, Facts] = {as_of: facts}

    def at(self, day: date) -> Facts:
        """The facts on ``day`` if nobody acts."""
        if day not in self._kept:
            moved = {name: self._value(name, move, day) for name, move in self.moves.items()}
            self._kept[day] = {**self.facts, **moved}
        return self._kept[day]

    def _value(self, name: str, move: Move, day: date) -> FactScalar | None:
        now, of = self.facts[name], self.facts.get(move.of)
        if move.kind == "months_since":
            assert isinstance(now, int)
            if not isinstance(of, date):  # at least that many, so nothing comes too early
                return now + full_months_between(self.as_of, day)
            return now + full_months_between(of, day) - full_months_between(of, self.as_of)
        if not isinstance(of, date):
            return now
        if move.kind == "window":
            return _counted(now, day, window_end(of, move.months), move)
        if move.kind == "until":
            return bool(now) and (day <= of or of < self.as_of)
        assert move.kind == "same_year"
        return day.year == of.year if now == (self.as_of.year == of.year) else now

    def _steps(self) -> Iterator[date]:
        """Days on which a fact takes another value, months counted apart."""
        for move in self.moves.values():
            of = self.facts.get(move.of)
            if not isinstance(of, date) or of >= self.last:
                continue
            if move.kind == "window":
                yield self.as_of + DAY
                yield window_end(of, move.months)
            elif move.kind == "until":
                yield of + DAY
            elif move.kind == "same_year":
                yield date(of.year + 1, 1, 1)


def window_end(event: date, months: int) -> date:
    """The first day on which ``months`` before it no longer reach an event (event > day - months).

    >>> window_end(date(2024, 2, 29), 24)
    datetime.date(2026, 3, 1)
    """
    day = add_months(event, months)
    while add_months(day, -months) < event:
        day += DAY
    return day


def _counted(now: FactScalar | None, day: date, end: date, move: Move) -> FactScalar | None:
    """A count of past events: none after the last has left, unknown while some may have left."""
    if not now:
        return now
    if day >= end:
        return Decimal(0) if isinstance(now, Decimal) else 0
    return now if move.exact and now == 1 else None


def turning_days(expressions: Iterable[Expression], timeline: Timeline) -> list[date]:
    """The days after ``as_of`` on which any condition inside may answer otherwise than the day
    before, in order. A condition that may turn back and forth is followed day by day for
    ``SCANNED_DAYS``."""
    days = set(timeline.steps)
    for atom in dict.fromkeys(a for node in expressions for a in _atoms(node)):
        if _moves(atom, timeline):
            days.update(_turns(atom, timeline))
    return sorted(days)


def _atoms(node: Expression) -> Iterator[Expression]:
    """The conditions that and, or, not and case join."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _atoms(part)
        case Not(part):
            yield from _atoms(part)
        case Case() if node.type is ValueType.BOOLEAN:
            for part in children(node):
                yield from _atoms(part)
        case _:
            yield node


def _moves(atom: Expression, timeline: Timeline) -> bool:
    return any(
        isinstance(n, AsOf) or (isinstance(n, Fact) and n.name in timeline.moves)
        for n in walk(atom)
    )


def _turns(atom: Expression, timeline: Timeline) -> Iterator[date]:
    pieces = list(_one_way(atom, timeline))
    bounds = [timeline.as_of, *timeline.steps, timeline.last]
    if not pieces:
        yield from _scanned(atom, timeline)
        return
    for piece in pieces:
        for first, last in pairwise(bounds):
            yield from _between(piece, timeline, first, last)


def _one_way(atom: Expression, timeline: Timeline) -> Iterator[Expression]:
    """Conditions that turn at most once between two steps and together tell the atom; none when
    there are no such."""
    match atom:
        case Compare(sign, left, right):
            if _joined(_way(left, timeline), _against(_way(right, timeline))) == _TURNS:
                return
            yield from (Compare(s, left, right) for s in _bounds(sign))
        case OneOf(needle, values):
            if _way(needle, timeline) == _TURNS:
                return
            for value in values:
                yield from (Compare(s, needle, value) for s in (">=", ">"))
        case _:
            if all(not isinstance(n, AsOf) for n in walk(atom)):
                yield atom  # a fact, known or not: it turns at its steps


def _bounds(sign: str) -> tuple[str, ...]:
    return (">=", ">") if sign in ("=", "<>") else (sign,)


def _way(node: Expression, timeline: Timeline) -> int:
    """How a value moves between two steps: 0 stands, 1 rises, -1 falls, _EITHER or _TURNS."""
    match node:
        case AsOf():
            return 1
        case Fact(name):
            move = timeline.moves.get(name)
            return 1 if move is not None and move.kind == "months_since" else 0
        case Constant():
            return 0
        case Shift(start) | Extract("year", start):
            return _way(start, timeline)
        case Divide(dividend):
            return _way(dividend, timeline)
        case Negate(x):
            return _against(_way(x, timeline))
        case Arithmetic("+", left, right):
            return _joined(_way(left, timeline), _way(right, timeline))
        case Arithmetic("-", left, right):
            return _joined(_way(left, timeline), _against(_way(right, timeline)))
        case Arithmetic(_, left, right):
            return _product(_way(left, timeline), _way(right, timeline))
    return 0 if all(_way(part, timeline) == 0 for part in children(node)) else _TURNS


def _against(way: int) -> int:
    return -way if way in (1, -1) else way


def _joined(a: int, b: int) -> int:
    if _TURNS in (a, b):
        return _TURNS
    if 0 in (a, b) or a == b != _EITHER:
        return a or b
    return _TURNS


def _product(a: int, b: int) -> int:
    if _TURNS in (a, b) or (a and b):
        return _TURNS
    return _EITHER if a or b else 0


def _between(atom: Expression, timeline: Timeline, first: date, last: date) -> Iterator[date]:
    """The turn of a condition that turns at most once in ``[first, last)`` or at ``last``."""
    ask = closure(atom)
    end = last - DAY if last != timeline.last else last
    before = ask(timeline.at(first), first)
    if end <= first or ask(timeline.at(end), end) is before:
        return
    low, high = first.toordinal(), end.toordinal()
    while high - low > 1:
        middle = date.fromordinal((low + high) // 2)
        if ask(timeline.at(middle), middle) is before:
            low = middle.toordinal()
        else:
            high = middle.toordinal()
    yield date.fromordinal(high)


def _scanned(atom: Expression, timeline: Timeline) -> Iterator[date]:
    ask = closure(atom)
    stands = all(not (isinstance(n, Fact) and n.name in timeline.moves) for n in walk(atom))
    before = ask(timeline.facts, timeline.as_of)
    for day in _watched(atom, timeline):
        answer = ask(timeline.facts if stands else timeline.at(day), day)
        if answer is not before:
            yield day
        before = answer


def _watched(atom: Expression, timeline: Timeline) -> Iterator[date]:
    """The days to look at: every first of a month for what only asks for months and years."""
    if _is_by_month(atom, timeline):
        start = timeline.as_of.replace(day=1)
        firsts = (add_months(start, n) for n in range(1, 12 * HORIZON_YEARS))
        yield from sorted({*(day for day in firsts if day <= timeline.last), *timeline.steps})
        return
    for number in range(1, SCANNED_DAYS):
        day = timeline.as_of + number * DAY
        if day > timeline.last:
            return
        yield day


def _is_by_month(node: Expression, timeline: Timeline) -> bool:
    match node:
        case AsOf():
            return False
        case Extract("year" | "month", AsOf()):
            return True
        case Fact(name):
            move = timeline.moves.get(name)
            return move is None or move.kind != "months_since"
    return all(_is_by_month(part, timeline) for part in children(node))
