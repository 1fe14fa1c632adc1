"""What a public breakdown does not say.

Only breakdowns by one thing (county, trade, type) are ever made: never county × trade, where most
cells of a small rule hold a handful of people. In a breakdown of a rule that looks at personal or
sensitive facts (a veteran, a loan, taxable income), a cell of 1–4 people is held back; and where
it would be the only one of its row or column, the next smallest goes with it, so that a
subtraction from the total does not give it back. Sums of money over 1–4 people are held back for every rule: they are
somebody's tax or wage bill.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from getihu.dataplane.contracts import FactDeclaration, PersonalClass
from getihu.rulebook.model.rules import Rule

FEWEST: Final = 5
_GUARDED: Final = (PersonalClass.PERSONAL, PersonalClass.SENSITIVE)


def is_guarded(rules: Iterable[Rule], facts: Mapping[str, FactDeclaration]) -> bool:
    """Whether a rule looks at anything that is personal."""
    return any(
        name not in facts or facts[name].personal in _GUARDED
        for rule in rules
        for name in rule.facts
    )


def is_few(count: int) -> bool:
    return 0 < count < FEWEST


def held_back(table: Sequence[Sequence[int]]) -> list[list[bool]]:
    """Which cells of a breakdown are not said. A row is a part of the city, a column an outcome.

    Totals of rows and columns are known, so a hidden cell never stands alone in its row or
    column: the smallest other cell with anybody in it goes with it, until that is so everywhere.
    """
    hidden = [[is_few(count) for count in row] for row in table]
    changed = True
    while changed:
        changed = False
        for line in _lines(table):
            if sum(hidden[r][c] for r, c in line) == 1:
                others = [(table[r][c], r, c) for r, c in line if table[r][c] and not hidden[r][c]]
                if others:
                    _, r, c = min(others)
                    hidden[r][c] = changed = True
    return hidden


def _lines(table: Sequence[Sequence[int]]) -> list[list[tuple[int, int]]]:
    columns = range(len(table[0]) if table else 0)
    rows = range(len(table))
    return [[(r, c) for c in columns] for r in rows] + [[(r, c) for r in rows] for c in columns]


def guarded(table: Sequence[Sequence[int]], guard: bool) -> list[list[int | None]]:
    """A breakdown as the public may see it; None: held back."""
    if not guard:
        return [list(row) for row in table]
    hidden = held_back(table)
    return [
        [None if hide else count for count, hide in zip(row, marks, strict=True)]
        for row, marks in zip(table, hidden, strict=True)
    ]
