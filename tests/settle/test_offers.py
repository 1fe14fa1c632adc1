"""Several rules that give: one project once, the difference when promoted, a ceiling for all."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from getihu.kernel.periods import add_months
from getihu.rulebook.contracts import PastAward, Settlement
from getihu.rulebook.model.rules import Ceiling, Group
from getihu.rulebook.settle.offers import Offer, settle

TODAY = date(2026, 6, 1)
HIGHEST = Group("project", "highest", 60, "F-01")
ONCE = Group("interest", "once", None, "F-04")
STEP = Group("grade", "difference", None, "F-01")
CEILING = Ceiling("year", "contribution_yuan", 36, "F-01")


def yuan(number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number).quantize(Decimal("0.01"))


def offer(rule_id: str, number: int | None, group=None, ceiling=None, on=TODAY) -> Offer:
    return Offer(rule_id, on, yuan(number), group, ceiling)


def award(number: int, on: date, group="project", ceiling="") -> PastAward:
    return PastAward("earlier", yuan(number), on, group, ceiling)


def paid(offers, awards=(), **facts):
    return [(s.payable_yuan, s.how) for s in settle(offers, awards, facts)]


def test_offers_for_different_projects_are_all_paid():
    assert paid([offer("a", 3000), offer("b", 5000)]) == [
        (Decimal("3000.00"), Settlement.FULL),
        (Decimal("5000.00"), Settlement.FULL),
    ]


@pytest.mark.parametrize("group", [HIGHEST, ONCE, STEP])
def test_of_one_project_only_the_highest_is_paid(group):
    low, high = settle([offer("a", 3000, group), offer("b", 5000, group)], (), {})
    assert (high.payable_yuan, high.how) == (Decimal("5000.00"), Settlement.FULL)
    assert (low.payable_yuan, low.how) == (Decimal("0.00"), Settlement.LOWER)
    assert (low.other_rule_id, low.other_yuan, low.source) == ("b", Decimal("5000.00"), "F-01") or (
        group is ONCE
    )


def test_of_equal_offers_the_first_is_paid():
    assert paid([offer("a", 3000, ONCE), offer("b", 3000, ONCE)]) == [
        (Decimal("3000.00"), Settlement.FULL),
        (Decimal("0.00"), Settlement.LOWER),
    ]


def test_nothing_is_picked_while_one_amount_is_not_known():
    assert paid([offer("a", 3000, HIGHEST), offer("b", None, HIGHEST)]) == [
        (None, Settlement.UNKNOWN),
        (None, Settlement.UNKNOWN),
    ]


@pytest.mark.parametrize(
    ("had_on", "how"),
    [
        (date(2021, 6, 1), Settlement.ALREADY),  # the last day of five years
        (date(2021, 5, 31), Settlement.FULL),
        (date(2026, 6, 1), Settlement.ALREADY),
    ],
)
def test_a_project_is_paid_once_in_its_window(had_on, how):
    (settled,) = settle([offer("a", 9000, HIGHEST)], [award(3000, had_on)], {})
    assert settled.how is how
    if how is Settlement.ALREADY:
        assert settled.payable_yuan == 0
        assert settled.again_on == add_months(had_on, 60) + timedelta(days=1)
        again = settle([offer("a", 9000, HIGHEST, on=settled.again_on)], [award(3000, had_on)], {})
        assert again[0].how is Settlement.FULL


def test_without_a_window_an_award_counts_for_ever():
    (settled,) = settle(
        [offer("a", 9000, ONCE)], [award(1, date(1999, 1, 1), group="interest")], {}
    )
    assert (settled.how, settled.again_on) == (Settlement.ALREADY, None)


def test_an_award_of_another_project_does_not_count():
    assert paid([offer("a", 9000, HIGHEST)], [award(3000, TODAY, group="other")]) == [
        (Decimal("9000.00"), Settlement.FULL)
    ]


def test_the_next_grade_pays_the_difference():
    had = [
        award(3000, date(2020, 1, 1), group="grade"),
        award(2000, date(2022, 1, 1), group="grade"),
    ]
    (settled,) = settle([offer("a", 9000, STEP)], had, {})
    assert (settled.payable_yuan, settled.how) == (Decimal("4000.00"), Settlement.DIFFERENCE)
    assert settled.other_yuan == 5000
    (lower,) = settle([offer("a", 4000, STEP)], had, {})
    assert lower.payable_yuan == 0


def test_awards_of_a_year_stop_at_the_ceiling():
    offers = [offer("a", 6000, ceiling=CEILING), offer("b", 5000, ceiling=CEILING)]
    had = [
        award(2000, date(2026, 2, 1), ceiling="year"),
        award(9000, date(2025, 12, 31), ceiling="year"),  # another year
    ]
    facts = {"registered_months": 36, "contribution_yuan": yuan(10000)}
    assert paid(offers, had, **facts) == [
        (Decimal("6000.00"), Settlement.FULL),
        (Decimal("2000.00"), Settlement.CEILING),
    ]
    young = {**facts, "registered_months": 35}
    assert [how for _, how in paid(offers, had, **young)] == [Settlement.FULL] * 2


@pytest.mark.parametrize("lacking", ["registered_months", "contribution_yuan"])
def test_a_ceiling_that_is_not_known_is_never_guessed(lacking):
    facts = {"registered_months": 48, "contribution_yuan": yuan(10000), lacking: None}
    assert paid([offer("a", 6000, ceiling=CEILING)], **facts) == [(None, Settlement.UNKNOWN)]


groups = st.sampled_from([None, HIGHEST, ONCE, STEP])
amounts = st.one_of(st.none(), st.integers(1, 9999))
days = st.dates(date(2018, 1, 1), date(2026, 12, 31))
past = st.builds(
    lambda n, on, g: award(n, on, g, "year"),
    st.integers(1, 9999),
    days,
    st.sampled_from(["", "project", "interest", "grade"]),
)


@given(
    st.lists(st.tuples(groups, amounts, st.booleans()), max_size=6),
    st.lists(past, max_size=5),
    st.one_of(st.none(), st.integers(0, 20000)),
    st.one_of(st.none(), st.integers(0, 80)),
)
def test_nobody_gets_more_than_offered_nor_a_project_twice(rows, awards, most, months):
    offers = [
        offer(f"r{n}", number, group, CEILING if held else None)
        for n, (group, number, held) in enumerate(rows)
    ]
    settled = settle(offers, awards, {"registered_months": months, "contribution_yuan": yuan(most)})
    assert [s.rule_id for s in settled] == [o.rule_id for o in offers]
    for each, made in zip(settled, offers, strict=True):
        if each.payable_yuan is not None:
            assert 0 <= each.payable_yuan <= (made.yuan or 0)
    for group in (HIGHEST, ONCE, STEP):
        paying = [
            s for s, o in zip(settled, offers, strict=True) if o.group == group and s.payable_yuan
        ]
        assert len(paying) <= 1
    if most is not None and (months or 0) >= 36:
        this_year = sum(a.yuan for a in awards if a.on.year == 2026)
        now = sum(s.payable_yuan or 0 for s, o in zip(settled, offers, strict=True) if o.ceiling)
        assert now == 0 or this_year + now <= most
