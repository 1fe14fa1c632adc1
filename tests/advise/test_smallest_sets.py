"""The smallest set of clauses in the way is really the smallest, over nested trees and tables."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from getihu.rulebook.advise.sets import cost, ways, ways_to_value
from getihu.rulebook.evaluate.trees import tree_value
from getihu.rulebook.evaluate.verdicts import possible_rows
from getihu.rulebook.model.rules import AllOf, AnyOf, AtLeast, ClauseRef, NoneOf, Row

NAMES = "abcde"
answers = st.fixed_dictionaries({name: st.sampled_from([True, False, None]) for name in NAMES})


def _grow(inner):
    items = st.lists(inner, min_size=1, max_size=3).map(tuple)
    groups = st.builds(lambda group, of: group(of), st.sampled_from([AllOf, AnyOf, NoneOf]), items)
    counted = items.flatmap(lambda of: st.builds(AtLeast, st.integers(1, len(of)), st.just(of)))
    return groups | counted


trees = st.recursive(st.sampled_from(NAMES).map(ClauseRef), _grow, max_leaves=7)


def _smallest(answers, reached):
    """By trying every set of clauses, however they then answer."""
    for size in range(len(NAMES) + 1):
        for chosen in combinations(NAMES, size):
            for bits in range(2**size):
                flipped = {name: bool(bits >> i & 1) for i, name in enumerate(chosen)}
                if reached({**answers, **flipped}):
                    return size
    return None


def _price(answers):
    return lambda name, want: 0 if answers[name] is want else 1


@settings(max_examples=300, deadline=None)
@given(tree=trees, answers=answers, want=st.booleans())
def test_no_smaller_set_of_clauses_changes_the_answer(tree, answers, want):
    price = _price(answers)
    found = ways(tree, want, price)
    smallest = _smallest(answers, lambda changed: tree_value(tree, changed) is want)
    assert (cost(found[0], price) if found else None) == smallest
    for way in found[:5]:
        assert tree_value(tree, {**answers, **dict(way)}) is want


@settings(max_examples=200, deadline=None)
@given(
    whens=st.lists(st.tuples(trees, st.sampled_from("xyz")), min_size=1, max_size=3),
    answers=answers,
    last=st.sampled_from("xyz"),
)
def test_no_smaller_set_of_clauses_leads_to_the_value_of_a_table(whens, answers, last):
    rows = (*(Row(when, value, value, "") for when, value in whens), Row(None, last, last, ""))

    def comes_to_x(changed):
        held = tuple(True if r.when is None else tree_value(r.when, changed) for r in rows)
        return {rows[n].value for n in possible_rows(held)} == {"x"}

    price = _price(answers)
    found = ways_to_value(rows, "x", price)
    already = comes_to_x(answers)
    smallest = 0 if already else _smallest(answers, comes_to_x)
    if smallest is None:
        assert not found
    elif not already:  # an answer that stays open between rows of the same value needs no change
        assert cost(found[0], price) == smallest
        assert comes_to_x({**answers, **dict(found[0])})
