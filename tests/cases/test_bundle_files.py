"""Bundle files: the shipped ones hold, one form is made of the parts, every mistake has its line."""

import pytest

from getihu.cases.matters.load import matter_catalogue, read_matter
from getihu.cases.matters.load_bundles import bundle_catalogue, get_bundle, read_bundle
from getihu.cases.matters.merge import merged_documents, merged_form
from getihu.cases.selectors import documents_of, fields_of, needs_of
from getihu.passport.selectors import certificate_kinds
from tests.cases.cast import AT, LUCHENG
from tests.cases.test_matters import GOOD as MATTER

ON = AT.date()
GOOD = """\
id: entry.both
title: 两件一起
measure: 2
summary: 例子
handler: {department: amr, level: county}
legal_basis: [行政许可法 第二十六条]
subjects: [individual]
started_by: owner
questions:
  - {id: wants_two, label: 要第二件, type: boolean}
parts:
  - {id: one, matter: entry.one, if_refused: 第一件不成}
  - {id: two, matter: entry.two, when: {answer: wants_two, is: [true]}, after: [one], if_refused: 第二件不成}
"""
FORM = "form:\n  - {id: area, label: 面积, type: decimal, unit: 平方米, fact: premises_m2}\nacceptance_clock"
OTHER = FORM.replace("label: 面积", "label: 占地")


def matter(name: str, form: str = FORM, **changes: str):
    text = MATTER.replace("entry.example", f"entry.{name}").replace("acceptance_clock", form)
    for old, new in changes.items():
        text = text.replace(old, new)
    found, problems = read_matter(text, "x.yaml")
    assert not problems
    return found


def read(text: str = GOOD, two: str = FORM):
    matters = {"entry.one": matter("one"), "entry.two": matter("two", two)}
    return read_bundle(text, "entry.both.yaml", matters)


def test_the_shipped_bundles_hold_and_every_certificate_has_a_place_in_the_wallet():
    wanted = {"catering", "food_shop", "change_hands", "become_company", "rest", "credit_repair"}
    assert {f"entry.{name}" for name in wanted | {"utilities"}} == set(bundle_catalogue())
    given = {m.result.certificate for m in matter_catalogue().values() if m.result.certificate}
    assert given <= set(certificate_kinds())
    assert {"food_permit", "small_catering_card", "fire_check"} <= given


def test_the_same_question_is_asked_once_for_both_parts():
    whole, problems = read()
    assert problems == []
    found = {each.field.id: each.asked_by for each in merged_form(whole)}
    assert found == {"wants_two": {"": "wants_two"}, "area": {"one": "area", "two": "area"}}


def test_different_words_for_the_same_item_are_an_error_until_a_mapping_says_which():
    whole, problems = read(two=OTHER)
    assert whole is None
    assert any("说法不一样" in str(problem) for problem in problems)
    mapped = GOOD + "same:\n  - {ask: one.area, stands_for: [two.area]}\n"
    whole, problems = read(mapped, OTHER)
    assert problems == []
    assert [each.field.label for each in merged_form(whole)] == ["要第二件", "面积"]


def test_the_same_fact_under_another_name_is_an_error_until_a_mapping_says_which():
    two = OTHER.replace("id: area", "id: floor")
    assert any("问的是一件事" in str(problem) for problem in read(two=two)[1])
    mapped = GOOD + "same:\n  - {ask: one.area, stands_for: [two.floor]}\n"
    whole, problems = read(mapped, two)
    assert problems == []
    assert merged_form(whole)[1].asked_by == {"one": "area", "two": "floor"}


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("measure: 2", "mesure: 2", 3, "是不是想写 measure"),
        ("matter: entry.two", "matter: entry.tow", 13, "是不是想写 entry.two"),
        ("after: [one]", "after: [ones]", 13, "是不是想写 one"),
        ("after: [one]", "after: [two]", 13, "永远轮不到"),
        ("{id: two, m", "{id: one, m", 13, "写了两次"),
        ("answer: wants_two", "answer: wants_too", 13, "是不是想写 wants_two"),
        ("is: [true]", "is: [maybe]", 13, "条件永远不成立"),
        (
            "{answer: wants_two, is: [true]}",
            "{rule: entry.open_fod, gives: [card]}",
            13,
            "没有编号为",
        ),
        (
            "{answer: wants_two, is: [true]}",
            "{rule: entry.open_tobacco, gives: [card]}",
            13,
            "永远不用办",
        ),
        (
            "{answer: wants_two, is: [true]}",
            "{rule: entry.open_tobacco, gives: [permit]}",
            13,
            "没有问“sells_tobacco”",
        ),
        ("{answer: wants_two, is: [true]}", "{answer: wants_two}", 13, "条件写"),
        (
            "department: amr, level: county}\nlegal",
            "department: arm, level: county}\nlegal",
            5,
            "没有人承办",
        ),
        ("started_by: owner", "started_by: representative", 12, "不能由开始这个一类事的人办"),
        ("subjects: [individual]", "subjects: [individual, enterprise]", 12, "不是给它们办的"),
    ],
)
def test_a_mistake_is_told_with_its_line(old, new, line, message):
    whole, problems = read(GOOD.replace(old, new, 1))
    assert whole is None
    found = [(problem.line, str(problem)) for problem in problems]
    assert any(message in text and at == line for at, text in found), found


def test_a_part_whose_matter_has_no_limit_does_not_load():
    unlimited = MATTER.replace(", clock: licence.issue", "").replace("entry.example", "entry.two")
    assert read_matter(unlimited, "x.yaml")[0] is None
    _, problems = read_bundle(GOOD, "entry.both.yaml", {"entry.one": matter("one")})
    assert any("没有事项“entry.two”" in str(problem) for problem in problems)


def test_an_agency_nobody_knows_leaves_a_matter_without_owner():
    text = MATTER.replace(
        "{department: amr, level: county}, clock: licence.issue",
        "{department: amx, level: county}, clock: licence.issue",
    )
    assert any("没有人承办" in str(problem) for problem in read_matter(text, "x.yaml")[1])


def needed(bundle: str, **form) -> dict[str, bool | None]:
    needs = needs_of(get_bundle(bundle), form, LUCHENG, ON)
    return {name: need.is_needed for name, need in needs.items()}


def test_which_permit_is_needed_follows_from_the_area_by_the_rule():
    small = needed("entry.catering", has_licence=True, use_area_m2="50.0")
    large = needed("entry.catering", has_licence=True, use_area_m2="50.1")
    assert (small["card"], small["food"]) == (True, False)
    assert (large["card"], large["food"]) == (False, True)
    assert (small["licence"], small["tobacco"]) == (False, None)
    assert needed("entry.catering")["card"] is None


@pytest.mark.parametrize(
    ("form", "part"),
    [
        ({"supply_voltage": "low", "line_m": "30", "digs_road": False, "takes_green": False}, None),
        (
            {"supply_voltage": "medium", "line_m": "200", "digs_road": False, "takes_green": False},
            "filing",
        ),
        (
            {"supply_voltage": "medium", "line_m": "200", "digs_road": True, "takes_green": False},
            "promise",
        ),
        (
            {"supply_voltage": "medium", "line_m": "201", "digs_road": True, "takes_green": True},
            "approval",
        ),
    ],
)
def test_the_way_of_a_power_line_follows_from_voltage_length_road_and_green(form, part):
    found = needed("entry.utilities", capacity_kw="30", road_kind="old", **form)
    assert {name for name in ("filing", "promise", "approval") if found[name]} == ({part} - {None})


@pytest.mark.parametrize(
    ("prepackaged", "produce", "part"),
    [(True, False, "filing"), (False, False, "grocery"), (False, True, None)],
)
def test_a_food_shop_gets_what_the_rule_says_of_its_goods(prepackaged, produce, part):
    """Whoever sells food loose needs a card: no answer leaves her without what the rule gives."""
    answers = {"has_licence": True, "only_prepackaged": prepackaged, "only_farm_produce": produce}
    found = needed("entry.food_shop", **answers)
    food = {name for name in ("filing", "grocery") if found[name]}
    assert food == ({part} if part else set())


def test_only_questions_and_documents_of_needed_parts_are_asked():
    whole = get_bundle("entry.catering")
    form = {"has_licence": True, "use_area_m2": "80", "is_public_gathering": False}
    form |= {"drains_to_sewer": False, "sells_tobacco": False, "hires_people": False}
    needs = needs_of(whole, form, LUCHENG, ON)
    asked = {each.field.id: each.field for each in fields_of(whole, needs)}
    assert "food_kinds" in asked and asked["food_kinds"].required
    assert not {"grease_trap", "premises", "fire_promise"} & set(asked)
    assert [d.id for d, _ in documents_of(whole, needs)] == ["licence", "layout", "safety_rules"]
    assert len(merged_documents(whole)) > 3
