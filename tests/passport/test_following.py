"""What a department delivered reaches the wallet by itself: nobody has to ask for it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from getihu.dataplane import selectors as dataplane
from getihu.entry import services as entry
from getihu.journeys import services as journeys
from getihu.passport import selectors, services
from getihu.passport.contracts import city_day
from getihu.passport.models import Certificate, StatusChange
from tests.cases.cast import person

pytestmark = pytest.mark.django_db
AT = datetime.now(UTC)  # a wallet signs with the time it is
LICENCE = selectors.LICENCE


def one(sql, real_city, **given):
    path = str(dataplane.facts_path(real_city.as_of))
    found = dataplane.engine().execute(sql, {"path": path, **given})
    return found.fetchone()


def shop(real_city, status="active", having="true"):
    return one(
        "select trader_code from read_parquet($path) where registration_status = $status"
        f" and subject_kind = 'individual' and {having} order by 1 limit 1",
        real_city,
        status=status,
    )[0]


def valid(code, kind=None, at=AT):
    held = selectors.list_certificates(code, at=at)
    return sorted(c.number for c in held if c.is_valid and kind in (None, c.kind))


@pytest.mark.parametrize("status", ["cancelled", "revoked"])
def test_a_licence_ends_with_the_registers_own_delivery(real_city, status):
    """市场主体登记管理条例实施细则 第六十四条：吊销的，在电子营业执照上标注。"""
    ended, trading = shop(real_city, status), shop(real_city)
    for code in (ended, trading):
        services.issue_certificate(code, LICENCE, {"name": "店"}, at=AT)
    assert valid(ended, LICENCE)  # the control: nobody filed anything here
    journeys.sweep_licences(AT)
    assert not valid(ended)
    assert valid(trading, LICENCE)
    row = Certificate.objects.get(trader_code=ended)
    assert "登记库" in row_reason(row)


def row_reason(row):
    return StatusChange.objects.filter(certificate=row).latest("id").reason


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"ended_on": date(2026, 10, 1)}, "部门送来已终止"),
        ({"is_withdrawn": True}, "部门撤回了这条记录"),
        ({"expires_on": date(2020, 1, 1)}, "有效期已满"),
    ],
)
def test_a_permit_the_office_ended_is_taken_back_and_no_other_of_its_kind(
    real_city, monkeypatch, told, why
):
    code = shop(real_city, having="permits_held > 0")
    journeys.fetch_wallet(code, at=AT)
    kept = Certificate.objects.filter(trader_code=code).exclude(kind=LICENCE).first()
    here = "20261105-15D05B8C"  # granted here: the department knows no such number
    services.issue_certificate(code, kept.kind, {}, at=AT, number=here)
    monkeypatch.setattr(dataplane, "list_newest", changed(kept.number, told))
    journeys.follow_departments(AT)
    assert kept.number not in valid(code)
    assert here in valid(code, kept.kind)
    assert row_reason(kept) == why


def changed(number, told):
    """The department's next delivery: one of its records says something else."""
    before = dataplane.list_newest

    def newest(*args, **given):
        records = before(*args, **given)
        return [record | (told if number in record.values() else {}) for record in records]

    return newest


def test_a_permit_delivered_later_comes_into_the_wallet_by_itself(real_city):
    code = shop(real_city, having="permits_held > 0")
    services.issue_certificate(code, LICENCE, {"name": "店"}, at=AT)
    assert journeys.follow_departments(AT) == 1
    numbers = valid(code)
    assert len(numbers) > 1
    before = Certificate.objects.count()
    assert journeys.follow_departments(AT) == 0  # once for a snapshot and a day
    assert journeys.follow_departments(AT + timedelta(days=1)) == 1
    assert Certificate.objects.count() == before


def test_what_was_filed_here_later_than_the_delivery_stands(real_city):
    """The register's rows of yesterday do not undo what was filed today."""
    code = shop(real_city, having="town_code is not null")
    owner = person("owner", code)
    journeys.fetch_wallet(code, at=AT)
    rest = {
        "until": (AT.date() + timedelta(days=60)).isoformat(),
        "cause": "other",
        "service_address": "某路2号",
        "staff_agreed": True,
    }
    entry.file(code, "suspension", rest, effective_on=city_day(AT), by=owner, at=AT)
    assert not valid(code, LICENCE)
    journeys.follow_departments(AT)  # the register still says that it trades
    assert not valid(code, LICENCE)
