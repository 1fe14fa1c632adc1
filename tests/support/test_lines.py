"""What complains of an officer or an office never reaches them or their line. 信访工作条例 第三十条"""

import random

import pytest

from getihu.accounts.contracts import Actor, Duty, Grant, Role, Scope
from getihu.reference import selectors as reference
from getihu.support import selectors, services
from getihu.support.models import Appeal
from getihu.support.selectors.lines import is_in_line, line_of, outside_line
from tests.support.conftest import (
    AT,
    CITY,
    LUCHENG,
    WUMA,
    Cast,
    days,
    officer,
    on,
    told,
)

ROLES = (Role.WINDOW_OFFICER, Role.CASE_OFFICER, Role.SUPERVISOR, Role.INSPECTOR)
AGENCIES = ("amr", "amr2", "fire", "tax", "urban_management", "town", "discipline")
RUDE = "窗口工作人员态度恶劣，一直刁难，还索要红包"


def test_random_trees_never_let_a_line_in():
    """The pure rule against a second, slower one: chains of divisions, over 20,000 pairs."""
    dice = random.Random(9)
    towns = [town.code for town in reference.list_towns()]
    divisions = [CITY, *(c.code for c in reference.list_counties()), *towns]
    inside = 0
    for _ in range(20_000):
        about = [(dice.choice(AGENCIES), dice.choice(divisions)) for _ in range(dice.randint(1, 3))]
        held = {(dice.choice(AGENCIES), dice.choice(divisions)) for _ in range(dice.randint(0, 3))}
        if dice.random() < 0.5:  # somebody near: up or down the tree
            agency, division = dice.choice(about)
            near = [CITY, division[:6], *(t for t in towns if t.startswith(division[:6]))]
            held.add((agency, dice.choice(near)))
        grants = tuple(Grant(dice.choice(ROLES), a, Scope(frozenset({d}))) for a, d in held)
        actor = Actor("x", "x", Duty.BUSINESS, grants)
        wanted = any(a == b and (up(d, e) or up(e, d)) for a, d in held for b, e in about)
        assert is_in_line(actor, line_of(about), None) is wanted
        inside += wanted
    assert 1500 < inside < 19_000


def up(lower: str, upper: str) -> bool:
    """Whether a division is the other one or lies in it, by their parents."""
    chain = {lower, CITY}
    if len(lower) == 9:
        chain.add(lower[:6])
    return upper in chain


@pytest.fixture
def complaint(cast: Cast):
    return told(cast, RUDE, about=("amr", LUCHENG))


def test_it_goes_where_that_office_is_not(cast: Cast, complaint):
    row = Appeal.objects.get()
    assert (row.agency, row.division) == ("discipline", LUCHENG)
    for actor in (cast.desk, cast.chief, cast.lead):
        with pytest.raises(services.AppealNotFound):
            selectors.get_appeal(complaint.id, actor=actor, on=on())
        assert selectors.list_desk(actor, on=on()) == []
    # The control: other lines, and she herself, see it.
    for actor in (cast.discipline, cast.government, cast.owner):
        assert selectors.get_appeal(complaint.id, actor=actor, on=on()).barred_name
    assert Appeal.objects.exclude(outside_line(cast.chief)).count() == 1


def test_it_never_comes_back_by_any_way(cast: Cast, complaint):
    services.assign(complaint.id, "officer_conduct", by=cast.discipline, at=AT)
    with pytest.raises((services.NotAllowed, services.IllegalMove)):
        services.pass_on(complaint.id, "registration", reason="归市监", by=cast.discipline, at=AT)
    with pytest.raises(services.NotAllowed):
        services.ask_jointly(complaint.id, "amr", LUCHENG, by=cast.discipline, at=AT)
    services.sweep_appeals(days(30))
    row = Appeal.objects.get()
    assert str(row.owner_id) == cast.government.account_id
    with pytest.raises(services.NotAllowed):
        services.hand_over(
            complaint.id, cast.chief.account_id, reason="换班", by=cast.discipline, at=days(30)
        )
    services.dispute(complaint.id, reason="说不清", by=cast.discipline, at=days(30))
    row.refresh_from_db()
    assert str(row.owner_id) == cast.government.account_id


def test_an_officer_with_two_offices_is_kept_out_of_both(cast: Cast):
    double = officer("double", Role.CASE_OFFICER, "fire", LUCHENG)
    from getihu.accounts import services as accounts
    from getihu.accounts.selectors import actor_of

    accounts.assign(
        double.account_id, Role.CASE_OFFICER, agency="discipline", division=LUCHENG,
        reason="兼任", at=AT, by=None,
    )  # fmt: skip
    filed = told(cast, RUDE, about_account=double.account_id, at=days(1))
    row = Appeal.objects.get(pk=filed.id)
    assert "discipline:330302" in row.barred and "fire:330302" in row.barred
    assert str(row.owner_id) not in (double.account_id, cast.discipline.account_id)
    again = actor_of(double.account_id, days(1))
    assert not selectors.visible_appeals(again).filter(pk=filed.id).exists()


def test_what_only_sounds_like_it_goes_to_another_house_too(cast: Cast):
    told(cast, RUDE)
    assert Appeal.objects.get().agency == "discipline"


@pytest.mark.parametrize("place", [WUMA, LUCHENG, CITY])
def test_the_whole_line_up_and_down(cast: Cast, place):
    officer("below", Role.WINDOW_OFFICER, "amr", WUMA)
    filed = told(cast, RUDE, about=("amr", place))
    row = Appeal.objects.get(pk=filed.id)
    assert row.agency != "amr"
    assert not selectors.is_in_line(cast.government, row.barred, None)
    assert selectors.is_in_line(cast.lead, row.barred, None)
