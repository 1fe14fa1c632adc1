"""Events for other systems: written with the change, signed, delivered until they are taken."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from django.db import DatabaseError, connection, transaction
from standardwebhooks import Webhook, WebhookVerificationError

from getihu.cases import services as cases
from getihu.notifications import services
from getihu.notifications.contracts import EVENT_TYPES
from getihu.notifications.events import RETRY_AFTER
from getihu.notifications.models import EventDelivery, PublishedEvent
from getihu.notifications.selectors import list_endpoints
from tests.cases.cast import SHOP, days, make_cast
from tests.cases.test_cases import accepted, draft, submitted
from tests.notifications.gateways import http_server

AT = datetime(2026, 11, 2, 2, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def endpoint(url="http://127.0.0.1:9/", name="bank", types=("*",)):
    return {"name": name, "url": url, "secret": SECRET, "types": list(types)}


@pytest.fixture
def bank(settings):
    with http_server((204, b"")) as received:
        settings.WEBHOOK_ENDPOINTS = [endpoint(received.url)]
        yield received


def published(subject="case:1", at=AT, **data):
    with transaction.atomic():
        services.publish("getihu.case.granted", subject=subject, data=data, at=at)


@pytest.mark.django_db
def test_an_event_is_signed_and_any_receiver_can_check_and_read_it(bank):
    now = datetime.now(UTC)
    published(matter="entry.catering_opening", at=now)
    assert services.deliver_events(now).sent == 1
    [(headers, body)] = bank.requests
    Webhook(SECRET).verify(body, headers)
    event = JSONFormat().read(CloudEvent, body)
    assert event.get_type() == "getihu.case.granted"
    assert event.get_subject() == "case:1"
    assert event.get_id() == headers["webhook-id"]
    assert event.get_time() == now
    assert event.get_specversion() == "1.0"
    assert event.get_data() == {"matter": "entry.catering_opening"}
    assert headers["content-type"] == "application/cloudevents+json"


@pytest.mark.django_db
def test_control_a_changed_body_or_id_or_secret_does_not_verify(bank):
    now = datetime.now(UTC)
    published(at=now)
    services.deliver_events(now)
    [(headers, body)] = bank.requests
    for wrong_body, wrong_headers in (
        (body.replace(b"granted", b"refused"), headers),
        (body, {**headers, "webhook-id": "other"}),
        (body, {**headers, "webhook-timestamp": str(int(now.timestamp()) + 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(wrong_body, wrong_headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(body, headers)


@pytest.mark.django_db
def test_the_moment_is_signed_in_utc_whatever_zone_it_comes_in(bank):
    from zoneinfo import ZoneInfo

    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    published(at=now)
    services.deliver_events(now)
    [(headers, body)] = bank.requests
    Webhook(SECRET).verify(body, headers)


@pytest.mark.django_db
def test_without_a_taker_nothing_is_kept_and_who_wants_another_type_gets_none(settings):
    published()
    settings.WEBHOOK_ENDPOINTS = [endpoint(types=["getihu.case.refused"])]
    published()
    assert PublishedEvent.objects.count() == 0
    settings.WEBHOOK_ENDPOINTS = [endpoint(), endpoint(name="tax", types=["getihu.case.granted"])]
    published()
    assert sorted(EventDelivery.objects.values_list("endpoint", flat=True)) == ["bank", "tax"]


@pytest.mark.django_db
def test_an_event_goes_once_to_each_endpoint(bank):
    published()
    for minutes in range(3):
        services.deliver_events(AT + timedelta(minutes=minutes))
    assert len(bank.requests) == 1
    row = EventDelivery.objects.get()
    row.pk = None
    with pytest.raises(DatabaseError), transaction.atomic():
        row.save(force_insert=True)


def test_publishing_outside_a_transaction_is_refused(transactional_db):
    with pytest.raises(RuntimeError, match="inside the transaction"):
        services.publish("getihu.case.granted", subject="x", data={}, at=AT)


@pytest.mark.django_db
def test_what_is_rolled_back_is_not_told(settings):
    settings.WEBHOOK_ENDPOINTS = [endpoint()]
    with pytest.raises(ValueError, match="rolled back"), transaction.atomic():
        services.publish("getihu.case.granted", subject="x", data={}, at=AT)
        raise ValueError("rolled back")
    assert not PublishedEvent.objects.exists()


@pytest.mark.django_db
def test_an_endpoint_that_fails_is_tried_for_days_with_one_id_and_one_body(settings):
    with http_server((500, b""), (302, b""), (429, b""), (200, b"")) as received:
        settings.WEBHOOK_ENDPOINTS = [endpoint(received.url)]
        published()
        at = AT
        for pause in RETRY_AFTER[:3]:
            assert services.deliver_events(at).to_retry == 1
            assert services.deliver_events(at + pause - timedelta(seconds=1)).to_retry == 0
            at += pause
        assert services.deliver_events(at).sent == 1
        ids = {headers["webhook-id"] for headers, _ in received.requests}
        stamps = {headers["webhook-timestamp"] for headers, _ in received.requests}
        bodies = {body for _, body in received.requests}
    assert (len(ids), len(bodies), len(stamps), len(received.requests)) == (1, 1, 4, 4)


@pytest.mark.django_db
def test_in_the_end_it_is_honestly_failed_and_can_be_sent_again(settings):
    settings.WEBHOOK_ENDPOINTS = [endpoint()]  # nobody listens there
    published()
    at = AT
    for pause in RETRY_AFTER:
        assert services.deliver_events(at).to_retry == 1
        at += pause
    assert services.deliver_events(at).failed == 1
    [status] = list_endpoints()
    assert (status.waiting, status.sent, status.failed) == (0, 0, 1)
    with http_server((200, b"")) as received:
        settings.WEBHOOK_ENDPOINTS = [endpoint(received.url)]
        assert services.retry_failed("bank", at=at) == 1
        assert services.deliver_events(at).sent == 1
        assert services.retry_failed("bank", at=at) == 0


@pytest.mark.django_db
def test_who_says_gone_is_not_asked_again(settings):
    with http_server((410, b"")) as received:
        settings.WEBHOOK_ENDPOINTS = [endpoint(received.url)]
        published()
        assert services.deliver_events(AT).failed == 1
        assert services.deliver_events(AT + timedelta(days=9)).failed == 0
        assert len(received.requests) == 1


@pytest.mark.django_db
def test_a_dead_endpoint_does_not_hold_up_the_others(settings, bank):
    settings.WEBHOOK_ENDPOINTS = [*settings.WEBHOOK_ENDPOINTS, endpoint(name="dead")]
    for number in range(5):
        published(f"case:{number}")
    report = services.deliver_events(AT)
    assert (report.sent, report.to_retry) == (5, 1)


@pytest.mark.django_db
def test_an_endpoint_taken_out_of_the_settings_keeps_its_events(settings, bank):
    published()
    kept, settings.WEBHOOK_ENDPOINTS = settings.WEBHOOK_ENDPOINTS, []
    assert services.deliver_events(AT).to_retry == 1
    assert [(e.endpoint, e.is_configured, e.waiting) for e in list_endpoints()] == [
        ("bank", False, 1)
    ]
    settings.WEBHOOK_ENDPOINTS = kept
    assert services.deliver_events(AT + timedelta(minutes=1)).sent == 1


@pytest.mark.django_db
def test_a_worker_that_died_in_the_middle_is_made_good_under_the_same_id(bank, monkeypatch):
    published()

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("getihu.notifications.events.send_signed", die)
        services.deliver_events(AT)
    assert services.deliver_events(AT + timedelta(minutes=1)).sent == 0  # it may still be at it
    assert services.deliver_events(AT + timedelta(minutes=3)).sent == 1


@pytest.mark.django_db(transaction=True)
def test_several_workers_send_each_event_once(bank):
    for number in range(20):
        published(f"case:{number}")

    def work(_: int) -> int:
        try:
            return services.deliver_events(AT).sent
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 20
    assert len({headers["webhook-id"] for headers, _ in bank.requests}) == 20
    assert len(bank.requests) == 20


# --- what is told of cases and notices


@pytest.fixture
def cast(db, settings):
    settings.WEBHOOK_ENDPOINTS = [endpoint()]
    return make_cast()


def types() -> list[str]:
    return list(PublishedEvent.objects.order_by("at", "pk").values_list("type", flat=True))


def test_every_move_of_a_case_is_told_but_not_the_draft(cast):
    cases.withdraw(draft(cast), by=cast.owner, at=days(0))
    assert types() == []
    case = accepted(cast)
    cases.withdraw(case, by=cast.owner, at=days(3))
    services.deliver(days(3))
    assert set(types()) == {
        "getihu.case.submitted",
        "getihu.case.accepted",
        "getihu.case.withdrawn",
    }


def test_a_sent_notice_is_told(cast):
    accepted(cast)
    sent = services.deliver(days(1)).sent
    assert types().count("getihu.notice.sent") == sent == 1


def test_nothing_personal_goes_out(cast):
    """No account, no trader, no name, no words of people: ids of ours and codes alone."""
    case = submitted(cast)
    given = {"reason": "某某的门面太小", "article": "行政许可法 第三十二条"}
    cases.refuse_to_accept(case, by=cast.window, at=days(1), **given)
    services.deliver(days(1))
    rows = PublishedEvent.objects.all()
    told = json.dumps([[r.type, r.subject, r.data] for r in rows], ensure_ascii=False)
    assert "getihu.case.not_accepted" in told
    for private in (SHOP, cast.owner.account_id, cast.window.account_id, cast.owner.name, "某某"):
        assert private not in told
    allowed = {"matter", "agency", "before", "obligation", "stage", "channel"}
    assert {name for row in rows for name in row.data} <= allowed


def test_every_state_a_case_can_reach_has_an_event(cast):
    from getihu.cases.contracts import State

    reached = {f"getihu.case.{s}" for s in State} - {"getihu.case.draft", "getihu.case.discarded"}
    assert {name for name in EVENT_TYPES if ".case." in name} == reached


def test_a_move_without_its_event_does_not_happen(cast, monkeypatch):
    case = submitted(cast)

    def fail(*_, **__):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("getihu.notifications.services.publish", fail)
    with pytest.raises(RuntimeError):
        cases.accept(case, by=cast.window, at=days(1))
    assert types() == ["getihu.case.submitted"]


def test_the_command_tells_how_far_it_has_come_and_sends_again(db, settings):
    from click.testing import CliRunner

    from getihu.config.cli import main

    settings.WEBHOOK_ENDPOINTS = [endpoint()]
    published()
    at = AT
    for pause in (*RETRY_AFTER, timedelta()):
        services.deliver_events(at)
        at += pause
    told = CliRunner().invoke(main, ["webhooks"])
    assert told.exit_code == 1
    assert "bank：等着送 0，送到 0，没有送到 1" in told.output
    again = CliRunner().invoke(main, ["webhooks", "--again", "bank"])
    assert again.exit_code == 0
    assert "1 件从头再送" in again.output
    settings.WEBHOOK_ENDPOINTS = []
    EventDelivery.objects.all().delete()
    assert "没有事件接收方" in CliRunner().invoke(main, ["webhooks"]).output
