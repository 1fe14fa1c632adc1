"""What the law protects is used only with her own consent; without it an answer is unknown, never
worse."""

from datetime import date, timedelta

import pyarrow.parquet as pq
import pytest
from django.db import DatabaseError, transaction

from getihu.dataplane import selectors as dataplane
from getihu.registry import selectors as registry
from getihu.registry import services
from getihu.registry.contracts import Purpose
from getihu.registry.models import Consent
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as decisions
from tests.cases.cast import AT, days, person

pytestmark = pytest.mark.django_db
INCOME = "浙江省公共信用信息管理条例 第十四条（收入）"
TAX = "浙江省公共信用信息管理条例 第十四条（纳税数额）"
TYPE = "growth.trader_type"


def test_withholding_facts_never_makes_an_answer_worse_for_any_rule(real_city):
    """All rules over a stretch of the city: the decision without consent is the one with those
    facts unknown, and never a no (or another value) where it was a yes or unknown."""
    codes = pq.read_table(dataplane.facts_path(real_city.as_of), columns=["trader_code"])
    rules = list(rulebook.get_rulebook().governing(real_city.as_of))
    needing = [r for r in rules if rulebook.consent_needed(r) and not r.is_about_event]
    assert len(needing) > 5
    worse, moved = [], 0
    listed = codes["trader_code"].to_pylist()[:60] + list(real_city.personas.values())
    for trader in dataplane.list_trader_facts(listed, real_city.as_of):
        for rule in needing:
            with_all = rulebook.decide_without(trader, rule.id, None)
            without = rulebook.decide_without(trader, rule.id, ())
            blank = dict.fromkeys(rulebook.protected_facts())
            emptied = type(trader)(
                trader.trader_code,
                trader.as_of,
                trader.snapshot_id,
                {
                    n: type(f)(n, None, f.state, f.recorded_on, f.covered_until, f.delivery_id)
                    if n in blank
                    else f
                    for n, f in trader.values.items()
                },
            )
            assert without.outcome == rulebook.decide_without(emptied, rule.id, None).outcome
            moved += without.outcome != with_all.outcome
            if without.outcome not in (with_all.outcome, "unknown"):
                worse.append((rule.id, with_all.outcome, without.outcome))
    assert worse == []
    assert moved > 0  # the control: consent matters to some of them


def test_an_unknown_for_want_of_consent_says_so(shop):
    trader, _ = shop
    decision = rulebook.explain_rule(trader.trader_code, TYPE)
    used = {f.name: f for c in decision.clauses for f in c.facts}["annual_sales_yuan"]
    assert used.value is None
    assert "书面同意" in used.why_unknown and INCOME in used.why_unknown


def test_with_her_consent_the_fact_is_used_and_taken_back_it_is_not(shop):
    trader, owner = shop
    code = trader.trader_code

    def sales():
        decision = rulebook.explain_rule(code, TYPE)
        return {f.name: f for c in decision.clauses for f in c.facts}["annual_sales_yuan"].value

    services.give_consent(code, Purpose.PROFILE, INCOME, by=owner, at=AT)
    services.give_consent(code, Purpose.PROFILE, INCOME, by=owner, at=days(1))
    assert sales() is not None
    services.withdraw_consent(code, Purpose.PROFILE, INCOME, by=owner, at=days(2))
    assert sales() is None
    history = registry.list_consents(code)
    assert [(h.given_at, h.ended_at) for h in history] == [(AT, days(2))]


def test_one_purpose_says_nothing_of_another(shop):
    trader, owner = shop
    services.give_consent(trader.trader_code, Purpose.POLICY_MATCH, INCOME, by=owner, at=AT)
    assert registry.consents_given([trader.trader_code], Purpose.PROFILE) == {}


def test_a_consent_ends_with_its_term(shop):
    trader, owner = shop
    code = trader.trader_code
    services.give_consent(
        code, Purpose.PROFILE, INCOME, by=owner, at=AT, expires_on=date(2026, 12, 1)
    )
    assert services.expire_consents(days(2)) == 0
    assert services.expire_consents(days(40)) == 1
    assert services.expire_consents(days(40)) == 0
    assert registry.consents_given([code], Purpose.PROFILE) == {}
    with pytest.raises(services.BadTerm):
        services.give_consent(
            code, Purpose.PROFILE, INCOME, by=owner, at=AT, expires_on=date(2026, 11, 2)
        )


def test_nobody_consents_for_her(shop):
    stranger = person("stranger")
    with pytest.raises(services.NotTheOperator):
        services.give_consent(shop[0].trader_code, Purpose.PROFILE, INCOME, by=stranger, at=AT)


def test_paper_never_overrules_what_she_took_back_herself(shop):
    trader, owner = shop
    code = trader.trader_code
    services.give_consent(code, Purpose.PROFILE, INCOME, by=owner, at=AT)
    services.withdraw_consent(code, Purpose.PROFILE, INCOME, by=owner, at=days(1))
    made = services.record_paper_consents([code], [Purpose.PROFILE], [INCOME, TAX], at=days(2))
    assert made == 1
    assert registry.consents_given([code], Purpose.PROFILE) == {code: {TAX}}


def test_the_database_keeps_the_history_of_consents(shop):
    trader, owner = shop
    services.give_consent(trader.trader_code, Purpose.PROFILE, INCOME, by=owner, at=AT)
    services.withdraw_consent(trader.trader_code, Purpose.PROFILE, INCOME, by=owner, at=days(1))
    for change in ({"ended_at": None}, {"given_at": AT - timedelta(days=9)}, {"article": "x"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Consent.objects.update(**change)


def test_the_sweep_and_the_single_answer_agree_about_consent(shop, real_city, settings):
    """With one consent in the whole city, everybody's type is what a look at her alone says."""
    trader, owner = shop
    services.give_consent(trader.trader_code, Purpose.PROFILE, INCOME, by=owner, at=AT)
    services.give_consent(trader.trader_code, Purpose.PROFILE, TAX, by=owner, at=AT)
    paid = "policies.income_tax_half"  # asked where it is told and paid, not before
    snapshot = dataplane.get_published_snapshot().snapshot_id
    asked, settings.RULE_CONSENTS = settings.RULE_CONSENTS, ""
    before = decisions.sweep(as_of=real_city.as_of).counts
    settings.RULE_CONSENTS = asked
    try:
        after = decisions.sweep(as_of=real_city.as_of).counts
        codes = [trader.trader_code, *real_city.personas.values()]
        swept = rulebook.list_decided(TYPE, codes, real_city.as_of, snapshot)
        for code, (outcome, _) in swept.items():
            assert outcome == rulebook.explain_rule(code, TYPE).outcome, code
        assert after[TYPE]["unknown"] > before[TYPE].get("unknown", 0)
        assert after[paid] == before[paid]
    finally:
        settings.RULE_CONSENTS = ""
        decisions.sweep(as_of=real_city.as_of)
