"""The generated rules would notice: every operator broken on purpose is found out."""

import pytest

from getihu.rulebook.evaluate.expressions import closure
from tests.generative.compare import batches, corners, differences
from tests.generative.engines import by_columns, by_duckdb, by_together
from tests.generative.mutants import MUTANTS


@pytest.fixture(scope="module")
def drawn():
    return [corners(), *batches(3, 20261031, traders=16)]


@pytest.fixture
def fresh_closures():
    """Closures are kept: those made of a broken operator must not outlive it."""
    closure.cache_clear()
    yield
    closure.cache_clear()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_operator_is_noticed(name, drawn, monkeypatch, fresh_closures):
    engine = by_columns if name.startswith("columns") else by_duckdb
    engines = {"broken": by_together if name.startswith("together") else engine}
    MUTANTS[name](monkeypatch)
    assert any(_is_noticed(batch, engines) for batch in drawn)


def _is_noticed(batch, engines) -> bool:
    return next(differences(batch, engines), None) is not None
