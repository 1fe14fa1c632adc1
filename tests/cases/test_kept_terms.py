"""A running clock goes by the law's text of the day the case was handed in."""

import pytest
from django.db import DatabaseError, transaction

from getihu.cases import services
from getihu.cases.clocks import terms
from getihu.cases.models import Case, ClockRun, KeptTerms
from getihu.cases.selectors import definitions, get_case, matter_of
from tests.cases.cast import AT, SHOP, TOWN, days, make_cast

pytestmark = pytest.mark.django_db
MATTER = "entry.catering_opening"


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def shorten(monkeypatch):
    """The terms' file edited: every term is of one working day now, with another article."""

    def edit():
        edited = {
            key: term.model_copy(update={"amount": 1, "source": "某新规 第一条", "extension": None})
            for key, term in terms.statutory_terms().items()
        }
        monkeypatch.setattr(terms, "statutory_terms", lambda: edited)

    return edit


def handed_in(cast):
    case = services.open_draft(MATTER, SHOP, place=TOWN, by=cast.owner, at=AT)
    services.save_draft(case, answers(case, cast), by=cast.owner)
    services.submit(case, by=cast.owner, at=AT)
    return case


def answers(case, cast):
    given = {"boolean": True, "integer": 1, "decimal": "60", "money": "1", "date": "2026-11-05"}
    view = get_case(case, actor=cast.owner, on=AT.date())
    return {
        field.id: next(iter(field.choices)) if field.choices else given.get(field.type, "某路2号")
        for field in matter_of(view).form
    }


def clocks(case, cast, on):
    view = get_case(case, actor=cast.owner, on=days(on).date())
    return [(c.term_id, c.reading.due.on, c.source, c.reading.days_late) for c in view.clocks]


def test_an_edit_of_the_terms_moves_no_running_clock_and_none_still_to_start(cast, shorten):
    case, twin = handed_in(cast), handed_in(cast)
    services.accept(twin, by=cast.window, at=days(1))
    before = clocks(twin, cast, 3)
    shorten()
    assert clocks(twin, cast, 3) == before
    services.accept(case, by=cast.window, at=days(1))  # its stages begin only now
    assert clocks(case, cast, 3) == before
    due = ClockRun.objects.filter(stopped_on=None).values_list("case", "due_on")
    assert {on for pk, on in due if pk == case} == {on for pk, on in due if pk == twin}
    late = handed_in(cast)  # what is handed in after the edit goes by it
    services.accept(late, by=cast.window, at=days(1))
    assert {source for _, _, source, _ in clocks(late, cast, 3)} == {"某新规 第一条"}
    assert KeptTerms.objects.count() == 2


def test_control_without_the_kept_terms_the_edit_moves_the_clock(cast, shorten, monkeypatch):
    case = handed_in(cast)
    services.accept(case, by=cast.window, at=days(1))
    before = clocks(case, cast, 3)
    shorten()
    monkeypatch.setattr(definitions, "_read_terms", lambda sha256: {})
    assert clocks(case, cast, 3) != before


def test_kept_terms_do_not_change(cast):
    case = handed_in(cast)
    other = KeptTerms.objects.create(sha256="0" * 64, text="[]", kept_at=AT)
    with pytest.raises(DatabaseError), transaction.atomic():
        Case.objects.filter(pk=case).update(terms=other)
    with pytest.raises(DatabaseError), transaction.atomic():
        KeptTerms.objects.update(text="[]")
