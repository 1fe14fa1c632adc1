"""A recognition is taken away by a person alone, with reason and article; she is told and can object;
an objection upheld gives it back."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from getihu.accounts.contracts import Role
from getihu.cases import services as cases
from getihu.growth import selectors, services
from getihu.growth.models import Removal
from getihu.growth.services.pooling import belief, enter
from getihu.notifications.models import Notice
from getihu.registry import selectors as registry
from tests.growth.conftest import AT, LUCHENG, days, officer, operator

pytestmark = pytest.mark.django_db
SAID = {"reason": "提供的获奖证书是假的", "article": "申报通知 第六条"}


@pytest.fixture
def member(city) -> str:
    code = city.personas["surviving"]
    began = days(-30).date()
    until = days(900).date()
    row = belief(
        "fine", "county", code, LUCHENG, valid_from=began, valid_until=until, at=days(-30),
        why="recognised", ground="办件",
    )  # fmt: skip
    enter([row])
    return code


def test_taking_away_tells_her_why_by_which_article_and_how_to_object(member, chief):
    owner = operator(member)
    services.remove("fine", "county", member, by=chief, at=AT, **SAID)
    assert not selectors.is_member("fine", member, AT.date())
    (shown,) = selectors.list_removals_of(member)
    assert (shown.reason, shown.article) == (SAID["reason"], SAID["article"])
    assert shown.object_until > AT.date()
    told = Notice.objects.filter(recipient_id=owner.account_id, template_id="growth.removed")
    assert told.exists()


def test_only_the_one_in_charge_takes_away_and_never_without_reason_and_article(member, chief):
    clerk = officer(Role.CASE_OFFICER, 5)
    with pytest.raises(services.NotAllowed):
        services.remove("fine", "county", member, by=clerk, at=AT, **SAID)
    for missing in ("reason", "article"):
        with pytest.raises(services.NotNow):
            services.remove("fine", "county", member, by=chief, at=AT, **{**SAID, missing: " "})
    assert selectors.is_member("fine", member, AT.date())


def test_an_objection_upheld_gives_the_same_term_back(member, chief):
    owner, desk = operator(member), officer(Role.CASE_OFFICER, 6)
    made = services.remove("fine", "county", member, by=chief, at=AT, **SAID)
    with pytest.raises(services.NotNow, match="异议"):
        services.restore(made, by=chief, at=days(1))
    place = registry.get_trader(member).town_code or LUCHENG
    case = services.object_to(
        f"removal:{made}", member, "证书是真的，可以查", place=place, by=owner, at=days(1)
    )
    cases.accept(case, by=desk, at=days(2))
    for stage in [s.stage_id for s in _stages(case, desk)]:
        cases.finish_stage(case, stage, passed=True, by=desk, at=days(3))
    services.restore(made, by=chief, at=days(4))
    services.restore(made, by=chief, at=days(4))
    assert selectors.is_member("fine", member, days(4).date())
    now = [m for m in selectors.list_memberships(member, days(4).date()) if m.is_now]
    assert [m.valid_until for m in now if m.pool_id == "fine"] == [days(900).date()]


def test_the_database_keeps_what_was_said(member, chief):
    services.remove("fine", "county", member, by=chief, at=AT, **SAID)
    with pytest.raises(DatabaseError), transaction.atomic():
        Removal.objects.update(reason="别的")
    with pytest.raises(IntegrityError), transaction.atomic():
        Removal.objects.update(restored_at=AT)


def _stages(case, desk):
    from getihu.cases import selectors as case_reads

    return case_reads.get_case(case, actor=desk, on=AT.date()).stages
