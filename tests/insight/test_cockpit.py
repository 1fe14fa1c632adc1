"""The hall's screen: counts alone, no ranking, for who leads."""

import re
from datetime import UTC, datetime

import pytest

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Duty, Role
from getihu.accounts.models import Account
from getihu.cases.models import Case
from getihu.insight import selectors
from getihu.reference import selectors as reference
from tests.real_city import AT
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def leader(client, measured):
    key = accounts.open_account(login="leader", name="示例领导", duty=Duty.BUSINESS, at=AT)
    accounts.assign(
        key, Role.COCKPIT_VIEWER, agency="government", division="330300", reason="到岗", at=AT,
        by=None,
    )  # fmt: skip
    sign_in(client, Account.objects.get(pk=key))
    return client


def test_every_target_stands_on_the_screen_with_its_way_on(leader):
    page = leader.get("/cockpit/").content.decode()
    for target in selectors.list_targets():
        assert target.title in page and f"/insight/{target.indicator_id}/" in page


def test_a_minute_later_only_the_inside_comes(leader):
    whole = leader.get("/cockpit/").content.decode()
    inside = leader.get("/cockpit/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" in whole and "<html" not in inside
    assert inside.strip() in whole


def test_no_assessment_by_number_of_traders_or_annual_report_rate(leader):
    """不得以个体工商户数量、年报率等考核、排名 (条例 第三十二条; plan 二（四）)."""
    for each in selectors.list_indicators():
        answer = leader.get("/cockpit/", {"indicator": each.id})
        assert (answer.status_code == 404) == each.watch_only, each.id
    assert {"vitality.registered", "credit.reported"} <= {
        each.id for each in selectors.list_indicators() if each.watch_only
    }


def test_counties_stand_by_code_whatever_their_numbers(leader):
    page = leader.get("/cockpit/").content.decode()
    codes = [county.code for county in reference.list_counties()]
    assert re.findall(r"tile at-(\d+)", page) == codes
    assert [c.code for c in selectors.take_pulse(AT).counties][: len(codes)] == codes


def test_others_do_not_see_it(client, measured):
    assert client.get("/cockpit/").status_code in (302, 403)


def test_the_pulse_counts_what_is_open_and_what_is_late(measured):
    pulse = selectors.take_pulse(datetime(2026, 11, 2, tzinfo=UTC))
    assert (pulse.open_cases, pulse.late_cases) == (Case.objects.count(), 0) == (0, 0)
    late = [alert for alert in pulse.alerts if alert.kind == "feed"]
    assert late and all("应在" in alert.since or "没有送过" in alert.since for alert in late)
