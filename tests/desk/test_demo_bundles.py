"""The demo's bundles: two hundred, in every state, made once."""

from collections import Counter

import pytest

from getihu.accounts.contracts import Role
from getihu.cases.contracts import BundleState, PartState
from getihu.cases.models import BundleRun, MaterialRequest
from getihu.cases.selectors import count_running
from getihu.cases.selectors.bundles import bundle_view
from getihu.config import demo_bundles
from tests.cases.cast import LUCHENG, TOWN, days, make_cast, officer

pytestmark = pytest.mark.django_db
NOW = days(30)
EACH = [(name, 1, answers) for name, _, answers in demo_bundles.KINDS]  # every kind once
SHOPS = len(EACH) * len(demo_bundles.SCENES)


@pytest.fixture
def play(monkeypatch):
    cast = make_cast()
    officers = {
        agency: officer(f"demo-{agency}", Role.CASE_OFFICER, agency, LUCHENG)
        for agency in demo_bundles.OFFICES
    }
    found = demo_bundles.Cast(cast.owner, officers | {"amr": cast.window, "fire": cast.fire})
    shops = [(f"92330302MA2DEM{number:03}X", TOWN) for number in range(SHOPS)]
    monkeypatch.setattr(demo_bundles, "KINDS", EACH)
    monkeypatch.setattr(demo_bundles, "_find_cast", lambda at: found)
    monkeypatch.setattr(demo_bundles, "_find_shops", lambda count: shops[:count])
    return lambda count: demo_bundles.open_bundles(None, at=NOW, count=count)


def test_every_state_of_a_bundle_and_of_a_part_is_there_and_again_changes_nothing(play):
    assert play(SHOPS) == SHOPS
    assert play(SHOPS) == 0
    views = [bundle_view(run, NOW.date()) for run in BundleRun.objects.all()]
    states = Counter(view.state for view in views)
    assert set(states) == set(BundleState), states
    assert states[BundleState.RUNNING] >= SHOPS // 2
    parts = Counter(part.state for view in views for part in view.parts)
    assert set(parts) >= set(PartState) - {PartState.REDO}, parts
    assert any(view.waiting.startswith("等待：") for view in views)
    assert MaterialRequest.objects.filter(tells="first").exists()
    ((_, running, late),) = count_running(NOW.date())
    assert 0 < late < running / 4, (running, late)  # late ones are there, and are the exception
