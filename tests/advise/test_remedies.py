"""Doing what the advice says makes the rule say yes."""

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactType
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.advise.advice import advise_facts
from getihu.rulebook.advise.knowledge import knowledge_of, links_in_file, names_in_file, read_link
from getihu.rulebook.advise.timeline import Timeline
from getihu.rulebook.evaluate.expressions import closure
from getihu.rulebook.evaluate.verdicts import judge
from getihu.rulebook.load.cases import read_cases
from getihu.rulebook.load.folder import cases_file
from getihu.rulebook.model.expressions import Constant, walk
from tests.generative.strategies import AS_OF, FACTS, rows, rules
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import SIZE_TABLE, SMALL_SHOP, load

CALM = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def after(advice, facts, as_of, catalogue):
    """The facts and the day when everything advised has been done or waited for."""
    day = max([as_of, *(r.on for r in advice.remedies if r.on)])
    timeline = Timeline(facts, as_of, knowledge_of(catalogue).moves)
    changes = {name: value for r in advice.remedies for name, value in r.changes}
    return {**timeline.at(day), **changes}, day


def check_advice(rule, facts, as_of, catalogue):
    """Whatever is advised as possible brings the goal about; nothing fixed is ever changed."""
    advice = advise_facts(rule, facts, as_of, catalogue)
    assert advice.failing == tuple(r.clause_id for r in advice.remedies)
    if not advice.is_possible:
        assert not advice.is_near
        return advice
    changed, day = after(advice, facts, as_of, catalogue)
    verdict = judge(rule, changed, day)
    said = (advice.goal, advice.failing, [(r.kind, r.changes) for r in advice.remedies])
    assert (verdict.applies, verdict.visible) == (True, advice.goal), said
    knowledge = knowledge_of(catalogue)
    for remedy in advice.remedies:
        assert remedy.text and remedy.label and (remedy.who or remedy.kind == "time")
        for name, value in remedy.changes:
            if facts.get(name) is not None and name in knowledge.fixed:
                assert (facts[name], value) in knowledge.fixed[name].but
    for link in knowledge.links:
        if closure(link.holds)(facts, as_of) is True:
            assert closure(link.holds)(changed, day) is not False
    return advice


@settings(max_examples=250, **CALM)
@given(rule=rules(0), facts=rows)
def test_generated_rules_say_yes_after_the_advised_change(rule, facts):
    check_advice(rule, facts, AS_OF, FACTS)


# The shipped rules, on facts around the values they compare with.


def shipped():
    return [(rule, when_asked(rule)) for rule in rulebook.get_rulebook().rules]


def when_asked(rule):
    """A day in the rule's period, the last but a year where it has ended."""
    return max(
        rule.valid_from,
        date(2026, 10, 31) if rule.in_force(date(2026, 10, 31)) else rule.valid_from,
    )


def fact_value(rule, name, declared):
    """Values of one fact near the numbers, dates and words its rule names."""
    named = [
        n.value
        for c in rule.clauses
        for n in walk(c.resolved)
        if isinstance(n, Constant) and n.value is not None
    ]
    numbers = [n for n in named if not isinstance(n, bool | str | date)] or [0]
    match declared.type:
        case FactType.BOOLEAN:
            return st.booleans()
        case FactType.DATE:
            listed = [n for n in named if isinstance(n, date)]
            near = st.sampled_from(listed) if listed else st.nothing()
            return near | st.dates(date(2018, 1, 1), date(2027, 12, 31))
        case FactType.INTEGER:
            return st.sampled_from([int(n) for n in numbers]) | st.integers(0, 60)
        case FactType.MONEY | FactType.DECIMAL:
            exact = st.sampled_from([Decimal(int(n * 100)) / 100 for n in numbers])
            return exact | st.decimals(0, 10**6, places=2)
    texts = [n for n in named if isinstance(n, str)] + list(declared.values)
    return st.sampled_from(texts or ["x"])


def some_facts(draw, rule, catalogue):
    names = {*rule.facts, "established_on", "county_code"} & catalogue.keys()
    return {
        name: draw(st.none() | fact_value(rule, name, catalogue[name])) for name in sorted(names)
    }


@settings(max_examples=400, **CALM)
@given(data=st.data())
def test_shipped_rules_say_yes_after_the_advised_change(data):
    rule, as_of = data.draw(st.sampled_from(shipped()))
    catalogue = dataplane.fact_catalogue()
    check_advice(rule, some_facts(data.draw, rule, catalogue), as_of, catalogue)


def test_the_worked_cases_of_the_shipped_rules_get_sound_advice():
    """And most refusals that rest on nothing fixed do get a way out."""
    catalogue = dataplane.fact_catalogue()
    refused = helped = 0
    for rule in rulebook.get_rulebook().rules:
        cases, _ = read_cases(cases_file(rulebook_path(rule)), rule, catalogue)
        for case in cases:
            advice = check_advice(rule, case.facts, case.as_of, catalogue)
            if case.expect in ("no", "unknown") and advice.goal:
                refused += 1
                helped += advice.is_possible
    assert refused > 30
    assert helped / refused > 0.5


def rulebook_path(rule):
    from pathlib import Path

    return Path(rule.file)


# What is said


SHOP = {
    "subject_kind": "individual",
    "county_code": "330302",
    "registration_status": "active",
    "annual_sales_yuan": Decimal("312300.00"),
    "established_on": date(2024, 1, 31),
    "paid_tax_last_year": False,
    "tax_paid_yuan": Decimal(0),
    "insured_employees": 2,
}


def advise(tmp_path, changes=None, text=SMALL_SHOP, as_of=AS_OF):
    return advise_facts(load(tmp_path, text), {**SHOP, **(changes or {})}, as_of, CATALOGUE)


def test_the_gap_names_amount_and_threshold(tmp_path):
    text = SMALL_SHOP.replace("{any_of: [is_small, has_paid_tax]}", "is_small").replace(
        '  has_paid_tax:\n    label: 缴过税\n    when: "paid_tax_last_year"\n    article: 第一条\n',
        "",
    )
    remedy = advise(tmp_path, text=text).remedies[0]
    assert remedy.gap_text == "多出 12,300.00 元"
    assert (remedy.now, remedy.needed) == ("312,300.00 元", "不超过 300,000.00 元")
    assert remedy.changes == (("annual_sales_yuan", Decimal("300000.00")),)
    assert remedy.who == ("您",)
    assert "下一年度" in remedy.text  # a finished year does not change


def test_more_people_are_counted_in_people(tmp_path):
    advice = advise(tmp_path, {"annual_sales_yuan": Decimal(1)}, SIZE_TABLE)
    assert advice.goal == ""  # no rungs are declared for this table
    rule = load(tmp_path, SIZE_TABLE)
    middle = advise_facts(
        rule, {**SHOP, "annual_sales_yuan": Decimal(1)}, AS_OF, CATALOGUE, goal="middle"
    )
    assert middle.failing == ("has_some",)
    assert middle.remedies[0].gap_text == "还差 1"  # the tests' catalogue has no units
    assert middle.remedies[0].text.startswith("再招 1并参保")
    assert middle.is_near


def test_linked_facts_move_together(tmp_path):
    text = (
        SMALL_SHOP.replace("{any_of: [is_small, has_paid_tax]}", "has_paid_tax")
        .replace(
            '  is_small:\n    label: 年销售额不高\n    when: "annual_sales_yuan <= most_sales_yuan"\n    article: 第一条\n',
            "",
        )
        .replace(
            "  most_sales_yuan: {label: 年销售额上限, value: 300000, unit: yuan, source: 第一条}\n",
            "",
        )
    )
    advice = advise(tmp_path, text=text)
    assert dict(advice.remedies[0].changes) == {
        "paid_tax_last_year": True,
        "tax_paid_yuan": Decimal("0.01"),
    }


def test_identity_is_never_advised_away(tmp_path):
    advice = advise(tmp_path, {"subject_kind": "enterprise"})
    assert (advice.failing, advice.remedies[0].kind, advice.is_possible) == (
        ("is_subject",),
        "fixed",
        False,
    )
    assert "由您自己决定" in advice.remedies[0].text
    left = advise(tmp_path, {"registration_status": "cancelled"})
    assert left.remedies[0].kind == "fixed" and not left.is_near
    asleep = advise(tmp_path, {"registration_status": "suspended", "annual_sales_yuan": Decimal(1)})
    assert asleep.remedies[0].text.startswith("恢复营业")
    assert asleep.is_near


def test_what_is_unknown_is_asked_for_and_not_advised(tmp_path):
    advice = advise(tmp_path, {"registration_status": None, "annual_sales_yuan": Decimal(1)})
    assert advice.outcome == "unknown"
    assert [(r.kind, r.who) for r in advice.remedies] == [("data", ("温州市市场监督管理局",))]
    assert [q.fact for q in advice.next_questions] == ["registration_status"]
    assert not advice.is_near


def test_a_yes_needs_no_advice(tmp_path):
    advice = advise(tmp_path, {"annual_sales_yuan": Decimal(1)})
    assert (advice.outcome, advice.failing, advice.remedies, advice.cured_on) == (
        "yes",
        (),
        (),
        None,
    )


def test_everything_the_knowledge_names_is_a_declared_fact():
    catalogue = dataplane.fact_catalogue()
    assert names_in_file() <= catalogue.keys()
    assert [text for text in links_in_file() if read_link(text, catalogue) is None] == []


def test_every_ladder_names_values_of_its_table():
    for rule_id, rungs in knowledge_of(dataplane.fact_catalogue()).ladders.items():
        assert set(rungs) <= {value for value, _ in rulebook.get_rule(rule_id).values}
