"""Rules as files, decided for one trader, then settled against each other."""

from datetime import date
from decimal import Decimal

from getihu.rulebook.contracts import PastAward, Settlement
from getihu.rulebook.explain.decisions import decide
from getihu.rulebook.settle.reads import settle_decisions
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SMALL_SHOP, load
from tests.rulebook.traders import trader

GROUP = "group: {id: shop.support, how: highest, window_months: 60, source: 叠加规则}\ndecides_on"


def world(folder):
    one = SMALL_SHOP.replace("decides_on", GROUP, 1)
    other = one.replace("tests.small_shop", "tests.other").replace(
        "per_person_yuan / 3", "per_person_yuan"
    )
    rules = [load(folder, one), load(folder, other)]
    return {rule.id: rule for rule in rules}


def settled(rules, facts, awards=()):
    who = trader(facts)
    decisions = [decide(rule, who, CATALOGUE) for rule in rules.values()]
    return settle_decisions(decisions, rules, who, awards)


def test_two_rules_for_one_project_pay_once(tmp_path):
    low, high = settled(world(tmp_path), {})
    assert (low.how, low.payable_yuan, low.other_rule_id) == (
        Settlement.LOWER,
        Decimal("0.00"),
        "tests.other",
    )
    assert (high.how, high.payable_yuan) == (Settlement.FULL, high.offered_yuan)
    assert high.offered_yuan > low.offered_yuan > 0


def test_what_was_paid_before_counts(tmp_path):
    had = PastAward("tests.old", Decimal("10.00"), date(2025, 1, 1), "shop.support")
    assert {each.how for each in settled(world(tmp_path), {}, [had])} == {Settlement.ALREADY}


def test_only_a_yes_offers_anything(tmp_path):
    assert settled(world(tmp_path), {"registration_status": "revoked"}) == ()
