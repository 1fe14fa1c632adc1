"""Run a plan over a city, stretch by stretch on every core, and read the planes it leaves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from getihu.rulebook.columns.circuit import ONES, ZERO
from getihu.rulebook.columns.coding import NO_NUMBER, pack
from getihu.rulebook.columns.leaves import Columns, unpack
from getihu.rulebook.columns.plan import Plan, PlannedRule, plan
from getihu.rulebook.columns.vectors import Bools, Vector
from getihu.rulebook.model.cases import NOT_APPLICABLE
from getihu.rulebook.model.expressions import Expression
from getihu.rulebook.model.numbers import ROUNDINGS
from getihu.rulebook.model.rules import UNKNOWN, Rule

CHUNK: Final = 2**15  # traders a core takes at a time
_CHUNK_WORDS: Final = CHUNK // 64
_STRIDE: Final = _CHUNK_WORDS + 8  # planes start in different lines of the cache
NO_AMOUNT: Final = -1
_NO_RANKS: Final = np.zeros(0, dtype=np.uint32)

Words = npt.NDArray[np.uint64]


def sweep_columns(columns: Columns, rules: Sequence[Rule], as_of: date) -> CitySweep:
    """Decide rules for everyone: each distinct clause once. Every plane stays in memory.

    Rules need not be in the rulebook; ids must differ. Cost: see ``docs/benchmarks``.
    """
    return run(columns, _planned(columns, rules, as_of), as_of)


def _planned(columns: Columns, rules: Sequence[Rule], as_of: date) -> Plan:
    """The plan of the last sweep again, if it was for the very same rules."""
    wanted = (as_of, *map(id, rules))
    known = vars(columns).get("_last_plan")
    if known is None or known[0] != wanted:
        # The plan holds on to its rules, so their ids stay theirs.
        known = vars(columns)["_last_plan"] = (wanted, plan(columns, rules, as_of))
    made: Plan = known[1]
    return made


def run(columns: Columns, made: Plan, as_of: date) -> CitySweep:
    """Every plane of a plan, for every trader."""
    chunks = -(-columns.traders // CHUNK)
    kept = np.empty((chunks, max(1, made.program.kept), _STRIDE), dtype=np.uint64)
    registers = np.arange(made.program.kept, dtype=np.int64)
    counts = np.zeros((chunks, made.program.kept), dtype=np.int64)

    def do(stretches: range) -> None:
        worker = _Worker(columns, made)
        for number in stretches:
            worker.chunk(number, kept[number], registers, counts[number])

    workers = max(1, min(_cores(), chunks))
    if workers == 1:
        do(range(chunks))
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(do, [range(n, chunks, workers) for n in range(workers)]))
    return CitySweep(columns, made, as_of, kept, counts.sum(axis=0))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """One core's work: its working registers and the traders it is at."""

    def __init__(self, columns: Columns, made: Plan) -> None:
        from getihu.rulebook.columns import kernels

        self._kernels, self._columns, self._plan = kernels, columns, made
        self._working = np.empty((made.program.working, _STRIDE), dtype=np.uint64)

    def chunk(
        self,
        number: int,
        kept: Words,
        registers: npt.NDArray[np.int64],
        counts: npt.NDArray[np.int64],
    ) -> None:
        start = number * CHUNK
        many = min(CHUNK, self._columns.traders - start)
        words = -(-many // 64)
        rows = slice(start, start + words * 64)
        for copy in self._plan.copies:
            kept[copy.register, :words] = copy.plane[start // 64 : start // 64 + words]
        for table in self._plan.tables:
            codes = table.column.codes[rows]
            self._kernels.look_up(codes, table.answers, table.registers, kept)
        self._pair_leaves(rows, words, kept)
        self._rows_leaves(rows, words, kept)
        self._kernels.run(self._plan.program.steps, kept, self._working, words)
        last = np.uint64((1 << (many - 1) % 64 + 1) - 1)
        self._kernels.count(kept, registers, words, last, counts)

    def _pair_leaves(self, rows: slice, words: int, kept: Words) -> None:
        register = self._plan.program.register
        for leaf in self._plan.leaves.of_pairs:
            if leaf.yes not in register:
                continue
            if leaf.numbers:
                self._kernels.above(
                    leaf.left.spread[rows],
                    leaf.right.spread[rows],
                    NO_NUMBER,
                    leaf.strictly,
                    kept[register[leaf.yes]],
                )
            else:
                self._kernels.reach(
                    leaf.left.codes[rows],
                    _NO_RANKS if leaf.ranks is None else leaf.ranks,
                    leaf.right.codes[rows],
                    leaf.needed,
                    kept[register[leaf.yes]],
                )

    def _rows_leaves(self, rows: slice, words: int, kept: Words) -> None:
        leaves, register = self._plan.leaves, self._plan.program.register

        def codes(name: str) -> npt.NDArray[Any]:
            column = self._columns.column(name)
            assert column is not None
            return column.codes[rows]

        for leaf in leaves.of_rows:
            wanted = [plane for plane in (leaf.yes, leaf.possible) if plane in register]
            if wanted:
                found = leaves.parts.of_rows(leaf.node, codes, words * 64)
                for plane in wanted:
                    answers = found.yes if plane == leaf.yes else found.possible
                    kept[register[plane], :words] = pack(answers)


class CitySweep:
    """How rules answer a city. Cheap to ask: the planes are there, a place per trader in the
    order of the facts table."""

    def __init__(
        self,
        columns: Columns,
        made: Plan,
        as_of: date,
        kept: Words,
        counts: npt.NDArray[np.int64],
    ) -> None:
        self.columns, self.plan, self.as_of = columns, made, as_of
        self._kept, self._counts = kept, counts

    @property
    def traders(self) -> int:
        return self.columns.traders

    @property
    def size(self) -> int:
        """Words of a packed plane."""
        return len(self._kept) * _CHUNK_WORDS

    @property
    def rules(self) -> list[Rule]:
        return [planned.rule for planned in self.plan.rules.values()]

    def planned(self, rule_id: str) -> PlannedRule:
        return self.plan.rules[rule_id]

    # planes

    def words(self, plane: int) -> Words:
        """A kept plane, packed; bits behind the last trader mean nothing."""
        if plane in (ZERO, ONES):
            return np.full(self.size, 0 if plane == ZERO else 2**64 - 1, dtype=np.uint64)
        return self._kept[:, self.plan.program.register[plane], :_CHUNK_WORDS].reshape(-1)

    def bits(self, plane: int) -> Bools:
        return unpack(self.words(plane), self.traders)

    def many(self, plane: int) -> int:
        """How many traders a kept plane holds."""
        if plane in (ZERO, ONES):
            return self.traders * plane
        return int(self._counts[self.plan.program.register[plane]])

    # answers

    def outcomes(self, rule_id: str) -> tuple[str, ...]:
        """The outcomes a rule can have, unknown last (not_applicable left out)."""
        rule = self.planned(rule_id).rule
        known = tuple(value for value, _ in rule.values) if rule.rows else ("yes", "no")
        return (*known, UNKNOWN)

    def counts(self) -> dict[str, dict[str, int]]:
        """Rule id → outcome → traders; outcomes nobody has are left out."""
        return {rule_id: self.counts_of(rule_id) for rule_id in self.plan.rules}

    def counts_of(self, rule_id: str) -> dict[str, int]:
        planned = self.planned(rule_id)
        found = {name: self.many(plane) for name, plane in planned.outcomes.items()}
        maybe = self.many(planned.applies.possible)
        found[UNKNOWN] = maybe - sum(found.values())
        found[NOT_APPLICABLE] = self.traders - maybe
        return {name: many for name, many in found.items() if many}

    def member_words(self, rule_id: str, outcome: str) -> Words:
        planned = self.planned(rule_id)
        if outcome in planned.outcomes:
            return self.words(planned.outcomes[outcome])
        maybe = self.words(planned.applies.possible)
        if outcome == NOT_APPLICABLE:
            return ~maybe
        if outcome != UNKNOWN:
            return np.zeros_like(maybe)
        settled = np.zeros_like(maybe)
        for plane in planned.outcomes.values():
            settled |= self.words(plane)
        return maybe & ~settled

    def members(self, rule_id: str, outcome: str) -> Bools:
        """Who has an outcome of a rule (``not_applicable`` is one)."""
        return unpack(self.member_words(rule_id, outcome), self.traders)

    def clause(self, rule_id: str, clause_id: str) -> tuple[Bools, Bools]:
        """Of whom a clause holds, and of whom it is unknown, whether the rule is for them or not.

        Of a rule that applies to nobody nothing was worked out: all unknown.
        """
        clauses = self.planned(rule_id).clauses
        if clause_id not in clauses:
            everyone = np.ones(self.traders, dtype=bool)
            return ~everyone, everyone
        yes, possible = clauses[clause_id]
        holds = self.bits(yes)
        return holds, self.bits(possible) & ~holds

    def codes(self, rule_id: str, start: int = 0, stop: int | None = None) -> npt.NDArray[np.uint8]:
        """The outcome of everyone (or of a stretch from a whole 64) as its place in ``outcomes``;
        255: the rule does not apply."""
        planned = self.planned(rule_id)
        names = self.outcomes(rule_id)
        stop = self.traders if stop is None else min(stop, self.traders)
        found = np.full(stop - start, 255, dtype=np.uint8)
        inside = slice(start // 64, -(-stop // 64))

        def bits(plane: int) -> Bools:
            return unpack(self.words(plane)[inside], stop - start)

        found[bits(planned.applies.possible)] = len(names) - 1
        for name, plane in planned.outcomes.items():
            found[bits(plane)] = names.index(name)
        return found

    def codes_at(self, rows: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.uint8]]:
        """Rule id → ``codes`` of some traders only. Every plane is read once."""
        wanted = {p for rule in self.plan.rules.values() for p in rule.answer_planes()}
        places = {plane: n for n, plane in enumerate(sorted(wanted - {ZERO, ONES}))}
        registers = np.array([self.plan.program.register[p] for p in places], dtype=np.int64)
        chunk, inside = rows // CHUNK, rows % CHUNK
        words = self._kept[chunk[:, None], registers, (inside // 64)[:, None]]
        bits = (words >> (inside % 64).astype(np.uint64)[:, None]) & np.uint64(1) == 1
        by_plane = np.ascontiguousarray(bits.T)

        def at(plane: int) -> Bools:
            fixed = plane in (ZERO, ONES)
            return np.full(len(rows), plane == ONES) if fixed else by_plane[places[plane]]

        found = {}
        for rule_id, planned in self.plan.rules.items():
            names = self.outcomes(rule_id)
            codes = found[rule_id] = np.full(len(rows), 255, dtype=np.uint8)
            codes[at(planned.applies.possible)] = len(names) - 1
            for name, plane in planned.outcomes.items():
                codes[at(plane)] = names.index(name)
        return found

    def by(self, rule_id: str, outcome: str, fact: str) -> dict[Any, int]:
        """Value of a fact → traders with the outcome (None: unknown)."""
        column = self.columns.column(fact)
        who = self.members(rule_id, outcome)
        if column is None:
            return {None: int(who.sum())}
        found = np.bincount(column.codes[: self.traders][who], minlength=column.size)
        return {
            None if code == 0 else column.value(code - 1): int(found[code])
            for code in np.flatnonzero(found).tolist()
        }

    # amounts

    def amount_of(self, rule_id: str) -> Amounts:
        """What each yes of a rule is worth. Rules with one formula are worked out together."""
        rule = self.planned(rule_id).rule
        if rule.amount is None:
            return Amounts(np.zeros(0, np.int64), Cents(np.zeros(0, np.int64), np.zeros(0, bool)))
        rows = np.flatnonzero(self.members(rule_id, "yes"))
        everyone, cents = self._all_cents(rule)
        places = np.searchsorted(everyone, rows)
        return Amounts(rows, Cents(cents.values[places], cents.known[places]))

    def _all_cents(self, rule: Rule) -> tuple[npt.NDArray[np.int64], Cents]:
        assert rule.amount is not None
        key = (rule.amount.resolved, rule.amount.rounding)
        found = self._formulas.get(key)
        if found is None:
            who = np.zeros(self.traders, dtype=bool)
            for other in self.plan.rules.values():
                amount = other.rule.amount
                if amount is not None and (amount.resolved, amount.rounding) == key:
                    who |= self.members(other.rule.id, "yes")
            rows = np.flatnonzero(who)
            found = self._formulas[key] = rows, self.cents(*key, rows)
        return found

    @cached_property
    def _formulas(self) -> dict[tuple[Expression, str], tuple[npt.NDArray[np.int64], Cents]]:
        return {}

    def cents(self, amount: Expression, rounding: str, rows: npt.NDArray[np.int64]) -> Cents:
        """An amount worked out for some traders, rounded as the rule says."""
        leaves = self.plan.leaves
        node = leaves.simple(amount)

        def codes(name: str) -> npt.NDArray[Any]:
            column = self.columns.column(name)
            assert column is not None
            return column.codes[rows]

        return rounded(leaves.parts.of_rows(node, codes, len(rows)), rounding)

    def amounts(self, rule_id: str) -> npt.NDArray[np.int64]:
        """Cents per trader; −1 where there is none or it cannot be told."""
        found = np.full(self.traders, NO_AMOUNT, dtype=np.int64)
        amount = self.amount_of(rule_id)
        known = amount.cents.known
        found[amount.rows[known]] = amount.cents.values[known].astype(np.int64)
        return found


class JoinedSweep:
    """Sweeps of the same city read as one, in the order of ``rules``: each rule is answered by the
    sweep that decided it."""

    def __init__(self, rules: Sequence[Rule], sweeps: Sequence[CitySweep]) -> None:
        self.rules = list(rules)
        self.traders = sweeps[0].traders if sweeps else 0
        self._by = {rule_id: each for each in sweeps for rule_id in each.plan.rules}

    @property
    def distinct_clauses(self) -> int:
        return sum(each.plan.distinct_clauses for each in dict.fromkeys(self._by.values()))

    def counts(self) -> dict[str, dict[str, int]]:
        return {rule.id: self._by[rule.id].counts_of(rule.id) for rule in self.rules}

    def of(self, rule_id: str) -> CitySweep:
        """The sweep that decided a rule."""
        return self._by[rule_id]

    def outcomes(self, rule_id: str) -> tuple[str, ...]:
        return self._by[rule_id].outcomes(rule_id)

    def codes(self, rule_id: str, start: int = 0, stop: int | None = None) -> npt.NDArray[np.uint8]:
        return self._by[rule_id].codes(rule_id, start, stop)

    def amount_of(self, rule_id: str) -> Amounts:
        return self._by[rule_id].amount_of(rule_id)


class Cents:
    """Whole cents and which are known."""

    def __init__(self, values: npt.NDArray[Any], known: Bools) -> None:
        self.values, self.known = values, known


class Amounts:
    """The traders with a yes (places in the facts table, rising) and what they get."""

    def __init__(self, rows: npt.NDArray[np.int64], cents: Cents) -> None:
        self.rows, self.cents = rows, cents


def rounded(amount: Vector, rounding: str) -> Cents:
    """Exact cents; half goes away from zero, or what is beyond the place is cut off."""
    assert amount.factor is not None
    places, half_up = ROUNDINGS[rounding]
    per_unit: Fraction = amount.factor * 10**places
    n, d = per_unit.numerator, per_unit.denominator
    values = amount.values
    if 2 * (2 * amount.bound * n + d) * 10 ** (2 - places) >= 2**63 and values.dtype != object:
        values = values.astype(object)
    size = abs(values)
    whole = (2 * n * size + d) // (2 * d) if half_up else (n * size) // d
    cents = np.where(values < 0, -whole, whole) * 10 ** (2 - places)
    return Cents(cents, amount.known)
