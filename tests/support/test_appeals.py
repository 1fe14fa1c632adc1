"""An appeal from being told to being closed, and what the database refuses on the way."""

import random
from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError, transaction

from getihu.evaluations import services as ratings
from getihu.evaluations.codes import fresh_code
from getihu.evaluations.contracts import Grade
from getihu.evaluations.models import Rating
from getihu.notifications.models import Notice
from getihu.support import selectors, services
from getihu.support.contracts import OPEN, Channel, Event, State
from getihu.support.models import Appeal, AppealClock, AppealContact, AppealEvent
from tests.support.conftest import (
    AT,
    LUCHENG,
    NO_POWER,
    SHOP,
    WUMA,
    Cast,
    assigned,
    days,
    on,
    told,
)

pytestmark = pytest.mark.django_db


def view(filed, actor, day: float = 0):
    return selectors.get_appeal(filed.id, actor=actor, on=on(day))


def told_of(actor) -> list[str]:
    rows = Notice.objects.filter(recipient=actor.account_id, channel="in_app")
    return sorted(set(rows.values_list("template_id", flat=True)))


def test_a_problem_is_told_without_choosing_a_bureau(cast: Cast):
    filed = told(cast)
    seen = view(filed, cast.owner)
    assert seen.state is State.RECEIVED and seen.place == WUMA
    assert seen.office_name == "鹿城区市场监督管理局" and seen.suggested[0][0] == "power"
    assert seen.clock.due_on.isoformat() == "2026-11-05" and "帮企云" in seen.clock.source
    assert "第0/3个工作日" in seen.waiting
    assert selectors.find_by_code(filed.code, on=on()).number == filed.number


def test_from_the_desk_to_the_office_to_her_and_to_the_rating(cast: Cast):
    filed = told(cast)
    found = services.assign(filed.id, "power", by=cast.desk, at=AT)
    assert found.office.agency == "power" and found.ground == "优化营商环境条例 第二十八条"
    with pytest.raises(services.AppealNotFound):
        view(filed, cast.desk)
    assert view(filed, cast.power).is_mine or view(filed, cast.power_chief).is_mine
    services.answer(filed.id, "线路已经抢修，当天下午送电。", by=cast.power, at=days(1))
    seen = view(filed, cast.owner, 1)
    assert seen.state is State.ANSWERED and seen.waiting.startswith("等您确认")
    services.confirm(filed.id, by=cast.owner, at=days(2))
    seen = view(filed, cast.owner, 2)
    assert seen.state is State.CLOSED and seen.clock is None and seen.can_rate
    ratings.rate_visit(
        Appeal.objects.get().pk, grade=Grade.SATISFIED, code=fresh_code(), at=days(2)
    )
    assert Rating.objects.get().matter_id == "appeal"
    assert [e.event for e in seen.events] == [
        Event.RECEIVED,
        Event.ASSIGNED,
        Event.ANSWERED,
        Event.CONFIRMED,
    ]
    assert told_of(cast.owner) == ["appeal.answered", "appeal.with_office"]


def test_not_solved_is_a_new_appeal_that_continues_the_old_one(cast: Cast):
    filed = assigned(cast)
    services.answer(filed.id, "已经送电，请查收。", by=cast.power, at=days(1))
    again = services.reopen(filed.id, reason="晚上又停了", by=cast.owner, at=days(2))
    old, new = view(filed, cast.owner, 2), view(again, cast.owner, 2)
    assert old.state is State.REOPENED and old.continued_by == new.id
    assert new.continues == old.id and new.agency == "power" and new.place == old.place
    with pytest.raises(services.IllegalMove, match="已经重新提出"):
        services.reopen(filed.id, reason="再来", by=cast.owner, at=days(2))


def test_what_was_closed_is_reopened_too(cast: Cast):
    filed = assigned(cast)
    services.answer(filed.id, "已经送电，请查收。", by=cast.power, at=days(1))
    services.confirm(code=filed.code, by=cast.stranger, at=days(1))
    again = services.reopen(code=filed.code, reason="又停了", by=cast.stranger, at=days(30))
    assert view(filed, cast.owner, 30).state is State.CLOSED
    assert selectors.find_by_code(again.code, on=on(30)).continues


def test_anonymous_keeps_nobody_and_is_followed_by_the_code(cast: Cast):
    filed = told(cast, is_anonymous=True, contact="")
    row = Appeal.objects.get()
    assert row.complainant_id is None and row.trader_code == ""
    assert not AppealEvent.objects.exclude(by=None).exists()
    assert selectors.list_mine(cast.owner, on=on()) == []
    services.assign(filed.id, "power", by=cast.desk, at=AT)
    services.answer(filed.id, "线路已经抢修好。", by=cast.power, at=days(1))
    services.confirm(code=filed.code, by=cast.owner, at=days(1))
    assert selectors.find_by_code(filed.code, on=on(1)).state is State.CLOSED
    with pytest.raises(services.AppealNotFound):
        selectors.find_by_code("K7QM-2F9D-XP3C-8WTN", on=on())


def test_a_clerk_writes_it_down_and_the_contact_is_the_offices_alone(cast: Cast):
    filed = told(cast, by=cast.desk, channel=Channel.PHONE, contact="示例联系方式")
    assert view(filed, cast.desk).contact == "示例联系方式"
    assert view(filed, cast.owner).contact == ""  # her shop's, not her account
    with pytest.raises(services.NotAllowed):
        told(cast, channel=Channel.PHONE)
    services.assign(filed.id, "power", by=cast.desk, at=AT)
    services.answer(filed.id, "线路已经抢修好。", by=cast.power, at=days(1))
    services.confirm(code=filed.code, by=cast.desk, at=days(1))
    services.sweep_appeals(days(20))
    assert AppealContact.objects.count() == 1
    services.sweep_appeals(days(40))
    assert AppealContact.objects.count() == 0


def test_not_ours_names_whose_it_is_and_the_clock_runs_on(cast: Cast):
    filed = assigned(cast)
    due = view(filed, cast.power).clock.due_on
    with pytest.raises(services.IllegalMove, match="就是您的机关"):
        services.pass_on(filed.id, "power", reason="不归我们", by=cast.power, at=days(1))
    with pytest.raises(services.IllegalMove, match="说不出归谁"):
        services.pass_on(filed.id, "rent", reason="不归我们", by=cast.power, at=days(1))
    with pytest.raises(services.IllegalMove, match="理由"):
        services.pass_on(filed.id, "water", reason=" ", by=cast.power, at=days(1))
    services.pass_on(filed.id, "water", reason="是停水", by=cast.power, at=days(1))
    seen = view(filed, cast.water, 1)
    assert seen.state is State.PASSED_ON and seen.clock.due_on == due
    passed = seen.events[-1]
    assert passed.reason == "是停水" and passed.article == "优化营商环境条例 第二十八条"
    services.take(filed.id, by=cast.water, at=days(1))
    assert view(filed, cast.water, 1).is_mine


def test_nobodys_is_settled_by_the_joint_office(cast: Cast):
    filed = told(cast, "房东突然涨租一倍，合同还没有到期")
    gap = services.assign(filed.id, "rent", by=cast.desk, at=AT)
    assert isinstance(gap, selectors.Gap)
    seen = view(filed, cast.lead)
    assert seen.state is State.GAP and "双方约定" in seen.gap_reason and seen.is_mine
    assert "联席会议办公室" in view(filed, cast.owner).waiting
    with pytest.raises(services.AppealNotFound):
        services.settle(filed.id, "amr", LUCHENG, reason="x", by=cast.desk, at=AT)
    services.settle(filed.id, "amr", LUCHENG, reason="先调解", by=cast.lead, at=days(1))
    assert view(filed, cast.chief, 1).state is State.ASSIGNED


def test_a_complaint_is_accepted_first_by_its_own_clocks(cast: Cast):
    filed = assigned(cast, "purchase_dispute")
    seen = view(filed, cast.desk)
    assert seen.clock.step == "accept" and seen.clock.due_on.isoformat() == "2026-11-11"
    with pytest.raises(services.IllegalMove, match="先受理"):
        services.answer(filed.id, "已经调解好了。", by=cast.desk, at=days(1))
    services.accept(filed.id, by=cast.desk, at=days(1))
    seen = view(filed, cast.desk, 1)
    assert seen.clock.step == "answer" and "第二十一条" in seen.clock.source


def test_an_extension_needs_the_head_a_reason_and_its_day(cast: Cast):
    filed = assigned(cast)
    for by, reason, day, why in (
        (cast.power, "等备件", 1, "负责人"),
        (cast.power_chief, " ", 1, "理由"),
        (cast.power_chief, "等备件", 10, "期限届满"),
    ):
        with pytest.raises((services.IllegalMove, services.NotAllowed), match=why):
            services.extend(filed.id, reason=reason, by=by, at=days(day))
    services.extend(filed.id, reason="等备件", by=cast.power_chief, at=days(1))
    seen = view(filed, cast.owner, 1)
    assert seen.clock.due_on.isoformat() == "2026-11-19" and "appeal.extended" in told_of(
        cast.owner
    )
    with pytest.raises(services.IllegalMove, match="已经延期"):
        services.extend(filed.id, reason="再等", by=cast.power_chief, at=days(2))


def test_joint_handlers_help_and_the_owner_stays_one(cast: Cast):
    filed = assigned(cast)
    before = Appeal.objects.get().owner_id
    services.ask_jointly(filed.id, "water", LUCHENG, by=cast.power, at=AT)
    services.give_opinion(filed.id, opinion="水管没有问题", by=cast.water, at=AT)
    seen = view(filed, cast.water)
    assert seen.joint == (("water", "供水企业", True),) and Appeal.objects.get().owner_id == before
    with pytest.raises(services.NotAllowed):
        services.answer(filed.id, "我们答复了。", by=cast.water, at=AT)


def test_joined_appeals_are_answered_together_and_all_are_told(cast: Cast):
    first = told(cast)
    second = told(
        cast,
        "五马街停电三天没有来电，供电没人来修，冰柜坏了",
        by=cast.stranger,
        trader_code="",
        place_text="五马街道公园路口",
    )
    far = told(cast, "五马街停电三天", at=days(-60))
    alike = selectors.list_alike(second.id, actor=cast.desk)
    assert [like.number for like in alike] == [first.number]
    with pytest.raises(services.AppealNotFound):
        services.join(second.id, first.id, by=cast.power, at=AT)
    services.join(second.id, first.id, by=cast.desk, at=AT)
    rows = selectors.list_desk(cast.desk, on=on())
    assert {(row.number, row.joined) for row in rows} == {(first.number, 1), (far.number, 0)}
    services.assign(first.id, "power", by=cast.desk, at=AT)
    services.answer(first.id, "线路已经抢修好。", by=cast.power, at=days(1))
    assert view(second, cast.stranger, 1).answer == "线路已经抢修好。"
    assert "appeal.answered" in told_of(cast.stranger)
    services.reopen(second.id, reason="我家还没有电", by=cast.stranger, at=days(1))
    assert view(first, cast.owner, 1).state is State.ANSWERED


@pytest.mark.parametrize(
    "change",
    [
        {"received_at": days(-1)},
        {"text": "别的话"},
        {"trader_code": SHOP[:-1] + "X"},
        {"state": "closed", "ended_at": days(1), "outcome": "confirmed"},
        {"state": "answered"},
        {"state": "answered", "answered_at": days(1)},
        {"owner": None},
        {"barred": " amr:330302 "},
    ],
)
def test_words_and_times_cannot_be_dressed_up(cast: Cast, change):
    filed = assigned(cast)
    with pytest.raises(DatabaseError), transaction.atomic():
        Appeal.objects.filter(pk=filed.id).update(**change)


def test_no_answer_no_closing_even_in_sql(cast: Cast):
    filed = assigned(cast)
    services.answer(filed.id, "线路已经抢修好。", by=cast.power, at=days(1))
    early = {"state": "closed", "outcome": "timed_out", "ended_at": days(2)}
    for change in (early, {"answered_at": days(0.5)}, {"answer": "", "state": "answered"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Appeal.objects.filter(pk=filed.id).update(**change)
    for change in ({"due_on": on(30)}, {"started_on": on(5)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            AppealClock.objects.filter(stopped_on=None).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        AppealEvent.objects.update(reason="x")
    late = early | {"ended_at": days(30)}  # the control: after the stated time it may be
    assert Appeal.objects.filter(pk=filed.id).update(**late) == 1


def test_exactly_one_owner_whatever_happens(cast: Cast):
    """Random steps by random people: an appeal that is open always has one owner with a role."""
    dice = random.Random(7)
    people = [cast.desk, cast.chief, cast.power, cast.power_chief, cast.water, cast.lead]
    filed = [told(cast, at=days(n / 10)) for n in range(6)]
    made = 0
    for step in range(400):
        one, other = dice.choice(filed).id, dice.choice(filed).id
        common = {"by": dice.choice(people), "at": days(1 + step / 100)}
        subject, to = dice.choice(["power", "water", "rent"]), dice.choice(people).account_id
        doing = dice.choice(
            [
                partial(services.assign, one, subject, **common),
                partial(services.pass_on, one, "water", reason="不归", **common),
                partial(services.take, one, **common),
                partial(services.dispute, one, reason="不归", **common),
                partial(services.settle, one, "power", LUCHENG, reason="归", **common),
                partial(services.join, one, other, **common),
                partial(services.hand_over, one, to, reason="换班", **common),
            ]
        )
        try:
            doing()
            made += 1
        except (services.AppealNotFound, services.NotAllowed, services.IllegalMove):
            continue
    assert made > 10
    for row in Appeal.objects.filter(state__in=[s.value for s in OPEN]).select_related("owner"):
        assert row.owner.closed_at is None
        assert AppealClock.objects.filter(appeal=row, stopped_on=None).count() == 1


def test_nobody_else_sees_it(cast: Cast):
    filed = assigned(cast)
    for actor in (cast.stranger, cast.yueqing, cast.water, cast.discipline):
        with pytest.raises(services.AppealNotFound):
            view(filed, actor)
    assert view(filed, cast.lead).number and view(filed, cast.government).number


def test_too_short_too_long_and_nowhere(cast: Cast):
    for text in ("停", "停" * 3000):
        with pytest.raises(services.BadAppeal):
            told(cast, text)
    with pytest.raises(services.BadAppeal):
        told(cast, place="110105")
    filed = told(cast, place_text="")
    seen = view(filed, cast.lead)
    assert seen.place == "" and seen.agency == "amr" and seen.division == "330300"
    services.assign(filed.id, "power", place=WUMA, by=cast.lead, at=AT + timedelta(hours=1))
    assert view(filed, cast.power).place_name == "鹿城区五马街道"
    assert NO_POWER in view(filed, cast.power).text


def test_what_runs_is_counted_by_county_and_late_once_past_its_day(cast: Cast):
    assigned(cast)
    assert selectors.count_running(AT.date()) == [("330302", 1, 0)]
    assert selectors.count_running(AT.date() + timedelta(days=60)) == [("330302", 1, 1)]
