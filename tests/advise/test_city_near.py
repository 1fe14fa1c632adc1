"""差一步 for the whole city is what the advice says of every single trader."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from getihu.rulebook import selectors
from getihu.rulebook.advise.advice import advise_facts, can_turn
from getihu.rulebook.advise.city import near_members, near_rule
from getihu.rulebook.advise.knowledge import knowledge_of
from getihu.rulebook.evaluate.verdicts import judge
from tests.real_city import made_city, real_city
from tests.rulebook.catalogue import CATALOGUE
from tests.rulebook.texts import load
from tests.rulebook.traders import AS_OF, SMALL

__all__ = ["made_city", "real_city"]
PEOPLE = [
    {},
    {"annual_sales_yuan": Decimal("400000.00")},
    {"annual_sales_yuan": Decimal("400000.00"), "paid_tax_last_year": None},
    {"established_on": date(2026, 3, 1)},
    {"established_on": date(2026, 3, 1), "annual_sales_yuan": Decimal("400000.00")},
    {"registration_status": "suspended"},
    {"registration_status": "cancelled"},
    {"county_code": "440310", "established_on": date(2026, 3, 1)},
    {"established_on": None},
]


class People:
    """The answers of a rule for the people above, asked one by one."""

    def __init__(self, rule):
        self.verdicts = [judge(rule, {**SMALL, **changes}, AS_OF) for changes in PEOPLE]

    def members(self, rule_id, outcome):
        return np.array([v.applies is True and v.outcome == outcome for v in self.verdicts])

    def clause(self, rule_id, clause_id):
        answers = [v.clauses[clause_id] for v in self.verdicts]
        return np.array([a is True for a in answers]), np.array([a is None for a in answers])


def test_the_list_holds_whom_one_changeable_clause_keeps_out(tmp_path):
    rule, knowledge = load(tmp_path), knowledge_of(CATALOGUE)

    def turns(row, clause_id):
        return can_turn(rule, {**SMALL, **PEOPLE[row]}, AS_OF, CATALOGUE, clause_id)

    found = near_members(People(rule), rule, knowledge, turns)
    rows = {name: np.flatnonzero(who).tolist() for name, who in found.items()}
    # Lower sales are no step; whether tax was paid may change. A closed shop may open again only
    # from suspension: status is fixed but for that, so the city leaves the clause out.
    assert rows == {"has_paid_tax": [1], "is_settled": [3]}
    counted = near_rule(rule, found, knowledge)
    assert (counted.traders, [c.id for c in counted.clauses]) == (2, ["has_paid_tax", "is_settled"])
    alone = [
        advise_facts(rule, {**SMALL, **changes}, AS_OF, CATALOGUE, asks=False).is_near
        for changes in PEOPLE
    ]
    assert [n for n, near in enumerate(alone) if near] == [1, 3, 5]


@pytest.mark.django_db
def test_the_made_city_agrees_with_the_advice_for_single_traders(real_city):
    listed = {
        rule.rule_id: {t.trader_code for t in selectors.list_near_traders(rule.rule_id, limit=999)}
        for rule in selectors.list_near_rules()
    }
    assert listed["growth.trader_type"]
    for persona, code in real_city.personas.items():
        if persona == "suspended":
            continue  # opening again is a step the city's list does not count
        for rule_id, advice in selectors.advise_trader(code).items():
            assert advice.is_near == (code in listed.get(rule_id, ())), (persona, rule_id)
