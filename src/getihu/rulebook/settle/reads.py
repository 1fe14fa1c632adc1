"""Decisions of one trader as offers that meet each other."""

from collections.abc import Iterable, Mapping, Sequence

from getihu.dataplane.contracts import TraderFacts
from getihu.rulebook.contracts import Decision, PastAward, Settled
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.settle.offers import Offer, settle


def settle_decisions(
    decisions: Iterable[Decision],
    rules: Mapping[str, Rule],
    trader: TraderFacts,
    awards: Sequence[PastAward],
) -> tuple[Settled, ...]:
    """What each yes with an amount pays beside the others; other decisions offer nothing."""
    facts = trader.scalars()
    offers = [
        Offer(
            decision.rule_id,
            decision.as_of,
            decision.amount_yuan,
            rules[decision.rule_id].group,
            rules[decision.rule_id].ceiling,
        )
        for decision in decisions
        if decision.outcome == "yes" and rules[decision.rule_id].amount is not None
    ]
    return settle(offers, awards, facts)
