"""GeoReport v2: the documents other clients read, and what they never find in them."""

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.test import Client

from getihu.support import selectors, services
from getihu.support.contracts import ClockView
from getihu.support.models import Appeal
from tests.support.conftest import AT, LUCHENG, NO_POWER, Cast, assigned, cast, days, told

__all__ = ["cast"]
pytestmark = pytest.mark.django_db
CHICAGO = settings.SHARED_DIR / "data/06_hotline/chicago_open311_requests.json"
NEW_YORK = settings.SHARED_DIR / "data/06_hotline/nyc311_open_close_6000.csv"


def get(path: str, **asked) -> list[dict]:
    answer = Client().get(f"/open311/{path}", asked)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def test_services_are_our_subjects():
    listed = get("v2/services.json")
    assert len(listed) == len(selectors.list_subjects())
    assert {"service_code", "service_name", "metadata", "type", "group"} <= set(listed[0])
    assert get("discovery.json")[0]["endpoints"][0]["url"].endswith("/open311/v2")


def test_requests_have_the_shape_of_a_real_city_s(cast: Cast):
    if not CHICAGO.exists():
        pytest.skip(f"测试数据不在：{CHICAGO}")
    assigned(cast, at=datetime.now(UTC) - timedelta(days=1))
    ours = get("v2/requests.json")[0]
    theirs = json.loads(CHICAGO.read_text("utf-8"))
    # What every one of theirs has and GeoReport v2 knows; the rest is an extension of their city.
    extensions = {"attributes", "extended_attributes", "notes", "media_url"}
    common = set.intersection(*(set(one) for one in theirs)) - extensions
    assert common <= set(ours)
    assert {one["status"] for one in theirs} == {"open", "closed"} and ours["status"] == "open"
    assert datetime.fromisoformat(ours["requested_datetime"]).tzinfo is not None


def test_no_word_and_no_complaint_of_an_office_leaves(cast: Cast):
    now = datetime.now(UTC)
    kept = assigned(cast, at=now - timedelta(days=1))
    told(cast, "窗口态度恶劣，索要红包", about=("amr", LUCHENG), at=now - timedelta(days=1))
    for form in ("json", "xml"):
        answer = Client().get(f"/open311/v2/requests.{form}").content.decode()
        assert kept.number in answer and answer.count("S-") == 1
        assert NO_POWER[:6] not in answer and "红包" not in answer and "5201" not in answer


def test_filters_by_service_status_number_and_time(cast: Cast):
    now = datetime.now(UTC)
    one = assigned(cast, at=now - timedelta(days=2))
    two = told(cast, "宽带断网一个星期", at=now - timedelta(days=100))
    services.answer(one.id, "线路已经抢修好。", by=cast.power, at=now)
    numbers = [r["service_request_id"] for r in get("v2/requests.json")]
    assert numbers == [one.number]
    assert get("v2/requests.json", status="open") == []
    assert get("v2/requests.json", service_code="power,water", status="closed")
    assert get(f"v2/requests/{two.number}.json")[0]["status"] == "open"
    start = (now - timedelta(days=101)).isoformat()
    assert len(get("v2/requests.json", start_date=start)) == 2


def test_a_request_is_handed_in_and_followed_by_its_code(cast: Cast):
    asked = {"service_code": "power", "description": NO_POWER, "address_string": "鹿城区五马街道"}
    answer = Client().post("/open311/v2/requests.json", asked)
    made = json.loads(answer.content)[0]
    row = Appeal.objects.get()
    assert answer.status_code == 201 and made["service_request_id"] == row.number
    assert row.channel == "open311" and row.place == "330302006" and row.complainant_id is None
    code = made["service_notice"].split()[1].split("，")[0]
    today = datetime.now(UTC).date()
    assert selectors.find_by_code(code, on=today).number == row.number


@pytest.mark.parametrize("form", ["json", "xml"])
def test_what_is_wrong_is_told_in_its_form(cast: Cast, form):
    for asked, status in (
        ({"service_code": "powr", "description": NO_POWER}, 400),
        ({"description": "停"}, 400),
    ):
        answer = Client().post(f"/open311/v2/requests.{form}", asked)
        assert answer.status_code == status
        if form == "json":
            assert json.loads(answer.content)[0]["code"] == status
        else:
            assert ElementTree.fromstring(answer.content).find("error/code").text == str(status)
    assert Client().get(f"/open311/v2/requests/S-0.{form}").status_code == 404
    assert Client().get(f"/open311/v2/requests.{form}?start_date=x").status_code == 400


def test_overdue_replayed_on_real_cases():
    """Six thousand real cases of a city: days late are never negative, grow day by day while a case
    is open, stop with its closing, and are those of a count by hand."""
    if not NEW_YORK.exists():
        pytest.skip(f"测试数据不在：{NEW_YORK}")
    rows = list(csv.DictReader(NEW_YORK.read_text("utf-8").splitlines()))
    assert len(rows) == 6000
    late = Counter()
    for row in rows:
        received, closed = moment(row["created"]).date(), moment(row["closed"]).date()
        due = received + timedelta(days=3)
        counted = [late_on(due, received + timedelta(days=n)) for n in range(8)]
        assert counted == [max(n - 3, 0) for n in range(8)]
        at_end = late_on(due, closed)
        assert at_end == max((closed - due).days, 0)
        late[at_end > 0] += 1
    assert late[True] + late[False] == 6000 and late[True] > 100


def late_on(due: date, on: date) -> int:
    return ClockView("answer", "", due, False, (due - on).days, "", "", True, False, "").days_late


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)


def test_the_sweep_finds_each_overdue_one_of_a_real_day_once(cast: Cast):
    """Closing times of the real cases, laid on our clocks: what closed later than its term was
    escalated, nothing else was."""
    if not NEW_YORK.exists():
        pytest.skip(f"测试数据不在：{NEW_YORK}")
    rows = list(csv.DictReader(NEW_YORK.read_text("utf-8").splitlines()))[:6000:300]
    spans = [moment(r["closed"]) - moment(r["created"]) for r in rows]
    filed = [assigned(cast, at=AT) for _ in spans]
    by_day = sorted(zip(spans, filed, strict=True), key=lambda pair: pair[0])
    due = date(2026, 11, 5)
    for day in range(6):
        for span, one in by_day:
            row = Appeal.objects.get(pk=one.id)
            if row.state == "assigned" and span <= timedelta(days=day):
                services.answer(one.id, "已经办好了。", by=cast.power, at=AT + span)
        services.sweep_appeals(days(day))
    for span, one in by_day:
        was_late = (AT + min(span, timedelta(days=5))).date() > due
        assert bool(Appeal.objects.get(pk=one.id).raised_to) == was_late
