"""The pages of notices: what was told, what may be told where, an address proved by a code."""

import re
from datetime import timedelta
from typing import ClassVar

import pytest
from django.core import mail
from django.db import transaction

import getihu.config.urls  # noqa: F401  every view has its clock before one is replaced
from getihu.notifications import services
from getihu.notifications.contracts import TOPICS, Channel, NoticeRequest
from getihu.notifications.models import Address, AddressProof, Declined, Notice
from getihu.notifications.ports import Outgoing
from getihu.notifications.texts import templates
from getihu.portal.views import casework, notices
from tests.cases.cast import AT, id_of
from tests.desk.conftest import cast, desk, register, signed_in, words  # noqa: F401

pytestmark = pytest.mark.django_db
HOME, READ, SETTINGS = "/mine/notices/", "/mine/notices/read/", "/mine/notices/settings/"


@pytest.fixture(autouse=True)
def at_ten(monkeypatch, settings):
    for module in (casework, notices):
        monkeypatch.setattr(module, "now", lambda: AT + timedelta(hours=1))
    settings.NOTICE_CARRIERS = {"email": ["getihu.notifications.carriers.mail.Mail"]}
    settings.NOTICE_GUARDS = {}


def tell(actor, template="case.ended", obligation="case:6d3c1f6e-0000-4000-8000-000000000009"):
    values = {
        "matter": "变更经营者",
        "result": "已办结",
        "policy": "减半征收",
        "benefit": "少缴",
        "why": "符合",
    }
    with transaction.atomic():
        services.queue(NoticeRequest(obligation, template, id_of(actor), template, values), at=AT)
    services.deliver(AT)


def test_nothing_yet_says_what_will_come(desk):  # noqa: F811
    assert "还没有通知" in words(desk.owner.get(HOME))


def test_what_is_new_is_counted_in_the_shell_until_it_is_read(desk, cast):  # noqa: F811
    tell(cast.owner)
    tell(cast.owner, "policy.available", "policy:1")
    assert "通知2条没看过" in words(desk.owner.get("/mine/"))
    assert "通知2条没看过" in words(desk.owner.get("/rules/"))
    one = Notice.objects.get(template_id="case.ended")
    sent = desk.owner.post(READ, {"notice": one.pk})
    assert sent.url == "/mine/cases/6d3c1f6e-0000-4000-8000-000000000009/"
    assert "通知1条没看过" in words(desk.owner.get(HOME))
    assert desk.owner.post(READ).url == HOME
    first = Notice.objects.get(pk=one.pk).read_at
    desk.owner.post(READ)
    assert Notice.objects.get(pk=one.pk).read_at == first
    assert "没看过" not in words(desk.owner.get(HOME))


def test_looking_at_the_list_reads_nothing(desk, cast):  # noqa: F811
    tell(cast.owner)
    for _ in range(2):
        assert "没看过" in words(desk.owner.get(HOME))
    assert desk.owner.get(READ).status_code == 405


def test_notices_are_hers_alone(desk, cast):  # noqa: F811
    tell(cast.owner)
    assert "还没有通知" in words(desk.stranger.get(HOME))
    desk.stranger.post(READ, {"notice": Notice.objects.get().pk})
    desk.stranger.post(READ)
    assert Notice.objects.get().read_at is None
    assert desk.owner.post(READ, {"notice": "x"}).status_code == 400


def test_an_officer_finds_hers_from_the_desk(desk, cast):  # noqa: F811
    tell(cast.window, "policy.available", "policy:1")
    assert "通知1条没看过" in words(desk.window.get("/desk/"))
    assert "减半征收" in words(desk.window.get(HOME))


def test_what_waits_or_was_taken_back_is_not_shown(desk, cast):  # noqa: F811
    with transaction.atomic():
        request = NoticeRequest(
            "policy:1", "x", id_of(cast.owner), "policy.available",
            {"policy": "x", "benefit": "y", "why": "z"}, not_before=AT + timedelta(days=3),
        )  # fmt: skip
        services.queue(request, at=AT)
    assert "还没有通知" in words(desk.owner.get(HOME))
    services.retract("policy:1", why="变了")
    assert "还没有通知" in words(desk.owner.get(HOME))


# --- what she wants


def test_what_the_law_makes_us_tell_cannot_be_switched_off_and_says_why(desk, cast):  # noqa: F811
    page = desk.owner.get(SETTINGS)
    assert "一定会发" in words(page)
    assert "行政许可法第三十二条" in words(page)
    assert 'value="case in_app"' not in page.content.decode()
    desk.owner.post(SETTINGS, {"do": "choose"})
    assert not Declined.objects.filter(topic="case").exists()
    tell(cast.owner)
    assert Notice.objects.get().state == "sent"


def offered(client) -> list[str]:
    """What the page offers to tick."""
    return re.findall(r'name="want" value="([^"]+)"', client.get(SETTINGS).content.decode())


def test_the_rest_can_be_declined_and_taken_back(desk, cast):  # noqa: F811
    every = offered(desk.owner)
    kept = [box for box in every if box != "policy in_app"]
    assert len(kept) == len(every) - 1
    desk.owner.post(SETTINGS, {"do": "choose", "want": kept})
    assert set(Declined.objects.values_list("topic", "channel")) == {("policy", "in_app")}
    tell(cast.owner, "policy.available", "policy:1")
    assert Notice.objects.get().state == "declined"
    desk.owner.post(SETTINGS, {"do": "choose", "want": every})
    tell(cast.owner, "policy.available", "policy:2")
    assert Notice.objects.get(obligation="policy:2").state == "sent"


def test_a_channel_nobody_is_reached_on_is_left_as_it_was(desk, cast):  # noqa: F811
    """Saving the page must not decline for good what had no box to tick."""
    desk.owner.post(SETTINGS, {"do": "choose", "want": offered(desk.owner)})
    assert not Declined.objects.exists()


def test_every_topic_of_a_template_has_its_words():
    assert {template.topic for template in templates().values()} == set(TOPICS)


def test_officers_topics_are_not_shown_to_traders(desk):  # noqa: F811
    assert "差评" not in words(desk.owner.get(SETTINGS))
    assert "差评" in words(desk.window.get(SETTINGS))


# --- an e-mail address


def code_in(message) -> str:
    return re.search(r"验证码 (\d{6})", message.body)[1]


def ask(client, email="someone@example.com"):
    return client.post(SETTINGS, {"do": "ask email", "email": email})


def test_an_address_is_used_once_its_owner_proved_it(desk, cast):  # noqa: F811
    assert ask(desk.owner).status_code == 302
    assert not Address.objects.exists()
    [message] = mail.outbox
    assert message.to == ["someone@example.com"]
    sent = desk.owner.post(SETTINGS, {"do": "code email", "code": f" {code_in(message)} "})
    assert sent.status_code == 302
    assert Address.objects.get().value == "someone@example.com"
    shown = words(desk.owner.get(SETTINGS))
    assert "s•••@example.com" in shown
    assert "someone" not in shown
    with transaction.atomic():
        services.queue(
            NoticeRequest(
                "case:1", "x", id_of(cast.owner), "case.ended",
                {"matter": "变更", "result": "已办结"}, channels=(Channel.EMAIL,),
            ),
            at=AT,
        )  # fmt: skip
    assert services.deliver(AT).sent == 1
    assert "有结果了" in mail.outbox[1].body
    desk.owner.post(SETTINGS, {"do": "remove email"})
    assert not Address.objects.exists()


def test_nobody_gets_mail_who_did_not_ask_for_it(cast):  # noqa: F811
    with transaction.atomic():
        made = services.queue(
            NoticeRequest(
                "case:1", "x", id_of(cast.owner), "case.ended",
                {"matter": "变更", "result": "已办结"}, channels=(Channel.EMAIL,),
            ),
            at=AT,
        )  # fmt: skip
    assert made == 0


def test_a_code_is_guessed_five_times_at_most(desk):  # noqa: F811
    ask(desk.owner)
    right = code_in(mail.outbox[0])
    wrong = "000000" if right != "000000" else "000001"
    for _ in range(services.CODE_TRIES):
        assert desk.owner.post(SETTINGS, {"do": "code email", "code": wrong}).status_code == 422
    assert desk.owner.post(SETTINGS, {"do": "code email", "code": right}).status_code == 422
    assert not Address.objects.exists()


def test_control_without_the_limit_the_right_code_still_works(desk, monkeypatch):  # noqa: F811
    monkeypatch.setattr(services, "CODE_TRIES", 99)
    ask(desk.owner)
    right = code_in(mail.outbox[0])
    for _ in range(5):
        desk.owner.post(SETTINGS, {"do": "code email", "code": "x"})
    assert desk.owner.post(SETTINGS, {"do": "code email", "code": right}).status_code == 302


def test_a_code_is_old_after_a_quarter_of_an_hour_and_another_persons_is_wrong(desk, cast):  # noqa: F811
    ask(desk.owner)
    code = code_in(mail.outbox[0])
    assert not services.confirm_address(id_of(cast.stranger), code, at=AT + timedelta(hours=1))
    late = AT + timedelta(hours=1, minutes=15, seconds=1)
    assert not services.confirm_address(id_of(cast.owner), code, at=late)
    assert not Address.objects.exists()


def test_nobody_is_flooded_with_codes(desk):  # noqa: F811
    ask(desk.owner)
    again = ask(desk.owner, "other@example.com")
    assert again.status_code == 422
    assert "一分钟以后" in words(again)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("email", ["", "x", "a@b.c\nBcc: d@e.f"])
def test_what_is_no_address_is_refused_with_an_example(desk, email):  # noqa: F811
    sent = ask(desk.owner, email)
    assert sent.status_code == 422
    assert mail.outbox == []
    assert not AddressProof.objects.exists()


def test_without_a_mail_server_the_page_says_so(desk, settings):  # noqa: F811
    settings.NOTICE_CARRIERS = {}
    assert "还没有接邮件" in words(desk.owner.get(SETTINGS))
    assert "发不出去" in words(ask(desk.owner))
    assert not AddressProof.objects.exists()


def test_what_is_kept_of_a_code_does_not_show_it(desk):  # noqa: F811
    ask(desk.owner)
    assert code_in(mail.outbox[0]) not in str(AddressProof.objects.values().get()["code_digest"])


# --- a telephone number


class Gateway:
    """Short messages, in memory."""

    name = "memory"
    sent: ClassVar[list[Outgoing]] = []

    def send(self, message: Outgoing) -> str:
        self.sent.append(message)
        return "1"


@pytest.fixture
def gateway(settings):
    Gateway.sent.clear()
    settings.NOTICE_CARRIERS = {"sms": ["tests.portal.test_notices.Gateway"]}
    return Gateway


def ask_phone(client, phone="138 0000 0001"):
    return client.post(SETTINGS, {"do": "ask phone", "phone": phone})


def test_a_number_is_used_once_its_owner_proved_it_and_is_shown_masked(desk, cast, gateway):  # noqa: F811
    assert ask_phone(desk.owner).status_code == 302
    assert not Address.objects.exists()
    [message] = gateway.sent
    assert message.address == "13800000001"
    code = re.search(r"验证码 (\d{6})", message.text)[1]
    wrong = "000000" if code != "000000" else "000001"
    assert desk.owner.post(SETTINGS, {"do": "code phone", "code": wrong}).status_code == 422
    assert desk.owner.post(SETTINGS, {"do": "code email", "code": code}).status_code == 422
    assert desk.owner.post(SETTINGS, {"do": "code phone", "code": code}).status_code == 302
    assert Address.objects.get().channel == "sms"
    shown = words(desk.owner.get(SETTINGS))
    assert "138••••01" in shown
    assert "13800000001" not in shown
    assert not AddressProof.objects.exclude(value="").exists()
    with transaction.atomic():
        services.queue(
            NoticeRequest(
                "case:1", "x", id_of(cast.owner), "case.ended",
                {"matter": "变更", "result": "已办结"}, channels=(Channel.SMS,),
            ),
            at=AT,
        )  # fmt: skip
    assert services.deliver(AT).sent == 1
    assert (gateway.sent[1].address, "变更" in gateway.sent[1].text) == ("13800000001", False)
    desk.owner.post(SETTINGS, {"do": "remove phone"})
    assert not Address.objects.exists()


@pytest.mark.parametrize("phone", ["", "12345678901", "1380000000", "0577-88888888", "138x0000001"])
def test_what_is_no_mobile_number_is_refused_with_an_example(desk, gateway, phone):  # noqa: F811
    sent = ask_phone(desk.owner, phone)
    assert sent.status_code == 422
    assert "手机号" in words(sent)
    assert gateway.sent == []


def test_numbers_cannot_be_cycled_through_to_flood_others(desk, gateway, monkeypatch):  # noqa: F811
    for minutes in range(9):
        later = AT + timedelta(hours=1, minutes=2 * minutes)
        monkeypatch.setattr(notices, "now", lambda later=later: later)
        ask_phone(desk.owner, f"1380000000{minutes}")
    assert len(gateway.sent) == services.MOST_CODES_A_DAY[Channel.SMS]
    monkeypatch.setattr(notices, "now", lambda: AT + timedelta(days=1))
    assert ask_phone(desk.owner).status_code == 302


def test_control_without_the_cap_of_the_day_every_number_gets_one(desk, gateway, monkeypatch):  # noqa: F811
    monkeypatch.setitem(services.MOST_CODES_A_DAY, Channel.SMS, 99)
    for minutes in range(9):
        later = AT + timedelta(hours=1, minutes=2 * minutes)
        monkeypatch.setattr(notices, "now", lambda later=later: later)
        ask_phone(desk.owner, f"1380000000{minutes}")
    assert len(gateway.sent) == 9


def test_without_a_gateway_the_page_says_so(desk):  # noqa: F811
    assert "还没有接短信" in words(desk.owner.get(SETTINGS))
    assert ask_phone(desk.owner).status_code == 422
    assert not AddressProof.objects.exists()
