"""What a slip records, as plain data: no sentence of the program's own, only what the archived
texts, the facts and the evaluation give. So it can be made again when the program's words have
changed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any

from getihu.dataplane.contracts import (
    FactDeclaration,
    FactScalar,
    FactState,
    FactType,
    FactValue,
    PersonalClass,
    TraderFacts,
)
from getihu.kernel.errors import InvalidInput
from getihu.rulebook.contracts import Decision
from getihu.rulebook.explain.canonical import canonical_json
from getihu.rulebook.explain.decisions import decide
from getihu.rulebook.load.document import Document, parse_document
from getihu.rulebook.load.rule import check_rule
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.model.scope import Override
from getihu.rulebook.slips import archive

FORMAT = "getihu/slip/1"
Answers = Mapping[str, FactScalar | None]
Plain = dict[str, Any]
Catalogue = Mapping[str, FactDeclaration]


def record(
    rule: Rule,
    texts: Mapping[str, str],
    trader: TraderFacts,
    catalogue: Catalogue,
    answers: Answers,
) -> Plain:
    """Everything a slip says except its own fingerprint. ``texts`` names the archived texts."""
    decision = decide(rule, with_answers(trader, answers, catalogue), catalogue)
    return {
        "format": FORMAT,
        "rule": {
            "id": rule.id,
            "version": rule.version,
            "title": rule.title,
            **texts,
            **_overridden_by(rule),
        },
        "source": asdict(rule.source),
        "trader_code": trader.trader_code,
        "as_of": trader.as_of,
        "snapshot_id": trader.snapshot_id,
        "answers": dict(answers),
        "facts": {name: _fact(name, trader, catalogue) for name in sorted(_used(rule, catalogue))},
        **_decided(decision),
    }


def _overridden_by(rule: Rule) -> Plain:
    """The regional rules that took the rule's place: its own text does not know them."""
    others = [asdict(other) for other in rule.overridden_by]
    return {"overridden_by": others} if others else {}


def _decided(decision: Decision) -> Plain:
    return {
        "applies": decision.applies,
        "outcome": decision.outcome,
        "amount_yuan": decision.amount_yuan,
        "clauses": {
            clause.id: {"label": clause.label, "article": clause.article, "result": clause.result}
            for clause in decision.clauses
        },
        "deciding": list(decision.deciding),
        "missing": [fact.name for fact in decision.missing],
    }


def _used(rule: Rule, catalogue: Catalogue) -> list[str]:
    return [name for name in rule.facts if name in catalogue]


def _fact(name: str, trader: TraderFacts, catalogue: Catalogue) -> Plain:
    known, declared = trader.values.get(name), catalogue[name]
    return {
        "label": declared.label,
        "value": known.value if known else None,
        "state": known.state if known else FactState.UNDELIVERED,
        "recorded_on": known.recorded_on if known else None,
        "covered_until": known.covered_until if known else None,
        "delivery_id": known.delivery_id if known else None,
        "department": declared.department,
        "department_name": declared.department_name,
        "dataset": declared.dataset,
    }


def with_answers(trader: TraderFacts, answers: Answers, catalogue: Catalogue) -> TraderFacts:
    """The trader's facts with what was answered where no department had delivered."""
    given = {
        name: FactValue(name, value, FactState.RECORDED, None, None, None)
        for name, value in answers.items()
        if value is not None and getattr(trader.values.get(name), "value", None) is None
    }
    return TraderFacts(
        trader.trader_code, trader.as_of, trader.snapshot_id, {**trader.values, **given}
    )


# texts to archive, and back


def catalogue_text(rule: Rule, catalogue: Catalogue) -> bytes:
    """The declarations of the facts a rule names, as they are today: those it decides on, and
    those its budget is ordered by."""
    order = [key.removeprefix("-") for key in rule.budget.order] if rule.budget else []
    beside = [*order, rule.ceiling.fact] if rule.ceiling else order
    named = {*_used(rule, catalogue), *(name for name in beside if name in catalogue)}
    return canonical_json({name: catalogue[name] for name in named})


def read_catalogue(content: bytes) -> dict[str, FactDeclaration]:
    return {
        name: FactDeclaration(
            **{
                **raw,
                "type": FactType(raw["type"]),
                "personal": PersonalClass(raw["personal"]),
            }
        )
        for name, raw in json.loads(content).items()
    }


def read_rule_text(slip: Plain, content: bytes, catalogue: Catalogue) -> Rule:
    """A slip's rule from its archived text. Raises InvalidInput when today's program cannot read
    it."""
    rule_id = slip["rule"]["id"]
    document = Document(file=f"{rule_id}.yaml", text=content.decode("utf-8"))
    parse_document(document)
    rule = check_rule(document, catalogue)
    if rule is None:
        raise InvalidInput(document.problems)
    above = slip["rule"].get("overridden_by") or ()
    return replace(rule, overridden_by=tuple(_override(other) for other in above))


def _override(raw: Plain) -> Override:
    until = raw["valid_until"]
    return Override(
        rule_id=raw["rule_id"],
        title=raw["title"],
        region=raw["region"],
        valid_from=date.fromisoformat(raw["valid_from"]),
        valid_until=date.fromisoformat(until) if until else None,
    )


def archived(rule: Rule, text: bytes, catalogue: Catalogue) -> dict[str, str]:
    """Keep what the slip rests on; returns the fingerprints a slip names."""
    return {
        "text_sha256": archive.keep(text),
        "facts_sha256": archive.keep(catalogue_text(rule, catalogue)),
    }


# values back from JSON


def read_value(value: Any, declared: FactDeclaration) -> FactScalar | None:
    """A value as it was before it was written: decimals and dates stand in the slip as text."""
    if value is None:
        return None
    if declared.type in (FactType.MONEY, FactType.DECIMAL):
        return value if isinstance(value, int) else Decimal(value)
    if declared.type is FactType.DATE:
        return date.fromisoformat(value)
    result: FactScalar = value
    return result


def read_trader(slip: Plain, catalogue: Catalogue) -> TraderFacts:
    """The facts a slip holds, as the data plane handed them over."""

    def day(text: str | None) -> date | None:
        return date.fromisoformat(text) if text else None

    values = {
        name: FactValue(
            name=name,
            value=read_value(raw["value"], catalogue[name]),
            state=FactState(raw["state"]),
            recorded_on=day(raw["recorded_on"]),
            covered_until=day(raw["covered_until"]),
            delivery_id=raw["delivery_id"],
        )
        for name, raw in slip["facts"].items()
    }
    as_of = date.fromisoformat(slip["as_of"])
    return TraderFacts(slip["trader_code"], as_of, slip["snapshot_id"], values)
