"""Pools: the machine gives, people take; only what changed is written; the past stays."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from getihu.growth import selectors, services
from getihu.growth.models import Exit, Membership, PoolPlaces, PoolRun
from getihu.growth.services import pooling
from getihu.growth.services.pooling import belief, enter
from getihu.notifications.models import Notice
from tests.growth.conftest import AT, AUTUMN, LUCHENG, YUEQING, code, days, operator

pytestmark = pytest.mark.django_db
POOL = "conversion"  # leaving it takes nothing away
LISTED = "safe_consumption"  # leaving it does


def members(pool_id: str = POOL) -> set[str]:
    rows = Membership.objects.filter(pool_id=pool_id, known_until=None, valid_until=None)
    return set(rows.values_list("trader_code", flat=True))


def test_whoever_the_rule_says_yes_to_is_in_at_once(facts_say):
    facts_say(AUTUMN, yes=[1, 2], no=[3], unknown=[4])
    report = services.update_pool(POOL, at=AT)
    assert members() == {code(1), code(2)}
    assert (report.entered, report.written) == (2, 2)
    row = Membership.objects.get(trader_code=code(1))
    assert (row.valid_from, row.why) == (AUTUMN, "machine")
    assert row.ground == "growth.conversion_pool@aaaaaaaaaaaa"


def test_a_second_pass_writes_nothing(facts_say):
    facts_say(AUTUMN, yes=[1, 2])
    services.update_pool(POOL, at=AT)
    rows, runs = Membership.objects.count(), PoolRun.objects.count()
    assert services.update_pool(POOL, at=days(1)).written == 0
    assert (Membership.objects.count(), PoolRun.objects.count()) == (rows, runs)


def test_only_what_changed_is_written(facts_say):
    facts_say(AUTUMN, yes=range(100))
    services.update_pool(POOL, at=AT)
    facts_say(AUTUMN + timedelta(days=30), yes=range(1, 102), no=[0])
    report = services.update_pool(POOL, at=days(30))
    assert (report.entered, report.leaving, report.kept) == (2, 1, 99)
    assert report.written == 3  # two who came, one who was told


def test_what_is_unknown_takes_nobody_out(facts_say):
    facts_say(AUTUMN, yes=[1])
    services.update_pool(POOL, at=AT)
    facts_say(AUTUMN + timedelta(days=30), unknown=[1])
    report = services.update_pool(POOL, at=days(30))
    assert (report.unknown, report.leaving) == (1, 0)
    assert members() == {code(1)}


def test_one_is_told_before_one_leaves(facts_say):
    owner = operator(code(1))
    facts_say(AUTUMN, yes=[1])
    services.update_pool(POOL, at=AT)
    facts_say(AUTUMN, no=[1])
    services.update_pool(POOL, at=days(1))
    assert members() == {code(1)}
    notice = Notice.objects.get(recipient=owner.account_id, channel="in_app")
    assert "提异议" in notice.text
    until = Exit.objects.get().object_until
    assert services.end_exits(days((until - AT.date()).days)) == 0  # the last day still counts
    assert services.end_exits(days((until - AT.date()).days + 1)) == 1
    assert members() == set()


def test_who_fits_again_stays(facts_say):
    facts_say(AUTUMN, yes=[1])
    services.update_pool(POOL, at=AT)
    facts_say(AUTUMN, no=[1])
    services.update_pool(POOL, at=days(1))
    facts_say(AUTUMN + timedelta(days=1), yes=[1])
    services.update_pool(POOL, at=days(2))
    services.end_exits(days(60))
    assert members() == {code(1)}


def test_the_machine_may_give_but_only_people_take(facts_say, chief):
    facts_say(AUTUMN, yes=[1])
    services.update_pool(LISTED, at=AT)
    facts_say(AUTUMN, no=[1])
    services.update_pool(LISTED, at=days(1))
    assert services.end_exits(days(300)) == 0
    assert members(LISTED) == {code(1)}
    row = Exit.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Exit.objects.filter(pk=row.pk).update(state="done", ended_at=days(300))
    with pytest.raises(services.NotNow, match="依据"):
        services.decide_exit(row.pk, leaves=True, reason="不再是", by=chief, at=days(300))
    services.decide_exit(
        row.pk, leaves=True, reason="不再是", article="名录办法第一条", by=chief, at=days(300)
    )
    assert members(LISTED) == set()


def test_a_clerk_or_a_chief_of_elsewhere_takes_nothing(facts_say, clerk):
    from getihu.accounts.contracts import Role
    from tests.growth.conftest import officer

    facts_say(AUTUMN, yes=[1])
    services.update_pool(LISTED, at=AT)
    facts_say(AUTUMN, no=[1])
    services.update_pool(LISTED, at=days(1))
    row = Exit.objects.get()
    for who in (clerk, officer(Role.SUPERVISOR, division=YUEQING)):
        with pytest.raises(services.NotAllowed):
            services.decide_exit(
                row.pk, leaves=True, reason="不再是", article="第一条", by=who, at=days(99)
            )


def test_a_shop_that_moves_to_another_county_is_in_that_county_s_pool(facts_say):
    facts_say(AUTUMN, yes=[1])
    services.update_pool(POOL, at=AT)
    facts_say(AUTUMN + timedelta(days=9), yes=[1], moved={code(1): YUEQING})
    services.update_pool(POOL, at=days(9))
    rows = Membership.objects.filter(known_until=None).order_by("valid_from")
    assert [(r.county_code, r.valid_until is None) for r in rows] == [
        (LUCHENG, False),
        (YUEQING, True),
    ]


def test_a_pool_people_keep_is_not_filled_by_the_machine(facts_say):
    with pytest.raises(services.NotNow, match="由人认定"):
        services.update_pool("famous", at=AT)


def test_what_was_known_at_any_moment_can_be_read_again(facts_say, chief):
    facts_say(AUTUMN, yes=[1, 2])
    services.update_pool(LISTED, at=AT)
    facts_say(AUTUMN + timedelta(days=1), yes=[2], no=[1])
    services.update_pool(LISTED, at=days(1))
    exit_ = Exit.objects.get()
    services.decide_exit(
        exit_.pk, leaves=True, reason="不再是", article="第一条", by=chief, at=days(40)
    )
    then = selectors.known_list(LISTED, LUCHENG, on=AUTUMN, known_at=days(10))
    assert [line.trader_code for line in then] == [code(1), code(2)]
    later = selectors.known_list(LISTED, LUCHENG, on=days(41).date(), known_at=days(41))
    assert [line.trader_code for line in later] == [code(2)]


# the database itself


@pytest.fixture
def one_belief(facts_say) -> Membership:
    facts_say(AUTUMN, yes=[1])
    services.update_pool(POOL, at=AT)
    return Membership.objects.get()


@pytest.mark.parametrize(
    "change",
    [
        {"trader_code": "92330302MA00000009"},
        {"valid_from": date(2020, 1, 1)},
        {"valid_until": date(2027, 1, 1)},
        {"known_from": days(-400)},
        {"ground": "别的"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_database_refuses_to_change_what_was_known(one_belief, change):
    with pytest.raises(DatabaseError), transaction.atomic():
        Membership.objects.filter(pk=one_belief.pk).update(**change)


def test_without_the_guard_the_past_could_be_changed(one_belief):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP TRIGGER growth_guard_belief ON growth_membership")
        else:
            cursor.execute("DROP TRIGGER growth_belief_fixed")
    Membership.objects.filter(pk=one_belief.pk).update(ground="别的")
    assert Membership.objects.get().ground == "别的"


def test_a_belief_is_closed_once(one_belief):
    Membership.objects.filter(pk=one_belief.pk).update(known_until=days(1))
    with pytest.raises(DatabaseError), transaction.atomic():
        Membership.objects.filter(pk=one_belief.pk).update(known_until=days(2))


def test_nobody_is_in_a_pool_twice_at_a_time(one_belief):
    again = belief(
        POOL, "city", code(1), LUCHENG, valid_from=AUTUMN, at=days(1), why="machine", ground="x"
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        enter([again])


def test_one_can_be_in_a_pool_at_several_levels(one_belief):
    rows = [
        belief(
            "famous",
            level,
            code(1),
            LUCHENG,
            valid_from=AUTUMN,
            at=AT,
            why="recognised",
            ground="x",
        )
        for level in ("county", "city", "province")
    ]
    assert enter(rows) == 3
    target = {t.id: t for t in selectors.list_targets(AT.date())}["four_kinds"]
    assert (target.count, target.target) == (1, 2000)  # one trader, however many levels
    pool = next(p for p in selectors.list_pools(AT.date()) if p.id == "famous")
    assert (pool.members, dict(pool.by_level)) == (1, {"县级": 1, "市级": 1, "省级": 1})


def test_places_of_a_quota_are_never_exceeded():
    row = PoolPlaces.objects.create(
        quota_id="four_kinds", level="county", county_code=LUCHENG, year=2026, base_count=40,
        places=2, taken=2,
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        PoolPlaces.objects.filter(pk=row.pk).update(taken=3)


def test_every_pool_is_sound():
    from getihu.cases.selectors import get_matter
    from getihu.rulebook import selectors as rulebook

    for pool in selectors.all_pools().values():
        if pool.admission.by == "machine":
            assert rulebook.get_rule(pool.admission.rule)
        if pool.admission.by == "people":
            assert get_matter(pool.admission.matter)
        assert selectors.objection_term(pool)
        for matter in pool.privileges:
            assert get_matter(matter)
        if pool.leaving.by != "with_type":
            assert pooling.cases.due_after(pool.leaving.notice, AT.date())
