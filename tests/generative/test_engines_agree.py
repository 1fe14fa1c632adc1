"""Generated rules on generated traders: every engine says what the single-trader evaluator says.

Values, amounts, unknowns, the answer of every clause, the deciding clauses and the missing facts.
The long run over fresh rules is ``make generative``.
"""

from collections import Counter

import pytest

from tests.generative.compare import batches, check, fixed_batches
from tests.generative.engines import ENGINES, by_evaluator


@pytest.mark.parametrize("engine", ENGINES)
def test_the_engine_gives_the_answers_and_reasons_of_the_evaluator(engine):
    check(fixed_batches(), {engine: ENGINES[engine]})


def test_the_fixed_rules_reach_every_kind_of_answer():
    seen = Counter(
        answer.outcome
        for batch in fixed_batches()
        for answer in by_evaluator(batch.rules, batch.table, batch.as_of).values()
    )
    assert min(seen[outcome] for outcome in (None, "yes", "no", "unknown", "a", "b", "c")) > 5


def test_the_same_seed_makes_the_same_rules():
    assert batches(1, 9) == batches(1, 9)
