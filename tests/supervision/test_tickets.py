"""Tickets: those of the published examples, the same whoever else is there, and fair."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from getihu.supervision import verify_draw
from getihu.supervision.draws import rounds, texts, tickets

# Printed in USAGE_EXAMPLES.md of Rivest's consistent_sampler (MIT).
PUBLISHED = {
    ("31", "abcd", 4): ["b", "a", "d", "c"],
    ("77", "abcd", 4): ["b", "d", "c", "a"],
}
OF_A_HUNDRED = [
    ("0.000508333", "73"),
    ("0.003446232", "51"),
    ("0.004419823", "17"),
    ("0.020115273", "58"),
    ("0.023482375", "38"),
]


@pytest.mark.parametrize(("seed", "names", "size"), PUBLISHED)
def test_the_order_is_that_of_the_published_examples(seed, names, size):
    found = tickets.lowest(tickets.key_of(seed), list(names), size)
    assert [name for _, name in found] == PUBLISHED[seed, names, size]


def test_the_numbers_are_those_of_the_published_examples_in_both_programs():
    names = [str(n) for n in range(100)]
    found = tickets.lowest(tickets.key_of("41"), names, 5)
    assert [(number[:11], name) for number, name in found] == OF_A_HUNDRED
    key = verify_draw.digest("41")
    again = sorted((verify_draw.ticket(key, name), name) for name in names)[:5]
    assert again == found


@pytest.mark.parametrize("size", [0, 1, 3, 120, 500, 600])
def test_the_quick_way_finds_what_sorting_everybody_finds(size):
    names = [f"N{n:04}" for n in random.Random(size).sample(range(9000), 500)]
    key = tickets.key_of(f"seed {size}")
    slow = sorted((tickets.ticket(key, name), name) for name in names)[:size]
    assert tickets.lowest(key, names, size) == slow


def test_a_ticket_does_not_depend_on_who_else_is_there():
    key, names = tickets.key_of("x"), [f"N{n}" for n in range(300)]
    part = [name for name in names if int(name[1:]) % 3]
    whole = [pair for pair in tickets.lowest(key, names, 300) if pair[1] in set(part)]
    assert tickets.lowest(key, part, 50) == whole[:50]


def chi_square(counts: Counter, names: list[str], expected: float) -> float:
    return sum((counts[name] - expected) ** 2 / expected for name in names)


def test_everybody_is_drawn_equally_often_and_a_remainder_would_not_do_it():
    """2,000 rounds of 20 of 100. At 99 degrees of freedom 0.999 lies below 150 for counts without
    replacement (whose spread is smaller); the control uses a remainder of a small number."""
    names, rounds_ = [f"N{n:03}" for n in range(100)], 2_000
    fair: Counter = Counter()
    unfair: Counter = Counter()
    for n in range(rounds_):
        fair.update(name for _, name in tickets.lowest(tickets.key_of(f"r{n}"), names, 20))
        small = int(verify_draw.digest(f"r{n}")[:2], 16)  # 256 values do not fit 100 evenly
        unfair.update(names[(small + step) % 100] for step in range(20))
    expected = rounds_ * 20 / 100
    assert chi_square(fair, names, expected) < 150
    assert chi_square(unfair, names, expected) > 300


def test_a_text_has_one_form():
    good = texts.write_lines([("B2", "class_a"), ("A1", "class_b")])
    assert good == "A1,class_b\nB2,class_a\n"
    assert texts.read_lines(good, 2) == [("A1", "class_b"), ("B2", "class_a")]
    bad = ["B2,class_a\nA1,class_b\n", "A1, class_b\n", "A1,class_b", "A1,class_b\r\n",
           "A1,class_b\nA1,class_b\n", "Ａ1,class_b\n", "A1,class_b\n\n"]  # fmt: skip
    for text in bad:
        with pytest.raises(texts.NotCanonical):
            texts.read_lines(text, 2)


def test_a_quota_is_reached_and_never_nearly_reached():
    assert rounds.sample_size(999, Fraction(3, 100)) == 30
    assert rounds.sample_size(1000, Fraction(3, 100)) == 30
    assert rounds.sample_size(1, Fraction(1, 100)) == 1
    assert rounds.sample_size(50, Fraction(0, 1)) == 0


AT = datetime(2027, 1, 11, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "clock"},  # somebody could guess it
        {"where": " "},  # nobody could find it
        {"until": AT},  # the beacon could be known before the dice fall
    ],
)
def test_chance_somebody_could_guess_or_nobody_could_find_is_refused(asked):
    wanted = {"kind": "dice", "not_before": AT, "until": AT + timedelta(hours=9), "where": "三楼"}
    made = rounds.make_recipe(**wanted)
    beacon = made["fallback"]
    falls_at = beacon["genesis"] + (beacon["round"] - 1) * beacon["period_s"]
    assert 0 < falls_at - wanted["until"].timestamp() <= 2 * beacon["period_s"]
    with pytest.raises(rounds.CannotDraw):
        rounds.make_recipe(**(wanted | asked))


@pytest.mark.parametrize("digits", ["1" * 24, "7" * 25, "1" * 26, " " * 25, "１" * 25])
def test_digits_of_another_length_or_kind_are_refused(digits):
    with pytest.raises(rounds.CannotDraw):
        rounds.seed_of("x", "dice", digits)
