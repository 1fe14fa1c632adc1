"""A decision as shown to somebody who may not see a class of the facts it rests on."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from getihu.dataplane.contracts import FactDeclaration
from getihu.rulebook.contracts import ClauseResult, Decision, FactUsed, Truth
from getihu.rulebook.model.rules import Rule

MASKED = "已遮盖"
WHY = "这项条件要看敏感个人信息，您的职务看不到。经营者本人和办这件事的承办人可以看到。"


def is_masked(
    rule: Rule, catalogue: Mapping[str, FactDeclaration], hidden: Collection[str]
) -> bool:
    """Whether a rule rests on a fact of a hidden class, so that its answer would tell it."""
    return any(name in catalogue and catalogue[name].personal in hidden for name in rule.facts)


def mask(decision: Decision) -> Decision:
    """The decision without values, answer, amount or reasons: each of them would tell the fact."""
    return replace(
        decision,
        outcome=Truth.UNKNOWN.value,
        outcome_label=MASKED,
        reason=WHY,
        amount_yuan=None,
        amount_note="",
        clauses=tuple(map(_clause, decision.clauses)),
        deciding=(),
        missing=(),
        amount_facts=(),
        amount_parameters=(),
    )


def _clause(clause: ClauseResult) -> ClauseResult:
    facts = tuple(map(_fact, clause.facts))
    return replace(clause, result=Truth.UNKNOWN, facts=facts, parameters=())


def _fact(fact: FactUsed) -> FactUsed:
    return replace(
        fact,
        value=None,
        shown=MASKED,
        recorded_on=None,
        covered_until=None,
        delivery_id=None,
        why_unknown=WHY,
    )
