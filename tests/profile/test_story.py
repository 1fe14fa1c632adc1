"""The demo's trader goes her way by the same services as everybody, and her pages open."""

import pytest

from getihu.accounts.contracts import Role
from getihu.config import demo_story
from getihu.growth import selectors
from getihu.registry import selectors as registry
from tests.cases.cast import days, officer, person

pytestmark = pytest.mark.django_db


def test_she_consents_puts_a_datum_right_and_becomes_a_company(real_city, monkeypatch):
    code = real_city.personas["near"]
    owner = person("five-years", code)
    window = officer("city-window", Role.WINDOW_OFFICER, "amr", "330300")
    people = {demo_story.OWNER: owner, "demo-city": window}
    monkeypatch.setattr(demo_story, "_people", lambda at: people)
    assert demo_story.open_story(None, at=days(60))
    assert registry.list_consents(code)
    assert [o.state for o in selectors.list_objections(code)] == ["promised"]
    done = selectors.find_conversion(code, on=days(60).date())
    assert done is not None and done.tasks and done.duties
    assert selectors.list_conflicts(window) is not None
