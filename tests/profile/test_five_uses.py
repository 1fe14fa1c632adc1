"""Every use of a rule makes the same of facts that want consent: unknown, and the same answer."""

import json
from collections import Counter

import pytest

from getihu.dataplane import selectors as dataplane
from getihu.registry import services
from getihu.registry.contracts import Purpose
from getihu.rulebook import permitted
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as decisions
from getihu.rulebook.columns.city import CityColumns
from getihu.rulebook.whatif import city as whatif
from tests.cases.cast import AT

pytestmark = pytest.mark.django_db
INCOME = "浙江省公共信用信息管理条例 第十四条（收入）"
TYPE = "growth.trader_type"


@pytest.fixture
def needing(real_city):
    """The rules about growth that read what consent protects."""
    found = [
        rule
        for rule in rulebook.governing_rules(real_city.as_of).values()
        if rule.id.startswith("growth.")
        and permitted.needs_consent(rule)
        and rule.in_force(real_city.as_of)
        and not rule.is_about_event
    ]
    assert len(found) >= 3
    return found


def answers(code, rule, as_of):
    """Use → what it says of one trader."""
    snapshot = dataplane.get_published_snapshot().snapshot_id
    columns = CityColumns.open(as_of)
    row = columns.row_of(code)
    swept = permitted.sweep_permitted(columns, [rule], as_of)
    one = rulebook.explain_rule(code, rule.id)
    issued = decisions.issue_slip(code, rule.id)
    many = next(iter(decisions.issue_slips(rule.id, [code], as_of=as_of, snapshot_id=snapshot)))
    supposed = rulebook.outcome_of(rule, dataplane.get_trader_facts(code, as_of, snapshot))

    def named(outcomes, number):
        return "not_applicable" if number == 255 else outcomes[number]

    decided = rulebook.scene_of(rule).city().decide([rule])[0]
    return {
        "sweep": named(swept.outcomes(rule.id), swept.codes(rule.id)[row]),
        "one trader": one.outcome if one.applies else "not_applicable",
        "numbers, what-if and drift": named(decided.outcomes, decided.codes[row]),
        "slip": json.loads(issued.content)["outcome"] if one.applies else "not_applicable",
        "slips": json.loads(many.content)["outcome"] if one.applies else "not_applicable",
        "rehearsal": supposed,
    }


def test_all_uses_say_the_same_of_a_trader_without_consent(shop, real_city, needing):
    code = shop[0].trader_code
    found = {rule.id: answers(code, rule, real_city.as_of) for rule in needing}
    assert {r: a for r, a in found.items() if len(set(a.values())) > 1} == {}


def test_all_uses_say_the_same_when_some_consent(shop, real_city, needing):
    trader, owner = shop
    services.give_consent(trader.trader_code, Purpose.PROFILE, INCOME, by=owner, at=AT)
    for code in (trader.trader_code, *list(real_city.personas.values())[:3]):
        found = {rule.id: answers(code, rule, real_city.as_of) for rule in needing}
        assert {r: a for r, a in found.items() if len(set(a.values())) > 1} == {}, code


def test_counts_of_the_city_are_those_of_its_traders(shop, real_city, needing):
    trader, owner = shop
    services.give_consent(trader.trader_code, Purpose.PROFILE, INCOME, by=owner, at=AT)
    columns = CityColumns.open(real_city.as_of)
    swept = permitted.sweep_permitted(columns, needing, real_city.as_of).counts()
    near = {each.rule_id: each.traders for each in rulebook.list_near_rules()}
    for rule in needing:
        numbers = rulebook.get_rule_numbers(rule.id)
        assert Counter(numbers.counts) == Counter(swept[rule.id]), rule.id
        assert numbers.near == near.get(rule.id, 0), rule.id
        for each in rulebook.list_near_traders(rule.id, limit=40):
            assert rulebook.advise(each.trader_code, rule.id).is_near, (rule.id, each.trader_code)


def test_numbers_that_are_kept_follow_a_consent(shop, real_city):
    trader, owner = shop
    before = rulebook.get_rule_numbers(TYPE).counts
    for article in set(rulebook.protected_facts().values()):
        services.give_consent(trader.trader_code, Purpose.PROFILE, article, by=owner, at=AT)
    after = rulebook.get_rule_numbers(TYPE).counts
    assert before["unknown"] == after["unknown"] + 1


def test_what_is_kept_back_is_not_asked_for(shop, needing):
    code = shop[0].trader_code
    asked = {q.fact for rule in needing for q in rulebook.ask_next(code, rule.id)}
    assert not asked & rulebook.protected_facts().keys()


def test_without_the_one_place_the_uses_part(shop, real_city, needing, monkeypatch):
    """The control: facts let through on one way only, and the comparison is red."""
    code = shop[0].trader_code
    monkeypatch.setattr(whatif, "sweep_permitted", _let_through)
    monkeypatch.setattr(permitted, "columns_for", lambda rule, city, **_: city)
    found = {rule.id: answers(code, rule, real_city.as_of) for rule in needing}
    assert any(len(set(each.values())) > 1 for each in found.values())


def _let_through(city, rules, as_of, *, asked_as=()):
    from getihu.rulebook.columns.sweep import JoinedSweep, sweep_columns

    return JoinedSweep(rules, [sweep_columns(city, rules, as_of)])


def test_many_explained_together_are_explained_as_each_alone(shop, real_city, needing):
    code, snapshot = shop[0].trader_code, dataplane.get_published_snapshot().snapshot_id
    codes = sorted({code, *real_city.personas.values()})
    for rule in needing:
        together = {
            each.trader_code: each
            for each in rulebook.explain_many(
                rule.id, codes, as_of=real_city.as_of, snapshot_id=snapshot
            )
        }
        assert code in together
        for each in list(together)[:4]:
            assert together[each] == rulebook.explain_rule(each, rule.id, as_of=real_city.as_of)
