"""Not enough for all: the stated order, then a draw anyone can make again."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from getihu.rulebook.model.rules import Budget
from getihu.rulebook.settle.budgets import Claim, queue


def claim(code: str, number: int, on: date | None = date(2026, 1, 1), **values) -> Claim:
    return Claim(code, Decimal(number), {"applied_on": on, **values})


def budget(yuan=None, places=None, order=("applied_on",)) -> Budget:
    return Budget(None if yuan is None else Decimal(yuan), places, order, "无")


def codes(claims) -> list[str]:
    return [each.trader_code for each in claims]


def test_who_asked_first_is_served_first():
    asked = [claim("b", 40, date(2026, 1, 2)), claim("a", 40, date(2026, 1, 1))]
    made = queue(budget(yuan=50), asked, "s")
    assert (codes(made.served), codes(made.waiting), made.left_yuan) == (["a"], ["b"], 10)


def test_the_first_that_does_not_fit_ends_it():
    asked = [claim("a", 40, date(2026, 1, 1)), claim("b", 20, date(2026, 1, 2)),
             claim("c", 5, date(2026, 1, 3))]  # fmt: skip
    made = queue(budget(yuan=50), asked, "s")
    assert (codes(made.served), codes(made.waiting)) == (["a"], ["b", "c"])


def test_places_end_too():
    made = queue(budget(places=1), [claim("a", 1), claim("b", 1, date(2026, 1, 2))], "s")
    assert (codes(made.served), made.left_places, made.left_yuan) == (["a"], 0, None)


def test_an_order_may_be_turned_round():
    asked = [claim("a", 10, insured=1), claim("b", 20, insured=9), claim("c", 20, insured=1)]
    assert codes(queue(budget(yuan=99, order=("-insured",)), asked, "s").served)[0] == "b"
    by_amount = queue(budget(yuan=99, order=("-amount", "-insured")), asked, "s")
    assert codes(by_amount.served) == ["b", "c", "a"]


def test_who_lacks_a_value_of_the_order_has_no_place():
    made = queue(budget(yuan=99), [claim("a", 10, on=None), claim("b", 10)], "s")
    assert (codes(made.served), codes(made.unplaced)) == (["b"], ["a"])


def test_equals_are_drawn_by_the_published_seed():
    asked = [claim(f"t{n}", 1) for n in range(50)]
    first = codes(queue(budget(places=25), asked, "one").served)
    assert first == codes(queue(budget(places=25), asked[::-1], "one").served)
    assert first != codes(queue(budget(places=25), asked, "two").served)
    assert first != codes(asked)[:25]


@given(
    st.lists(st.tuples(st.integers(1, 50), st.one_of(st.none(), st.integers(0, 9))), max_size=30),
    st.one_of(st.none(), st.integers(0, 300)),
    st.integers(0, 30),
)
def test_the_budget_holds_and_nobody_is_lost(rows, yuan, places):
    asked = [claim(f"t{n}", number, rank=rank) for n, (number, rank) in enumerate(rows)]
    made = queue(budget(yuan, places, ("rank",)), asked, "s")
    assert sorted(codes((*made.served, *made.waiting, *made.unplaced))) == sorted(codes(asked))
    spent = sum(each.yuan for each in made.served)
    assert yuan is None or spent + made.left_yuan == yuan
    assert len(made.served) + made.left_places == places
    if made.waiting:
        nxt = made.waiting[0]
        assert made.left_places == 0 or (made.left_yuan is not None and nxt.yuan > made.left_yuan)
