"""Who may do what: separate administrations, regions, leave from an owner, and rights that end."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from getihu.accounts import services
from getihu.accounts.contracts import ANONYMOUS, Actor, Duty, Purpose, Role, Scope
from getihu.accounts.models import Account, Assignment
from getihu.accounts.selectors import actor_of, list_authorisations, within
from getihu.accounts.services import AccountConflict, NotAllowed

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
SHOP, OTHER_SHOP = "92330302MA2ECR1A0J", "92330382MA2JXW6N1X"


def account(login: str, duty: Duty = Duty.BUSINESS):
    return services.open_account(login=login, name=f"示例{login}", duty=duty, at=AT)


def given(account_id, role: Role, division: str = "330302", agency: str = "amr") -> int:
    return services.assign(
        account_id, role, agency=agency, division=division, reason="到岗", at=AT, by=None
    )


@pytest.fixture
def security() -> Actor:
    holder = account("security", Duty.SECURITY)
    given(holder, Role.SECURITY_ADMINISTRATOR, "330300")
    return actor_of(holder, AT)


def test_nobody_is_nobody():
    assert actor_of(None, AT) is ANONYMOUS
    assert actor_of("00000000-0000-0000-0000-000000000000", AT) is ANONYMOUS
    assert not ANONYMOUS.may_view(SHOP)
    assert not ANONYMOUS.scope().covers("330302")


@pytest.mark.parametrize(
    ("division", "inside", "outside"),
    [
        ("330300", ["330302", "330383", "330302001"], ["330102", "110000"]),
        ("330302", ["330302", "330302001"], ["330303", "330300", "330"]),
        ("330302001", ["330302001"], ["330302", "330302002"]),
    ],
)
def test_a_scope_is_what_lies_inside_its_division(division, inside, outside):
    scope = Scope(frozenset({division}))
    assert all(scope.covers(place) for place in inside)
    assert not any(scope.covers(place) for place in [*outside, None, ""])


def test_an_officer_reaches_her_county_in_her_role_only():
    officer = account("lucheng")
    given(officer, Role.WINDOW_OFFICER, "330302")
    given(officer, Role.INSPECTOR, "330303001", agency="culture")
    actor = actor_of(officer, AT)
    assert actor.roles == {Role.WINDOW_OFFICER, Role.INSPECTOR}
    assert actor.scope(Role.WINDOW_OFFICER).covers("330302005")
    assert not actor.scope(Role.WINDOW_OFFICER).covers("330303001")
    assert actor.scope().covers("330303001")
    assert actor.agencies(Role.INSPECTOR) == {"culture"}
    assert not actor.scope(Role.SUPERVISOR).covers("330302")


def test_a_scope_goes_into_the_query():
    officer = account("a")
    for division in ("330302", "330302001", "330303"):
        given(officer, Role.CASE_OFFICER, division)
    inside = Assignment.objects.filter(within(Scope(frozenset({"330302"})), "division"))
    assert set(inside.values_list("division", flat=True)) == {"330302", "330302001"}
    assert not Assignment.objects.filter(within(Scope(frozenset()), "division")).exists()


def test_a_revoked_right_is_gone_at_the_next_look(security):
    officer = account("b")
    number = given(officer, Role.SUPERVISOR)
    assert actor_of(officer, AT).roles
    services.revoke(number, by=security, at=LATER)
    assert actor_of(officer, LATER).roles == frozenset()
    assert actor_of(officer, AT).roles  # what she could do then can still be answered


def test_a_closed_account_is_nobody(security):
    officer = account("c")
    given(officer, Role.SUPERVISOR)
    services.close_account(officer, by=security, at=LATER)
    assert actor_of(officer, LATER) is ANONYMOUS


@pytest.mark.parametrize(
    ("duty", "role"),
    [
        (Duty.SYSTEM, Role.AUDIT_ADMINISTRATOR),
        (Duty.SECURITY, Role.SYSTEM_ADMINISTRATOR),
        (Duty.AUDIT, Role.SUPERVISOR),
        (Duty.BUSINESS, Role.SECURITY_ADMINISTRATOR),
        (Duty.PERSON, Role.WINDOW_OFFICER),
    ],
)
def test_three_administrations_are_three_people(duty, role):
    """三权分立：服务和数据库都不让一个账号兼任。"""
    holder = account("d", duty)
    with pytest.raises(AccountConflict, match="各是各的账号"):
        given(holder, role)
    for claimed in Duty:
        with pytest.raises(DatabaseError), transaction.atomic():
            Assignment.objects.bulk_create(
                [
                    Assignment(
                        account_id=holder,
                        role=role,
                        duty=claimed,
                        agency="amr",
                        division="330300",
                        since=AT,
                        reason="直接写表",
                    )
                ]
            )


def test_a_duty_is_for_life_and_an_assignment_is_only_ended():
    holder = account("e")
    number = given(holder, Role.SUPERVISOR)
    for change in (
        lambda: Account.objects.filter(pk=holder).update(duty=Duty.AUDIT),
        lambda: Assignment.objects.filter(pk=number).update(division="330300"),
        lambda: Assignment.objects.filter(pk=number).update(role=Role.INSPECTOR),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    Assignment.objects.filter(pk=number).update(until=LATER)
    with pytest.raises(DatabaseError), transaction.atomic():
        Assignment.objects.filter(pk=number).update(until=None)


def test_only_a_security_administrator_gives_rights_inside_her_region_and_never_to_herself():
    county = account("county-security", Duty.SECURITY)
    given(county, Role.SECURITY_ADMINISTRATOR, "330302")
    by = actor_of(county, AT)
    officer = account("f")
    supervisor = account("g")
    given(supervisor, Role.SUPERVISOR)

    def assign(to, division, giver, role=Role.CASE_OFFICER):
        return services.assign(
            to, role, agency="amr", division=division, reason="到岗", at=AT, by=giver
        )

    assert assign(officer, "330302001", by)
    with pytest.raises(NotAllowed, match="地区"):
        assign(officer, "330303", by)
    with pytest.raises(NotAllowed, match="安全管理员"):
        assign(officer, "330302", actor_of(supervisor, AT))
    with pytest.raises(AccountConflict, match="不能给自己"):
        assign(county, "330302", by, Role.SECURITY_ADMINISTRATOR)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(
            account_id=county,
            role=Role.SECURITY_ADMINISTRATOR,
            duty=Duty.SECURITY,
            agency="tax",
            division="330302",
            since=AT,
            granted_by_id=county,
            reason="自己给自己",
        )


def test_an_owner_s_leave_has_a_purpose_an_end_and_ends_with_the_ownership():
    owner, helper = account("owner", Duty.PERSON), account("helper", Duty.PERSON)
    services.record_ownership(owner, SHOP, evidence="登记的经营者", at=AT)
    services.record_ownership(owner, SHOP, evidence="登记的经营者", at=AT)
    by = actor_of(owner, AT)
    assert by.own == {SHOP}
    until = AT + timedelta(days=30)
    services.authorise(SHOP, to=helper, purpose=Purpose.VIEW, until=until, by=by, at=AT)
    acting = actor_of(helper, AT)
    assert acting.may_view(SHOP)
    assert not acting.may_apply_for(SHOP)
    assert not acting.may_view(OTHER_SHOP)
    assert not actor_of(helper, until).may_view(SHOP)
    services.end_ownership(owner, SHOP, at=LATER)
    assert not actor_of(helper, LATER).may_view(SHOP)
    assert [row.ended_at for row in list_authorisations(SHOP)] == [LATER]


def test_leave_rests_on_its_giver_s_ownership_of_that_very_trader():
    """A new operator of one shop is not bound by what the old one allowed, whatever else the old
    one owns."""
    owner, helper = account("owner", Duty.PERSON), account("helper", Duty.PERSON)
    for code in (SHOP, OTHER_SHOP):
        services.record_ownership(owner, code, evidence="登记", at=AT)
    until = AT + timedelta(days=30)
    by = actor_of(owner, AT)
    services.authorise(SHOP, to=helper, purpose=Purpose.APPLY, until=until, by=by, at=AT)
    from getihu.accounts.models import Ownership

    Ownership.objects.filter(trader_code=SHOP).update(until=LATER)
    services.record_ownership(account("new", Duty.PERSON), SHOP, evidence="变更", at=LATER)
    assert not actor_of(helper, LATER).may_view(SHOP)


def test_only_the_owner_lets_others_in_and_only_for_a_time():
    owner, helper = account("owner", Duty.PERSON), account("helper", Duty.PERSON)
    services.record_ownership(owner, SHOP, evidence="登记", at=AT)
    by = actor_of(owner, AT)
    soon = AT + timedelta(days=1)
    with pytest.raises(NotAllowed, match="本人"):
        services.authorise(
            SHOP, to=owner, purpose=Purpose.VIEW, until=soon, by=actor_of(helper, AT), at=AT
        )
    for until in (AT, AT + timedelta(days=366)):
        with pytest.raises(AccountConflict, match="一年"):
            services.authorise(SHOP, to=helper, purpose=Purpose.VIEW, until=until, by=by, at=AT)
    number = services.authorise(SHOP, to=helper, purpose=Purpose.VIEW, until=soon, by=by, at=AT)
    with pytest.raises(NotAllowed):
        services.end_authorisation(number, by=ANONYMOUS, at=LATER)
    services.end_authorisation(number, by=actor_of(helper, AT), at=LATER)
    assert not actor_of(helper, LATER).may_view(SHOP)


def test_a_login_name_belongs_to_one_account():
    account("taken")
    with pytest.raises(AccountConflict, match="taken"):
        account("taken")
