"""Delay is found by level: after any stop nothing is missed, and nothing happens twice."""

from datetime import timedelta

import pytest

from getihu.accounts import services as accounts
from getihu.accounts.models import Account
from getihu.notifications.models import Notice
from getihu.support import selectors, services
from getihu.support.contracts import Event, State
from getihu.support.models import Appeal, AppealEvent, Escalation
from getihu.support.services import sweeping
from tests.support.conftest import AT, CITY, WUMA, Cast, assigned, days, officer, on, told

pytestmark = pytest.mark.django_db


def steps() -> list[str]:
    return list(Escalation.objects.order_by("id").values_list("step", flat=True))


def events(filed) -> list[str]:
    return list(
        AppealEvent.objects.filter(appeal=filed.id).order_by("id").values_list("event", flat=True)
    )


def test_reminder_then_level_by_level_seen_by_her(cast: Cast):
    filed = assigned(cast)  # due on Thursday the 5th
    for day in range(12):
        for _ in range(2):
            services.sweep_appeals(days(day))
        seen = selectors.get_appeal(filed.id, actor=cast.owner, on=on(day))
        if day == 1:
            assert steps() == []
        if day == 3:
            assert steps() == ["reminder"]
        if day == 4:
            assert steps() == ["reminder", "county"] and seen.raised_to == "国网温州供电公司"
            assert seen.owner_role == "负责人" and "已超期1天" in seen.waiting
    # Due on the 5th; three working days later the city (power has none there), then the lead.
    assert steps() == ["reminder", "county", "city"]
    services.sweep_appeals(days(14))
    seen = selectors.get_appeal(filed.id, actor=cast.owner, on=on(14))
    assert steps() == ["reminder", "county", "city", "lead"]
    assert "联席会议办公室" in seen.raised_to and Appeal.objects.get().owner_id is not None
    assert "联席会议办公室" in seen.events[-1].reason
    told_her = Notice.objects.filter(recipient=cast.owner.account_id, template_id="appeal.raised")
    assert told_her.count() == 2


def test_after_days_of_stop_the_same_steps_once(cast: Cast):
    filed = assigned(cast)
    first = services.sweep_appeals(days(20))
    again = services.sweep_appeals(days(20))
    assert first.escalated == 3 and again.escalated == 0
    assert steps() == ["county", "city", "lead"]
    assert events(filed).count("escalated") == 2  # nobody heads power in the city
    services.answer(filed.id, "终于修好了，抱歉。", by=cast.power, at=days(21))
    assert services.sweep_appeals(days(30)).escalated == 0


def test_a_timer_alone_would_have_missed_it(cast: Cast):
    """The control: looking only on the due day finds nothing after a stop."""
    assigned(cast)
    due_that_day = Appeal.objects.filter(clocks__due_on=on(20), clocks__stopped_on=None)
    assert not due_that_day.exists() and services.sweep_appeals(days(20)).escalated == 3


def test_closed_by_time_only_after_the_stated_days(cast: Cast):
    filed = assigned(cast)
    services.answer(
        filed.id, "线路已经抢修好。", by=cast.power, at=AT
    )  # ten working days: the 16th
    services.sweep_appeals(days(14))
    assert Appeal.objects.get().state == State.ANSWERED
    assert services.sweep_appeals(days(15)).closed == 1
    row = Appeal.objects.get()
    assert (row.state, row.outcome) == ("closed", "timed_out")
    assert events(filed)[-1] == Event.TIMED_OUT
    assert services.sweep_appeals(days(15)).closed == 0
    again = services.reopen(filed.id, reason="又停了", by=cast.owner, at=days(16))
    assert selectors.get_appeal(again.id, actor=cast.owner, on=on(16)).continues == filed.id


def test_a_town_goes_up_to_its_county_then_to_the_lead(cast: Cast):
    filed = told(cast, "夜市摊位被赶，疏导点没有位置")
    services.assign(filed.id, "street_occupation", by=cast.desk, at=AT)
    assert Appeal.objects.get().division == WUMA
    services.sweep_appeals(days(4))
    row = Appeal.objects.get()
    assert str(row.owner_id) == cast.chief.account_id and row.raised_to == "county"
    last = AppealEvent.objects.latest("id")
    assert last.reason == "鹿城区市场监督管理局"
    services.sweep_appeals(days(20))
    assert str(Appeal.objects.get().owner_id) == cast.lead.account_id


def test_who_left_owns_nothing(cast: Cast):
    filed = told(cast)
    row = Appeal.objects.get()
    owner = Account.objects.get(pk=row.owner_id)
    Account.objects.filter(pk=owner.pk).update(closed_at=days(1))
    assert services.sweep_appeals(days(1) + timedelta(hours=1)).rehomed == 1
    row.refresh_from_db()
    assert row.owner_id != owner.pk and events(filed)[-1] == Event.HANDED_OVER
    assert services.sweep_appeals(days(1) + timedelta(hours=2)).rehomed == 0


def test_one_that_breaks_holds_up_no_other(cast: Cast, monkeypatch):
    assigned(cast)
    assigned(cast, place_text="鹿城区五马街道解放路3号")
    real, broken = sweeping._superior, Appeal.objects.order_by("number").first()

    def superior(row, step, at):
        if row.pk == broken.pk:
            raise RuntimeError("broken")
        return real(row, step, at)

    monkeypatch.setattr(sweeping, "_superior", superior)
    assert services.sweep_appeals(days(4)).escalated == 1
    with pytest.raises(services.AppealsNotSwept):
        services.sweep_appeals(days(4))
    monkeypatch.setattr(sweeping, "_superior", real)
    assert services.sweep_appeals(days(4)).escalated == 1


def test_a_city_office_goes_to_the_lead_alone(cast: Cast):
    officer("telecom", accounts.Role.CASE_OFFICER, "telecom", CITY)
    filed = told(cast, "宽带断网一个星期，没有人修")
    services.assign(filed.id, "telecom", by=cast.desk, at=AT)
    services.sweep_appeals(days(20))
    assert events(filed).count("escalated") == 1
    assert str(Appeal.objects.get().owner_id) == cast.lead.account_id
