"""Every request carries its actor, read afresh."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.test import RequestFactory
from django_otp.middleware import OTPMiddleware

from getihu.accounts import services
from getihu.accounts.contracts import ANONYMOUS, Duty, Role
from getihu.accounts.middleware import ActorMiddleware
from getihu.accounts.models import Account, Assignment
from getihu.accounts.selectors import DEMO_ISSUER
from tests.signed_in import sign_in

BEFORE = datetime.now(UTC) - timedelta(days=1)


def asked_by(client) -> object:
    """The actor a request with this browser's cookies gets."""
    seen: list[object] = []

    def view(request):
        seen.append(request.actor)
        return HttpResponse()

    request = RequestFactory().get("/")
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    chain = SessionMiddleware(AuthenticationMiddleware(OTPMiddleware(ActorMiddleware(view))))
    chain(request)
    return seen[0]


@pytest.fixture
def officer(db) -> Account:
    key = services.open_account(login="w", name="示例", duty=Duty.BUSINESS, at=BEFORE)
    services.assign(
        key,
        Role.WINDOW_OFFICER,
        agency="amr",
        division="330302",
        reason="到岗",
        at=BEFORE,
        by=None,
    )
    return Account.objects.get(pk=key)


def test_without_a_session_the_actor_is_nobody_and_no_table_is_read(client):
    assert asked_by(client) is ANONYMOUS


def test_a_signed_in_account_is_the_actor_with_her_roles(client, officer):
    sign_in(client, officer)
    actor = asked_by(client)
    assert actor.account_id == str(officer.pk)
    assert actor.roles == {Role.WINDOW_OFFICER}


def test_a_right_taken_away_is_gone_at_the_next_request(client, officer):
    sign_in(client, officer)
    Assignment.objects.update(until=datetime.now(UTC))
    assert asked_by(client).roles == frozenset()


def test_a_closed_account_is_nobody_at_the_next_request(client, officer):
    sign_in(client, officer)
    Account.objects.update(closed_at=datetime.now(UTC))
    assert asked_by(client) is ANONYMOUS


def test_an_officer_s_session_without_the_second_factor_is_nobody_s(client, officer, settings):
    """However the session came to be: the middleware is the last to ask."""
    client.force_login(officer)
    assert asked_by(client) is ANONYMOUS
    sign_in(client, officer)
    assert asked_by(client).account_id == str(officer.pk)


def test_only_a_demo_city_believes_the_mark_of_its_cast(client, officer, settings, tmp_path):
    Account.objects.update(identity_issuer=DEMO_ISSUER)
    settings.DATA_DIR = tmp_path
    client.force_login(officer)
    assert asked_by(client) is ANONYMOUS
    (tmp_path / "demo.json").write_text("{}")
    assert asked_by(client).account_id == str(officer.pk)


def test_a_person_needs_no_second_factor(client, db):
    key = services.open_account(login="p", name="示例", duty=Duty.PERSON, at=BEFORE)
    client.force_login(Account.objects.get(pk=key))
    assert asked_by(client).account_id == str(key)
