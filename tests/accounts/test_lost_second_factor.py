"""A lost second factor: the security administrator resets it, the audit administrator sees it, the
person is told and sets up a new one."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from getihu.accounts import services
from getihu.accounts.contracts import CITY, Duty, Role, duty_of
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of, list_officers_under
from getihu.audit.models import Event
from getihu.config.cli import main
from getihu.notifications.models import Notice
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db
BEFORE = datetime.now(UTC) - timedelta(days=1)
PAGE, RESET, LOG = "/desk/accounts/", "/desk/accounts/reset/", "/desk/account-log/"


def opened(login: str, role: Role, division: str = CITY) -> Account:
    key = services.open_account(
        login=login, name=f"示例{login}", duty=duty_of(role), at=BEFORE, password="x"
    )
    services.assign(key, role, agency="amr", division=division, reason="到岗", at=BEFORE, by=None)
    return Account.objects.get(pk=key)


def browser(account: Account) -> Client:
    client = Client()
    sign_in(client, account)
    return client


@pytest.fixture(autouse=True)
def quick(settings, data_dir):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def officer() -> Account:
    return opened("officer", Role.WINDOW_OFFICER, "330302")


@pytest.fixture
def guard() -> Account:
    return opened("guard", Role.SECURITY_ADMINISTRATOR)


def ask(client: Client, whom: Account, **over):
    given = {"account": whom.pk, "reason": "手机丢了，当面核对", "checked": "yes"}
    return client.post(RESET, {"once": uuid.uuid4(), **given, **over})


def has_factor(account: Account) -> bool:
    return TOTPDevice.objects.filter(user=account).exists()


def test_the_security_administrator_resets_it_the_person_is_told_and_sets_up_anew(officer, guard):
    hers, office = browser(officer), browser(guard)
    assert hers.get("/desk/").status_code == 200
    assert ask(office, officer).url == f"{PAGE}?done=reset"
    assert not has_factor(officer)
    assert hers.get("/desk/").status_code == 302  # what she was signed in with is worth nothing
    notice = Notice.objects.get(channel="in_app")
    assert (notice.recipient_id, "手机丢了" in notice.text) == (officer.pk, True)
    sent = Client().post("/sign-in", {"username": "officer", "password": "x"})
    assert sent["Location"] == "/sign-in/second-factor"


def test_the_audit_administrator_sees_it_and_cannot_do_it(officer, guard):
    audit = browser(opened("auditor", Role.AUDIT_ADMINISTRATOR))
    browser(officer)
    ask(browser(guard), officer)
    shown = audit.get(LOG).content.decode()
    assert "重设动态口令" in shown
    assert f"account:{guard.pk}" in shown
    assert "手机丢了" in shown
    assert audit.get(PAGE).status_code == audit.post(RESET).status_code == 403
    assert audit.post(LOG).status_code == 405
    assert browser(guard).get(LOG).status_code == 403


@pytest.mark.parametrize(
    "role", [Role.SYSTEM_ADMINISTRATOR, Role.SUPERVISOR, Role.AUDIT_ADMINISTRATOR]
)
def test_nobody_else_resets_it(officer, role):
    other = opened("other", role)
    browser(officer)
    assert ask(browser(other), officer).status_code == 403
    with pytest.raises(services.NotAllowed):
        services.reset_second_factor(
            officer.pk, reason="x", by=actor_of(other.pk, BEFORE), at=BEFORE
        )
    assert has_factor(officer)


def test_nobody_resets_her_own(guard):
    office = browser(guard)
    assert "请另一名安全管理员" in office.get(PAGE).content.decode()
    assert ask(office, guard).status_code == 403
    assert has_factor(guard)


def test_an_officer_beyond_the_administrator_s_region_is_not_hers(officer):
    small = opened("small", Role.SECURITY_ADMINISTRATOR, "330382")
    browser(officer)
    office = browser(small)
    assert "示例officer" not in office.get(PAGE).content.decode()
    assert ask(office, officer).status_code == 403
    assert has_factor(officer)
    services.assign(
        officer.pk, Role.CASE_OFFICER, agency="amr", division="330382", reason="兼", at=BEFORE,
        by=None,
    )  # fmt: skip
    # One role there does not make the whole of her the administrator's.
    assert [o.login for o in list_officers_under(actor_of(small.pk, BEFORE), BEFORE)] == ["small"]
    assert ask(office, officer).status_code == 403


def test_control_with_the_region_she_is_found_and_reset(officer):
    near = opened("near", Role.SECURITY_ADMINISTRATOR, "330302")
    browser(officer)
    office = browser(near)
    assert "示例officer" in office.get(PAGE, {"text": "offi"}).content.decode()
    assert ask(office, officer).status_code == 302
    assert not has_factor(officer)


@pytest.mark.parametrize("missing", [{"reason": " "}, {"checked": ""}, {"account": "x"}])
def test_without_a_reason_or_having_made_sure_who_it_is_nothing_happens(officer, guard, missing):
    browser(officer)
    assert ask(browser(guard), officer, **missing).status_code in (400, 422)
    assert has_factor(officer)
    assert not Event.objects.filter(kind="account.second_factor_reset").exists()


def test_the_same_form_twice_resets_once(officer, guard):
    browser(officer)
    office, key = browser(guard), uuid.uuid4()
    for _ in range(2):
        assert ask(office, officer, once=key).status_code == 302
    assert Event.objects.filter(kind="account.second_factor_reset").count() == 1


def test_a_person_is_no_officer_to_be_found(guard):
    services.open_account(login="somebody", name="示例", duty=Duty.PERSON, at=BEFORE)
    assert "somebody" not in browser(guard).get(PAGE).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_command_does_the_same_and_refuses_the_same(officer, guard):
    browser(officer)
    asked = ["reset-second-factor", "officer", "--reason", "手机丢了", "--by"]
    refused = CliRunner().invoke(main, [*asked, "officer"])
    assert refused.exit_code == 2
    assert has_factor(officer)
    done = CliRunner().invoke(main, [*asked, "guard"])
    assert done.exit_code == 0, done.output
    assert not has_factor(officer)
    assert Notice.objects.filter(template_id="account.second_factor_reset").exists()


def test_every_change_of_rights_is_in_the_audit_log(officer, guard):
    by = actor_of(guard.pk, datetime.now(UTC))
    given = services.assign(
        officer.pk, Role.SUPERVISOR, agency="amr", division="330302", reason="升", at=BEFORE, by=by
    )
    services.revoke(given, by=by, at=datetime.now(UTC))
    services.close_account(officer.pk, by=by, at=datetime.now(UTC))
    kinds = set(
        Event.objects.filter(object_ref=f"account:{officer.pk}").values_list("kind", flat=True)
    )
    assert kinds == {"account.role_given", "account.role_ended", "account.closed"}
