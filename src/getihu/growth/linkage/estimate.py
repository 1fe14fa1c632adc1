"""The weights of a model, from the data themselves: others from random pairs, matches by
expectation maximisation over the candidate pairs. No example is marked by hand."""

from collections import Counter
from dataclasses import dataclass
from math import log2
from typing import Final

import duckdb

from getihu.growth.linkage.compare import COMPARISONS, PAIRS, RANDOM, TRADERS

ROUNDS: Final = 60
PRIOR_PAIRS: Final = 5.0  # what the first guess weighs, in matches: a few records do not teach much
# What is learnt from which pairs: comparison → the last level at which a pair belongs. Pairs of one
# name teach place, trade, day and area; pairs of one day and county teach names.
SESSIONS: Final = ({"name": 0}, {"opened": 0, "place": 2})
_FLOOR: Final = 1e-5
Pattern = tuple[int, ...]
Levels = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Model:
    """Per comparison and level the share among matches and among others; ``prior``: the share of
    matches among all pairs."""

    matches: Levels
    others: Levels
    prior: float
    traders: int

    def weight(self, comparison: int, level: int) -> float:
        """Bits a level speaks for a match; nothing is said by what is not known."""
        if level < 0:
            return 0.0
        return log2(self.matches[comparison][level] / self.others[comparison][level])


def estimate(engine: duckdb.DuckDBPyConnection, *, linked_share: float = 0.8) -> Model:
    """Estimate a model for what was compared in an engine. ``linked_share``: how many of the records
    are expected to be about some trader, for the prior."""
    others = _others(engine)
    patterns = _patterns(engine, PAIRS)
    many = engine.execute(f"SELECT count(*) FROM {TRADERS}").fetchall()[0][0]
    return Model(_matches(patterns, others), others, linked_share / max(many, 2), many)


def _patterns(engine: duckdb.DuckDBPyConnection, pairs: str) -> dict[Pattern, int]:
    """Levels that occur together → pairs."""
    names = ", ".join(each.name for each in COMPARISONS)
    counted = engine.execute(f"SELECT {names}, count(*) FROM {pairs} GROUP BY ALL ORDER BY ALL")
    return {tuple(row[:-1]): row[-1] for row in counted.fetchall()}


def _others(engine: duckdb.DuckDBPyConnection) -> Levels:
    patterns = _patterns(engine, RANDOM)
    counted = [Counter[int]() for _ in COMPARISONS]
    for pattern, many in patterns.items():
        for comparison, level in enumerate(pattern):
            counted[comparison][level] += many
    return tuple(_shares(counted[n], len(each.levels)) for n, each in enumerate(COMPARISONS))


def _shares(counted: Counter[int], many: int) -> tuple[float, ...]:
    total = sum(n for level, n in counted.items() if level >= 0) or 1
    return tuple(max(counted[level] / total, _FLOOR) for level in range(many))


def _matches(patterns: dict[Pattern, int], others: Levels) -> Levels:
    """The matches' shares, learnt in each of ``SESSIONS`` from the comparisons its pairs were not
    chosen by, and put together by how many matches each has seen."""
    seen = [[PRIOR_PAIRS * share for share in _first_guess(len(c.levels))] for c in COMPARISONS]
    for chosen in SESSIONS:
        fixed = {n for n, each in enumerate(COMPARISONS) if each.name in chosen}
        within = {
            pattern: many
            for pattern, many in patterns.items()
            if all(0 <= pattern[n] <= chosen[COMPARISONS[n].name] for n in fixed)
        }
        for n, levels in _session(within, others, fixed).items():
            seen[n] = [a + b for a, b in zip(seen[n], levels, strict=True)]
    return tuple(tuple(max(x / sum(levels), _FLOOR) for x in levels) for levels in seen)


def _session(
    patterns: dict[Pattern, int], others: Levels, fixed: set[int]
) -> dict[int, list[float]]:
    """Comparison → matches expected at each level, by expectation maximisation over the pairs of one
    session. What the pairs were chosen by (``fixed``) says nothing; others' shares stay as random
    pairs show them."""
    free = [n for n in range(len(COMPARISONS)) if n not in fixed]
    guess = {n: _first_guess(len(COMPARISONS[n].levels)) for n in free}
    share, total = 0.1, sum(patterns.values()) or 1
    expected: dict[int, list[float]] = {n: [0.0] * len(guess[n]) for n in free}
    for _ in range(ROUNDS):
        expected = {n: [0.0] * len(guess[n]) for n in free}
        matched = 0.0
        for pattern, many in patterns.items():
            belief = many * _posterior(pattern, guess, others, share)
            matched += belief
            for n in free:
                if pattern[n] >= 0:
                    expected[n][pattern[n]] += belief
        share = min(max(matched / total, 1e-6), 0.95)
        guess = {n: _smoothed(expected[n]) for n in free}
    return expected


def _smoothed(expected: list[float]) -> tuple[float, ...]:
    first = _first_guess(len(expected))
    total = sum(expected) + PRIOR_PAIRS
    return tuple(
        max((n + PRIOR_PAIRS * share) / total, _FLOOR)
        for n, share in zip(expected, first, strict=True)
    )


def _first_guess(many: int) -> tuple[float, ...]:
    rest = 0.2 / (many - 1)
    return (0.8, *([rest] * (many - 1)))


def _posterior(
    pattern: Pattern, match: dict[int, tuple[float, ...]], other: Levels, share: float
) -> float:
    odds = share / (1 - share)
    for n, levels in match.items():
        if pattern[n] >= 0:
            odds *= levels[pattern[n]] / other[n][pattern[n]]
    return odds / (1 + odds)
