"""Every subject at every county, towns and days: exactly one office, or a gap with a name."""

import itertools
from datetime import date

import pytest

from getihu.kernel.errors import InvalidInput
from getihu.reference import selectors as reference
from getihu.support.appeals.routes import (
    FILE,
    Competent,
    Gap,
    list_routes,
    read_routes,
    route,
)
from getihu.support.appeals.subjects import (
    UnknownSubject,
    clocks_of,
    get_subject,
    list_groups,
    list_subjects,
    read_subjects,
)

TODAY = date(2026, 11, 2)
DAYS = (date(2015, 1, 1), date(2021, 12, 31), date(2022, 1, 1), TODAY)
LUCHENG, WUMA, LONGGANG = "330302", "330302006", "330383"
ONE = "- {subject: power, level: county, body: power, from: 2020-01-01, ground: x}"


def places() -> list[str]:
    counties = [county.code for county in reference.list_counties()]
    towns = [town.code for county in counties for town in reference.list_towns(county)[::7]]
    zones = [town.code for town in reference.list_towns() if town.kind == "other"]
    return [*counties, *towns, *zones]


def test_every_subject_everywhere_has_exactly_one_office_or_a_named_gap():
    settled = 0
    for subject, place, on in itertools.product(list_subjects(), places(), DAYS):
        about = ("amr", place) if subject.about_office else None
        answer = route(subject.id, place, on, about)
        if isinstance(answer, Competent):
            settled += 1
            assert answer.office.name and answer.ground
            assert place.startswith(answer.office.division.removesuffix("00")[:6]) or (
                answer.office.division == reference.WENZHOU
            )
        else:
            assert answer.reason and "联席会议办公室" in answer.settled_by.name
    assert settled > 2000


def test_the_taxonomy_is_whole():
    assert len(list_groups()) == 8 and len(list_subjects()) >= 25
    routed = {row.subject for row in list_routes()}
    assert {subject.id for subject in list_subjects()} == routed
    assert clocks_of("") == clocks_of("power")
    assert clocks_of("purchase_dispute").accept == "complaint.acceptance"
    with pytest.raises(UnknownSubject, match="power"):
        get_subject("powr")


def test_a_town_is_competent_from_the_day_of_the_regulation_and_only_where_there_is_one():
    before = route("street_occupation", WUMA, date(2021, 12, 31))
    since = route("street_occupation", WUMA, date(2022, 1, 1))
    nowhere = route("street_occupation", LONGGANG, TODAY)
    assert isinstance(before, Competent) and before.office.agency == "urban_management"
    assert isinstance(since, Competent) and since.office.name == "五马街道办事处"
    assert isinstance(nowhere, Competent) and nowhere.office.name == "龙港市综合行政执法局"


def test_what_is_the_towns_and_names_no_town_is_a_gap():
    answer = route("street_occupation", LUCHENG, TODAY)
    assert isinstance(answer, Gap) and "镇街" in answer.reason


@pytest.mark.parametrize("place", [None, "", "110105", "330302999"])
def test_a_place_not_known_is_a_gap(place):
    assert isinstance(route("power", place, TODAY), Gap)


def test_nobody_sets_a_rent():
    answer = route("rent", WUMA, TODAY)
    assert isinstance(answer, Gap) and "双方约定" in answer.reason


def test_a_complaint_of_an_office_goes_to_where_that_office_is_not():
    county = route("officer_conduct", WUMA, TODAY, ("amr", WUMA))
    city = route("officer_conduct", WUMA, TODAY, ("amr", "330300"))
    self = route("officer_conduct", WUMA, TODAY, ("discipline", LUCHENG))
    assert isinstance(county, Competent) and county.office.name == "鹿城区纪委监委"
    assert isinstance(city, Competent) and city.office.name == "温州市纪委监委"
    assert isinstance(self, Gap)


def test_two_competent_offices_are_an_error_of_the_file():
    head = "settled_by: {body: amr, level: city, name: x}\nroutes:\n"
    other = ONE.replace("body: power", "body: amr")
    later = other.replace("2020-01-01", "2024-01-01")
    ended = ONE.replace("ground: x", "until: 2024-01-01, ground: x")
    with pytest.raises(InvalidInput, match="两个部门"):
        read_routes(f"{head}{ONE}\n{other}\n", FILE)
    assert len(read_routes(f"{head}{ended}\n{later}\n", FILE).routes) == 2
    with pytest.raises(InvalidInput, match="没有部门"):
        read_routes(f"{head}{ONE.replace('body: power', 'body: powr')}\n", FILE)


def test_a_broken_taxonomy_names_what_is_wrong():
    text = "clocks: {}\ngroups: []\nsubjects:\n- {id: a, group: b, title: c, kind: routine, words: [1, 2, 3, 4, 5]}"
    with pytest.raises(InvalidInput):
        read_subjects(text, FILE)
