"""What can be read and still makes no sense is refused, with its place and the way out."""

from dataclasses import replace

import pytest

from getihu.rulebook.load import logic
from getihu.rulebook.load.cases import check_possible, read_cases
from getihu.rulebook.load.folder import read_folder
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SIZE_TABLE, SMALL_SHOP, load, write

UNITS = {
    "registered_months": "month",
    "insured_employees": "person",
    "premises_m2": "m2",
    "service_loan_rate": "ratio",
}
FACTS = {
    name: replace(fact, unit=UNITS[name]) if name in UNITS else fact
    for name, fact in CATALOGUE.items()
}
PAID = '"paid_tax_last_year"'
EMPLOYEES = 'when: "insured_employees >= 10"'

# id: (text, old, new, line, column, words)
SENSELESS = {
    "contradicts itself": (SMALL_SHOP, PAID, '"insured_employees > 5 and insured_employees < 3"', 38, 11, "自相矛盾"),
    "below zero people": (SMALL_SHOP, PAID, '"insured_employees < 0"', 38, 11, "自相矛盾"),
    "is null": (SMALL_SHOP, PAID, '"annual_employees is null"', 38, 11, "自相矛盾"),
    "a value the fact has not, twice": (SMALL_SHOP, PAID, "\"registration_status <> 'active' and registration_status not in ('suspended', 'cancelled', 'revoked', 'annulled')\"", 38, 11, "自相矛盾"),
    "two clauses against each other": (SMALL_SHOP, "established_on + open_months * interval '1' month\n      <= as_of", "registration_status = 'revoked' and\n      established_on + open_months * interval '1' month <= as_of", 40, 11, "条件“is_active”和“is_settled”互相矛盾"),
    "against its subjects": (SMALL_SHOP, "when: \"registration_status = 'active'\"", "when: \"registration_status = 'active' and subject_kind = 'enterprise'\"", 40, 11, "适用的地区、对象、期限矛盾"),
    "row behind a wider one": (SIZE_TABLE, EMPLOYEES, 'when: "insured_employees >= 3 and insured_employees >= 0"', None, None, None),
    "row nobody reaches": (SIZE_TABLE, "{any_of: [has_some, sells_much]}, value: middle", "{all_of: [has_many, sells_much, has_some]}, value: middle", 17, 5, "第 2 行永远用不到"),
    "months against people": (SMALL_SHOP, PAID, '"registered_months >= insured_employees"', 38, 11, "一边是月，一边是人"),
    "years against months": (SMALL_SHOP, "open_months: {label: 开业月数, value: 12, unit: month", "open_months: {label: 开业月数, value: 1, unit: year", 32, 11, "一边是年，一边是月"),
    "yuan against people": (SMALL_SHOP, "annual_sales_yuan <= most_sales_yuan", "insured_employees <= most_sales_yuan", 28, 11, "一边是人，一边是元"),
    "sum of yuan and months": (SMALL_SHOP, "insured_employees * per_person_yuan / 3", "per_person_yuan + registered_months", 41, 9, "一边是元，一边是月"),
    "a parameter in 万元": (SMALL_SHOP, "label: 年销售额上限, value: 300000", "label: 年销售额上限30万元, value: 30", 18, 47, "30 万元"),
    "a literal in 万元": (SMALL_SHOP, "label: 缴过税\n    when: \"paid_tax_last_year\"", "label: 税额不超过5万元\n    when: \"tax_paid_yuan <= 5\"", 38, 11, "5 万元"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", SENSELESS.values(), ids=SENSELESS.keys())
def test_names_what_can_never_be_and_where_it_stands(mistake, tmp_path):
    text, old, new, line, column, words = mistake
    assert old in text
    _, found = read_folder([write(tmp_path, text.replace(old, new, 1))], FACTS)
    if words is None:
        assert not found
        return
    assert any(words in problem.message for problem in found), [str(p) for p in found]
    first = next(problem for problem in found if words in problem.message)
    assert (first.line, first.column) == (line, column)
    assert first.fix


HARMLESS = {
    "no data: fails, never holds": '"case when not operator_is_transferred_cadre then false end"',
    "known at all": '"annual_employees is not null"',
    "products of facts": '"insured_employees * annual_sales_yuan > 5"',
    "end of the month": "\"established_on + interval '1' month <= as_of and established_on > as_of - interval '1' month\"",
    "a rate of the sales": '"tax_paid_yuan * 100 >= annual_sales_yuan * 3"',
    "a window in years": "\"established_on + interval '2' year <= as_of\"",
    "months as twelfths": '"registered_months >= open_months * 2"',
}  # fmt: skip


@pytest.mark.parametrize("when", HARMLESS.values(), ids=HARMLESS.keys())
def test_lets_pass_what_may_be(when, tmp_path):
    _, found = read_folder([write(tmp_path, SMALL_SHOP.replace(PAID, when, 1))], FACTS)
    assert not found, [str(problem) for problem in found]


def test_a_fact_that_may_lie_below_zero_says_so(tmp_path):
    below = write(tmp_path, SMALL_SHOP.replace(PAID, '"insured_employees < 0"', 1))
    signed = replace(FACTS["insured_employees"], may_be_negative=True)
    _, found = read_folder([below], {**FACTS, "insured_employees": signed})
    assert not found, [str(problem) for problem in found]


def test_a_row_of_a_parameter_behind_a_wider_one(tmp_path):
    rows = "by: [{region: '330300', value: 1}, {region: '330382', value: 2}]"
    text = SMALL_SHOP.replace("value: 300000, unit: yuan", f"value: 3, unit: yuan, {rows}", 1)
    _, found = read_folder([write(tmp_path, text)], FACTS)
    assert [(p.line, p.message) for p in found] == [
        (18, "参数“most_sales_yuan”的这一行永远用不到：前面的行已经包括了它")
    ]
    narrow_first = "by: [{region: '330382', value: 2}, {region: '330300', value: 1}]"
    _, found = read_folder([write(tmp_path, text.replace(rows, narrow_first))], FACTS)
    assert not found


def test_a_case_for_an_outcome_that_cannot_happen(tmp_path):
    rule = load(tmp_path, SMALL_SHOP.replace("subjects:", "incomplete: 排除清单截断\nsubjects:"))
    path = tmp_path / "tests.small_shop.cases.yaml"
    path.write_text(
        "cases:\n  - {name: 好, as_of: 2026-06-01, facts: {}, expect: yes}\n"
        "  - {name: 待核, as_of: 2026-06-01, facts: {}, expect: unknown}\n"
    )
    _, document = read_cases(path, rule, CATALOGUE)
    check_possible(document, rule, CATALOGUE)
    assert [(p.line, p.column) for p in document.problems] == [(2, 53)]
    assert "来源不全" in document.problems[0].message


def test_the_values_of_a_table_that_some_trader_can_get(tmp_path):
    assert logic.possible_outcomes(load(tmp_path, SIZE_TABLE), CATALOGUE) == {
        "large",
        "middle",
        "small",
    }
    apart = SIZE_TABLE.replace("annual_sales_yuan >= 5000000", "insured_employees < 10")
    assert logic.possible_outcomes(load(tmp_path, apart), CATALOGUE) == {"middle"}


def test_rules_that_end_each_other_in_a_circle(tmp_path):
    ended = "valid_until: 2028-01-01\nended_by: {rule: tests.%s, from: 2027-01-01, source: 无}"
    one = SMALL_SHOP.replace("valid_until: 2028-01-01", ended % "other")
    other = SMALL_SHOP.replace("tests.small_shop", "tests.other").replace(
        "valid_until: 2028-01-01", ended % "small_shop"
    )
    _, found = read_folder([write(tmp_path, one), write(tmp_path, other)], CATALOGUE)
    assert {(p.line, p.file.rsplit("/", 1)[-1]) for p in found} == {
        (15, "tests.small_shop.yaml"),
        (15, "tests.other.yaml"),
    }
    assert all("绕成一圈" in p.message for p in found)


def test_a_rule_that_takes_the_place_of_nothing_known(tmp_path):
    text = SMALL_SHOP.replace("decides_on", "overrides: [tests.sizes]\ndecides_on", 1)
    size = write(tmp_path, SIZE_TABLE)
    _, found = read_folder([write(tmp_path, text), size], CATALOGUE)
    assert [(p.line, p.nearest) for p in found] == [(15, "tests.size")]


def test_a_text_found_good_is_not_proved_again(tmp_path, monkeypatch):
    path, proved = write(tmp_path, SMALL_SHOP), tmp_path / "proved"
    asked = []
    real = logic.findings
    monkeypatch.setattr(logic, "findings", lambda *args: asked.append(1) or real(*args))
    for _ in range(2):
        read_folder([path], FACTS, proved)
    assert len(asked) == 1
    path.write_text(SMALL_SHOP.replace("300000", "300001"))
    read_folder([path], FACTS, proved)
    assert len(asked) == 2
