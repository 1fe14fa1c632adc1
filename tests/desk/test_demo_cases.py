"""The demo's cases: one in every state, one overdue, one paused, made once."""

import pytest

from getihu.cases.contracts import ClockState, State
from getihu.cases.selectors import desk_rows, list_cases
from getihu.config.demo_cases import HISTORY_DAYS, People, plant
from tests.cases.cast import SHOP, TOWN, days

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(cast):
    return People(cast.owner, cast.window, cast.fire, SHOP, TOWN)


@pytest.mark.parametrize("started_after", range(HISTORY_DAYS, HISTORY_DAYS + 14))
def test_on_whatever_day_there_is_a_case_in_every_state(people, started_after):
    """两周里的每一天都试：节假日、周末开始的也要有一件超期、一件暂停。"""
    at = days(started_after)
    assert plant(people, at=at) == 11
    views = list_cases(people.owner, on=at.date())
    assert {view.state for view in views} == set(State)
    running = {
        state: {
            v.id for v in views for c in v.clocks if not c.stopped_on if c.reading.state == state
        }
        for state in (ClockState.OVERDUE, ClockState.PAUSED)
    }
    assert {state: len(found) for state, found in running.items()} == dict.fromkeys(running, 1)
    late = [row.case_id for row in desk_rows(people.fire, on=at.date()) if row.days_late]
    assert set(late) == running[ClockState.OVERDUE]


def test_made_twice_is_made_once(people):
    at = days(HISTORY_DAYS)
    assert plant(people, at=at) == 11
    assert plant(people, at=at) == 0
