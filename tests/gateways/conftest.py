"""Demo cities shared by the tests of this folder: made once, read by many."""

from pathlib import Path

import pytest

from getihu.gateways.demo_city import CitySummary, make_city

SMALL = 2_000


@pytest.fixture(scope="session")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CitySummary]:
    """A city of 2,000 traders from seed 1, and what was planted in it."""
    out = tmp_path_factory.mktemp("city") / "inbox"
    return out, make_city(out, traders=SMALL, seed=1)
