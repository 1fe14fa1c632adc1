"""Every carrier keeps one contract, the pretended one of the other tests included."""

import email
import email.policy
from contextlib import contextmanager

import pytest
from django.core import mail
from django.core.checks import run_checks

from getihu.notifications.carriers import http
from getihu.notifications.carriers.mail import Mail
from getihu.notifications.carriers.sms import HttpSms
from getihu.notifications.ports import Outgoing, PermanentFailure, TemporaryFailure
from tests.notifications import carriers
from tests.notifications.gateways import http_server, mail_server, sms_gateway

KEY = "5b3c1f6e-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def empty():
    carriers.handed.clear()


class Bench:
    """One carrier with the machine behind it: what it took, and how to make it fail."""

    def __init__(self, carrier, address, taken, break_down=None, bad_address=None):
        self.carrier, self.address, self.taken = carrier, address, taken
        self.break_down, self.bad_address = break_down, bad_address


@contextmanager
def sms_bench(settings):
    with sms_gateway() as gateway:
        settings.SMS_GATEWAY = {"url": gateway.url, "token": "token"}

        def down():
            gateway.down = True

        taken = gateway.sent
        yield Bench(HttpSms(), "13800000000", lambda: len(taken), down, "not a number")


@contextmanager
def mail_bench(settings):
    with mail_server() as mailbox:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port

        def down():
            mailbox.answer = "451 try again later"

        def ids():
            return {email.message_from_bytes(text)["Message-ID"] for _, text in mailbox.messages}

        yield Bench(Mail(), "someone@example.com", lambda: len(ids()), down, "nobody@example.com")


@contextmanager
def pretended_bench(settings):
    def keys():
        return {message.key for message in carriers.handed}

    yield Bench(carriers.Good(), "13800000000", lambda: len(keys()))


BENCHES = {"sms": sms_bench, "mail": mail_bench, "pretended": pretended_bench}


@pytest.fixture(params=BENCHES)
def bench(request, settings):
    with BENCHES[request.param](settings) as found:
        yield found


def outgoing(address, text="您有一项许可快到期。", key=KEY):
    return Outgoing(key, address, "许可快到期", text)


def test_a_carrier_has_a_name_and_gives_its_number(bench):
    number = bench.carrier.send(outgoing(bench.address))
    assert bench.carrier.name
    assert isinstance(number, str)
    assert len(number) <= 120
    assert bench.taken() == 1


def test_the_same_key_is_one_message(bench):
    for _ in range(2):
        bench.carrier.send(outgoing(bench.address))
    bench.carrier.send(outgoing(bench.address, key=KEY[:-1] + "2"))
    assert bench.taken() == 2


def test_a_machine_that_is_down_is_a_temporary_failure(bench):
    if bench.break_down is None:
        bench.carrier = carriers.Down()
    else:
        bench.break_down()
    with pytest.raises(TemporaryFailure) as told:
        bench.carrier.send(outgoing(bench.address))
    assert bench.address not in str(told.value)
    assert bench.taken() == 0


def test_an_address_nobody_has_is_a_permanent_failure(bench):
    if bench.bad_address is None:
        bench.carrier = carriers.Refusing()
    with pytest.raises(PermanentFailure) as told:
        bench.carrier.send(outgoing(bench.bad_address or bench.address))
    assert (bench.bad_address or bench.address) not in str(told.value)
    assert bench.taken() == 0


# --- short messages


def test_an_answer_nobody_can_read_is_no_proof(settings):
    with http_server((200, b"<html>welcome")) as received:
        settings.SMS_GATEWAY = {"url": received.url, "token": "token"}
        with pytest.raises(TemporaryFailure):
            HttpSms().send(outgoing("13800000000"))


def test_a_gateway_that_is_not_there_is_tried_again(settings):
    settings.SMS_GATEWAY = {"url": "http://127.0.0.1:9/", "token": "token"}
    with pytest.raises(TemporaryFailure, match="没有应答"):
        HttpSms().send(outgoing("13800000000"))


def test_a_redirect_is_not_followed(settings):
    """The number and the token were meant for one address."""
    with http_server((307, b"")) as received:
        settings.SMS_GATEWAY = {"url": received.url, "token": "token"}
        with pytest.raises(TemporaryFailure):
            HttpSms().send(outgoing("13800000000"))
        assert len(received.requests) == 1


def test_control_an_ordinary_opener_follows_a_redirect(settings, monkeypatch):
    from urllib.request import build_opener

    monkeypatch.setattr(http, "_opener", build_opener())
    with http_server((302, b""), (200, b'{"number": "1"}')) as received:
        settings.SMS_GATEWAY = {"url": received.url, "token": "token"}
        HttpSms().send(outgoing("13800000000"))
        assert "token" in received.requests[1][0]["authorization"]


# --- mail


def test_a_mail_as_the_server_gets_it(settings):
    with mail_server() as mailbox:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        settings.DEFAULT_FROM_EMAIL = "个体工商户服务 <service@getihu.example>"
        Mail().send(outgoing("someone@example.com"))
        [(to, content)] = mailbox.messages
    told = email.message_from_bytes(content, policy=email.policy.default)
    assert to == ["someone@example.com"]
    assert told["Subject"] == "许可快到期"
    assert told["Message-ID"] == f"<{KEY}@getihu.example>"
    assert told["Auto-Submitted"] == "auto-generated"
    assert "您有一项许可快到期。" in told.get_content()


def test_a_mail_in_django_s_own_outbox():
    Mail().send(outgoing("someone@example.com"))
    [told] = mail.outbox
    assert told.to == ["someone@example.com"]
    assert told.extra_headers["Message-ID"].startswith(f"<{KEY}@")


@pytest.mark.parametrize("field", ["address", "title"])
def test_nothing_slips_a_header_in(field):
    message = Outgoing(KEY, "a@example.com", "题", "话")
    given = {**vars(message), field: "a@example.com\nBcc: other@example.com"}
    with pytest.raises(PermanentFailure):
        Mail().send(Outgoing(**given))
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("answer", "failure"),
    [("550 no such user", PermanentFailure), ("450 busy", TemporaryFailure)],
)
def test_what_a_mail_server_answers_is_for_good_or_for_now(settings, answer, failure):
    with mail_server() as mailbox:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        mailbox.answer = answer
        with pytest.raises(failure):
            Mail().send(outgoing("someone@example.com"))


def test_a_mail_server_that_is_not_there_is_tried_again(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with pytest.raises(TemporaryFailure):
        Mail().send(outgoing("someone@example.com"))


# --- settings


GOOD = {
    "name": "bank",
    "url": "https://bank.example/hook",
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "types": ["getihu.case.granted"],
}


def problems():
    return [found for found in run_checks(tags=["security"]) if found.id == "getihu.E021"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://bank.example/hook"}, "https://"),
        ({"url": "ftp://127.0.0.1/"}, "https://"),
        ({"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "whsec_"),
        ({"secret": "whsec_c2hvcnQ="}, "24"),
        ({"secret": "whsec_!"}, "whsec_"),
        ({"types": []}, "types"),
        ({"types": ["getihu.case.sold"]}, "getihu.case.sold"),
        ({"name": "银行"}, "小写字母"),
        ({"more": 1}, "四项"),
    ],
)
def test_an_endpoint_that_cannot_be_used_stops_the_start(settings, change, said):
    settings.WEBHOOK_ENDPOINTS = [{**GOOD, **change}]
    [problem] = problems()
    assert said in problem.msg
    assert GOOD["secret"][8:] not in problem.msg


def test_a_good_endpoint_starts(settings):
    settings.WEBHOOK_ENDPOINTS = [GOOD, {**GOOD, "name": "tax", "url": "http://127.0.0.1:1/"}]
    assert problems() == []
    settings.WEBHOOK_ENDPOINTS = [GOOD, GOOD]
    assert "写了两次" in problems()[0].msg


@pytest.mark.parametrize(
    ("gateway", "said"),
    [
        ({"url": "http://sms.example/", "token": "x"}, "https://"),
        ({"url": "https://sms.example/", "token": ""}, "TOKEN"),
    ],
)
def test_a_gateway_that_cannot_be_used_stops_the_start(settings, gateway, said):
    settings.SMS_GATEWAY = gateway
    assert said in problems()[0].msg
