"""Neighbours tell nothing of anybody: no cell under ten, no difference between cells or editions
that speaks of fewer than ten."""

import random

import pytest

from getihu.growth.neighbours.cells import LEAST, Member, divide, keep_quiet, measure

TRADES = ["6210", "6291", "5213", "5281", "3823"]
TOWNS = [f"330302{n:03}" for n in range(1, 6)] + ["330382001", "330383"]


def people(seed: int, many: int = 400) -> list[Member]:
    rng = random.Random(seed)
    return [
        Member(
            f"T{n:04}",
            rng.choice(TRADES),
            rng.choices(TOWNS, weights=[9, 5, 3, 1, 1, 4, 2])[0],
            tuple(rng.choice([0, 1, 2, 3, None]) for _ in range(3)),
        )
        for n in range(many)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_every_cell_has_ten_members_and_nobody_is_in_two(seed):
    members = people(seed)
    cells = divide(members)
    assert min(len(group) for group in cells.values()) >= LEAST
    placed = [m.trader_code for group in cells.values() for m in group]
    assert len(placed) == len(set(placed))  # so no cell can be taken from another
    assert len(members) - len(placed) < LEAST


def test_fewer_than_ten_alike_are_told_nothing():
    assert divide(people(1, 9)) == {}


def test_a_figure_known_of_fewer_than_ten_is_not_told():
    members = [Member(f"T{n}", "6210", "330302001", (0, None, n % 4)) for n in range(12)]
    cell = measure("k", members)
    assert cell.tenths[0] == (10, 0, 0, 0)
    assert cell.tenths[1] == ()
    assert cell.at_least == 10


@pytest.mark.parametrize("changed", range(1, 14))
def test_two_editions_never_differ_by_fewer_than_ten_people(changed):
    """The attack: compare two editions when all but a few are known to be the same."""
    members = [Member(f"T{n:03}", "6210", "330302001", (n % 4, 0, 0)) for n in range(40)]
    first = keep_quiet(divide(members), {}, {})
    moved = [
        Member(m.trader_code, m.industry, m.place, (3, 3, 3)) if n < changed else m
        for n, m in enumerate(members)
    ]
    before = {key: who for key, (_, _, who) in first.items()}
    said = {key: cell for key, (cell, _, _) in first.items()}
    second = keep_quiet(divide(moved), before, said)
    ((cell, is_held, spoken_of),) = second.values()
    assert is_held == (changed < LEAST)
    if is_held:
        assert cell == next(iter(said.values())) and spoken_of == next(iter(before.values()))
    else:
        assert cell != next(iter(said.values()))  # the control: figures do follow


def test_a_few_in_each_edition_add_up_before_anything_moves():
    """Held over, the members the figures rest on stay those of the first edition."""
    members = [Member(f"T{n:03}", "6210", "330302001", (0, 0, 0)) for n in range(30)]
    said, before = {}, {}
    for round_ in range(4):
        now = [
            Member(m.trader_code, m.industry, m.place, (3, 3, 3)) if n < 3 * round_ else m
            for n, m in enumerate(members)
        ]
        found = keep_quiet(divide(now), before, said)
        said = {key: cell for key, (cell, _, _) in found.items()}
        before = {key: who for key, (_, _, who) in found.items()}
    assert next(iter(said.values())).tenths[0] == (10, 0, 0, 0)
