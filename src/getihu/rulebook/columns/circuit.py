"""Bit planes as a graph in which the same question is asked once, and its order of execution.

A plane is one bit per trader. Two planes make a three-valued answer: ``yes`` and ``possible``
(yes or unknown); unknown is ``possible & ~yes``.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
ZERO: Final = 0
ONES: Final = 1
LEAF, AND, OR, ANDNOT, NOT = range(5)


P = TypeVar("P")


class Plane3(NamedTuple, Generic[P]):
    """Two planes that are a three-valued answer."""

    yes: P
    possible: P


Answer = Plane3[int]
ALWAYS: Final = Answer(ONES, ONES)
NEVER: Final = Answer(ZERO, ZERO)
UNKNOWN: Final = Answer(ZERO, ONES)


@dataclass(frozen=True)
class Program:
    """Instructions over registers: ``r >= 0`` is a kept plane, ``-1 - r`` a working one.

    ``steps`` rows are (operation, target, a, b). ``register`` finds the place of a kept plane
    (planes that are constant have none).
    """

    steps: npt.NDArray[np.int32]
    register: dict[int, int]
    kept: int
    working: int


class Algebra(ABC, Generic[P]):
    """Planes put together. ``Circuit`` writes down how, ``Packed`` does it at once."""

    zero: P
    ones: P

    @abstractmethod
    def and_(self, a: P, b: P) -> P: ...

    @abstractmethod
    def or_(self, a: P, b: P) -> P: ...

    @abstractmethod
    def and_not(self, a: P, b: P) -> P: ...

    @abstractmethod
    def not_(self, a: P) -> P: ...

    def all_of(self, planes: Iterable[P]) -> P:
        found = self.ones
        for plane in planes:
            found = self.and_(found, plane)
        return found

    def any_of(self, planes: Iterable[P]) -> P:
        found = self.zero
        for plane in planes:
            found = self.or_(found, plane)
        return found

    def at_least(self, n: int, planes: Sequence[P]) -> P:
        """``n`` or more of the planes: after each one, whether one, two, … hold so far."""
        so_far = [self.ones] + [self.zero] * n
        for plane in planes:
            for k in range(n, 0, -1):
                so_far[k] = self.or_(so_far[k], self.and_(so_far[k - 1], plane))
        return so_far[n]

    # three values

    def not3(self, x: Plane3[P]) -> Plane3[P]:
        return Plane3(self.not_(x.possible), self.not_(x.yes))

    def all3(self, items: Sequence[Plane3[P]]) -> Plane3[P]:
        return Plane3(self.all_of(x.yes for x in items), self.all_of(x.possible for x in items))

    def any3(self, items: Sequence[Plane3[P]]) -> Plane3[P]:
        return Plane3(self.any_of(x.yes for x in items), self.any_of(x.possible for x in items))

    def at_least3(self, n: int, items: Sequence[Plane3[P]]) -> Plane3[P]:
        return Plane3(
            self.at_least(n, [x.yes for x in items]),
            self.at_least(n, [x.possible for x in items]),
        )

    def known3(self, x: Plane3[P]) -> Plane3[P]:
        """Yes where ``x`` is known, unknown elsewhere."""
        return Plane3(self.or_(x.yes, self.not_(x.possible)), self.ones)

    def choose3(self, when: Plane3[P], then: Plane3[P], rest: Plane3[P]) -> Plane3[P]:
        """``then`` where ``when`` holds, ``rest`` where it does not, unknown where unknown."""
        no = self.not_(when.possible)
        yes = self.or_(self.and_(when.yes, then.yes), self.and_(no, rest.yes))
        open_ = self.and_not(when.possible, when.yes)
        may = self.or_(self.and_(when.yes, then.possible), self.and_(no, rest.possible))
        return Plane3(yes, self.or_(open_, may))


class Packed(Algebra[Words]):
    """Planes as words of bits, at hand."""

    def __init__(self, words: int) -> None:
        self.zero = np.zeros(words, dtype=np.uint64)
        self.ones = ~self.zero

    def and_(self, a: Words, b: Words) -> Words:
        return a & b

    def or_(self, a: Words, b: Words) -> Words:
        return a | b

    def and_not(self, a: Words, b: Words) -> Words:
        return a & ~b

    def not_(self, a: Words) -> Words:
        return ~a


class Circuit(Algebra[int]):
    """Builds planes out of planes; equal planes get one number."""

    zero, ones = ZERO, ONES

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int]] = [(LEAF, -1, -1), (LEAF, -1, -1)]
        self._numbers: dict[tuple[int, int, int], int] = {}
        self.leaves: list[int] = []

    def leaf(self) -> int:
        """A plane that comes from outside."""
        self.steps.append((LEAF, len(self.leaves), -1))
        self.leaves.append(len(self.steps) - 1)
        return self.leaves[-1]

    def and_(self, a: int, b: int) -> int:
        if a == b or b == ONES:
            return a
        if a == ONES:
            return b
        return ZERO if ZERO in (a, b) else self._step(AND, min(a, b), max(a, b))

    def or_(self, a: int, b: int) -> int:
        if a == b or b == ZERO:
            return a
        if a == ZERO:
            return b
        return ONES if ONES in (a, b) else self._step(OR, min(a, b), max(a, b))

    def and_not(self, a: int, b: int) -> int:
        if b == ZERO:
            return a
        if a in (ZERO, b) or b == ONES:
            return ZERO
        return self.not_(b) if a == ONES else self._step(ANDNOT, a, b)

    def not_(self, a: int) -> int:
        if a in (ZERO, ONES):
            return ONES - a
        operation, inner, _ = self.steps[a]
        return inner if operation == NOT else self._step(NOT, a, a)

    def _step(self, operation: int, a: int, b: int) -> int:
        key = (operation, a, b)
        found = self._numbers.get(key)
        if found is None:
            self.steps.append(key)
            found = self._numbers[key] = len(self.steps) - 1
        return found

    # order of execution

    def program(self, kept: Iterable[int]) -> Program:
        """Instructions that leave the planes ``kept`` and every leaf they rest on behind; working
        planes are used again."""
        kept_planes = [p for p in dict.fromkeys(kept) if p not in (ZERO, ONES)]
        needed = self._needed(kept_planes)
        leaves = [p for p in needed if self.steps[p][0] == LEAF]
        kept_planes = list(dict.fromkeys([*kept_planes, *leaves]))
        register = {plane: number for number, plane in enumerate(kept_planes)}
        last = self._last_use(needed)
        allocate = _Registers()
        steps = []
        for plane in needed:
            operation, a, b = self.steps[plane]
            if operation == LEAF:
                continue
            sources = register[a], register[b]
            for source in {a, b}:
                if register[source] < 0 and last[source] == plane:
                    allocate.give(register[source])
            if plane not in register:
                register[plane] = allocate.take()
            steps.append((operation, register[plane], *sources))
        table = np.array(steps, dtype=np.int32).reshape(-1, 4)
        places = {plane: register[plane] for plane in kept_planes}
        return Program(table, places, len(kept_planes), max(1, allocate.most))

    def _needed(self, wanted: Iterable[int]) -> list[int]:
        """Every plane the wanted ones rest on, sources before what uses them."""
        found: set[int] = set()
        stack = list(wanted)
        while stack:
            plane = stack.pop()
            if plane in found:
                continue
            found.add(plane)
            if self.steps[plane][0] != LEAF:
                stack += self.steps[plane][1:]
        return sorted(found)

    def _last_use(self, needed: Sequence[int]) -> dict[int, int]:
        last: dict[int, int] = {}
        for plane in needed:
            operation, a, b = self.steps[plane]
            if operation != LEAF:
                last[a] = last[b] = plane
        return last


class _Registers:
    """Working registers (negative numbers), each taken again once given back."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self.most = 0

    def take(self) -> int:
        if self._free:
            return self._free.pop()
        self.most += 1
        return -self.most

    def give(self, register: int) -> None:
        self._free.append(register)
