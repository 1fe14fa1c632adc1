"""Advice, interview and 差一步 on published facts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache

import numpy as np

from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactScalar, TraderFacts
from getihu.kernel.errors import GetihuError
from getihu.rulebook.advise.advice import advise_facts, can_turn
from getihu.rulebook.advise.city import Bools, near_members, near_rule
from getihu.rulebook.advise.inputs import read_answer, with_inputs
from getihu.rulebook.advise.interview import next_questions
from getihu.rulebook.advise.knowledge import knowledge_of
from getihu.rulebook.columns.city import CityColumns
from getihu.rulebook.columns.sweep import JoinedSweep
from getihu.rulebook.contracts import Advice, NearRule, NearTrader, Question
from getihu.rulebook.evaluate.expressions import Facts
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.permitted import (
    Permitted,
    columns_for,
    consents_stamp,
    sweep_permitted,
    withheld_facts,
)

Answers = Mapping[str, FactScalar | None]


class UnknownAnswer(GetihuError):
    """An answer was given to something the rules do not ask."""


def advise_trader(rule: Rule, trader: TraderFacts, answers: Answers, goal: str = "") -> Advice:
    """Advice on one rule. Raises UnknownAnswer."""
    facts = with_answers([rule], trader, answers)
    return advise_facts(rule, facts, trader.as_of, dataplane.fact_catalogue(), goal=goal)


def questions(rules: Sequence[Rule], trader: TraderFacts, answers: Answers) -> tuple[Question, ...]:
    """What to ask next over some rules. What she keeps back by not consenting is not asked for
    either. Raises UnknownAnswer."""
    permitted = Permitted(trader)
    facts = with_answers(rules, trader, answers)
    own, kept_back = {}, set[str]()
    for rule in rules:
        mine = permitted.facts_for(rule.id)
        if mine is not trader:
            own[rule.id] = with_answers(rules, mine, answers)
            kept_back.update(withheld_facts(mine))
    return next_questions(
        rules, facts, trader.as_of, dataplane.fact_catalogue(), own=own, kept_back=kept_back
    )


def with_answers(rules: Iterable[Rule], trader: TraderFacts, answers: Answers) -> Facts:
    """A trader's facts with what she or an officer answered. A fact a department delivered is
    never overruled by an answer."""
    check_answers(rules, answers)
    known = trader.scalars()
    given = {name: value for name, value in answers.items() if known.get(name) is None}
    return {**known, **given}


def check_answers(rules: Iterable[Rule], answers: Answers) -> None:
    """Raises UnknownAnswer for an answer to what is neither a fact nor asked by the rules."""
    inputs = {each.name for rule in rules for each in rule.inputs}
    for name in answers:
        if name not in inputs and name not in dataplane.fact_catalogue():
            raise UnknownAnswer(f"没有叫“{name}”的事实。处理办法：看事实目录或规则的 inputs。")


def read_answers(rules: Iterable[Rule], written: Mapping[str, str]) -> dict[str, FactScalar | None]:
    """Answers as people write them, typed. Raises UnknownAnswer, InvalidInput."""
    rules = list(rules)
    check_answers(rules, dict.fromkeys(written))
    declared = dict(dataplane.fact_catalogue())
    for rule in rules:
        declared.update(with_inputs(rule, {}))
    return {name: read_answer(declared[name], text) for name, text in written.items()}


def near_city(rules: Sequence[Rule], as_of: date, snapshot_id: str) -> list[NearRule]:
    """Every rule with the number of traders one step away, most first; rules without any left
    out. Raises: FactsNotBuilt, AsOfBeforeData."""
    knowledge = knowledge_of(dataplane.fact_catalogue())
    sweep = _sweep_of(rules, as_of, snapshot_id)
    city = CityColumns.open(as_of, snapshot_id)
    found = (near_rule(r, _near(city, sweep, r), knowledge) for r in rules)
    return sorted((n for n in found if n.traders), key=lambda n: (-n.traders, n.rule_id))


def near_traders(
    rule: Rule, as_of: date, snapshot_id: str, offset: int, limit: int
) -> list[NearTrader]:
    """The traders one step away from a rule, by code, a page at a time."""
    city = CityColumns.open(as_of, snapshot_id)
    members = _near(city, _sweep_of([rule], as_of, snapshot_id), rule)
    if not members:
        return []
    rows = np.flatnonzero(np.any(list(members.values()), axis=0))[offset : offset + limit]
    codes = city.trader_code(rows)
    return [
        NearTrader(code, _ways(members, int(row))) for code, row in zip(codes, rows, strict=True)
    ]


def _near(city: CityColumns, swept: JoinedSweep, rule: Rule) -> dict[str, Bools]:
    catalogue = dataplane.fact_catalogue()
    columns, sweep = columns_for(rule, city), swept.of(rule.id)

    def turns(row: int, clause_id: str) -> bool:
        return can_turn(rule, columns.values(row), sweep.as_of, catalogue, clause_id)

    return near_members(sweep, rule, knowledge_of(catalogue), turns)


def _ways(members: Mapping[str, Bools], row: int) -> tuple[str, ...]:
    return tuple(name for name, who in members.items() if who[row])


def _sweep_of(rules: Sequence[Rule], as_of: date, snapshot_id: str) -> JoinedSweep:
    """The sweep of some rules, kept as long as no consent that bears on them changes."""
    stamps = tuple(dict.fromkeys(map(consents_stamp, rules)))
    return _swept(tuple(rules), as_of, snapshot_id, stamps)


@lru_cache(maxsize=4)
def _swept(
    rules: tuple[Rule, ...], as_of: date, snapshot_id: str, stamps: tuple[str, ...]
) -> JoinedSweep:
    return sweep_permitted(CityColumns.open(as_of, snapshot_id), rules, as_of)
