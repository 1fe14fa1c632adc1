"""From a model to links: the best trader of each record, how sure that is, and why."""

from collections import defaultdict
from dataclasses import dataclass
from math import log2
from typing import Any, Final

import duckdb

from getihu.growth.linkage.compare import COMPARISONS, pairs_sql
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


def score(
    engine: duckdb.DuckDBPyConnection, model: Model, records: str, traders: str
) -> list[Scored]:
    """The best trader for each record that has one likelier than not. Sorted by record."""
    found: dict[str, list[tuple[float, str, dict[str, Any]]]] = defaultdict(list)
    rows = engine.execute(pairs_sql(records, traders))
    names = [column[0] for column in rows.description or []]
    for raw in rows.fetchall():
        row = dict(zip(names, raw, strict=True))
        bits = _start(model) + sum(b for _, _, b in _evidence(model, row))
        found[row["record"]].append((bits, row["trader"], row))
    best = (_best(model, record, listed) for record, listed in sorted(found.items()))
    return [each for each in best if each is not None and each.probability >= DOUBT]


def _best(
    model: Model, record: str, listed: list[tuple[float, str, dict[str, Any]]]
) -> Scored | None:
    listed.sort(key=lambda each: (-each[0], each[1]))
    bits, trader, row = listed[0]
    near = [other for other in listed[1:] if other[0] > bits - APART_BITS]
    probability = _probability(bits)
    return Scored(
        record,
        trader,
        bits,
        probability,
        tuple(e for e in _evidence(model, row) if abs(e[2]) >= LEAST_BITS),
        probability >= SURE and not near,
        near[0][1] if near else "",
    )


def _start(model: Model) -> float:
    return log2(model.prior / (1 - model.prior))


def _evidence(model: Model, row: dict[str, Any]) -> list[tuple[str, str, float]]:
    """Comparison, words, bits. An equal name says the more the fewer traders have it."""
    found = []
    for n, each in enumerate(COMPARISONS):
        level = row[each.name]
        if level < 0:
            continue
        words, bits = each.levels[level][1], model.weight(n, level)
        if each.name == "name" and level == 0:
            same = max(model.frequency.get(row["plain"], 1), 1)
            bits = log2(model.matches[n][0] / (same / model.traders))
            words = f"{words}（全市这样叫的有 {same} 户）"
        found.append((each.label, words, bits))
    return found


def _probability(bits: float) -> float:
    return 1.0 if bits > 60 else 0.0 if bits < -60 else 2**bits / (1 + 2**bits)
