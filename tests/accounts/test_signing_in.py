"""The sign-in page: password, second factor, enrolment, guessing, the demo's people."""

import time
from datetime import UTC, datetime

import pytest
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from getihu.accounts import services, signing
from getihu.accounts.contracts import Duty, Role
from getihu.accounts.models import Account
from getihu.audit.models import Event
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(settings, data_dir):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def opened(login: str, duty: Duty = Duty.BUSINESS) -> Account:
    key = services.open_account(login=login, name="示例", duty=duty, at=AT, password=PASSWORD)
    return Account.objects.get(pk=key)


@pytest.fixture
def officer() -> Account:
    return opened("officer")


def enrolled(account: Account) -> TOTPDevice:
    return TOTPDevice.objects.create(user=account, confirmed=True, name="t")


def code_of(device: TOTPDevice, later: int = 0) -> str:
    return f"{totp(device.bin_key, t0=-later * 30):06d}"


def post(client, code="", *, login="officer", password=PASSWORD, onward="/rules/"):
    asked = {"username": login, "password": password, "code": code, "next": onward}
    return client.post("/sign-in", asked)


def is_in(client) -> bool:
    return "_auth_user_id" in client.session


def test_an_officer_signs_in_with_password_and_code(client, officer):
    answer = post(client, code_of(enrolled(officer)))
    assert (answer.status_code, answer["Location"]) == (302, "/rules/")
    assert is_in(client)
    assert Event.objects.filter(kind="account.signed_in").count() == 1


@pytest.mark.parametrize(
    ("password", "code"), [(PASSWORD, ""), (PASSWORD, "000000"), ("wrong", "right")]
)
def test_an_officer_without_the_right_password_and_code_stays_outside(
    client, officer, password, code
):
    right = code_of(enrolled(officer))
    answer = post(client, right if code == "right" else code, password=password)
    assert answer.status_code == 403
    assert not is_in(client)


def test_control_without_the_second_factor_s_check_the_password_alone_would_do(
    client, officer, monkeypatch
):
    enrolled(officer)
    monkeypatch.setattr(signing, "_verified", lambda device, code: True)
    assert post(client, "000000").status_code == 302


def test_a_code_is_good_once(client, officer):
    code = code_of(enrolled(officer))
    assert post(client, code).status_code == 302
    client.post("/sign-out")
    assert post(client, code).status_code == 403


def test_an_unknown_name_and_a_wrong_password_read_the_same(client, officer):
    enrolled(officer)
    one = post(client, login="officer", password="x")
    two = post(client, login="nobody1", password="x")
    assert one.status_code == two.status_code == 403
    assert one.context["why"] == two.context["why"]


@pytest.mark.django_db(transaction=True)
def test_the_first_time_an_officer_sets_up_the_second_factor(client, officer):
    assert post(client)["Location"] == "/sign-in/second-factor"
    assert not is_in(client)
    page = client.get("/sign-in/second-factor")
    assert b"data:image/svg+xml" in page.content
    assert client.post("/sign-in/second-factor", {"code": "000000"}).status_code == 422
    assert not is_in(client)
    device = TOTPDevice.objects.get(user=officer)
    TOTPDevice.objects.update(throttling_failure_count=0)
    answer = client.post("/sign-in/second-factor", {"code": code_of(device)})
    assert (answer.status_code, answer["Location"]) == (302, "/rules/")
    assert is_in(client)


def test_the_set_up_page_is_for_who_gave_the_password_and_not_for_long(
    client, officer, monkeypatch
):
    assert client.get("/sign-in/second-factor").status_code == 302
    post(client)
    late = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: late)
    assert client.get("/sign-in/second-factor").status_code == 302


def test_who_has_a_second_factor_cannot_set_up_another_by_password(client, officer):
    post(client)
    enrolled(officer)
    assert client.get("/sign-in/second-factor").status_code == 302


def test_a_person_signs_in_by_password_alone(client):
    opened("person", Duty.PERSON)
    assert post(client, login="person").status_code == 302
    assert is_in(client)


@pytest.mark.parametrize("wrong", ["password", "code"])
def test_guessing_is_stopped_even_with_the_right_answer_next(client, officer, wrong):
    device = enrolled(officer)
    for _ in range(5):
        post(client, password="x") if wrong == "password" else post(client, "000000")
        TOTPDevice.objects.update(throttling_failure_count=0)
    assert post(client, code_of(device)).status_code == 429
    assert not is_in(client)


def test_control_four_wrong_attempts_do_not_stop_her(client, officer):
    device = enrolled(officer)
    for _ in range(4):
        post(client, password="x")
    assert post(client, code_of(device)).status_code == 302


def test_a_closed_account_stays_outside(client, officer):
    device = enrolled(officer)
    Account.objects.update(closed_at=AT)
    assert post(client, code_of(device)).status_code == 403


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_afterwards_one_stays_on_this_site(client, onward):
    opened("person", Duty.PERSON)
    assert post(client, login="person", onward=onward)["Location"] == "/"


@pytest.mark.django_db(transaction=True)  # as in service: no transaction around the request
def test_signing_out_takes_a_post_and_ends_the_session(client, officer):
    sign_in(client, officer)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 302
    assert not is_in(client)


def test_no_page_holds_the_password_and_none_is_kept(client, officer):
    answer = post(client, password="very-secret-words")
    assert b"very-secret-words" not in answer.content
    assert "no-store" in answer["Cache-Control"]


SHOP = "92330302MA2ECR1A0J"


def test_outside_a_demo_nobody_is_listed_and_nobody_is_let_in(client):
    with pytest.raises(services.NotADemo):
        services.open_demo_cast([SHOP], at=AT)
    assert client.post("/sign-in/as", {"login": "demo-window"}).status_code == 404


def test_the_demo_s_people_are_listed_and_let_in(client, data_dir):
    (data_dir / "demo.json").write_text("{}")
    services.open_demo_cast([SHOP], at=AT)
    assert services.open_demo_cast([SHOP], at=AT) == 0
    page = client.get("/sign-in").content.decode()
    assert all(login in page for login in ("demo-window", "demo-audit", "demo-owner-1"))
    assert client.post("/sign-in/as", {"login": "demo-owner-1"}).status_code == 302
    assert is_in(client)


def test_once_the_mark_is_gone_the_demo_s_people_are_locked_out(client, data_dir):
    (data_dir / "demo.json").write_text("{}")
    services.open_demo_cast([SHOP], at=AT)
    (data_dir / "demo.json").unlink()
    assert "demo-window" not in client.get("/sign-in").content.decode()
    assert client.post("/sign-in/as", {"login": "demo-window"}).status_code == 404


def test_in_a_demo_a_real_account_still_needs_its_password(client, data_dir, officer):
    (data_dir / "demo.json").write_text("{}")
    assert client.post("/sign-in/as", {"login": "officer"}).status_code == 404


def test_the_cast_has_somebody_in_every_role():
    assert {role for _, _, role, _, _ in services.DEMO_OFFICERS} == set(Role)


def test_guessing_from_many_places_and_browsers_is_stopped_too(client, officer):
    device = enrolled(officer)
    for turn in range(5):
        asked = {"username": "officer", "password": "x"}
        where = {"REMOTE_ADDR": f"192.0.2.{turn}", "HTTP_USER_AGENT": f"browser {turn}"}
        client.post("/sign-in", asked, **where)
    assert post(client, code_of(device)).status_code == 429
