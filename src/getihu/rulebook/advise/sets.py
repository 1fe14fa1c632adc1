"""The smallest sets of clauses that must answer otherwise for a tree to answer as wanted."""

from collections.abc import Callable, Iterable
from itertools import combinations

from getihu.rulebook.model.rules import AllOf, AnyOf, AtLeast, ClauseRef, NoneOf, Row, Tree

Way = frozenset[tuple[str, bool]]
"""Clauses, and what each must answer. Clauses not named may answer anything."""
Price = Callable[[str, bool], int]

MOST_WAYS = 200  # kept at every level of a tree; the cheapest stay
IMPOSSIBLE = 1_000  # price of a clause nothing can change


def cost(way: Way, price: Price) -> int:
    return sum(price(name, want) for name, want in way)


def ways(tree: Tree, want: bool, price: Price) -> list[Way]:
    """Ways for ``tree`` to answer ``want``, the cheapest first."""
    if isinstance(tree, ClauseRef):
        return [frozenset({(tree.id, want)})]
    match tree:
        case AllOf(items):
            needed, inner = (len(items), True) if want else (1, False)
        case AnyOf(items):
            needed, inner = (1, True) if want else (len(items), False)
        case NoneOf(items):
            needed, inner = (len(items), False) if want else (1, True)
        case AtLeast(n, items):
            needed, inner = (n, True) if want else (len(items) - n + 1, False)
    if needed > len(items):
        return []
    parts = [ways(item, inner, price) for item in items]
    chosen = combinations(_cheapest_parts(parts, needed, price), needed)
    return _cheapest((way for group in chosen for way in _joined(group, price)), price)


def _cheapest_parts(parts: list[list[Way]], needed: int, price: Price) -> list[list[Way]]:
    """All parts when every one is needed; else the possible ones, the cheapest first, cut where
    their combinations would be too many."""
    if needed == len(parts):
        return parts
    possible = sorted((part for part in parts if part), key=lambda part: cost(part[0], price))
    return possible if len(possible) <= 8 or needed == 1 else possible[: max(8, needed)]


def _joined(parts: Iterable[list[Way]], price: Price) -> list[Way]:
    """One way of each part at once, without those that ask a clause for both answers."""
    found: list[Way] = [frozenset()]
    for part in parts:
        both = (a | b for a in found for b in part if _agree(a, b))
        found = _cheapest(both, price)
    return found


def _agree(a: Way, b: Way) -> bool:
    return all((name, not want) not in a for name, want in b)


def _cheapest(found: Iterable[Way], price: Price) -> list[Way]:
    listed = sorted(dict.fromkeys(found), key=lambda way: (cost(way, price), len(way)))
    return listed[:MOST_WAYS]


def ways_to_value(rows: tuple[Row, ...], value: str, price: Price) -> list[Way]:
    """Ways for a table to come to ``value``: a row of it holds, and no earlier row of another."""
    found: list[Way] = []
    for number, row in enumerate(rows):
        if row.value != value:
            continue
        parts = [
            ways(earlier.when, False, price)
            for earlier in rows[:number]
            if earlier.value != value and earlier.when is not None
        ]
        if row.when is not None:
            parts.append(ways(row.when, True, price))
        found += _joined(parts, price)
    return _cheapest(found, price)
