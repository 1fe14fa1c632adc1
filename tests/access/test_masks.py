"""Who may not see a class of facts sees no answer that would tell one."""

import json
from dataclasses import replace

import pytest

from getihu.access import selectors as access
from getihu.accounts.contracts import ANONYMOUS, CITY, Actor, Duty, Grant, Purpose, Role, Scope
from getihu.dataplane import selectors as dataplane
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import Explanation
from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]
pytestmark = pytest.mark.django_db
SENSITIVE = frozenset({"sensitive"})


def in_role(role: Role) -> Actor:
    return Actor("a", "示例", Duty.BUSINESS, (Grant(role, "amr", Scope(frozenset({CITY}))),))


@pytest.mark.parametrize("role", list(Role))
def test_only_the_case_officer_sees_sensitive_facts_by_office(role):
    hidden = access.hidden_classes(in_role(role), "x")
    assert hidden == (frozenset() if role is Role.CASE_OFFICER else SENSITIVE)


def test_the_owner_and_whom_she_authorised_see_everything():
    owner = replace(ANONYMOUS, account_id="a", own=frozenset({"x"}))
    helper = replace(ANONYMOUS, account_id="b", authorised=frozenset({("x", Purpose.VIEW)}))
    assert access.hidden_classes(owner, "x") == access.hidden_classes(helper, "x") == frozenset()
    assert access.hidden_classes(owner, "y") == SENSITIVE


def values_of_sensitive_facts(explanation: Explanation) -> list[object]:
    catalogue = dataplane.fact_catalogue()
    decisions = (explanation.type_decision, *explanation.policies)
    used = [
        fact
        for decision in decisions
        for facts in (
            decision.missing,
            decision.amount_facts,
            *(clause.facts for clause in decision.clauses),
        )
        for fact in facts
        if fact.name in catalogue and catalogue[fact.name].personal == "sensitive"
    ]
    return [fact.value for fact in used if fact.shown != "已遮盖"]


def test_masked_no_fact_no_answer_and_no_amount_is_left(real_city):
    code = real_city.personas["near"]
    whole = rulebook.explain_trader(code)
    assert values_of_sensitive_facts(whole), "nothing to hide: the test shows nothing"
    shown = rulebook.mask_explanation(whole, SENSITIVE)
    assert values_of_sensitive_facts(shown) == []
    masked = [d for d in shown.policies if d.outcome_label == "已遮盖"]
    assert {d.rule_id for d in masked} >= {"policies.veteran_startup"}
    for decision in masked:
        assert (decision.outcome, decision.amount_yuan, decision.deciding) == ("unknown", None, ())
        assert {clause.result for clause in decision.clauses} <= {"unknown"}
    assert [d for d in shown.policies if d not in masked] == [
        d for d in whole.policies if d.rule_id not in {m.rule_id for m in masked}
    ]
    assert rulebook.mask_explanation(whole, ()) == whole


def test_the_interview_asks_nothing_that_would_tell(real_city):
    code = real_city.personas["near"]
    declared = dataplane.fact_catalogue().values()
    sensitive = {fact.name for fact in declared if fact.personal == "sensitive"}
    asked = {q.fact for q in rulebook.ask_next(code, hidden=SENSITIVE)}
    assert not asked & sensitive


@pytest.mark.parametrize(("role", "status"), [(Role.WINDOW_OFFICER, 403), (Role.CASE_OFFICER, 200)])
def test_over_http(real_city, client, monkeypatch, role, status):
    monkeypatch.setattr("getihu.accounts.middleware._actor", lambda request: in_role(role))
    monkeypatch.setattr("getihu.access.middleware._tell", lambda *told: None)
    code, rule = real_city.personas["near"], "policies.veteran_startup"
    assert client.get(f"/api/traders/{code}/advice/{rule}").status_code == status
    told = json.loads(client.get(f"/api/traders/{code}/decisions/{rule}").content)
    assert (told["outcome_label"] == "已遮盖") == (status == 403)
    page = client.get(f"/traders/{code}/decisions/{rule}/").content.decode()
    assert ("敏感个人信息，您的职务看不到" in page) == (status == 403)
    whole = client.get(f"/traders/{code}/").content.decode()
    assert ("敏感个人信息，您的职务看不到" in whole) == (status == 403)


def test_a_search_reaches_as_far_as_the_office():
    everywhere = in_role(Role.WINDOW_OFFICER)
    here = Grant(Role.WINDOW_OFFICER, "amr", Scope(frozenset({"330302", "330303005"})))
    assert access.within(everywhere, "portal:home", "POST") is None
    somewhere = replace(everywhere, grants=(here,))
    assert access.within(somewhere, "portal:home", "POST") == ("330302", "330303005")
    # An office that may not search reaches nowhere by searching.
    assert access.within(in_role(Role.POLICY_WRITER), "portal:home", "POST") == ()
