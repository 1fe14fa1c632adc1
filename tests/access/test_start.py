"""A route without a row stops the server; so does a row without a route, and an unreadable one."""

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import clear_url_caches, path

from getihu.access import selectors
from getihu.access.selectors import PolicyBroken, _row
from getihu.config.urls import urlpatterns as real

urlpatterns = [*real, path("forgotten/", lambda request: HttpResponse(), name="forgotten")]


@pytest.fixture
def forgotten(settings):
    settings.ROOT_URLCONF = "tests.access.test_start"
    clear_url_caches()
    yield
    clear_url_caches()


def test_a_route_without_a_row_is_an_error_of_the_check(forgotten):
    found = [error for error in run_checks() if error.id == "getihu.E010"]
    assert ["forgotten" in error.msg for error in found] == [True]


def test_a_route_without_a_row_stops_the_server(forgotten):
    with pytest.raises(ImproperlyConfigured, match="forgotten"):
        WSGIHandler()


def test_control_the_real_routes_start():
    assert WSGIHandler()
    assert not [error for error in run_checks() if error.id == "getihu.E010"]


def test_a_row_without_a_route_is_told(monkeypatch):
    rows = selectors.policy()
    from dataclasses import replace

    monkeypatch.setattr(selectors, "policy", lambda: (*rows, replace(rows[0], route="gone")))
    assert any("gone" in problem for problem in selectors.list_problems())


GOOD = {"route": "a", "methods": ["GET"], "who": ["anonymous"], "row": "none", "why": "公开"}


@pytest.mark.parametrize(
    "change",
    [
        {"who": []},
        {"who": ["everybody"]},
        {"who": ["role:king"]},
        {"who": ["authorised:own"]},
        {"methods": []},
        {"methods": ["get"]},
        {"row": "some"},
        {"why": " "},
        {"more": 1},
    ],
)
def test_a_row_with_an_unknown_word_is_refused(change):
    assert _row(GOOD)
    with pytest.raises(PolicyBroken):
        _row({**GOOD, **change})
