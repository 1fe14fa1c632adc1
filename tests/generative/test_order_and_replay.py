"""The same inputs give the same bytes, in any process; order changes nothing."""

import os
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from tests.generative.compare import Batch, batches
from tests.generative.engines import ENGINES, by_evaluator

ROOT = Path(__file__).parents[2]
EVERY = {"evaluator": by_evaluator, **ENGINES}


@lru_cache(maxsize=1)
def few() -> list[Batch]:
    return batches(3, 4)


def _canonical(hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.generative.canonical"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_engine_and_statement_gives_the_same_bytes_in_every_process():
    first, second = _canonical("1"), _canonical("4294967295")
    assert first.count("\n") == 3 + len(ENGINES)
    assert first == second


@pytest.mark.parametrize("engine", EVERY)
def test_rules_in_another_order_are_answered_the_same(engine):
    batch = few()[0]
    forward = EVERY[engine](batch.rules, batch.table, batch.as_of)
    backward = EVERY[engine](batch.rules[::-1], batch.table, batch.as_of)
    assert forward == backward
    assert _counts(forward) == _counts(backward)


@pytest.mark.parametrize("engine", EVERY)
def test_traders_in_another_order_get_the_same_answers(engine):
    batch = few()[1]
    last = len(batch.table) - 1
    forward = EVERY[engine](batch.rules, batch.table, batch.as_of)
    backward = EVERY[engine](batch.rules, batch.table[::-1], batch.as_of)
    assert forward == {(rule, last - n): answer for (rule, n), answer in backward.items()}


@pytest.mark.parametrize("engine", EVERY)
def test_a_rule_is_answered_the_same_alone_and_among_others(engine):
    batch = few()[2]
    together = EVERY[engine](batch.rules, batch.table, batch.as_of)
    alone = {}
    for rule in batch.rules:
        alone.update(EVERY[engine]([rule], batch.table, batch.as_of))
    assert alone == together


def _counts(answers) -> Counter:
    return Counter((rule_id, answer.outcome) for (rule_id, _), answer in answers.items())
