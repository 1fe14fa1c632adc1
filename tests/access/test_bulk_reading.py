"""Taking in bulk is seen: whoever looks at many people raises an alarm, told once, closed by another."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from getihu.access import selectors
from getihu.access.models import BulkAlarm
from getihu.access.services import AlarmRefused, close_alarm, raise_alarms, tell_of_a_look
from getihu.accounts import services
from getihu.accounts.contracts import CITY, Role, duty_of
from getihu.accounts.models import Account
from getihu.accounts.selectors import actor_of
from getihu.audit.models import Event
from getihu.config import cli_ops
from getihu.journeys.services import watch_reading
from getihu.notifications.models import Notice
from tests.portal import fakes
from tests.portal.conftest import city
from tests.signed_in import sign_in

__all__ = ["city"]
pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 1, tzinfo=UTC)
BEFORE = datetime.now(UTC) - timedelta(days=400)
MINUTE = timedelta(minutes=1)
LIMIT = 200
PAGE = selectors.find_row("portal:trader", "GET")
EXPORT = selectors.find_row("portal:desk-inbox-file", "GET")


def opened(login: str, role: Role, division: str) -> Account:
    key = services.open_account(login=login, name=f"示例{login}", duty=duty_of(role), at=BEFORE)
    services.assign(key, role, agency="amr", division=division, reason="到岗", at=BEFORE, by=None)
    return Account.objects.get(pk=key)


@pytest.fixture
def officer() -> Account:
    return opened("officer", Role.WINDOW_OFFICER, "330302")


@pytest.fixture
def guard() -> Account:
    return opened("guard", Role.SECURITY_ADMINISTRATOR, CITY)


def codes(first: int, count: int) -> list[str]:
    return [f"shop-{number}" for number in range(first, first + count)]


def look(officer: Account, whose: list[str], at: datetime = AT, row=PAGE) -> None:
    tell_of_a_look(row, actor_of(officer.pk, at), whose, at=at)


def test_walking_through_the_ids_raises_an_alarm_at_the_two_hundredth(officer, guard):
    for number in range(LIMIT - 1):
        look(officer, codes(number, 1), AT + number * timedelta(seconds=1))
    assert watch_reading(AT + 4 * MINUTE) == 0
    look(officer, codes(LIMIT - 1, 1), AT + 4 * MINUTE)
    assert watch_reading(AT + 5 * MINUTE) == 1
    alarm = BulkAlarm.objects.get()
    assert (alarm.account_id, alarm.people, alarm.first_look_at) == (officer.pk, LIMIT, AT)
    told = Notice.objects.get(channel="in_app")
    assert (told.recipient_id, "200 户" in told.text) == (guard.pk, True)
    assert "officer" not in told.text


def test_exporting_in_slices_raises_one_too(officer, guard):
    for part in range(10):
        look(officer, codes(part * 25, 25), AT + part * MINUTE, EXPORT)
    assert watch_reading(AT + 10 * MINUTE) == 1


def test_ordinary_work_raises_none(officer, guard):
    for hour in range(8):
        look(officer, codes(hour * 20, 24), AT + hour * 60 * MINUTE)  # each time four seen before
    for again in range(300):
        look(officer, codes(0, 1), AT + again * MINUTE)  # one shop looked at many times
    assert watch_reading(AT + timedelta(hours=9)) == 0
    assert not Notice.objects.exists()


def test_what_is_spread_over_days_is_not_one_burst(officer, guard):
    for day in range(4):
        look(officer, codes(day * 150, 150), AT + timedelta(days=day))
        assert watch_reading(AT + timedelta(days=day, hours=1)) == 0


def test_one_burst_is_told_once_and_grows(officer, guard):
    for part in range(4):
        look(officer, codes(part * 150, 150), AT + part * MINUTE)
        watch_reading(AT + part * MINUTE)
        watch_reading(AT + part * MINUTE)
    assert BulkAlarm.objects.get().people == 600
    assert Notice.objects.filter(channel="in_app").count() == 1
    assert Event.objects.filter(kind="personal.bulk_looking").count() == 1


def test_the_database_refuses_a_second_open_alarm(officer, guard, monkeypatch):
    look(officer, codes(0, LIMIT))
    assert len(raise_alarms(AT)) == 1
    monkeypatch.setattr("getihu.access.services._grow", lambda *told: False)  # two at once
    assert raise_alarms(AT) == []
    assert BulkAlarm.objects.count() == 1


def test_after_it_is_closed_only_a_new_burst_counts(officer, guard):
    look(officer, codes(0, LIMIT))
    ((alarm, _),) = raise_alarms(AT)
    close_alarm(alarm, finding="年报核对", by=actor_of(guard.pk, AT), at=AT + MINUTE)
    look(officer, codes(LIMIT, LIMIT - 1), AT + 2 * MINUTE)
    assert raise_alarms(AT + 3 * MINUTE) == []
    look(officer, codes(0, 1), AT + 3 * MINUTE)
    assert len(raise_alarms(AT + 3 * MINUTE)) == 1


def test_a_pass_raises_it(officer, guard):
    now = datetime.now(UTC)
    look(officer, codes(0, LIMIT), now - MINUTE)
    report = cli_ops.PassReport()
    cli_ops._watch(now, report)
    assert report.alarmed == 1


def test_control_without_the_detector_nobody_hears_of_it(officer, guard, monkeypatch):
    monkeypatch.setattr("getihu.access.services.log.list_active", lambda *told, **more: [])
    look(officer, codes(0, 10 * LIMIT))
    assert watch_reading(AT) == 0
    assert not BulkAlarm.objects.exists()
    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_looking_at_pages_counts(client, officer, guard, settings, city):
    settings.BULK_READING = {"people": 1, "hours": 24}
    sign_in(client, officer)
    assert client.get(f"/traders/{fakes.CODE}/").status_code == 200
    assert watch_reading(datetime.now(UTC)) == 1


def test_the_security_administrator_reads_it_and_says_what_it_was(client, officer, guard):
    look(officer, codes(0, LIMIT))
    ((alarm, _),) = raise_alarms(AT)
    sign_in(client, guard)
    shown = client.get("/desk/alarms/").content.decode()
    assert "200 户 · 待核对" in shown
    assert "shop-" not in shown
    form = {"alarm": alarm, "once": uuid.uuid4()}
    assert client.post("/desk/alarms/close/", form | {"finding": " "}).status_code == 422
    assert client.post("/desk/alarms/close/", form | {"finding": "年报核对"}).status_code == 302
    assert "年报核对" in client.get("/desk/alarms/").content.decode()
    again = {"alarm": alarm, "once": uuid.uuid4(), "finding": "又一次"}
    assert client.post("/desk/alarms/close/", again).status_code == 409
    assert not selectors.alarm_is_open(str(alarm))


def test_only_an_administrator_of_the_region_and_never_oneself(client, officer, guard):
    small = opened("small", Role.SECURITY_ADMINISTRATOR, "330382")
    look(officer, codes(0, LIMIT))
    look(guard, codes(0, LIMIT))
    assert watch_reading(AT) == 2
    assert {n.recipient_id for n in Notice.objects.all()} == {guard.pk}  # nobody is over herself
    assert selectors.list_alarms(actor_of(small.pk, AT), AT) == []
    for who, whose in ((small, officer), (officer, officer), (guard, guard)):
        alarm = BulkAlarm.objects.get(account=whose)
        with pytest.raises(AlarmRefused), transaction.atomic():
            close_alarm(alarm.pk, finding="没事", by=actor_of(who.pk, AT), at=AT)
    sign_in(client, officer)
    assert client.get("/desk/alarms/").status_code == 403
