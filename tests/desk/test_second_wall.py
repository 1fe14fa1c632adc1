"""Through the pages: the database holds back what a query forgot to (PostgreSQL)."""

import pytest
from django.db import connection

from getihu.cases import selectors, services
from getihu.cases.models import Case
from tests.desk.conftest import act, begin, hand_in


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row-level security")
@pytest.mark.django_db(transaction=True)
def test_a_page_that_forgot_its_scope_still_finds_nothing(desk, monkeypatch):
    case = hand_in(desk.owner, begin(desk.owner))
    number = case.strip("/").split("/")[-1]
    monkeypatch.setattr(selectors, "visible_cases", lambda actor: Case.objects.all())
    monkeypatch.setattr(services.rights, "visible_cases", lambda actor: Case.objects.all())
    assert desk.window.get(f"/desk/cases/{number}/").status_code == 200
    assert desk.elsewhere.get(f"/desk/cases/{number}/").status_code == 404
    assert act(desk.elsewhere, f"/desk/cases/{number}/", "accept").status_code in (403, 404)
    assert desk.stranger.get(f"/mine/cases/{number}/").status_code == 404
    assert Case.objects.get(pk=number).state == "submitted"
