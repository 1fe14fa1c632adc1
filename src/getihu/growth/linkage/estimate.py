"""The weights of a model, from the data themselves: others from random pairs, matches by
expectation maximisation over the candidate pairs. No example is marked by hand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import Final

import duckdb

from getihu.growth.linkage.compare import COMPARISONS, pairs_sql, prepared, random_pairs_sql

ROUNDS: Final = 60
RANDOM_PAIRS: Final = 200_000
_FLOOR: Final = 1e-5
Pattern = tuple[int, ...]
Levels = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Model:
    """Per comparison and level the share among matches and among others; ``prior``: the share of
    matches among all pairs. ``frequency``: plain name → traders who have it."""

    matches: Levels
    others: Levels
    prior: float
    frequency: dict[str, int]
    traders: int

    def weight(self, comparison: int, level: int) -> float:
        """Bits a level speaks for a match; nothing is said by what is not known."""
        if level < 0:
            return 0.0
        return log2(self.matches[comparison][level] / self.others[comparison][level])


def estimate(
    engine: duckdb.DuckDBPyConnection, records: str, traders: str, *, linked_share: float = 0.8
) -> Model:
    """Estimate a model for two relations. ``linked_share``: how many of the records are expected to
    be about some trader, for the prior. Cost: the candidate pairs once."""
    others = _others(engine, records, traders)
    names = ", ".join(each.name for each in COMPARISONS)
    counted = engine.execute(
        f"SELECT {names}, count(*) FROM ({pairs_sql(records, traders)}) GROUP BY ALL"
    ).fetchall()
    patterns = {tuple(row[:-1]): row[-1] for row in counted}
    frequency = dict(
        engine.execute(
            f"SELECT plain, count(*) FROM ({_plain_names(traders)}) GROUP BY 1"
        ).fetchall()
    )
    many = sum(frequency.values())
    return Model(_matches(patterns, others), others, linked_share / max(many, 1), frequency, many)


def _plain_names(traders: str) -> str:
    return f"SELECT plain FROM {prepared(traders)}"


def _others(engine: duckdb.DuckDBPyConnection, records: str, traders: str) -> Levels:
    rows = engine.execute(random_pairs_sql(records, traders, RANDOM_PAIRS)).fetchall()
    return tuple(
        _shares(Counter(row[n] for row in rows), len(each.levels))
        for n, each in enumerate(COMPARISONS)
    )


def _shares(counted: Counter[int], many: int) -> tuple[float, ...]:
    total = sum(n for level, n in counted.items() if level >= 0) or 1
    return tuple(max(counted[level] / total, _FLOOR) for level in range(many))


def _matches(patterns: dict[Pattern, int], others: Levels) -> Levels:
    """Expectation maximisation. What others show among the candidates is estimated along, for
    candidates are alike by how they were chosen; only the matches' shares leave it."""
    guess: Levels = tuple(_first_guess(len(each.levels)) for each in COMPARISONS)
    alike, share = others, 0.02
    total = sum(patterns.values()) or 1
    for _ in range(ROUNDS):
        belief = {p: _posterior(p, guess, alike, share) for p in patterns}
        doubt = {p: 1 - b for p, b in belief.items()}
        share = min(max(sum(belief[p] * n for p, n in patterns.items()) / total, 1e-6), 0.5)
        guess = _all_expected(patterns, belief)
        alike = _all_expected(patterns, doubt)
    return guess


def _all_expected(patterns: dict[Pattern, int], belief: dict[Pattern, float]) -> Levels:
    return tuple(
        _expected(c, len(each.levels), patterns, belief) for c, each in enumerate(COMPARISONS)
    )


def _first_guess(many: int) -> tuple[float, ...]:
    rest = 0.2 / (many - 1)
    return (0.8, *([rest] * (many - 1)))


def _expected(
    comparison: int, many: int, patterns: dict[Pattern, int], belief: dict[Pattern, float]
) -> tuple[float, ...]:
    seen = [0.0] * many
    for pattern, n in patterns.items():
        if pattern[comparison] >= 0:
            seen[pattern[comparison]] += belief[pattern] * n
    total = sum(seen) or 1.0
    return tuple(max(value / total, _FLOOR) for value in seen)


def _posterior(pattern: Sequence[int], match: Levels, other: Levels, share: float) -> float:
    odds = share / (1 - share)
    for comparison, level in enumerate(pattern):
        if level >= 0:
            odds *= match[comparison][level] / other[comparison][level]
    return odds / (1 + odds)
