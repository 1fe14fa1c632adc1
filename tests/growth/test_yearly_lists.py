"""The yearly refresh: listed, open to objection, concluded; and never another list afterwards."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from getihu.audit.models import Event
from getihu.cases import services as cases
from getihu.growth import selectors, services
from getihu.growth.models import Membership, Refresh
from getihu.growth.services.pooling import belief, enter
from getihu.growth.services.refreshing import list_path
from tests.growth.conftest import AT, AUTUMN, LUCHENG, code, days, officer, operator

pytestmark = pytest.mark.django_db
POOL = "safe_consumption"
TOWN = "330302001"


@pytest.fixture
def opened(facts_say, clerk, chief) -> Refresh:
    facts_say(AUTUMN, yes=[1, 2, 3])
    services.update_pool(POOL, at=days(-1))
    made = services.list_refresh(POOL, LUCHENG, 2026, by=clerk, at=AT)
    return services.open_refresh(made.pk, by=chief, at=AT)


def after(refresh: Refresh):
    return AT + timedelta(days=(refresh.object_until - AT.date()).days + 1)


def test_a_county_is_refreshed_published_and_concluded(opened, chief):
    with pytest.raises(services.NotNow, match="公示到"):
        services.conclude_refresh(opened.pk, by=chief, at=AT)
    done = services.conclude_refresh(opened.pk, by=chief, at=after(opened))
    assert done.final_sha256 == opened.list_sha256  # nobody objected
    assert list_path(done.final_sha256).read_text().splitlines() == [
        "level,trader_code,valid_from",
        *(f"city,{code(n)},2026-10-31" for n in (1, 2, 3)),
    ]
    kinds = Event.objects.filter(object_ref=f"pool_list:{opened.pk}").values_list("kind", flat=True)
    assert set(kinds) == {"pool_list.listed", "pool_list.opened", "pool_list.concluded"}
    record = Event.objects.get(kind="pool_list.concluded").record
    assert done.final_sha256.encode() in bytes(record)
    assert services.verify_lists() == []


def test_whoever_lists_cannot_publish(facts_say, chief):
    facts_say(AUTUMN, yes=[1])
    made = services.list_refresh(POOL, LUCHENG, 2026, by=chief, at=AT)
    with pytest.raises(services.NotNow, match="另一位"):
        services.open_refresh(made.pk, by=chief, at=AT)


def test_a_county_is_listed_once_a_year(opened, clerk):
    with pytest.raises(services.NotNow, match="已经列过"):
        services.list_refresh(POOL, LUCHENG, 2026, by=clerk, at=days(1))


def test_an_objection_holds_the_list_until_it_is_decided(opened, chief):
    from getihu.accounts.contracts import Role

    owner = operator(code(9))
    case = services.object_to(
        f"list:{opened.pk}:{code(9)}", code(9), "名单里没有我", place=TOWN, by=owner, at=days(1)
    )
    with pytest.raises(services.NotNow, match="异议没有办结"):
        services.conclude_refresh(opened.pk, by=chief, at=after(opened))
    desk = officer(Role.CASE_OFFICER, 7)
    cases.accept(case, by=desk, at=days(2))
    cases.finish_stage(case, "check", passed=True, by=desk, at=days(3))
    services.put_in(opened.pk, code(9), article="名录办法第一条", by=chief, at=days(4))
    done = services.conclude_refresh(opened.pk, by=chief, at=after(opened))
    assert code(9) in list_path(done.final_sha256).read_text()
    assert done.final_sha256 != opened.list_sha256


def test_an_objection_upheld_lets_a_person_strike_a_line(opened, chief):
    from getihu.accounts.contracts import Role

    owner = operator(code(9))
    with pytest.raises(services.NotNow, match="没有成立的异议"):
        services.strike(
            opened.pk, code(2), "city", reason="不符", article="第一条", by=chief, at=days(1)
        )
    case = services.object_to(
        f"list:{opened.pk}:{code(2)}", code(9), "它已经不营业", place=TOWN, by=owner, at=days(1)
    )
    desk = officer(Role.CASE_OFFICER, 7)
    cases.accept(case, by=desk, at=days(2))
    cases.finish_stage(case, "check", passed=True, by=desk, at=days(3))
    services.strike(
        opened.pk, code(2), "city", reason="不符", article="第一条", by=chief, at=days(4)
    )
    done = services.conclude_refresh(opened.pk, by=chief, at=after(opened))
    assert code(2) not in list_path(done.final_sha256).read_text()
    listed = list_path(opened.list_sha256).read_text()
    assert code(2) in listed  # what was published stays what it was
    assert services.verify_lists() == []


def test_an_objection_after_the_days_is_too_late(opened):
    owner = operator(code(9))
    with pytest.raises(services.NotNow, match="异议期已经过了"):
        services.object_to(
            f"list:{opened.pk}:{code(9)}", code(9), "我", place=TOWN, by=owner, at=after(opened)
        )


def test_later_changes_do_not_change_a_list(opened, facts_say, chief):
    facts_say(AUTUMN + timedelta(days=20), yes=[4], no=[1, 2, 3])
    services.update_pool(POOL, at=days(20))
    done = services.conclude_refresh(opened.pk, by=chief, at=days(30))
    assert done.final_sha256 == opened.list_sha256
    assert services.verify_lists() == []


def test_the_database_refuses_a_belief_from_before_a_published_list(opened):
    back = belief(
        POOL, "city", code(8), LUCHENG, valid_from=AUTUMN, at=days(-1), why="machine", ground="x"
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        enter([back])


def test_the_database_refuses_to_change_a_list(opened, chief):
    for change in ({"list_sha256": "0" * 64}, {"members_count": 9}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Refresh.objects.filter(pk=opened.pk).update(**change)
    services.conclude_refresh(opened.pk, by=chief, at=after(opened))
    with pytest.raises(DatabaseError), transaction.atomic():
        Refresh.objects.filter(pk=opened.pk).update(final_sha256="0" * 64)


def test_a_list_somebody_tampered_with_is_noticed(opened):
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP TRIGGER growth_guard_belief ON growth_membership")
        else:
            cursor.execute("DROP TRIGGER growth_belief_fixed")
    Membership.objects.filter(trader_code=code(2)).update(valid_from=AUTUMN - timedelta(days=1))
    assert len(services.verify_lists()) == 1


def test_the_next_year_tells_who_is_new_and_who_is_gone(opened, facts_say, clerk, chief):
    services.conclude_refresh(opened.pk, by=chief, at=after(opened))
    facts_say(AUTUMN + timedelta(days=365), yes=[1, 2, 3, 4])
    made = services.list_refresh(POOL, LUCHENG, 2027, by=clerk, at=days(365))
    assert (made.members_count, made.added_count, made.removed_count) == (4, 1, 0)
    assert made.run.written_count == 1


def test_a_list_is_not_public_before_it_is_published(facts_say, clerk):
    facts_say(AUTUMN, yes=[1])
    made = services.list_refresh(POOL, LUCHENG, 2026, by=clerk, at=AT)
    with pytest.raises(selectors.UnknownRefresh):
        selectors.get_refresh(made.pk)
