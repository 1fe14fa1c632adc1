"""The eight rules about rules (政策元规则 F-01 to F-08), each on a text as an author writes it.

The parts are tested where they live; here one example of each stands for a reader.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from getihu.dataplane import selectors as dataplane
from getihu.rulebook import selectors
from getihu.rulebook.contracts import PastAward, Settlement
from getihu.rulebook.explain.decisions import decide
from getihu.rulebook.explain.frame import consent_needed, review_flags
from getihu.rulebook.settle.reads import settle_decisions
from getihu.rulebook.slips.record import with_answers
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SMALL_SHOP, load, problems
from tests.rulebook.traders import trader

INPUTS = """inputs:
  happened_on: {label: 缴费月, type: date, asked_of: applicant, question: 哪一月？, null_means: 没有回答}
"""  # fmt: skip


def shop(**changes: str) -> str:
    """The small shop's rule with lines put before ``decides_on`` and words replaced."""
    text = SMALL_SHOP.replace("decides_on", changes.pop("lines", "") + "decides_on", 1)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def outcome(rule, **facts):
    return decide(rule, trader(facts), CATALOGUE).outcome


def settled(rules, facts, awards=()):
    who = trader(facts)
    by_id = {rule.id: rule for rule in rules}
    return settle_decisions([decide(r, who, CATALOGUE) for r in rules], by_id, who, awards)


def test_f01_one_project_in_five_years_and_promotion_pays_the_difference(tmp_path):
    once = "group: {id: shop.level, how: %s, window_months: 60, source: F-01}\n"
    had = PastAward("tests.before", Decimal("30.00"), date(2023, 1, 1), "shop.level")
    (closed,) = settled([load(tmp_path, shop(lines=once % "highest"))], {}, [had])
    (promoted,) = settled([load(tmp_path, shop(lines=once % "difference"))], {}, [had])
    assert (closed.payable_yuan, closed.again_on) == (Decimal("0.00"), date(2028, 1, 2))
    assert promoted.payable_yuan == promoted.offered_yuan - 30


def test_f01_after_three_years_the_awards_of_a_year_have_a_ceiling(tmp_path):
    ceiling = (
        "ceiling: {id: y, fact: annual_sales_yuan, from_registered_months: 36, source: F-01}\n"
    )
    rule = load(tmp_path, shop(lines=ceiling))
    (cut,) = settled([rule], {"annual_sales_yuan": Decimal("5.00"), "registered_months": 48})
    assert (cut.how, cut.payable_yuan) == (Settlement.CEILING, Decimal("5.00"))


def test_f02_a_later_document_ends_a_rule_before_its_own_end(tmp_path):
    ended = "ended_by: {rule: tests.later, from: 2026-06-01, source: 后来的公告}\n"
    rule = load(tmp_path, shop(lines=ended))
    assert rule.in_force(date(2026, 5, 31)) and not rule.in_force(date(2026, 6, 1))
    left_out = decide(rule, trader({}), CATALOGUE)
    assert "提前终止，依据：后来的公告" in left_out.not_applicable


def test_f03_subjects_are_never_everybody_by_default(tmp_path):
    found = problems(tmp_path, "subjects: [individual]\n", "")
    assert any("subjects" in problem.message for problem in found)
    rule = load(tmp_path)
    assert outcome(rule, subject_kind="enterprise") == "not_applicable"


def test_f04_what_excludes_each_other_pays_once_and_the_higher(tmp_path):
    group = "group: {id: central.interest, how: once, source: F-04}\n"
    low = load(tmp_path, shop(lines=group))
    high = load(
        tmp_path, shop(lines=group, **{"tests.small_shop": "tests.b", "per_person_yuan / 3": "per_person_yuan"})
    )  # fmt: skip
    assert [s.how for s in settled([low, high], {})] == [Settlement.LOWER, Settlement.FULL]


def test_f05_local_money_without_a_law_is_flagged(tmp_path):
    (flag,) = review_flags(load(tmp_path))
    assert flag.source == "公平竞争审查条例 第十条"


def test_f06_an_exclusion_says_which_list_and_which_article(tmp_path):
    """Only the serious list lets public money be withheld; a mark of abnormality does not."""
    listed = """exclusions:
  is_listed:
    label: 在名单上
    %swhen: "is_seriously_dishonest"
    article: 信用条例 第二十六条第六项
"""
    (found,) = problems(tmp_path, "requires:", listed % "" + "requires:")
    assert "credit_list" in (found.field or "") or "名单" in found.message
    text = SMALL_SHOP.replace(
        "requires:", listed % "credit_list: serious_dishonesty\n    " + "requires:"
    )
    clause = load(tmp_path, text).clause_by_id["is_listed"]
    assert (clause.is_exclusion, clause.credit_list) == (True, "serious_dishonesty")


@pytest.mark.parametrize(
    ("happened_on", "applies"),
    [(date(2026, 12, 31), True), (date(2028, 1, 1), False), (None, None)],
)
def test_f07_the_date_of_the_event_decides(tmp_path, happened_on, applies):
    text = shop(lines=INPUTS, **{"decides_on: as_of": "decides_on: {event: happened_on}"})
    told = with_answers(trader({}), {"happened_on": happened_on}, CATALOGUE)
    decision = decide(load(tmp_path, text), told, CATALOGUE)
    assert decision.applies is (applies is not False)
    assert (decision.outcome == "unknown") is (applies is None)


def test_f08_income_and_tax_need_consent(tmp_path, settings):
    rule = load(tmp_path)
    taxed = {
        **CATALOGUE,
        "annual_sales_yuan": replace(CATALOGUE["annual_sales_yuan"], consent="信用条例 第十四条"),
    }
    (need,) = consent_needed(rule, taxed)
    assert need.labels == (CATALOGUE["annual_sales_yuan"].label,)
    real = dataplane.fact_catalogue()
    named = {name for name, fact in real.items() if "第十四条" in fact.consent}
    assert {"annual_sales_yuan", "taxable_income_yuan", "tax_paid_yuan"} <= named
    half = selectors.get_rule("policies.income_tax_half")
    assert any("第十四条" in need.article for need in selectors.consent_needed(half))
