"""The burden meter: what is not known is asked, what is asked takes time, and it is counted."""

import re
from datetime import timedelta

import pytest

from getihu.cases import services
from getihu.insight import selectors
from getihu.insight.services import freezing
from tests.cases.cast import AT, LUCHENG, SHOP, TOWN, make_cast

pytestmark = pytest.mark.django_db
CATERING = "entry.catering_opening"
FORM = {"use_area_m2": "80", "seats": 20, "has_signboard": True}


@pytest.fixture
def cast():
    return make_cast()


def handed_in(cast):
    case = services.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
    services.save_draft(case, FORM, by=cast.owner)
    services.submit(case, by=cast.owner, at=AT)
    return case


def test_only_what_no_department_knows_is_a_question(cast):
    """不得增加负担 (plan 二（四）): an answer that is held is filled in and not counted."""
    handed_in(cast)
    meter = selectors.burden_of(SHOP, AT.date())
    known = {f.id for f in services_form() if f.fact}
    assert meter.questions == len(set(FORM) - known) > 0
    assert meter.minutes == meter.questions * selectors.MINUTES["questions"]


def services_form():
    from getihu.cases import selectors as cases

    return cases.get_matter(CATERING).form


def test_a_draft_takes_nothing_and_another_quarter_stands_beside(cast):
    services.open_draft(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
    assert selectors.burden_of(SHOP, AT.date()).minutes == 0
    handed_in(cast)
    later = selectors.burden_of(SHOP, AT.date() + timedelta(days=100))
    assert (later.minutes, later.minutes_before > 0) == (0, True)


def test_the_frozen_table_counts_the_same_and_names_nobody(cast):
    handed_in(cast)
    day = AT.date().replace(day=28)
    (row,) = freezing._burden([day])
    meter = selectors.burden_of(SHOP, AT.date())
    assert row == (day, LUCHENG, 1, meter.questions, meter.documents, meter.visits)
    assert SHOP not in map(str, row)


def test_the_city_s_figure_takes_the_same_minutes():
    sql = selectors.get_indicator("burden.minutes").sql
    taken = dict(re.findall(r"(questions|documents|visits) \* (\d+)", sql))
    assert {name: int(many) for name, many in taken.items()} == selectors.MINUTES
