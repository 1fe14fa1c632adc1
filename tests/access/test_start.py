"""A route without a row stops the server; so does a row without a route, and an unreadable one."""

import pytest
from click.testing import CliRunner
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import clear_url_caches, path

from getihu.access import selectors
from getihu.access.selectors import PolicyBroken, _row
from getihu.config.cli import main
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


COMMANDS = [
    ["explain", "92330302MA2ECR1A0J"],
    ["slip", "92330302MA2ECR1A0J", "rule", "-o", "out.json"],
    ["reset-second-factor", "x", "--by", "y", "--reason", "z"],
    ["webhooks"],
    ["work", "--once"],
    ["serve"],
]


@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_that_acts_for_people_does_not_start_either(command, forgotten, monkeypatch):
    done = []
    monkeypatch.setattr("getihu.config.cli.subprocess.run", lambda *a, **k: done.append(a))
    monkeypatch.setattr("getihu.config.cli_ops.run_pass", lambda at: done.append(at))
    told = CliRunner().invoke(main, command)
    assert told.exit_code != 0
    assert "forgotten" in told.output + str(told.exception)
    assert done == []


@pytest.mark.django_db
def test_control_with_its_row_the_command_goes_on_to_its_own_work():
    told = CliRunner().invoke(main, COMMANDS[2])
    assert "没有这个账号" in told.output


def test_what_mends_or_saves_an_installation_always_starts(forgotten):
    """A backup must not wait for a table of rights."""
    told = CliRunner().invoke(main, ["restore", "--help"])
    assert told.exit_code == 0
    assert CliRunner().invoke(main, ["drill", "/nowhere"]).exit_code == 2
