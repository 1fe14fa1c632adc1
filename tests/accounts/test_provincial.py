"""The provincial login: one set of tests for the real client against a signing server and for the
fake, so that the fake does what the client does."""

import inspect
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from getihu.accounts import services
from getihu.accounts.contracts import Duty
from getihu.accounts.models import Account, Ownership, UsedTicket
from getihu.accounts.ports import (
    ProvinceUnreachable,
    ProvincialIdentity,
    ProvincialLogin,
    TicketRefused,
)
from getihu.accounts.provincial import HttpProvincialLogin, signature

KEY, SECRET = "key-for-tests", "secret-for-tests"
NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
PERSON = ProvincialIdentity("p-0001", "示例")


class FakeProvincialLogin:
    """The province, in memory."""

    def __init__(self, tickets: dict[str, ProvincialIdentity]) -> None:
        self.tickets = dict(tickets)

    def redeem(self, ticket: str) -> ProvincialIdentity:
        if ticket not in self.tickets:
            raise TicketRefused("登录凭证无效或者用过了。")
        return self.tickets.pop(ticket)


class Province(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        date = self.headers["X-BG-DATE-TIME"]
        wanted = signature(SECRET, "GET", asked.path, asked.query, KEY, date)
        fresh = abs(parsedate_to_datetime(date) - NOW) <= timedelta(minutes=5)
        if self.headers["X-BG-HMAC-SIGNATURE"] != wanted or not fresh:
            return self.answer(401, {})
        held = self.server.tickets.pop(parse_qs(asked.query)["ticket"][0], None)
        if held is None:
            return self.answer(404, {})
        return self.answer(200, held)

    def answer(self, status: int, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told: object) -> None:
        pass


@pytest.fixture
def province():
    server = HTTPServer(("127.0.0.1", 0), Province)
    server.tickets = {"t&1": {"userId": "p-0001", "name": "示例"}, "empty": {"name": "示例"}}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/gateway"
    server.shutdown()
    thread.join()
    server.server_close()


def client(base: str, secret: str = SECRET, at: datetime = NOW) -> HttpProvincialLogin:
    return HttpProvincialLogin(base, KEY, secret, lambda: at)


@pytest.fixture(params=["real client", "fake"])
def login(request, province) -> ProvincialLogin:
    if request.param == "fake":
        return FakeProvincialLogin({"t&1": PERSON})
    return client(province)


def test_a_ticket_says_who_it_is_and_is_good_once(login):
    assert login.redeem("t&1") == PERSON
    with pytest.raises(TicketRefused):
        login.redeem("t&1")


def test_an_unknown_ticket_is_refused(login):
    with pytest.raises(TicketRefused):
        login.redeem("nobody's")


def test_the_fake_has_the_client_s_signature():
    real = inspect.signature(HttpProvincialLogin.redeem)
    assert inspect.signature(FakeProvincialLogin.redeem) == real


@pytest.mark.parametrize("wrong", [{"secret": "x"}, {"at": NOW + timedelta(minutes=6)}])
def test_a_wrong_or_stale_signature_gets_nobody_in(province, wrong):
    with pytest.raises(ProvinceUnreachable, match="401"):
        client(province, **wrong).redeem("t&1")


def test_an_answer_without_a_number_is_nobody(province):
    with pytest.raises(ProvinceUnreachable, match="用户编号"):
        client(province).redeem("empty")


def test_silence_is_told_without_the_ticket():
    with pytest.raises(ProvinceUnreachable) as told:
        client("http://127.0.0.1:9").redeem("secret-ticket")
    assert "secret-ticket" not in str(told.value)


# --- the page that brings a ticket


GOING = "/sign-in/province?next=/mine/"


@pytest.fixture
def province_is_set_up(settings, data_dir):
    settings.PROVINCE = {
        "url": "http://127.0.0.1:9/gateway",
        "sign_in": "https://province.example/sign-in",
        "key": KEY,
        "secret": SECRET,
        "name": "省统一身份认证",
    }
    settings.PROVINCIAL_LOGIN = "tests.accounts.test_provincial.fake_from_settings"
    HELD.clear()
    HELD.update({"t1": PERSON, "t2": PERSON})


HELD: dict[str, ProvincialIdentity] = {}


def fake_from_settings() -> ProvincialLogin:
    """The province, whose tickets outlive one request."""
    fake = FakeProvincialLogin({})
    fake.tickets = HELD
    return fake


def is_in(browser) -> bool:
    return "_auth_user_id" in browser.session


def bring(browser, ticket: str):
    browser.get(GOING)
    return browser.get("/sign-in/province", {"ticket": ticket})


@pytest.mark.django_db
@pytest.mark.usefixtures("province_is_set_up")
class TestThePage:
    def test_where_the_province_is_set_up_the_sign_in_page_leads_there(self, client):
        assert "/sign-in/province?next=" in client.get("/sign-in").content.decode()
        sent = client.get(GOING)
        assert (sent.status_code, sent["Location"]) == (302, "https://province.example/sign-in")

    def test_where_none_is_set_up_there_is_no_such_page(self, client, settings):
        settings.PROVINCE = {**settings.PROVINCE, "url": ""}
        assert "/sign-in/province" not in client.get("/sign-in").content.decode()
        assert client.get(GOING).status_code == 404
        assert client.get("/sign-in/province?ticket=t1").status_code == 404

    def test_a_ticket_signs_a_person_in_and_the_next_finds_the_same_account(self, client):
        sent = bring(client, "t1")
        assert (sent.status_code, sent["Location"]) == (302, "/mine/")
        first = client.session["_auth_user_id"]
        client.post("/sign-out")
        assert bring(client, "t2").status_code == 302
        assert client.session["_auth_user_id"] == first
        account = Account.objects.get()
        assert (account.duty, account.identity_subject) == (Duty.PERSON, "p-0001")
        assert not Ownership.objects.exists()  # what she owns has its own evidence

    def test_a_ticket_shown_again_is_refused(self, client):
        bring(client, "t1")
        client.post("/sign-out")
        assert bring(client, "t1").status_code == 403
        assert not is_in(client)

    def test_a_ticket_shown_again_is_refused_even_if_the_province_takes_it(self, client):
        bring(client, "t1")
        client.post("/sign-out")
        HELD["t1"] = PERSON
        sent = bring(client, "t1")
        assert sent.status_code == 403
        assert "用过了" in sent.content.decode()
        assert not is_in(client)

    def test_control_without_the_note_of_used_tickets_it_would_count_again(self, client):
        bring(client, "t1")
        client.post("/sign-out")
        HELD["t1"] = PERSON
        UsedTicket.objects.all().delete()
        assert bring(client, "t1").status_code == 302

    def test_a_ticket_nobody_set_out_for_signs_nobody_in(self, client):
        """Somebody else's ticket in a link: she would fill in her forms in his account."""
        assert client.get("/sign-in/province?ticket=t1").status_code == 403
        assert not is_in(client)
        assert "t1" in HELD  # not even asked

    def test_a_ticket_that_comes_late_signs_nobody_in(self, client, monkeypatch):
        client.get(GOING)
        late = time.time() + 601
        monkeypatch.setattr(time, "time", lambda: late)
        assert client.get("/sign-in/province?ticket=t1").status_code == 403

    def test_it_leads_on_only_to_pages_of_this_site(self, client):
        client.get("/sign-in/province?next=https://elsewhere.example/")
        assert client.get("/sign-in/province?ticket=t1")["Location"] == "/"

    def test_an_officer_still_gives_the_second_factor(self, client):
        officer = services.open_account(login="o", name="示例", duty=Duty.BUSINESS, at=NOW)
        services.link_identity(officer, issuer="province", subject="p-0001", by=None, at=NOW)
        assert bring(client, "t1")["Location"] == "/sign-in/second-factor"
        assert not is_in(client)

    def test_a_closed_account_stays_outside(self, client):
        bring(client, "t1")
        client.post("/sign-out")
        Account.objects.update(closed_at=NOW)
        assert bring(client, "t2").status_code == 403
        assert not is_in(client)

    def test_silence_of_the_province_is_told_and_leaves_the_other_way_open(self, client, settings):
        settings.PROVINCIAL_LOGIN = "getihu.accounts.provincial.from_settings"
        sent = bring(client, "t1")
        assert sent.status_code == 503
        assert 'name="password"' in sent.content.decode()
