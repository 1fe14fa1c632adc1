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
