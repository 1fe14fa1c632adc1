"""Facts the law protects, left out where the operator has not consented: unknown, never worse."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from getihu.dataplane.contracts import FactDeclaration, FactState, TraderFacts
from getihu.rulebook.explain.words import consent_article


def withhold(
    trader: TraderFacts, given: Collection[str], catalogue: Mapping[str, FactDeclaration]
) -> TraderFacts:
    """The facts without those that an article outside ``given`` protects: these are unknown, and
    say why. Where they come from stays told, for that is no part of what is protected."""
    values = {
        name: replace(fact, value=None, state=FactState.WITHHELD)
        if _is_withheld(catalogue.get(name), given)
        else fact
        for name, fact in trader.values.items()
    }
    return replace(trader, values=values)


def protected(catalogue: Mapping[str, FactDeclaration]) -> dict[str, str]:
    """Fact → the article that asks consent before it is used."""
    return {name: article for name, f in catalogue.items() if (article := consent_article(f))}


def _is_withheld(fact: FactDeclaration | None, given: Collection[str]) -> bool:
    article = consent_article(fact) if fact is not None else ""
    return bool(article) and article not in given
