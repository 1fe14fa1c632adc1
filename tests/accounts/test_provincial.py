"""The provincial login: one set of tests for the real client against a signing server and for the
fake, so that the fake does what the client does."""

import inspect
import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

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
