"""Notices: told once, to the right person, while it is true, at a decent hour."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Duty
from getihu.notifications import services
from getihu.notifications.contracts import Channel, NoticeRequest, NoticeState
from getihu.notifications.models import Notice
from getihu.notifications.selectors import list_about, list_notices
from getihu.notifications.texts import BadNotice, get_template, plain, templates, write_text
from tests.notifications import carriers

AT = datetime(2026, 11, 2, 2, tzinfo=UTC)  # 10:00 in Wenzhou
VALUES = {
    "permit": "食品经营许可",
    "until": "2026-12-10",
    "last_day": "2026-11-19",
    "article": "某条",
}


@pytest.fixture(autouse=True)
def good_carriers(settings):
    carriers.handed.clear()
    carriers.truth.clear()
    settings.NOTICE_CARRIERS = {"sms": ["tests.notifications.carriers.Good"]}
    settings.NOTICE_GUARDS = {"test": "tests.notifications.carriers.still_holds"}


@pytest.fixture
def person(db):
    account = accounts.open_account(login="p", name="示例", duty=Duty.PERSON, at=AT)
    services.set_address(account, Channel.SMS, "13800000000")
    return account


def queued(person, stage="30d", template="permit.expires", **given) -> NoticeRequest:
    request = NoticeRequest(
        **{
            "obligation": "permit:1:expiry",
            "stage": stage,
            "recipient": person,
            "template_id": template,
            "values": VALUES,
            "channels": (Channel.IN_APP, Channel.SMS),
            **given,
        }
    )
    with transaction.atomic():
        services.queue(request, at=AT)
    return request


def test_a_notice_is_sent_once_on_each_channel(person):
    request = queued(person)
    with transaction.atomic():
        assert services.queue(request, at=AT) == 0
    assert services.deliver(AT).sent == 2
    assert services.deliver(AT + timedelta(days=1)).sent == 0
    assert len(carriers.handed) == 1
    assert carriers.handed[0].key == str(Notice.objects.get(channel="sms").pk)
    [shown] = list_notices(person)
    assert shown.text.startswith("“食品经营许可”有效期到2026-12-10")


def test_a_key_that_postgresql_would_refuse_is_refused_on_sqlite_too(person):
    with pytest.raises(BadNotice, match="40"):
        queued(person, stage="entitled 2026-11-26T16:05:52.321775+00:00")


def test_the_database_holds_the_key(person):
    queued(person)
    row = Notice.objects.get(channel="sms")
    row.pk = None
    row._state.adding = True
    with pytest.raises(DatabaseError), transaction.atomic():
        row.save(force_insert=True)


def test_queuing_outside_a_transaction_is_refused(transactional_db):
    with pytest.raises(RuntimeError, match="inside the transaction"):
        services.queue(NoticeRequest("a", "b", None, "permit.expires"), at=AT)


def test_what_is_rolled_back_is_not_told(person):
    with pytest.raises(ValueError, match="rolled back"), transaction.atomic():
        services.queue(NoticeRequest("a", "b", person, "permit.expires", VALUES), at=AT)
        raise ValueError("rolled back")
    assert services.deliver(AT).sent == 0


def test_a_notice_never_contradicts_the_state_it_tells_of(person):
    """The state is read again in the sending transaction."""
    queued(person, guard="test", guard_argument="permit 1")
    carriers.truth["permit 1"] = False
    assert services.deliver(AT).retracted == 2
    assert carriers.handed == []
    assert {n.state for n in list_about("permit:1:expiry")} == {NoticeState.RETRACTED}


def test_what_was_not_sent_can_be_taken_back(person):
    queued(person, not_before=AT + timedelta(days=3))
    assert services.retract("permit:1:expiry", why="已经续办") == 2
    assert services.deliver(AT + timedelta(days=9)).sent == 0


@pytest.mark.parametrize(
    ("hour_utc", "first_try_utc"),
    [(13, "2026-11-03T00:00"), (23, "2026-11-03T00:00"), (12, None)],
)
def test_nobody_is_woken(person, hour_utc, first_try_utc):
    """21:00—08:00（北京时间）不发短信；站内照常。"""
    queued(person)
    at = AT.replace(hour=hour_utc)
    report = services.deliver(at)
    assert report.sent == (2 if first_try_utc is None else 1)
    if first_try_utc:
        waiting = Notice.objects.get(channel="sms")
        assert f"{waiting.next_try_at.astimezone(UTC):%Y-%m-%dT%H:%M}" == first_try_utc
        assert services.deliver(waiting.next_try_at).sent == 1


def test_nobody_is_flooded(person):
    for number in range(5):
        queued(person, stage=str(number), channels=(Channel.SMS,))
    report = services.deliver(AT)
    assert (report.sent, report.postponed) == (3, 2)
    assert services.deliver(AT + timedelta(days=1)).sent == 2


def test_who_declined_is_not_told_except_by_law(person):
    services.decline(person, Channel.SMS, "permit", at=AT)
    services.decline(person, Channel.SMS, "case", at=AT)
    queued(person)
    queued(
        person,
        template="case.ended",
        obligation="case:1",
        values={"matter": "变更", "result": "准予"},
        channels=(Channel.SMS,),
    )
    report = services.deliver(AT)
    assert (report.sent, report.declined) == (2, 1)
    services.accept_again(person, Channel.SMS, "permit", at=AT)
    queued(person, stage="15d")
    assert services.deliver(AT).sent == 2


def test_one_carrier_down_is_not_an_outage(person, settings):
    settings.NOTICE_CARRIERS = {
        "sms": ["tests.notifications.carriers.Down", "tests.notifications.carriers.Good"]
    }
    queued(person)
    assert services.deliver(AT).sent == 2


def test_all_carriers_down_is_retried_and_in_the_end_honestly_failed(person, settings):
    settings.NOTICE_CARRIERS = {"sms": ["tests.notifications.carriers.Down"]}
    queued(person, channels=(Channel.SMS,), template="permit.expires")
    at = AT
    for _ in range(services.MOST_ATTEMPTS - 1):
        assert services.deliver(at).to_retry == 1
        at += services.RETRY_AFTER
    assert services.deliver(at).failed == 1
    assert list_about("permit:1:expiry")[0].why_not == "多次发送没有成功"


def test_a_number_that_cannot_be_used_is_not_tried_again(person, settings):
    settings.NOTICE_CARRIERS = {"sms": ["tests.notifications.carriers.Refusing"]}
    queued(person, channels=(Channel.SMS,))
    assert services.deliver(AT).failed == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("阿华\n面馆\r\n退订回T", "阿华 面馆 退订回T"),
        ("阿华\u202e面馆\u200b", "阿华面馆"),
        ("${until}", "${until}"),
        ("{0.__class__}", "{0.__class__}"),
        ("面" * 300, "面" * 199 + "…"),
    ],
)
def test_user_text_cannot_change_a_message(value, shown):
    assert plain(value) == shown
    text = write_text(get_template("permit.expires"), Channel.IN_APP, {**VALUES, "permit": value})
    assert f"“{shown}”有效期到2026-12-10" in text
    assert "\n" not in text


@pytest.mark.parametrize("value", ["看 http://a.b", "www.example", "ｗｗｗ．x", "面馆 x.top"])
def test_no_shop_name_sends_people_to_a_page(value):
    with pytest.raises(BadNotice, match="网址"):
        plain(value)


def test_a_missing_value_or_template_is_named():
    with pytest.raises(BadNotice, match="until"):
        write_text(get_template("permit.expires"), Channel.IN_APP, {"permit": "x"})
    with pytest.raises(BadNotice, match=r"permit\.expires"):
        get_template("permit.expire")


def test_a_lock_screen_says_nothing_private_and_has_no_link():
    for name, template in templates().items():
        # The one message that is the private thing: a code its reader just asked for.
        assert "${" not in template.sms.replace(
            "${code}", "" if name == "address.confirm" else "${"
        )
        assert not set("罚欠债") & set(template.sms)
        assert "http" not in template.sms


@pytest.mark.django_db(transaction=True)
def test_several_workers_send_each_notice_once():
    person = accounts.open_account(login="p", name="示例", duty=Duty.PERSON, at=AT)
    for number in range(30):
        queued(person, stage=str(number), channels=(Channel.IN_APP,))

    def work(_: int) -> int:
        try:
            return services.deliver(AT).sent
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 30
    assert Notice.objects.filter(state="sent").count() == 30
