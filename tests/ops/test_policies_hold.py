"""The service does not start on a database role that row-level security does not bind."""

import pytest
from django.db import connection

from getihu.config import checks

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite has no row-level security"
    ),
]


def test_an_ordinary_role_starts_and_one_above_the_policies_does_not(monkeypatch):
    assert checks.check_policies_hold(databases=["default"]) == []
    asked = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'postgres'"
    with connection.cursor() as cursor:
        cursor.execute(asked)
        assert cursor.fetchone() == (True,)  # what the check would have read of such a role

    monkeypatch.setattr(checks, "_is_above_policies", lambda _: True)
    [error] = checks.check_policies_hold(databases=["default"])
    assert error.id == "getihu.E012"
    assert "SUPERUSER" in error.msg


def test_a_server_that_keeps_what_it_says_starts(db):
    assert checks.check_postgresql_keeps(databases=["default"]) == []


def test_a_session_that_does_not_wait_for_the_disk_does_not_start():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    [error] = checks.check_postgresql_keeps(databases=["default"])
    assert (error.id, "synchronous_commit" in error.msg) == ("getihu.E013", True)


@pytest.mark.parametrize("name", sorted(checks.POSTGRESQL_ON))
def test_each_switch_that_is_off_is_named(monkeypatch, name):
    monkeypatch.setattr(checks, "_setting", lambda _, asked: "off" if asked == name else "on")
    [error] = checks.check_postgresql_keeps(databases=["default"])
    assert name in error.msg
