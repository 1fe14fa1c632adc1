"""The demo's window: a counter in work, appointments ahead, enough ratings to publish."""

from datetime import date, timedelta

import pytest

from getihu.accounts.contracts import Role
from getihu.config.demo_window import OFFICE, open_window
from getihu.entry import selectors
from getihu.entry.models import Appointment, HandingOver, Visit
from tests.cases.cast import AT, LUCHENG, SHOP, officer, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(register):
    return {
        "window": officer("demo-window", Role.WINDOW_OFFICER, "amr", LUCHENG),
        "case": officer("demo-case", Role.CASE_OFFICER, "amr", LUCHENG),
        "fire": officer("demo-fire", Role.CASE_OFFICER, "fire", LUCHENG),
        "owner": person("demo-owner-1", SHOP),
    }


def test_the_demo_has_a_counter_in_work(people):
    assert open_window(None, at=AT + timedelta(days=60)) >= 10
    states = set(Visit.objects.values_list("state", flat=True))
    assert states == {"waiting", "serving", "pending", "answered"}
    assert HandingOver.objects.count() == 1
    assert Appointment.objects.filter(trader_code=SHOP).count() == 1
    assert Appointment.objects.count() > 10
    rows = {
        r.office_id: r for r in selectors.compare_windows(date(2026, 12, 1), on=date(2027, 2, 1))
    }
    assert rows[OFFICE].ratings >= 10


def test_without_its_people_the_demo_has_no_window(db):
    assert open_window(None, at=AT) == 0
