"""Small cells: what an attacker who keeps every edition and adds up can say of a withheld one."""

import random
from decimal import Decimal

import numpy as np
import pytest
from scipy.optimize import linprog

from getihu.insight.catalogue.comparing import FEWEST, withheld

PLACES = [f"3303{n:02d}" for n in range(1, 13)]
EDITIONS = 3


def editions(chance: random.Random) -> list[dict[str, Decimal]]:
    """One day's figures as first published and as corrected twice: some counties change."""
    first = {place: Decimal(chance.choice((0, 1, 3, 8, 9, 12, 40, 300))) for place in PLACES}
    found = [first]
    for _ in range(EDITIONS - 1):
        last = found[-1]
        moved = chance.sample(PLACES, 3)
        found.append(
            {
                p: max(n + chance.randrange(-9, 10) * (p in moved), Decimal(0))
                for p, n in last.items()
            }
        )
    return found


def publish(listed, hide) -> list[tuple[Decimal, dict[str, Decimal], frozenset[str]]]:
    """Each edition as the public sees it: the city's total, the counties told, who is withheld."""
    seen, already = [], frozenset()
    for sizes in listed:
        already = hide(sizes, already)
        told = {place: size for place, size in sizes.items() if place not in already}
        seen.append((sum(sizes.values(), Decimal(0)), told, already))
    return seen


def ranges(seen, edition: int) -> dict[str, tuple[float, float]]:
    """What may be, for each withheld cell of an edition: every total adds up and nothing is below
    nothing. The attacker knows as well that whoever's cell was told once has not changed since."""
    cells = {
        (number, place): k
        for k, (number, place) in enumerate(
            (number, place)
            for number, (_, _, hidden) in enumerate(seen)
            for place in sorted(hidden)
        )
    }
    rows, sums = [], []
    for number, (total, told, hidden) in enumerate(seen):
        row = np.zeros(len(cells))
        for place in hidden:
            row[cells[number, place]] = 1
        rows.append(row)
        sums.append(float(total - sum(told.values(), Decimal(0))))
    found = {}
    for (number, place), k in cells.items():
        if number != edition:
            continue
        aim = np.zeros(len(cells))
        aim[k] = 1
        ends = [
            linprog(sign * aim, A_eq=np.array(rows), b_eq=sums, bounds=(0, None)).fun * sign
            for sign in (1, -1)
        ]
        found[place] = (ends[0], ends[1])
    return found


def determined(hide) -> int:
    """How many withheld cells of a hundred days can be told to within a household, or are known to
    lie within a handful."""
    chance = random.Random(755)
    found = 0
    for _ in range(100):
        seen = publish(editions(chance), hide)
        for edition in range(EDITIONS):
            found += sum(high - low < FEWEST - 1 for low, high in ranges(seen, edition).values())
    return found


def test_no_withheld_cell_follows_from_all_editions_together():
    possible = sum(
        sum(size > 0 for size in sizes.values()) > 1 and sum(sizes.values()) >= FEWEST
        for sizes in editions(random.Random(755))
    )
    assert possible == EDITIONS
    assert determined(lambda sizes, already: withheld(sizes, already)) == 0


@pytest.mark.parametrize(
    "weaker",
    [
        lambda sizes, already: frozenset(p for p, n in sizes.items() if 0 < n < FEWEST),
        lambda sizes, already: frozenset(p for p, n in sizes.items() if 0 < n < FEWEST) | already,
    ],
    ids=["small ones alone", "small ones and those withheld before"],
)
def test_control_without_the_second_cell_some_follow(weaker):
    assert determined(weaker) > 0


def test_what_was_withheld_once_stays_withheld():
    first = withheld({"a": Decimal(3), "b": Decimal(20), "c": Decimal(50)}, ())
    assert first == {"a", "b"}
    later = withheld({"a": Decimal(30), "b": Decimal(20), "c": Decimal(50)}, first)
    assert later == {"a", "b"}


def test_nothing_small_nothing_withheld():
    assert withheld({place: Decimal(10) for place in PLACES}, ()) == frozenset()
    assert withheld({place: Decimal(0) for place in PLACES}, ()) == frozenset()


def test_a_handful_in_all_hides_a_third():
    assert withheld({"a": Decimal(1), "b": Decimal(2), "c": Decimal(90)}, ()) == {"a", "b", "c"}
