"""The demo can be opened on any day of a year: its reviews are published after the law's own days."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from getihu.cases import selectors as cases
from getihu.config import demo_growth
from getihu.dataplane import selectors as dataplane
from getihu.dataplane import services as dataplane_services
from getihu.growth.services.reviewing import OBJECTION
from getihu.growth.services.rights import day_of
from getihu.rulebook import services as rulebook


class Reviews:
    """Reviews as the services make them: told, and published only when the objection is over."""

    def __init__(self):
        self.open = None
        self.published = []

    def review_types(self, *, as_of, at):
        assert self.open is None
        self.open = SimpleNamespace(object_until=cases.due_after(OBJECTION, day_of(at)).on)
        return self.open

    def publish_types(self, *, at):
        assert day_of(at) > self.open.object_until
        self.published.append(at)
        self.open = None


@pytest.mark.django_db
@pytest.mark.parametrize("month", range(1, 13))
def test_both_reviews_are_published_before_the_demo_opens(month, monkeypatch):
    monkeypatch.setattr(dataplane_services, "build_facts", lambda **_: None)
    monkeypatch.setattr(rulebook, "sweep", lambda **_: None)
    monkeypatch.setattr(
        dataplane, "get_published_snapshot", lambda: SimpleNamespace(data_until=date(2026, 10, 31))
    )
    for day in range(0, 28, 4):
        at = datetime(2026, month, 1, 1, tzinfo=UTC) + timedelta(days=day)
        reviews = Reviews()
        monkeypatch.setattr(demo_growth, "services", reviews)
        demo_growth.review_twice(at=at)
        assert len(reviews.published) == 2
        assert reviews.published == sorted(reviews.published)
        assert reviews.published[-1] < at
