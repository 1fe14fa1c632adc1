"""Telling operators of policies: once, with reasons, only what may be used, and while it is true."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel
from getihu.notifications.models import Notice
from getihu.policies import selectors, services
from getihu.policies.models import Push, PushRun
from getihu.policies.services import pushing
from getihu.policies.services.pushing import quarter_of
from getihu.rulebook import selectors as rulebook
from tests.policies.conftest import AT, awarded, confirmed, operator
from tests.policies.test_pages import as_person

pytestmark = pytest.mark.django_db(transaction=True)  # as in service

NEXT_QUARTER = AT + timedelta(days=80)
SURCHARGES = "policies.six_taxes_half"  # rests on tax data: only with her consent


def matched(city, rule_id: str, limit: int = 3) -> list[str]:
    snapshot = rulebook.dataplane.get_published_snapshot().snapshot_id
    found = rulebook.list_granted(rule_id, city.as_of, snapshot)
    return [each.trader_code for each in found[:limit]]


def allow_all(code: str) -> None:
    hers = operator(code)
    for choice in selectors.list_consent_choices(code, actor=hers):
        services.consent_to_match(code, choice.article, by=hers, at=AT)


def told_of(rule_id: str) -> set[str]:
    rows = Push.objects.filter(rule_id=rule_id, kind="match")
    return set(rows.values_list("trader_code", flat=True))


def test_a_new_match_is_told_once_with_its_reasons(city):
    codes = matched(city, SURCHARGES)
    for code in codes:
        allow_all(code)
    services.push(at=AT)
    assert told_of(SURCHARGES) == set(codes)
    notice = Notice.objects.get(obligation=f"push:{codes[0]}/{SURCHARGES}", channel="in_app")
    assert "因为您有“六税两费”应缴额" in notice.text
    assert services.push(at=AT) is None  # this snapshot has been gone through
    PushRun.objects.all().delete()  # a new snapshot with the same answers
    again = services.push(at=AT)
    assert again.counts[SURCHARGES] == {"matched": 3, "before": 3}
    told = Notice.objects.filter(obligation=f"push:{codes[0]}/{SURCHARGES}", channel="in_app")
    assert told.count() == 1


def test_who_has_no_account_is_not_told_and_nobody_else_is_touched(city):
    report = services.push(at=AT)
    assert report.told == 0
    assert not Push.objects.exists()


def test_tax_data_find_nothing_without_her_consent(city):
    (code,) = matched(city, SURCHARGES, 1)
    operator(code)
    report = services.push(at=AT)
    assert report.counts[SURCHARGES] == {"matched": 1, "before": 0, "without_consent": 1}
    assert told_of(SURCHARGES) == set()


def test_consent_withdrawn_before_sending_takes_the_notice_back(city):
    (code,) = matched(city, SURCHARGES, 1)
    allow_all(code)
    services.push(at=AT)
    hers = operator(code)
    for choice in selectors.list_consent_choices(code, actor=hers):
        services.withdraw_consent(code, choice.article, by=hers, at=AT)
    notifications.deliver(AT)
    notice = Notice.objects.get(obligation=f"push:{code}/{SURCHARGES}", channel="in_app")
    assert notice.state == "retracted"


def test_what_is_no_longer_so_is_not_sent(city, monkeypatch):
    (code,) = matched(city, SURCHARGES, 1)
    allow_all(code)
    services.push(at=AT)
    push = Push.objects.get(trader_code=code, rule_id=SURCHARGES)
    assert selectors.push_is(str(push.pk))
    snapshot = rulebook.dataplane.get_published_snapshot().snapshot_id
    others = rulebook.list_decided(SURCHARGES, _all_codes(city), city.as_of, snapshot)
    refused = next(c for c, (outcome, _) in others.items() if outcome == "no")
    push.pk, push.trader_code = None, refused
    push.save()
    allow_all(refused)
    assert not selectors.push_is(str(push.pk))


def _all_codes(city) -> list[str]:
    return [each.trader_code for each in rulebook.list_near_traders(SURCHARGES, limit=50)] or list(
        city.personas.values()
    )


def test_she_can_refuse_them(city):
    (code,) = matched(city, SURCHARGES, 1)
    allow_all(code)
    account = operator(code).account_id
    notifications.decline(account, Channel.IN_APP, "policy", at=AT)
    services.push(at=AT)
    notifications.deliver(AT)
    told = Notice.objects.filter(obligation__startswith="push:", channel="in_app")
    assert set(told.values_list("state", flat=True)) == {"declined"}


def near_of_anything(city) -> str:
    for reading in services.pushable(city.as_of):
        for near in rulebook.list_near_traders(reading.id, limit=20):
            if rulebook.advise(near.trader_code, reading.id).is_near:
                return near.trader_code
    pytest.fail("nobody in the small city is one step away")


def test_one_step_away_is_told_once_a_quarter(city):
    code = near_of_anything(city)
    allow_all(code)
    first = services.push(at=AT)
    assert first.near == 1
    PushRun.objects.all().delete()
    assert services.push(at=AT).near == 0
    assert services.push(at=NEXT_QUARTER).near == 1
    assert sorted(Push.objects.filter(kind="near").values_list("quarter", flat=True)) == [
        "2026Q4",
        "2027Q1",
    ]


def test_the_database_refuses_a_second_time(city):
    first = {"rule_id": "a", "rule_version": "1", "trader_code": "c", "pushed_at": AT}
    near = {**first, "kind": "near", "quarter": "2026Q4"}
    Push.objects.create(kind="match", **first)
    Push.objects.create(**near)
    for again in ({**first, "kind": "match"}, {**near, "rule_id": "b"}, {**first, "kind": "near"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Push.objects.create(**again)


def test_a_push_and_its_notice_are_kept_both_or_neither(city, monkeypatch):
    (code,) = matched(city, SURCHARGES, 1)
    allow_all(code)

    def broken(*_, **__):
        raise RuntimeError("the queue is gone")

    monkeypatch.setattr(pushing.notifications, "queue", broken)
    with pytest.raises(RuntimeError):
        services.push(at=AT)
    assert not Push.objects.exists()
    monkeypatch.undo()


def test_aim_is_measured_by_what_was_paid(city, writer, supervisor):
    run = awarded(writer, supervisor)
    rows = list(run.awards.filter(state="entitled").order_by("position"))
    assert selectors.push_numbers(run.rule_id).told == 0  # nobody has an account yet
    confirmed(run, 2)
    Push.objects.bulk_create(
        Push(rule_id=run.rule_id, rule_version="1", trader_code=row.trader_code, kind="award",
             pushed_at=AT)
        for row in rows[1:5]
    )  # fmt: skip
    Push.objects.create(  # told when the money had come already: no push brought it
        rule_id=run.rule_id, rule_version="1", trader_code=rows[0].trader_code, kind="award",
        pushed_at=AT + timedelta(days=9),
    )  # fmt: skip
    run.awards.filter(pk__in=[row.pk for row in rows[:2]]).update(paid_on=AT.date())
    for row in rows[:2]:  # the database allows only moves of the table: walk to paid
        for state in ("cleared", "ordered", "paid"):
            type(row).objects.filter(pk=row.pk).update(state=state)
    numbers = selectors.push_numbers(run.rule_id)
    assert (numbers.told, numbers.paid) == (5, 2)
    assert (numbers.precision, numbers.recall) == (0.2, 0.5)


def test_nothing_is_said_of_aim_where_nothing_is_paid_here(city):
    numbers = selectors.push_numbers(SURCHARGES)
    assert (numbers.paid, numbers.precision, numbers.recall) == (None, None, None)


def test_why_a_tax_relief_s_aim_is_not_measured_is_said_and_stays_true(city):
    """The day a delivery names the relief taken, this turns red and the measure can be built."""
    from datetime import date

    from getihu.dataplane.selectors import fact_catalogue

    assert "没有写享受了哪一项" in selectors.get_results(SURCHARGES, date(2026, 11, 9)).aim_note
    reliefs = {name for name in fact_catalogue() if "relief" in name}
    assert reliefs == {"other_relief_yuan"}  # of income tax, all others together


def test_only_the_owner_consents(city):
    (code,) = matched(city, SURCHARGES, 1)
    stranger = operator("92330302MA2ABC001M")
    assert selectors.list_consent_choices(code, actor=stranger) == []
    with pytest.raises(services.NotAllowed):
        services.consent_to_match(code, "某条", by=stranger, at=AT)


def test_she_allows_and_takes_back_on_the_page(client, city):
    (code,) = matched(city, SURCHARGES, 1)
    as_person(client, operator(code))
    path = "/mine/notices/settings/"
    assert "用我的信息替我找政策" in client.get(path).content.decode()
    choices = selectors.list_consent_choices(code, actor=operator(code))
    allow = [f"{code} {choice.article}" for choice in choices]
    client.post(path, {"do": "match", "allow": allow})
    given = selectors.list_consent_choices(code, actor=operator(code))
    assert all(choice.is_given for choice in given)
    client.post(path, {"do": "match"})
    left = selectors.list_consent_choices(code, actor=operator(code))
    assert not any(choice.is_given for choice in left)


def test_a_notice_leads_to_the_reasons(client, city):
    (code,) = matched(city, SURCHARGES, 1)
    allow_all(code)
    services.push(at=AT)
    notifications.deliver(AT)
    as_person(client, operator(code))
    notice = Notice.objects.get(obligation=f"push:{code}/{SURCHARGES}", channel="in_app")
    answer = client.post("/mine/notices/read/", {"notice": str(notice.pk)})
    assert answer.url == f"/traders/{code}/decisions/{SURCHARGES}/"
    assert client.get(answer.url).status_code == 200


@pytest.mark.parametrize(
    ("month", "quarter"), [(1, "2026Q1"), (3, "2026Q1"), (4, "2026Q2"), (12, "2026Q4")]
)
def test_quarters(month, quarter):
    assert quarter_of(AT.date().replace(month=month)) == quarter
