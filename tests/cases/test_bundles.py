"""A bundle from draft to the last part: handed in once, told once, each part on its own clock."""

from datetime import date

import pytest
import yaml
from django.db import DatabaseError, IntegrityError, transaction

from getihu.accounts.contracts import Role
from getihu.cases import services
from getihu.cases.contracts import BundleState, PartState
from getihu.cases.models import (
    Attachment,
    BundlePart,
    BundleRun,
    Case,
    ContestedValue,
    Definition,
    MaterialRequest,
)
from getihu.cases.selectors import (
    BundleNotFound,
    contested_of,
    count_extra_requests,
    get_bundle_run,
    get_case,
    list_bundle_runs,
    list_contested,
)
from getihu.cases.services import IllegalMove, NoOwner, NotAllowed, contesting
from getihu.dataplane.contracts import FactState, FactValue
from tests.cases.cast import AT, LUCHENG, SHOP, TOWN, days, id_of, make_cast, officer, person

pytestmark = pytest.mark.django_db

CATERING = "entry.catering"
FORM = {
    "has_licence": True,
    "use_area_m2": "80",
    "is_public_gathering": True,
    "drains_to_sewer": False,
    "sells_tobacco": False,
    "hires_people": True,
    "food_kinds": "热食类制售",
    "fire_promise": False,
    "hired_count": 2,
}
PDF = b"%PDF-1.4\n% a plan\n%%EOF\n"


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def hrss(cast):
    return officer("hrss", Role.CASE_OFFICER, "hrss", LUCHENG)


def drafted(cast, bundle=CATERING, form=FORM):
    run = services.open_bundle(bundle, SHOP, place=TOWN, by=cast.owner, at=AT)
    services.save_bundle(run, form, by=cast.owner)
    return run


def handed_in(cast, bundle=CATERING, form=FORM):
    run = drafted(cast, bundle, form)
    services.submit_bundle(run, by=cast.owner, at=AT)
    return run


def seen(run, actor, on=0):
    return get_bundle_run(run, actor=actor, on=days(on).date())


def parts(run, actor, on=0):
    return {part.part_id: part for part in seen(run, actor, on).parts}


def case_of(run, part):
    return BundlePart.objects.get(run=run, part_id=part).case_id


def passed(case, *officers, at=AT):
    """Accept with the first officer, then pass every stage with whoever's it is."""
    services.accept(case, by=officers[0], at=at)
    for stage in get_case(case, actor=officers[0], on=at.date()).stages:
        by = next(o for o in officers if stage.department in {g.agency for g in o.grants})
        services.finish_stage(case, stage.stage_id, passed=True, by=by, at=at)


def refused(case, by, at=AT):
    services.accept(case, by=by, at=at)
    stage = get_case(case, actor=by, on=at.date()).stages[0].stage_id
    why = {"reason": "安全出口只有一个", "article": "消防法 第十五条"}
    services.finish_stage(case, stage, passed=False, by=by, at=at, **why)


def test_one_hand_in_starts_every_part_at_its_office(cast, hrss):
    run = handed_in(cast)
    view = seen(run, cast.owner)
    assert view.state is BundleState.RUNNING
    states = {part.part_id: part.state for part in view.parts}
    assert states["food"] is states["fire"] is states["insurance"] is PartState.RUNNING
    assert states["card"] is states["licence"] is states["tobacco"] is PartState.NOT_NEEDED
    assert {Case.objects.get(pk=case_of(run, p)).agency for p in ("food", "fire")} == {
        "amr",
        "fire",
    }
    food = Case.objects.get(pk=case_of(run, "food"))
    assert food.form == {"use_area_m2": "80", "food_kinds": "热食类制售"}


def test_the_whole_waits_for_its_critical_part(cast, hrss):
    run = handed_in(cast)
    passed(case_of(run, "insurance"), hrss, at=days(1))
    services.accept(case_of(run, "food"), by=cast.window, at=days(1))
    services.accept(case_of(run, "fire"), by=cast.fire, at=days(1))
    view = seen(run, cast.owner, 3)
    assert view.waiting == "等待：鹿城区市场监督管理局 第2/20个工作日"
    assert {p.part_id for p in view.parts if p.is_critical} == {"food"}
    # 受理 11月3日 + 20 + 10 个工作日
    assert view.latest_on == date(2026, 12, 15)
    for stage in ("decision", "issue"):
        services.finish_stage(case_of(run, "food"), stage, passed=True, by=cast.window, at=days(3))
    assert seen(run, cast.owner, 3).waiting == "等待：鹿城区消防救援大队 第2/10个工作日"


def test_a_file_is_brought_once_and_goes_to_every_part_that_wants_it(cast, hrss):
    run = drafted(cast, "entry.credit_repair", {})
    services.attach_to_bundle(run, "repair_promise", PDF, by=cast.owner, at=AT)
    with pytest.raises(IllegalMove, match="不用您交"):
        services.attach_to_bundle(run, "licence", PDF, by=cast.owner, at=AT)
    form = {"penalty_number": "温市监罚〔2026〕1号", "duty_done": True, "harm_undone": True}
    services.save_bundle(run, form, by=cast.owner)
    officer("reform", Role.CASE_OFFICER, "reform", "330300")
    services.submit_bundle(run, by=cast.owner, at=AT)
    assert set(Attachment.objects.values_list("case__agency", "document_id")) == {
        ("amr", "repair_promise"),
        ("reform", "credit_promise"),
    }


def test_what_is_missing_is_named_and_the_draft_stays(cast):
    run = drafted(cast, form={k: v for k, v in FORM.items() if k != "food_kinds"})
    with pytest.raises(IllegalMove, match="经营项目"):
        services.submit_bundle(run, by=cast.owner, at=AT)
    assert seen(run, cast.owner).state is BundleState.DRAFT
    assert not Case.objects.exists()


def test_a_part_nobody_is_in_charge_of_is_explained_and_holds_up_no_other(cast):
    run = handed_in(cast)  # no officer of the social insurance office
    held = parts(run, cast.owner)["insurance"]
    assert held.state is PartState.HELD
    assert "还没有安排承办人" in held.why and "鹿城区" in held.why and "不用重交" in held.why
    assert parts(run, cast.owner)["food"].state is PartState.RUNNING
    assert services.try_held_parts(days(1)) == 0
    officer("hrss", Role.CASE_OFFICER, "hrss", LUCHENG)
    assert services.try_held_parts(days(2)) == 1
    assert parts(run, cast.owner)["insurance"].state is PartState.RUNNING
    assert services.try_held_parts(days(2)) == 0


def test_with_no_office_at_all_nothing_is_handed_in_and_nothing_lost(cast):
    run = services.open_bundle("entry.utilities", SHOP, place=TOWN, by=cast.owner, at=AT)
    form = {"supply_voltage": "low", "capacity_kw": "30", "line_m": "0", "digs_road": False}
    form |= {"takes_green": False, "road_kind": "none", "wants_water": True, "wants_gas": False}
    form |= {"wants_network": False, "visit_on": "2026-11-05", "connects_to": "某路2号"}
    services.save_bundle(run, form, by=cast.owner)
    with pytest.raises(NoOwner, match="国网温州供电公司"):
        services.submit_bundle(run, by=cast.owner, at=AT)
    kept = BundleRun.objects.get(pk=run)
    assert (kept.submitted_at, kept.form["connects_to"]) == (None, "某路2号")


def test_a_refused_part_loses_no_other_and_says_what_it_means(cast, hrss):
    run = handed_in(cast)
    refused(case_of(run, "fire"), cast.fire)
    found = parts(run, cast.owner)
    assert found["fire"].state is PartState.REFUSED
    assert "不能开门营业" in found["fire"].meaning and found["fire"].article == "消防法 第十五条"
    assert found["food"].state is PartState.RUNNING
    passed(case_of(run, "food"), cast.window)
    passed(case_of(run, "insurance"), hrss)
    assert seen(run, cast.owner).state is BundleState.PARTLY


def test_what_waits_for_a_refused_part_stops_and_goes_on_when_it_is_done_again(cast):
    tax = officer("tax", Role.CASE_OFFICER, "tax", LUCHENG)
    form = {"has_food_permit": True, "has_staff": False, "reason": "sale", "take_over_code": "A"}
    run = BundleRun.objects.get(pk=drafted(cast, "entry.change_hands", form))
    services.submit_bundle(run.pk, by=cast.owner, at=AT)
    assert parts(run.pk, cast.owner)["registration"].state is PartState.WAITING
    refused(case_of(run, "tax"), tax)
    found = parts(run.pk, cast.owner)
    assert found["registration"].state is found["food"].state is PartState.BLOCKED
    assert "变更经营者" in found["tax"].meaning and "接着办" in found["tax"].meaning
    again = services.redo_part(run.pk, "tax", by=cast.owner, at=days(1))
    assert Case.objects.get(pk=again).continues_id is not None
    assert parts(run.pk, cast.owner)["registration"].state is PartState.WAITING
    services.submit(again, by=cast.owner, at=days(1))
    passed(again, tax, at=days(2))
    # The taker's code is none: the part is not lost, and says why it could not go.
    held = parts(run.pk, cast.owner, 2)["registration"]
    assert held.state in (PartState.HELD, PartState.RUNNING)


def test_only_the_owner_herself_can_begin_a_conversion(cast):
    from getihu.accounts import services as accounts
    from getihu.accounts.contracts import Purpose
    from getihu.accounts.selectors import actor_of

    helper = person("helper")
    accounts.authorise(
        trader_code=SHOP,
        to=id_of(helper),
        purpose=Purpose.APPLY,
        until=days(20),
        by=cast.owner,
        at=AT,
    )
    helper = actor_of(helper.account_id, AT)
    for somebody in (helper, cast.window, cast.superior, cast.stranger):
        with pytest.raises(NotAllowed, match="只能由经营者本人"):
            services.open_bundle("entry.become_company", SHOP, place=TOWN, by=somebody, at=AT)
    services.open_bundle("entry.become_company", SHOP, place=TOWN, by=cast.owner, at=AT)
    services.open_bundle("entry.credit_repair", SHOP, place=TOWN, by=helper, at=AT)


def test_one_part_is_taken_back_and_the_others_go_on(cast, hrss):
    run = handed_in(cast)
    services.withdraw_part(run, "fire", by=cast.owner, at=days(1))
    found = parts(run, cast.owner, 1)
    assert found["fire"].state is PartState.WITHDRAWN
    assert found["food"].state is PartState.RUNNING
    with pytest.raises(IllegalMove):
        services.withdraw_part(run, "fire", by=cast.owner, at=days(1))
    services.withdraw_bundle(run, by=cast.owner, at=days(2))
    assert seen(run, cast.owner, 2).state is BundleState.WITHDRAWN
    with pytest.raises(IllegalMove):
        services.withdraw_bundle(run, by=cast.owner, at=days(2))


def test_a_deleted_draft_is_shown_no_more(cast):
    run = drafted(cast)
    services.withdraw_bundle(run, by=cast.owner, at=AT)
    assert list_bundle_runs(cast.owner, on=AT.date()) == []
    with pytest.raises(IllegalMove):
        services.save_bundle(run, {}, by=cast.owner)


def test_the_applicant_is_told_once_whichever_office_speaks(cast, hrss):
    fire_chief = officer("fire-chief", Role.SUPERVISOR, "fire", LUCHENG)
    run = handed_in(cast)
    food, fire = case_of(run, "food"), case_of(run, "fire")
    services.request_materials(food, ["平面图", "预案"], by=cast.window, at=days(1))
    with pytest.raises(NotAllowed, match="房产证不在这件一类事的告知清单里"):
        services.request_materials(fire, ["房产证"], by=cast.fire, at=days(1))
    assert count_extra_requests() == {}
    services.request_materials(
        fire, ["房产证"], by=cast.fire, at=days(1), reason="图纸对不上", approved_by=fire_chief
    )
    assert count_extra_requests() == {"fire": 1}
    view = seen(run, cast.owner, 1)
    assert (view.first_list, view.extra_requests) == (("平面图", "预案"), 1)
    assert view.waiting == "等待：您补齐材料"


def test_a_second_office_may_ask_for_what_stands_on_the_first_list(cast, hrss):
    run = handed_in(cast)
    services.request_materials(case_of(run, "food"), ["平面图"], by=cast.window, at=days(1))
    services.request_materials(case_of(run, "fire"), ["平面图"], by=cast.fire, at=days(1))
    assert list(MaterialRequest.objects.order_by("id").values_list("tells", flat=True)) == [
        "first",
        "again",
    ]


@pytest.mark.parametrize(
    ("tells", "named"),
    [("beyond", "told_once"), ("first", "first_list_once"), ("", "request_kind")],
)
def test_the_database_refuses_what_the_program_would_let_through(cast, hrss, tells, named):
    run = handed_in(cast)
    services.request_materials(case_of(run, "food"), ["平面图"], by=cast.window, at=days(1))
    row = {"items": ["x"], "at": AT, "by_id": cast.fire.account_id, "sequence": 1}
    with pytest.raises(IntegrityError), transaction.atomic():
        MaterialRequest.objects.create(case_id=case_of(run, "fire"), run_id=run, tells=tells, **row)


def test_what_was_noted_of_a_bundle_does_not_change(cast, hrss):
    run = handed_in(cast)
    changes = [
        (BundleRun.objects.filter(pk=run), {"submitted_at": days(9)}),
        (BundleRun.objects.filter(pk=run), {"discarded_at": days(9)}),
        (BundlePart.objects.filter(run=run), {"department": "tax"}),
        (Definition.objects.all(), {"text": "{}"}),
    ]
    for rows, change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    services.request_materials(case_of(run, "food"), ["平面图"], by=cast.window, at=days(1))
    with pytest.raises(DatabaseError), transaction.atomic():
        MaterialRequest.objects.update(at=days(9))


def test_each_office_sees_the_whole_course_and_only_its_own_case(cast, hrss):
    run = handed_in(cast)
    view = seen(run, cast.fire)
    assert {p.part_id for p in view.needed} == {"food", "fire", "insurance"}
    assert get_case(case_of(run, "fire"), actor=cast.fire, on=AT.date())
    from getihu.cases.selectors import CaseNotFound

    with pytest.raises(CaseNotFound):
        get_case(case_of(run, "food"), actor=cast.fire, on=AT.date())
    for somebody in (cast.stranger, cast.elsewhere):
        with pytest.raises(BundleNotFound):
            seen(run, somebody)


def test_a_draft_is_nobody_elses_business(cast):
    with pytest.raises(BundleNotFound):
        seen(drafted(cast), cast.window)


def held(value):
    fact = FactValue("premises_m2", value, FactState.RECORDED, date(2025, 3, 1), None, None)
    return lambda code: {"premises_m2": fact}


def test_a_contested_value_keeps_both_and_goes_to_its_department(cast, hrss, monkeypatch):
    from decimal import Decimal

    monkeypatch.setattr(contesting, "held_facts", held(Decimal("45.00")))
    run = handed_in(cast)
    row = ContestedValue.objects.get()  # two parts use it; it is contested once
    assert (row.held, row.claimed, row.held_on) == ("45.00", "80", date(2025, 3, 1))
    for part in ("food", "fire"):
        assert [c.claimed for c in contested_of([str(case_of(run, part))])] == ["80"]
    assert [c.number for c in list_contested(cast.window)] == [row.pk]
    assert list_contested(hrss) == list_contested(cast.elsewhere) == []
    with pytest.raises(NotAllowed):
        services.answer_contested(row.pk, "kept", "量过", by=hrss, at=days(1))
    with pytest.raises(IllegalMove):
        services.answer_contested(row.pk, "corrected", " ", by=cast.window, at=days(1))
    services.answer_contested(row.pk, "corrected", "量过，80平方米", by=cast.window, at=days(1))
    assert list_contested(cast.window) == []
    with pytest.raises(DatabaseError), transaction.atomic():
        ContestedValue.objects.update(held="1")


def test_the_same_number_written_otherwise_is_not_contested(cast, hrss, monkeypatch):
    from decimal import Decimal

    monkeypatch.setattr(contesting, "held_facts", held(Decimal("80.00")))
    handed_in(cast)
    assert not ContestedValue.objects.exists()


@pytest.fixture
def folders(settings, tmp_path):
    """The shipped matters and bundles in folders of one's own, to be edited."""
    from pathlib import Path

    for name in ("MATTER_DIRS", "BUNDLE_DIRS"):
        target = tmp_path / name
        target.mkdir()
        for folder in getattr(settings, name):
            for path in Path(folder).glob("*.yaml"):
                (target / path.name).write_bytes(path.read_bytes())
        setattr(settings, name, [target])
    return tmp_path


def edit(path, **changes):
    said = yaml.safe_load(path.read_text("utf-8"))
    path.write_text(yaml.safe_dump(said | changes, allow_unicode=True), "utf-8")


def test_a_changed_file_leaves_running_bundles_and_cases_as_they_were(cast, hrss, folders):
    run = handed_in(cast)
    food = case_of(run, "food")
    before, case_before = seen(run, cast.owner), get_case(food, actor=cast.owner, on=AT.date())
    matter = folders / "MATTER_DIRS" / "entry.food_permit.yaml"
    stage = {"id": "other", "title": "另一步", "clock": "licence.issue"}
    stage["handler"] = {"department": "tax", "level": "county"}
    edit(matter, title="改了名", form=[], documents=[], stages=[stage])
    (folders / "BUNDLE_DIRS" / "entry.catering.yaml").unlink()
    from getihu.cases.selectors import UnknownBundle, get_matter

    assert get_matter("entry.food_permit").title == "改了名"
    with pytest.raises(UnknownBundle):
        services.open_bundle(CATERING, SHOP, place=TOWN, by=cast.owner, at=AT)
    assert seen(run, cast.owner) == before
    assert get_case(food, actor=cast.owner, on=AT.date()) == case_before
    passed(food, cast.window)
    assert parts(run, cast.owner)["food"].state is PartState.GRANTED


def test_a_part_whose_turn_comes_later_goes_by_the_text_of_the_beginning(cast, folders):
    people = [officer(a, Role.CASE_OFFICER, a, LUCHENG) for a in ("power", "water", "telecom")]
    form = {"supply_voltage": "low", "capacity_kw": "30", "line_m": "0", "digs_road": False}
    form |= {"takes_green": False, "road_kind": "none", "wants_water": True, "wants_gas": False}
    form |= {"wants_network": False, "visit_on": "2026-11-05", "connects_to": "某路2号"}
    run = handed_in(cast, "entry.utilities", form)
    (folders / "MATTER_DIRS" / "entry.water_supply.yaml").unlink()
    (folders / "BUNDLE_DIRS" / "entry.utilities.yaml").unlink()
    passed(case_of(run, "survey"), *people)
    assert parts(run, cast.owner)["water"].title == "用水接入"
    assert Case.objects.get(pk=case_of(run, "water")).matter_id == "entry.water_supply"


def test_control_without_the_kept_text_a_removed_file_breaks_a_running_case(cast, hrss, folders):
    from getihu.cases.selectors import UnknownMatter

    run = handed_in(cast)
    food = case_of(run, "food")
    Case.objects.filter(pk=food).update(definition=None)
    (folders / "MATTER_DIRS" / "entry.food_permit.yaml").unlink()
    (folders / "BUNDLE_DIRS" / "entry.catering.yaml").unlink()
    (folders / "BUNDLE_DIRS" / "entry.food_shop.yaml").unlink()
    with pytest.raises(UnknownMatter):
        get_case(food, actor=cast.owner, on=AT.date())
    assert seen  # the run itself still reads by its own text


def test_one_visit_for_all_each_party_on_its_own_clock(cast):
    people = {a: officer(a, Role.CASE_OFFICER, a, LUCHENG) for a in ("power", "water", "telecom")}
    form = {"supply_voltage": "low", "capacity_kw": "30", "line_m": "0", "digs_road": False}
    form |= {"takes_green": False, "road_kind": "none", "wants_water": True, "wants_gas": False}
    form |= {"wants_network": True, "visit_on": "2026-11-05", "connects_to": "某路2号"}
    run = handed_in(cast, "entry.utilities", form)
    survey = case_of(run, "survey")
    services.accept(survey, by=people["power"], at=AT)
    stages = {s.stage_id: s for s in get_case(survey, actor=cast.owner, on=AT.date()).stages}
    assert set(stages) == {"power", "water", "network"}  # no gas asked for, nobody of gas comes
    for stage, who in (("power", "power"), ("network", "telecom")):
        services.finish_stage(survey, stage, passed=True, by=people[who], at=days(2))
    view = parts(run, cast.owner, 9)["survey"]
    assert view.waiting == "等待：供水 第7/3个工作日，已超期6天"
    assert view.days_late == 6
    services.finish_stage(survey, "water", passed=True, by=people["water"], at=days(9))
    found = parts(run, cast.owner, 9)
    assert found["survey"].state is PartState.GRANTED and found["survey"].days_late == 6
    assert found["power_direct"].state is found["water"].state is PartState.RUNNING
    assert found["gas"].state is found["power"].state is PartState.NOT_NEEDED
