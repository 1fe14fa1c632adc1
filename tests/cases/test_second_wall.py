"""Row-level security: on PostgreSQL a query that forgot its scope still reads nothing foreign."""

import dataclasses

import pytest
from django.db import DatabaseError, connection

from getihu.access.wall import over_the_wall, walled
from getihu.accounts.contracts import ANONYMOUS, Actor, Duty, Grant, Role, Scope
from getihu.cases.models import Attachment, Case, CaseMove, ClockRun
from getihu.cases.selectors import visible_cases
from tests.cases.cast import LUCHENG, id_of, officer
from tests.cases.test_cases import accepted, cast, draft, submitted

__all__ = ["cast"]

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite has no row-level security"
    ),
]


def everything() -> set:
    return set(Case.objects.values_list("pk", flat=True))


@pytest.fixture
def cases(cast):
    return [draft(cast), submitted(cast), accepted(cast)]


def people(cast) -> dict[str, Actor]:
    """Everybody of the cast, and some who reach part of what others do."""
    two = Actor(
        "x",
        "x",
        Duty.BUSINESS,
        (
            Grant(Role.WINDOW_OFFICER, "amr", Scope(frozenset({"330382"}))),
            Grant(Role.CASE_OFFICER, "tax", Scope(frozenset({"330302"}))),
        ),
    )
    odd = Actor("y", "y", Duty.BUSINESS, (Grant(Role.SUPERVISOR, "a%", Scope(frozenset({"33"}))),))
    bank = dataclasses.replace(
        two, grants=(Grant(Role.BANK_CLERK, "amr", Scope(frozenset({"330302"}))),)
    )
    named = {field.name: getattr(cast, field.name) for field in dataclasses.fields(cast)}
    return {**named, "two": two, "odd": odd, "bank": bank, "nobody": ANONYMOUS}


def test_the_second_wall_stands_where_the_first_does(cast, cases):
    reached = {}
    for name, actor in people(cast).items():
        first = set(visible_cases(actor).values_list("pk", flat=True))
        with walled(actor):
            reached[name] = everything()
        assert reached[name] == first, name
    assert len(reached["owner"]) == 3  # her draft as well
    assert len(reached["window"]) == len(reached["fire"]) == 2
    assert not any(reached[name] for name in ("stranger", "elsewhere", "two", "bank", "nobody"))
    assert len(everything()) == 3  # down again afterwards


def test_what_belongs_to_a_case_is_behind_the_wall_too(cast, cases):
    assert ClockRun.objects.exists()
    assert CaseMove.objects.exists()
    with walled(cast.elsewhere):
        for table in (ClockRun, CaseMove, Attachment):
            assert not table.objects.exists()
        assert not Case.objects.filter(pk=cases[1]).update(agency="tax")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM cases_case")
            assert cursor.fetchone() == (0,)
        with over_the_wall():
            assert len(everything()) == 3
        assert not everything()


def test_without_the_policy_everything_would_be_read(cast, cases):
    """The control."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no trigger left for later
        cursor.execute("ALTER TABLE cases_case DISABLE ROW LEVEL SECURITY")
    with walled(cast.elsewhere):
        assert len(everything()) == 3


def test_the_wall_comes_down_after_an_error(cast, cases):
    with pytest.raises(ValueError, match="x"), walled(cast.elsewhere):
        raise ValueError("x")
    assert len(everything()) == 3


@pytest.mark.django_db(transaction=True)
def test_it_is_down_again_after_a_transaction_that_failed(cast):
    case = submitted(cast)
    with pytest.raises(DatabaseError), walled(cast.elsewhere):
        Case.objects.create(pk=case)
    assert everything() == {case}


def test_the_least_busy_officer_is_found_over_everybody_s_cases(cast):
    """The applicant's own connection sees none of the officers' other cases."""
    other = officer("window2", Role.WINDOW_OFFICER, "amr", LUCHENG)
    first = Case.objects.get(pk=submitted(cast)).owner_id
    Case.objects.update(trader_code="92330302MA2JXW6N1X")  # somebody else's
    with walled(cast.owner):
        second = Case.objects.get(pk=submitted(cast)).owner_id
    assert {first, second} == {id_of(cast.window), id_of(other)}
