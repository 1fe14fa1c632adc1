"""Reading a trader's data is an event; its owner reads who looked, and nobody else does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from getihu.access import middleware, selectors
from getihu.access.services import tell_of_a_look
from getihu.accounts import services
from getihu.accounts.contracts import Duty, Purpose, Role
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of
from getihu.audit.models import Event
from tests.portal import fakes
from tests.portal.conftest import city
from tests.signed_in import sign_in

__all__ = ["city"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city")]
BEFORE = datetime.now(UTC) - timedelta(days=1)
PAGES = [f"/traders/{fakes.CODE}/", f"/api/traders/{fakes.CODE}"]


def opened(login: str, duty: Duty = Duty.PERSON) -> Account:
    key = services.open_account(login=login, name="示例", duty=duty, at=BEFORE)
    return Account.objects.get(pk=key)


@pytest.fixture
def owner() -> Account:
    account = opened("owner")
    services.record_ownership(account.pk, fakes.CODE, evidence="登记", at=BEFORE)
    return account


@pytest.fixture
def officer() -> Account:
    account = opened("officer", Duty.BUSINESS)
    services.assign(
        account.pk,
        Role.WINDOW_OFFICER,
        agency="amr",
        division="330302",
        reason="到岗",
        at=BEFORE,
        by=None,
    )
    return account


def looks() -> int:
    return Event.objects.filter(kind="personal.looked_at").count()


@pytest.mark.django_db(transaction=True)  # as in service: no transaction around the request
@pytest.mark.parametrize("page", PAGES)
def test_an_officer_s_look_is_recorded_and_the_owner_sees_it(client, owner, officer, page):
    sign_in(client, officer)
    assert client.get(page).status_code == 200
    assert looks() == 1
    sign_in(client, owner)
    shown = client.get("/mine/who-looked").content.decode()
    assert "窗口人员" in shown
    assert fakes.CODE in shown


def test_the_owner_s_own_look_is_no_event(client, owner):
    sign_in(client, owner)
    assert client.get(PAGES[0]).status_code == 200
    assert looks() == 0
    assert "还没有别人看过" in client.get("/mine/who-looked").content.decode()


def test_who_has_leave_is_told_of_too(client, owner):
    helper = opened("helper")
    services.authorise(
        fakes.CODE,
        to=helper.pk,
        purpose=Purpose.VIEW,
        until=BEFORE + timedelta(days=9),
        by=actor_of(owner.pk, BEFORE),
        at=BEFORE,
    )
    sign_in(client, helper)
    assert client.get(PAGES[0]).status_code == 200
    sign_in(client, owner)
    assert "您授权的人" in client.get("/mine/who-looked").content.decode()


def test_nobody_reads_who_looked_at_another_s_shop(client, owner, officer):
    sign_in(client, officer)
    client.get(PAGES[0])
    assert client.get("/mine/who-looked").status_code == 403
    other = opened("other")
    services.record_ownership(other.pk, "92330382MA2JXW6N1X", evidence="登记", at=BEFORE)
    sign_in(client, other)
    assert "窗口人员" not in client.get("/mine/who-looked").content.decode()


def test_a_look_that_cannot_be_recorded_is_not_answered(client, officer, monkeypatch):
    def broken(*told, **more):
        raise RuntimeError

    monkeypatch.setattr(middleware, "tell_of_a_look", broken)
    sign_in(client, officer)
    client.raise_request_exception = False
    answer = client.get(PAGES[0])
    assert answer.status_code == 500
    assert "阿华" not in answer.content.decode()


def test_control_without_the_telling_nothing_would_be_recorded(client, officer, monkeypatch):
    monkeypatch.setattr(middleware, "_tell", lambda *told: None)
    sign_in(client, officer)
    client.get(PAGES[0])
    assert looks() == 0


def test_a_refused_look_is_no_look(client, owner, officer):
    services.end_ownership(owner.pk, fakes.CODE, at=datetime.now(UTC))
    sign_in(client, owner)
    assert client.get(PAGES[0]).status_code in (403, 404)
    assert looks() == 0


def test_every_row_that_reaches_rows_of_persons_says_whether_an_answer_is_a_look():
    assert [row.route for row in selectors.list_undeclared_looks()] == []


def test_control_an_undeclared_row_is_named(monkeypatch):
    bare = [replace(row, reads_personal=False, no_look="") for row in selectors.policy()]
    monkeypatch.setattr(selectors, "policy", lambda: bare)
    named = {row.route for row in selectors.list_undeclared_looks()}
    assert {"portal:trader", "portal:desk-rectification", "portal:mine-case"} <= named
    assert "portal:mine-code" not in named  # the owner's alone


def test_a_list_is_a_look_at_each_and_none_at_one_s_own(owner):
    row = selectors.find_row("portal:desk-inbox-file", "GET")
    actor = actor_of(owner.pk, datetime.now(UTC))
    other = "92330382MA2JXW6N1X"
    told = tell_of_a_look(row, actor, [fakes.CODE, other, other], at=BEFORE)
    assert told == looks() == 1
    assert [look.trader_code for look in selectors.list_looks_at(f"trader:{other}")] == [other]
