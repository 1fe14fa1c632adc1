"""A move, its notice and its audit event are one transaction."""

import pytest
from django.db import transaction

from getihu.audit.models import Event
from getihu.cases import services
from getihu.cases.models import Case, CaseMove
from getihu.notifications import services as notifications
from getihu.notifications.contracts import NoticeState
from getihu.notifications.models import Notice
from getihu.notifications.selectors import list_about, list_notices
from tests.cases.cast import AT, days, id_of, make_cast
from tests.cases.test_cases import CATERING, accepted, draft, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def test_the_applicant_is_told_when_it_is_accepted_and_by_when_it_is_done(cast):
    accepted(cast)
    notifications.deliver(days(1))
    [told] = list_notices(id_of(cast.owner))
    assert told.text == (
        "您的“开办餐饮店“一件事””已于11月3日受理，最晚2027年1月6日（暂计）办结"
        "（行政许可法 第四十二条第二款、第四十五条、第八十二条）。"
    )


def test_nobody_is_told_what_is_no_longer_so(cast):
    case = accepted(cast)
    services.withdraw(case, by=cast.owner, at=days(1))
    assert notifications.deliver(days(1)).sent == 0
    assert {n.state for n in list_about(f"case:{case}")} == {NoticeState.RETRACTED}


def test_the_applicant_is_told_everything_that_is_missing(cast):
    case = submitted(cast)
    services.request_materials(case, ["布局图", "制度清单"], by=cast.window, at=days(1))
    notifications.deliver(days(1))
    assert "布局图、制度清单" in list_notices(id_of(cast.owner))[0].text


def test_every_move_is_logged_and_reasons_are_kept_under_a_key(cast):
    case = accepted(cast)
    services.finish_stage(
        case,
        "fire",
        passed=False,
        by=cast.fire,
        at=days(2),
        reason="某某的门面",
        article="消防法 第十五条",
    )
    number = Case.objects.get(pk=case).number
    events = Event.objects.filter(object_ref=f"case:{number}").order_by("pk")
    assert [e.kind for e in events] == ["case.submitted", "case.accepted", "case.refused"]
    assert [e.actor for e in events][2] == f"account:{cast.fire.account_id}"
    assert not any("某某" in str(e.record) for e in events)


@pytest.mark.parametrize("broken", ["audit.record", "notifications.queue"])
def test_a_move_without_its_event_or_notice_does_not_happen(cast, monkeypatch, broken):
    """The control of the promise: take one part away and nothing of the step remains."""
    case = submitted(cast)
    before = (Event.objects.count(), CaseMove.objects.count(), Notice.objects.count())
    module, name = broken.split(".")

    def fail(*_, **__):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(f"getihu.{module}.services.{name}", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.accept(case, by=cast.window, at=days(1))
    assert Case.objects.get(pk=case).state == "submitted"
    assert (Event.objects.count(), CaseMove.objects.count(), Notice.objects.count()) == before


def test_a_draft_tells_nobody(cast):
    services.withdraw(draft(cast, CATERING), by=cast.owner, at=AT)
    assert Notice.objects.count() == 0
