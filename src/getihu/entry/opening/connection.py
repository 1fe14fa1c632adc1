"""Connecting power: which way the line goes, who pays and how long, whether the road may be dug."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import Decision

LINE: Final = "entry.power_line"
PAYS: Final = "entry.power_investment"
ROAD: Final = "entry.road_opening"


@dataclass(frozen=True)
class Answer:
    """What one rule says: ``outcome`` unknown where an answer is missing; ``label`` and ``reason``
    in Chinese, ``source`` with its article, ``trust`` as in rule files."""

    rule_id: str
    outcome: str
    label: str
    reason: str
    source: str
    trust: str


@dataclass(frozen=True)
class ConnectionAnswer:
    """Which way, who pays and how long, whether the road may be dug now."""

    line: Answer
    pays: Answer
    road: Answer


def answer_connection(said: Mapping[str, Any], county_code: str, on: date) -> ConnectionAnswer:
    """What a power connection takes by what was said so far; nothing is kept. A missing answer is
    unknown, never no."""
    return ConnectionAnswer(
        *(_answer(rule_id, said, county_code, on) for rule_id in (LINE, PAYS, ROAD))
    )


def _answer(rule_id: str, said: Mapping[str, Any], county_code: str, on: date) -> Answer:
    own = {each.name for each in rulebook.get_rule(rule_id, on).inputs}
    facts = {"county_code": county_code, "subject_kind": "individual"}
    facts |= {name: value for name, value in said.items() if name in own}
    decision: Decision = rulebook.decide_facts(rule_id, facts, on)
    source = f"{decision.source.title} {decision.source.article}"
    return Answer(
        rule_id,
        decision.outcome,
        decision.outcome_label,
        decision.reason,
        source,
        decision.source.trust,
    )
