"""Which facts a rule may use: the one place where those that need consent become unknown.

Every use of a rule takes its facts from here: the sweep, a single decision, numbers and what-if,
差一步, the interview, slips. What is missing for want of consent is unknown to all of them alike.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactState, TraderFacts
from getihu.rulebook.columns.city import CityColumns, ConsentColumns
from getihu.rulebook.columns.sweep import JoinedSweep, sweep_columns
from getihu.rulebook.explain import frame as frames
from getihu.rulebook.explain.consent import protected, withhold
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.ports import consents

_KEPT: Final = "_within_consents"  # what was worked out for a city stays with it
_MOST_KEPT: Final = 2


class Permitted:
    """The facts of one trader as each rule may use them, by the consents held now. Consents are
    read once, whatever the number of rules."""

    def __init__(self, trader: TraderFacts) -> None:
        self._trader, self._consents = trader, consents()
        self._withheld: dict[frozenset[str], TraderFacts] = {}

    def facts_for(self, rule_id: str) -> TraderFacts:
        given = self._consents.of(self._trader.trader_code, rule_id)
        if given is None:
            return self._trader
        key = frozenset(given)
        if key not in self._withheld:
            self._withheld[key] = withhold(self._trader, key, dataplane.fact_catalogue())
        return self._withheld[key]


def facts_for(rule_id: str, trader: TraderFacts) -> TraderFacts:
    """The facts of a trader that one rule may use."""
    return Permitted(trader).facts_for(rule_id)


def facts_of_many(rule: Rule, traders: Iterable[TraderFacts]) -> Iterator[TraderFacts]:
    """The facts of many traders that one rule may use. Cost: the consents of the city, read once."""
    given = consents().of_city(rule.id) if needs_consent(rule) else None
    if given is None:
        yield from traders
        return
    catalogue, held = dataplane.fact_catalogue(), {a: frozenset(who) for a, who in given.items()}
    for trader in traders:
        mine = [article for article, who in held.items() if trader.trader_code in who]
        yield withhold(trader, mine, catalogue)


def withheld_facts(trader: TraderFacts) -> Collection[str]:
    """The facts that want of consent keeps from a use."""
    return {name for name, fact in trader.values.items() if fact.state is FactState.WITHHELD}


def needs_consent(rule: Rule) -> bool:
    """Whether a rule reads anything that an article protects."""
    return bool(frames.consent_needed(rule, dataplane.fact_catalogue()))


def consents_stamp(rule: Rule) -> str:
    """A word that changes whenever consents do that bear on a rule; empty when none does."""
    return consents().stamp(rule.id) or "" if needs_consent(rule) else ""


def columns_for(
    rule: Rule, city: CityColumns, *, asked_as: str = ""
) -> CityColumns | ConsentColumns:
    """The facts of everyone that a rule may use. ``asked_as``: the rule whose consents count, for a
    copy under another name. Cost: the consents of a city once, as long as none changes."""
    if not needs_consent(rule):
        return city
    asked, rule_id = consents(), asked_as or rule.id
    stamp = asked.stamp(rule_id)
    if stamp is None:
        return city
    kept: dict[str, ConsentColumns] = vars(city).setdefault(_KEPT, {})
    found = kept.get(stamp)
    if found is None:
        given: Mapping[str, Collection[str]] = asked.of_city(rule_id) or {}
        found = ConsentColumns(city, protected(dataplane.fact_catalogue()), given)
        for old in list(kept)[: 1 - _MOST_KEPT or None]:
            kept.pop(old, None)
        kept[stamp] = found
    return found


def sweep_permitted(
    city: CityColumns, rules: Sequence[Rule], as_of: date, *, asked_as: Sequence[str] = ()
) -> JoinedSweep:
    """Decide rules for everyone, each with the facts it may use. ``asked_as`` as in ``columns_for``,
    one for each rule. Cost: as ``sweep_columns``; each distinct clause once for each purpose."""
    groups: dict[int, tuple[CityColumns | ConsentColumns, list[Rule]]] = {id(city): (city, [])}
    for number, rule in enumerate(rules):
        columns = columns_for(rule, city, asked_as=asked_as[number] if asked_as else "")
        groups.setdefault(id(columns), (columns, []))[1].append(rule)
    sweeps = [sweep_columns(columns, mine, as_of) for columns, mine in groups.values() if mine]
    return JoinedSweep(rules, sweeps)
