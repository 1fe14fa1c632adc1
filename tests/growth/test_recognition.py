"""名特优新: with consent, blind, in seven steps, for three years, and what one gets by it."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from getihu.accounts.contracts import Role
from getihu.cases import selectors as case_reads
from getihu.cases import services as cases
from getihu.growth import selectors, services
from getihu.growth.models import Juror, Membership, PoolPlaces
from getihu.growth.services.recognising import blind_sheet
from getihu.registry import selectors as registry
from tests.growth.conftest import AT, LUCHENG, days, officer, operator, publish_summer

pytestmark = pytest.mark.django_db
FULL = {"fits": 20, "quality": 20, "honesty": 20, "influence": 20}


@pytest.fixture
def shop(city) -> str:
    """A shop of 鹿城, where the window is open."""
    return city.personas["surviving"]


@pytest.fixture
def desk(city):
    return officer(Role.CASE_OFFICER, 7)


@pytest.fixture
def jurors(city):
    return [
        officer(Role.CASE_OFFICER, 1, agency="culture"),
        officer(Role.CASE_OFFICER, 1, agency="hrss"),
        officer(Role.WINDOW_OFFICER, 1),
    ]


def handed_in(shop: str, *, way: str = "recommended", level: str = "county") -> uuid.UUID:
    owner = operator(shop)
    case = services.open_recognition(shop, by=owner, at=AT)
    name = registry.get_trader(shop).name
    form = {"kind": "fine", "level": level, "way": way, "statement": f"{name}开了七年，街坊都认"}
    cases.save_draft(case, form, by=owner)
    cases.submit(case, by=owner, at=AT)
    return case


def seated(case, desk, chief, jurors) -> None:
    cases.accept(case, by=desk, at=days(1))
    for stage, day in (("recommend", 2), ("first_check", 3), ("visit", 4)):
        cases.finish_stage(case, stage, passed=True, by=desk, at=days(day))
    services.seat_jury(case, [j.account_id for j in jurors], by=chief, at=days(4))


def judged(case, jurors) -> None:
    for juror in jurors:
        services.declare(case, has_conflict=False, by=juror, at=days(5))
        services.score(case, FULL, by=juror, at=days(5))


def recognised(case, desk, chief, jurors) -> None:
    seated(case, desk, chief, jurors)
    judged(case, jurors)
    for stage, day in (("joint_review", 6), ("publicity", 20), ("objections", 21), ("result", 22)):
        cases.finish_stage(case, stage, passed=True, by=desk, at=days(day))


def test_a_recommendation_needs_the_owner_s_own_consent(shop, clerk):
    owner = operator(shop)
    made = services.recommend(shop, "fine", "街坊推荐", by=clerk, at=AT)
    assert not case_reads.list_cases(owner, on=AT.date())
    with pytest.raises(services.NotAllowed, match="本人"):
        services.answer_recommendation(made.pk, consents=True, by=clerk, at=AT)
    case = services.answer_recommendation(made.pk, consents=True, by=owner, at=AT)
    view = case_reads.get_case(case, actor=owner, on=AT.date())
    assert (view.form["way"], view.state) == ("recommended", "submitted")


def test_a_no_opens_no_case(shop, clerk):
    owner = operator(shop)
    made = services.recommend(shop, "fine", "街坊推荐", by=clerk, at=AT)
    assert services.answer_recommendation(made.pk, consents=False, by=owner, at=AT) is None
    assert not case_reads.list_cases(owner, on=AT.date())


def test_outside_the_window_nobody_applies(shop):
    owner = operator(shop)
    with pytest.raises(services.NoWindow, match="没有开申报窗口"):
        services.open_recognition(shop, by=owner, at=days(300))


def test_a_surviving_shop_needs_a_recommendation(shop, clerk):
    publish_summer()
    with pytest.raises(services.NotEligible, match="推荐不受分型限制"):
        handed_in(shop, way="declared")
    assert handed_in(shop, way="recommended")


def test_nothing_a_department_holds_is_asked_for():
    matter = case_reads.get_matter(selectors.RECOGNITION)
    assert matter.to_bring == ()
    assert len(matter.documents) >= 8
    assert [stage.id for stage in matter.stages] == [
        "recommend", "first_check", "visit", "joint_review", "publicity", "objections", "result",
    ]  # fmt: skip


def test_seven_steps_lead_to_three_years_in_the_pool(shop, desk, chief, jurors):
    publish_summer()
    case = handed_in(shop)
    recognised(case, desk, chief, jurors)
    row = Membership.objects.get(pool_id="fine")
    assert (row.level, row.why) == ("county", "recognised")
    assert row.valid_until.year - row.valid_from.year == 3
    assert PoolPlaces.objects.get().taken == 1
    view = next(m for m in selectors.list_memberships(shop, days(30).date()) if m.is_now)
    assert view.assess_from.year == row.valid_until.year - 1


def test_the_jury_must_have_scored_before_the_review_passes(shop, desk, chief, jurors):
    case = handed_in(shop)
    seated(case, desk, chief, jurors)
    with pytest.raises(services.NotNow, match="评委还没有都打完分"):
        cases.finish_stage(case, "joint_review", passed=True, by=desk, at=days(6))


def test_too_few_points_do_not_pass(shop, desk, chief, jurors):
    case = handed_in(shop)
    seated(case, desk, chief, jurors)
    for juror in jurors:
        services.declare(case, has_conflict=False, by=juror, at=days(5))
        services.score(case, dict.fromkeys(FULL, 10), by=juror, at=days(5))
    with pytest.raises(services.NotNow, match="平均分"):
        cases.finish_stage(case, "joint_review", passed=True, by=desk, at=days(6))


def test_the_list_stands_published_for_its_days(shop, desk, chief, jurors):
    case = handed_in(shop)
    seated(case, desk, chief, jurors)
    judged(case, jurors)
    cases.finish_stage(case, "joint_review", passed=True, by=desk, at=days(6))
    with pytest.raises(services.NotNow, match="公示期"):
        cases.finish_stage(case, "publicity", passed=True, by=desk, at=days(7))


def test_jurors_do_not_see_whose_shop_it_is(shop):
    trader = registry.get_trader(shop)
    shown = str(blind_sheet(shop, f"{trader.name}，代码{shop}，好"))
    assert trader.name not in shown
    assert shop not in shown
    assert "本店" in shown


def test_scores_stay_closed_until_all_are_in(shop, desk, chief, jurors):
    case = handed_in(shop)
    seated(case, desk, chief, jurors)
    for juror in jurors:
        services.declare(case, has_conflict=False, by=juror, at=days(5))
    for juror in jurors[:2]:
        services.score(case, FULL, by=juror, at=days(5))
    closed = selectors.get_jury(case, actor=jurors[0])
    assert not closed.is_complete
    assert closed.mean is None
    assert all(seat.total is None for seat in closed.seats)
    services.score(case, FULL, by=jurors[2], at=days(5))
    assert selectors.get_jury(case, actor=jurors[0]).mean == 80


def test_who_has_a_conflict_does_not_score(shop, desk, chief, jurors):
    case = handed_in(shop)
    seated(case, desk, chief, jurors)
    with pytest.raises(services.NotNow, match="先申明"):
        services.score(case, FULL, by=jurors[0], at=days(5))
    services.declare(case, has_conflict=True, by=jurors[0], at=days(5))
    with pytest.raises(services.NotAllowed, match="利害关系"):
        services.score(case, FULL, by=jurors[0], at=days(5))
    with pytest.raises(IntegrityError), transaction.atomic():
        Juror.objects.filter(account=jurors[0].account_id).update(scores=FULL, scored_at=days(5))


def test_neither_the_applicant_nor_who_seats_the_jury_sits_on_it(shop, desk, chief, jurors):
    case = handed_in(shop)
    cases.accept(case, by=desk, at=days(1))
    for wrong in (chief, operator(shop)):
        with pytest.raises(services.NotNow, match="不能当评委"):
            services.seat_jury(
                case, [jurors[0].account_id, jurors[1].account_id, wrong.account_id],
                by=chief, at=days(2),
            )  # fmt: skip


def test_support_is_for_those_in_the_pool(shop, desk, chief, jurors):
    owner = operator(shop)

    def ask():
        case = cases.open_draft(
            "growth.platform_traffic", shop, place="330302001", by=owner, at=days(30)
        )
        cases.save_draft(case, {"platform": "示例平台"}, by=owner)
        cases.submit(case, by=owner, at=days(30))

    with pytest.raises(services.NotEligible, match="还没有被认定"):
        ask()
    recognised(handed_in(shop), desk, chief, jurors)
    ask()


def test_a_term_is_assessed_in_its_last_year_and_extended(shop, desk, chief, jurors):
    recognised(handed_in(shop), desk, chief, jurors)
    with pytest.raises(services.NotNow, match="最后一年"):
        services.assess("fine", "county", shop, still_fits=True, reason="好", by=chief, at=days(99))
    late = days(3 * 365 - 100)
    until = services.assess(
        "fine", "county", shop, still_fits=True, reason="仍符合", by=chief, at=late
    )
    rows = Membership.objects.filter(pool_id="fine").order_by("known_from")
    assert [row.known_until is None for row in rows] == [False, True]
    assert until.year - rows[0].valid_until.year == 3


def test_full_places_refuse_the_next_one(shop, desk, chief, jurors):
    publish_summer()
    PoolPlaces.objects.create(
        quota_id="four_kinds", level="county", county_code=LUCHENG, year=days(22).year,
        base_count=20, places=1, taken=1,
    )  # fmt: skip
    with pytest.raises(services.NotNow, match="名额"):
        recognised(handed_in(shop), desk, chief, jurors)
    assert not Membership.objects.filter(pool_id="fine").exists()


def test_criteria_of_the_places_stand_side_by_side():
    places = {each.rule_id for each in selectors.list_criteria()}
    assert {"growth.yueqing_entry", "growth.longgang_entry", "growth.chaozhou_entry"} <= places
    yueqing = next(e for e in selectors.list_criteria() if e.rule_id == "growth.yueqing_entry")
    assert yueqing.incomplete  # what is cut in the source says so
    assert yueqing.parts


def test_a_window_without_a_known_last_day_is_never_open():
    found = {window.id: is_open for window, _, is_open in selectors.list_windows(AT.date())}
    assert found["yueqing_2023"] is False
