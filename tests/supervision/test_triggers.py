"""Who is not drawn, what brings a check without a draw and how often for nothing, and the food rules."""

from datetime import date

import pytest
import yaml
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from getihu.accounts.contracts import Role
from getihu.accounts.models import Account
from getihu.kernel.errors import InvalidInput
from getihu.rulebook import selectors as rulebook
from getihu.supervision import selectors, services
from getihu.supervision.contracts import EXCLUDED_LABELS, Finding, VisitKind
from getihu.supervision.draws import merging
from getihu.supervision.models import Plan, Visit
from getihu.supervision.services import joining
from tests.growth.conftest import officer
from tests.signed_in import sign_in
from tests.supervision.conftest import NEW, code, drawn, later, make

pytestmark = pytest.mark.django_db
PLACE, DAY = "330302001", date(2027, 1, 11)


def excluded(plan: str) -> dict[str, str]:
    text = selectors.find_file(Plan.objects.get(pk=plan), "excluded.csv")
    return dict(line.split(",") for line in text.splitlines())


def visit(by, number=1, *, trigger="", kind=VisitKind.TARGETED, field="general", on=DAY):
    return services.plan_visit(
        code(number), place=PLACE, kind=kind, field_id=field, cause="投诉 2027-0001",
        planned_on=on, trigger=trigger, by=by, at=later(0),
    )  # fmt: skip


def report(made, by, finding=Finding.NOTHING, at=1):
    services.report_visit(made, finding=finding, found="地面湿滑", by=by, at=later(at))


def test_a_three_new_trade_of_class_a_or_b_is_not_drawn_and_why_is_in_the_frame(
    county, chief, witness
):
    plan = make(chief)
    drawn(plan, chief, witness)
    why = excluded(plan)
    by_class = {row["trader_code"]: row["outcome"] for row in county}
    new = {code(n): by_class[code(n)] for n in NEW}
    left = {c for c, reason in why.items() if reason == "new_trade"}
    assert left == {c for c, stratum in new.items() if stratum in ("class_a", "class_b")}
    assert left and set(new) - left  # control: the one of class D is in the frame
    assert not Visit.objects.filter(trader_code__in=left).exists()


def test_every_reason_has_words(county, chief):
    plan = make(chief)
    services.commit_plan(plan, by=chief, at=later(1))
    assert set(excluded(plan).values()) <= set(EXCLUDED_LABELS)


def test_the_false_alarm_rate_is_of_finished_checks_that_found_nothing(county, clerk):
    for number, finding in enumerate((Finding.NOTHING, Finding.NOTHING, Finding.CORRECTED,
                                      Finding.NOT_FOUND), 1):  # fmt: skip
        report(visit(clerk, number, trigger="complaint"), clerk, finding)
    visit(clerk, 9, trigger="complaint")  # not finished
    report(visit(clerk, 8), clerk)  # opened by no trigger
    found = {each.trigger_id: each for each in selectors.false_alarms()}
    assert (found["complaint"].finished, found["complaint"].nothing) == (3, 2)
    assert found["complaint"].percent == "66.6%" and found["transfer"].percent == ""


def test_a_data_signal_brings_no_second_check_within_its_quiet_months(county, clerk):
    visit(clerk, trigger="food_permit_lapsed", field="food")
    with pytest.raises(services.NotNow, match="6 个月"):
        visit(clerk, trigger="food_permit_lapsed", field="food", on=date(2027, 7, 10))
    visit(clerk, trigger="food_permit_lapsed", field="food", on=date(2027, 7, 11))
    visit(clerk, trigger="complaint", field="food")  # a complaint is always looked into
    visit(clerk, trigger="complaint", field="food")


def test_a_trigger_is_for_targeted_checks_of_its_own_field(county, clerk):
    with pytest.raises(services.NotNow, match="领域"):
        visit(clerk, trigger="food_permit_lapsed")
    with pytest.raises(services.NotNow, match="针对性检查"):
        visit(clerk, trigger="complaint", kind=VisitKind.COVERAGE)
    with pytest.raises(selectors.UnknownTrigger, match="complaint"):
        visit(clerk, trigger="complaints")


def test_every_trigger_names_a_rule_that_is_there():
    for trigger in selectors.list_triggers():
        assert {selectors.get_field(each).id for each in trigger.fields} == set(trigger.fields)
        if trigger.rule:
            rulebook.get_rule(trigger.rule)


def test_a_trigger_file_that_is_wrong_is_told_by_file_and_field(settings, tmp_path):
    settings.TRIGGER_DIR = tmp_path
    told = {"id": "x", "title": "x", "source": "data", "fields": ["food"], "rule": "",
            "basis": "x", "quiet_months": -1, "quiet_source": "x"}  # fmt: skip
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(told), "utf-8")
    with pytest.raises(InvalidInput, match="quiet_months"):
        selectors.list_triggers()


# food


def test_what_a_superior_checked_is_left_alone_for_three_months(county, chief, clerk):
    city = officer(Role.CASE_OFFICER, division="330300")
    report(visit(city, 1, kind=VisitKind.COVERAGE, field="food"), city)
    with pytest.raises(services.TooMany, match="3 个月内不重复检查"):
        visit(clerk, 1, kind=VisitKind.COVERAGE, field="food", on=date(2027, 4, 11))
    visit(clerk, 1, field="food")  # a suspicion brings a targeted check all the same
    early, late = (
        make(chief, field_id="food", window=(first, date(2027, 7, 1)))
        for first in (date(2027, 4, 11), date(2027, 4, 12))
    )
    for plan in (early, late):
        services.commit_plan(plan, by=chief, at=later(2))
    assert excluded(early)[code(1)] == "superior_checked"
    assert excluded(late).get(code(1)) != "superior_checked"
    visit(clerk, 1, kind=VisitKind.COVERAGE, field="food", on=date(2027, 4, 12))


def test_a_county_s_own_check_keeps_nobody_from_the_next(county, clerk):
    report(visit(clerk, 2, kind=VisitKind.COVERAGE, field="food"), clerk)
    assert selectors.superior_checked(selectors.get_field("food"), DAY) == set()


def test_within_two_years_everybody_is_to_be_checked_the_longest_ago_first(county, clerk):
    food = selectors.get_field("food")
    for number in (1, 2):
        report(visit(clerk, number, kind=VisitKind.COVERAGE, field="food"), clerk)
    three = [code(n) for n in (1, 2, 3)]
    assert selectors.list_uncovered(food, three, DAY) == [code(3)]
    assert selectors.list_uncovered(food, three, date(2029, 1, 11)) == [code(3)]
    assert selectors.list_uncovered(food, three, date(2029, 1, 12)) == [code(3), code(1), code(2)]
    assert selectors.list_uncovered(selectors.get_field("general"), three, DAY) == []


def test_the_plan_s_page_lists_who_is_due_within_two_years(client, county, chief, clerk):
    plan = make(chief, field_id="food")
    services.commit_plan(plan, by=chief, at=later(2))
    sign_in(client, Account.objects.get(pk=chief.account_id))
    page = client.get(f"/desk/supervision/{plan}/").content.decode()
    assert "2 年查一遍" in page and "只列前 50 户" in page and "以前的要查案卷" in page


def test_a_new_column_left_the_guards_standing(county, clerk):
    made = visit(clerk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Visit.objects.filter(pk=made).update(cause="另一个起因")


# joint visits


def two_plans(chief, witness, urban, urban_witness):
    plans = [make(chief), make(urban, field_id="cityscape")]
    drawn(plans[0], chief, witness)
    drawn(plans[1], urban, urban_witness)
    return [Plan.objects.get(pk=plan) for plan in plans]


@pytest.fixture
def two(county, chief, witness, monkeypatch, settings, tmp_path):
    """A plan of market regulation and one of the city's order, both drawn, nearly everybody by both."""
    urban, other = (officer(Role.SUPERVISOR, n, agency="urban_management") for n in (1, 2))
    for number in range(3):
        services.enrol_inspector(
            f"ZF-{number:03}", agency="urban_management", county_code="330302",
            qualifications=["cityscape"], by=urban, at=later(0),
        )  # fmt: skip
    (tmp_path / "fields").mkdir()
    for field in selectors.list_fields():
        told = field.model_dump(mode="json", exclude_none=True)
        told["rates"] = {name: {"value": "9/10", "source": "x"} for name in told["rates"]}
        (tmp_path / "fields" / f"{field.id}.yaml").write_text(yaml.safe_dump(told), "utf-8")
    settings.FIELD_DIRS = [tmp_path / "fields"]
    return two_plans(chief, witness, urban, other)


def test_two_departments_come_once_and_every_quota_holds(two, chief):
    before = Visit.objects.count()
    merged = services.merge_visits("330302", 2027, by=chief, at=later(50))
    both = set.intersection(*({v.trader_code for v in plan.visits.all()} for plan in two))
    assert merged == len(both) > 100
    standing = Visit.objects.exclude(state="joined")
    assert standing.count() == before - merged
    assert joining.broken_quotas(two) == []
    one = standing.get(trader_code=min(both))
    assert set(one.items) == {"general", "cityscape"} and len(one.team) == 4
    assert services.merge_visits("330302", 2027, by=chief, at=later(51)) == 0
    report(one.pk, officer(Role.CASE_OFFICER, agency=one.agency), at=60)
    ratios = selectors.ratios_of(2027)
    assert (ratios.visits, ratios.drawn, ratios.joint) == (1, 1, 1)
    assert selectors.burden_of(one.trader_code, "cityscape", 2027, actor=None).planned_count == 1


def test_the_other_department_has_the_joint_visit_before_it(two, chief):
    services.merge_visits("330302", 2027, by=chief, at=later(50))
    urban = officer(Role.CASE_OFFICER, agency="urban_management")
    listed = selectors.list_visits(urban, limit=1000)
    assert any(set(v.agencies) == {"amr", "urban_management"} for v in listed)


def test_control_a_merge_that_loses_a_visit_is_counted_and_not_kept(two, chief, monkeypatch):
    def lose(lead, other):
        other.state, other.joined_to = "joined", lead
        other.save()  # and its items are forgotten

    monkeypatch.setattr(joining, "_take_in", lose)
    with pytest.raises(services.NotNow, match="少 1 次"):
        services.merge_visits("330302", 2027, by=chief, at=later(50))
    assert not Visit.objects.filter(state="joined").exists()


def drawn_visit(n, field, start, end, plan="p"):
    return merging.DrawnVisit(str(n), "A", plan, field, (date(2027, start, 1), date(2027, end, 1)))


def test_only_windows_that_meet_and_never_two_of_a_field():
    a, b = drawn_visit(1, "x", 1, 3), drawn_visit(2, "y", 3, 5)
    assert merging.merge([a, b]) == []  # one ends where the other begins
    assert merging.merge([a, drawn_visit(3, "x", 1, 3)]) == []
    (joint,) = merging.merge([drawn_visit(2, "y", 2, 5), a])
    assert (joint.lead, joint.others) == ("1", ("2",))
    assert joint.window == (date(2027, 2, 1), date(2027, 3, 1))


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.integers(1, 6), st.integers(1, 5)), max_size=6)
)
def test_no_other_grouping_has_fewer_visits_when_fields_differ(rows):
    """The greedy against every partition, on windows of different fields."""
    visits = [
        drawn_visit(n, f"{field}{n}", start, start + length)
        for n, (field, start, length) in enumerate(rows)
    ]
    fewer = sum(len(joint.others) for joint in merging.merge(visits))
    assert len(visits) - fewer == min((len(p) for p in partitions(visits)), default=0)


def partitions(visits):
    if not visits:
        yield []
        return
    first, *rest = visits
    for each in partitions(rest):
        yield [[first], *each]
        for n, group in enumerate(each):
            if max(v.window[0] for v in (first, *group)) < min(
                v.window[1] for v in (first, *group)
            ):
                yield [*each[:n], [first, *group], *each[n + 1 :]]
