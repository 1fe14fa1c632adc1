"""A disagreement is handed over as a rule file and a case that anyone can read."""

import re

import pytest

from getihu.rulebook.evaluate.expressions import closure
from tests.generative.compare import batches, check, corners
from tests.generative.engines import by_columns, by_duckdb
from tests.generative.mutants import MUTANTS
from tests.generative.shrink import shorter


@pytest.fixture
def fresh_closures():
    closure.cache_clear()
    yield
    closure.cache_clear()


@pytest.mark.parametrize(
    ("mutant", "engine", "words"),
    [
        ("SQL: CASE without the branch for unknown", by_duckdb, 12),
        ("SQL: none of is any of", by_duckdb, 12),
        ("columns: the range of a comparison is one code short", by_columns, 12),
    ],
    ids=["case", "none of", "range"],
)
def test_a_broken_engine_is_shown_by_a_small_rule(
    mutant, engine, words, monkeypatch, fresh_closures
):
    drawn = [*batches(2, 20261031, traders=16), corners()]
    MUTANTS[mutant](monkeypatch)
    with pytest.raises(AssertionError) as failure:
        check(drawn, {"broken": engine})
    told = str(failure.value)
    clauses = re.findall(r"    when: (.*)", told)
    assert len(clauses) == 1
    assert len(re.findall(r"\w+", clauses[0])) <= words
    assert "cases:" in told and "expect:" in told


def test_shorter_texts_are_tried_largest_part_first():
    tried = list(shorter("((is_a and is_b) or is_b)"))
    assert tried[0] == "true"
    assert "(is_a and is_b)" in tried
    assert "(is_a or is_b)" in tried
