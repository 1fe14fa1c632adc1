"""The interview asks only what can still change an answer, and few questions."""

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from getihu.rulebook.advise.interview import next_questions
from getihu.rulebook.evaluate.verdicts import judge
from tests.generative.strategies import AS_OF, FACTS, fact_values, rows, rules
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SMALL_SHOP, load
from tests.rulebook.traders import SMALL

CALM = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def ask(made, facts, catalogue=FACTS, as_of=AS_OF):
    return next_questions(made, facts, as_of, catalogue)


def is_open(rule, facts, as_of=AS_OF):
    verdict = judge(rule, facts, as_of)
    return verdict.applies is None or (verdict.applies is True and verdict.visible == "unknown")


@settings(max_examples=120, **CALM)
@given(made=st.lists(rules(0), min_size=1, max_size=3), facts=rows, data=st.data())
def test_answering_the_questions_settles_every_rule_and_none_is_asked_twice(made, facts, data):
    facts, asked = dict(facts), []
    while questions := ask(made, facts):
        name = questions[0].fact
        assert facts.get(name) is None
        asked.append(name)
        facts[name] = data.draw(fact_values(name) if name in FACTS else st.integers(0, 5))
    assert len(asked) == len(set(asked))
    for rule in made:
        if is_open(rule, facts):  # only the text itself can still be open
            assert all(facts.get(name) is not None for name in needed(rule, facts))


def needed(rule, facts):
    from getihu.rulebook.evaluate.missing import missing_facts

    return missing_facts(rule, judge(rule, facts, AS_OF), facts, AS_OF)


@settings(max_examples=80, **CALM)
@given(rule=rules(0), facts=rows)
def test_nothing_is_asked_of_a_settled_rule(rule, facts):
    assume(not is_open(rule, facts) and rule.amount is None)
    assert ask([rule], facts) == ()


def shop(tmp_path, unknown):
    return load(tmp_path), {**SMALL, **dict.fromkeys(unknown)}


def test_a_fact_that_cannot_matter_any_more_is_not_asked(tmp_path):
    rule, facts = shop(tmp_path, ["paid_tax_last_year", "insured_employees"])
    # Sales are low, so whether tax was paid does not matter; the amount still needs the people.
    assert [q.fact for q in ask([rule], facts, CATALOGUE)] == ["insured_employees"]
    closed = {**facts, "registration_status": "cancelled"}
    assert ask([rule], closed, CATALOGUE) == ()


def test_the_question_that_settles_most_comes_first(tmp_path):
    """One fact refuses both rules at once; the others settle one rule at best."""
    first = load(tmp_path)
    text = SMALL_SHOP.replace("tests.small_shop", "tests.other_shop").replace(
        "{any_of: [is_small, has_paid_tax]}", "has_paid_tax, is_small"
    )
    second = load(tmp_path, text)
    unknown = ["annual_sales_yuan", "paid_tax_last_year", "established_on"]
    facts = {**SMALL, **dict.fromkeys(unknown)}
    questions = ask([first, second], facts, CATALOGUE, date(2026, 10, 31))
    assert questions[0].fact == "established_on"
    assert questions[0].rules == ("tests.small_shop", "tests.other_shop")


def test_few_questions_settle_many_rules(tmp_path):
    """Asking in the greedy order is never worse on average than in the order of reading."""
    rule, _ = shop(tmp_path, [])
    known = {**SMALL, "annual_sales_yuan": Decimal(999999), "paid_tax_last_year": True}
    unknown = ["annual_sales_yuan", "paid_tax_last_year", "established_on", "registration_status"]
    facts = {**known, **dict.fromkeys(unknown)}
    count = 0
    while questions := ask([rule], facts, CATALOGUE):
        facts[questions[0].fact] = known[questions[0].fact]
        count += 1
    assert count <= 4
    refused = {**known, "registration_status": "cancelled"}
    facts, count = {**refused, **dict.fromkeys(unknown)}, 0
    while questions := ask([rule], facts, CATALOGUE):
        facts[questions[0].fact] = refused[questions[0].fact]
        count += 1
    assert count <= 2


def test_a_question_has_words_a_type_and_somebody_who_knows(tmp_path):
    rule, facts = shop(tmp_path, ["registration_status"])
    (question,) = ask([rule], facts, CATALOGUE)
    assert question.text == "“事实registration_status”是哪一种？"
    assert question.choices[0] == ("active", "存续")
    assert question.who == ("温州市市场监督管理局",)
    assert question.type == "enum"
