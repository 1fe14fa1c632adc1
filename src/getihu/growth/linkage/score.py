"""From a model to links: the best trader of each record, how sure that is, and why."""

from dataclasses import dataclass
from math import log2
from typing import Final

import duckdb

from getihu.growth.linkage.compare import COMPARISONS, PAIRS, RECORDS, TRADERS
from getihu.growth.linkage.estimate import Model

SURE: Final = 0.99  # from here on a link is made, if no other trader comes near. 本项目设定，非官方
DOUBT: Final = 0.5  # from here on a person looks. 本项目设定，非官方
APART_BITS: Final = 5.0  # the second best must be that much less likely. 本项目设定，非官方
LEAST_BITS: Final = 0.05


@dataclass(frozen=True)
class Scored:
    """The best trader for a record. ``weight``: bits for a match above even odds. ``evidence``: what
    was compared, in words, with its bits. ``is_sure``: no person need look; ``runner_up``: the next
    trader within ``APART_BITS``, if there is one."""

    record: str
    trader_code: str
    weight: float
    probability: float
    evidence: tuple[tuple[str, str, float], ...]
    is_sure: bool
    runner_up: str = ""


def score(engine: duckdb.DuckDBPyConnection, model: Model) -> list[Scored]:
    """The best trader for each record of the comparison in an engine that has one likelier than
    not. Sorted by record. Cost: the candidate pairs once, in the engine."""
    floor = log2(DOUBT / (1 - DOUBT))
    names = ", ".join(each.name for each in COMPARISONS)
    rows = engine.execute(
        f"WITH weighed AS (SELECT p.*, l.id AS record_id, r.id AS trader_id, r.same,"
        f" {_bits_sql(model)} AS bits FROM {PAIRS} p"
        f" JOIN {RECORDS} l ON l.n = p.record JOIN {TRADERS} r ON r.n = p.trader),"
        # Nothing less likely can be the best, nor near one that counts.
        f" likely AS (SELECT * FROM weighed WHERE bits > {floor - APART_BITS}),"
        " ranked AS (SELECT *, row_number() OVER best AS nth, lead(bits) OVER best AS next_bits,"
        " lead(trader_id) OVER best AS next_trader FROM likely"
        " WINDOW best AS (PARTITION BY record ORDER BY bits DESC, trader_id))"
        f" SELECT record_id, trader_id, bits, next_bits, next_trader, same, {names} FROM ranked"
        f" WHERE nth = 1 AND bits >= {floor} ORDER BY record_id"
    )
    return [_scored(model, *row[:6], levels=row[6:]) for row in rows.fetchall()]


def _scored(
    model: Model,
    record: str,
    trader: str,
    bits: float,
    next_bits: float | None,
    next_trader: str | None,
    same: int,
    *,
    levels: tuple[int, ...],
) -> Scored:
    near = (next_trader or "") if next_bits is not None and next_bits > bits - APART_BITS else ""
    probability = _probability(bits)
    evidence = tuple(e for e in _evidence(model, levels, same) if abs(e[2]) >= LEAST_BITS)
    sure = probability >= SURE and not near
    return Scored(record, trader, bits, probability, evidence, sure, near)


def _bits_sql(model: Model) -> str:
    """All that speaks for a pair, as an expression over its levels."""
    terms = [repr(_start(model))]
    for n, each in enumerate(COMPARISONS):
        whens = " ".join(
            f"WHEN {level} THEN {_level_sql(model, n, level)}" for level in range(len(each.levels))
        )
        terms.append(f"(CASE p.{each.name} {whens} ELSE 0 END)")
    return " + ".join(terms)


def _is_same_name(comparison: int, level: int) -> bool:
    return COMPARISONS[comparison].name == "name" and level == 0


def _level_sql(model: Model, comparison: int, level: int) -> str:
    if _is_same_name(comparison, level):
        return f"log2({model.matches[comparison][0]!r} / (r.same / {model.traders}.0))"
    return repr(model.weight(comparison, level))


def _start(model: Model) -> float:
    return log2(model.prior / (1 - model.prior))


def _evidence(model: Model, levels: tuple[int, ...], same: int) -> list[tuple[str, str, float]]:
    """Comparison, words, bits. An equal name says the more the fewer traders have it."""
    found = []
    for n, (each, level) in enumerate(zip(COMPARISONS, levels, strict=True)):
        if level < 0:
            continue
        words, bits = each.levels[level][1], model.weight(n, level)
        if _is_same_name(n, level):
            bits = log2(model.matches[n][0] / (same / model.traders))
            words = f"{words}（全市这样叫的有 {same} 户）"
        found.append((each.label, words, bits))
    return found


def _probability(bits: float) -> float:
    return 1.0 if bits > 60 else 0.0 if bits < -60 else 2**bits / (1 + 2**bits)
