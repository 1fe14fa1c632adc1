"""Many rules on one trader: every distinct clause asked once, no query engine.

A ``RuleSheet`` holds a rule's outcome, the answer of every clause and which of them settled it.
Labels and articles stand in the rule; only a decision somebody looks at is put into words
(``explain.decisions``).
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from getihu.rulebook.evaluate.expressions import Closure, Facts, closure
from getihu.rulebook.evaluate.trees import deciding_clauses
from getihu.rulebook.evaluate.verdicts import judge
from getihu.rulebook.model.cases import NOT_APPLICABLE
from getihu.rulebook.model.expressions import Expression
from getihu.rulebook.model.rules import ELIGIBILITY, UNKNOWN, AllOf, ClauseRef, Rule

Answers = tuple[bool | None, ...]
_MOST_KEPT = 1024  # sheets of one rule


class RuleSheet(NamedTuple):
    """One rule on one trader. ``answers`` are those of the clauses, in the rule's order;
    ``deciding`` names the clauses that settle the answer (empty for a table)."""

    rule: Rule
    outcome: str
    answers: Answers
    deciding: tuple[str, ...]

    @property
    def clauses(self) -> dict[str, bool | None]:
        return {c.id: value for c, value in zip(self.rule.clauses, self.answers, strict=True)}


class Together:
    """Rules made ready to be decided together, for any trader and date."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        places: dict[Expression, int] = {}
        self._rules = list(rules)
        self._plans = [_plan(rule, places) for rule in rules]
        self._closures: tuple[Closure, ...] = tuple(map(closure, places))
        self._scopes_on = lru_cache(maxsize=8)(self._scopes)

    def decide(self, facts: Facts, as_of: date) -> list[RuleSheet]:
        """Every rule on one trader's facts, as ``judge`` decides them one by one."""
        values = [ask(facts, as_of) for ask in self._closures]
        scopes, place_of = self._scopes_on(as_of)
        applies = [ask(facts, as_of) for ask in scopes]
        return [
            plan(values, applies[place], facts, as_of)
            for plan, place in zip(self._plans, place_of, strict=True)
        ]

    def _scopes(self, as_of: date) -> tuple[list[Closure], list[int]]:
        """The distinct scopes on a date, and which is each rule's."""
        places: dict[Expression, int] = {}
        wanted = [places.setdefault(rule.scope(as_of).whole, len(places)) for rule in self._rules]
        return list(map(closure, places)), wanted


_Plan = Callable[[list[Any], bool | None, Facts, date], RuleSheet]


def _plan(rule: Rule, places: dict[Expression, int]) -> _Plan:
    wanted = [places.setdefault(clause.resolved, len(places)) for clause in rule.clauses]
    read = _reader(wanted)
    # Tables, nested trees and incomplete sources go the long way.
    is_plain = not rule.incomplete and _needs_all(rule)
    return _plain(rule, read) if is_plain else _judged(rule, read)


def _reader(places: list[int]) -> Callable[[list[Any]], Answers]:
    if len(places) == 1:
        (only,) = places
        return lambda values: (values[only],)
    return itemgetter(*places)


def _needs_all(rule: Rule) -> bool:
    """Every clause must hold, each named once: nearly every rule there is."""
    tree = rule.requires
    if rule.kind != ELIGIBILITY or not isinstance(tree, AllOf):
        return False
    named = [item.id for item in tree.items if isinstance(item, ClauseRef)]
    return len(named) == len(tree.items) and sorted(named) == sorted(c.id for c in rule.clauses)


def _plain(rule: Rule, read: Callable[[list[Any]], Answers]) -> _Plan:
    names = tuple(clause.id for clause in rule.clauses)
    # A sheet follows from the answers alone, and few combinations of answers ever occur.
    made: dict[tuple[Answers, bool | None], RuleSheet] = {}

    def sheet(values: list[Any], applies: bool | None, facts: Facts, as_of: date) -> RuleSheet:
        answers = read(values)
        found = made.get((answers, applies))
        if found is None:
            found = _sheet(rule, names, answers, applies)
            if len(made) < _MOST_KEPT:
                made[answers, applies] = found
        return found

    return sheet


def _sheet(rule: Rule, names: tuple[str, ...], answers: Answers, applies: bool | None) -> RuleSheet:
    if applies is False:
        return RuleSheet(rule, NOT_APPLICABLE, answers, ())
    if False in answers:
        settled, outcome = False, "no"
    elif None in answers:
        settled, outcome = None, UNKNOWN
    else:
        settled, outcome = True, "yes"
    deciding = tuple([n for n, v in zip(names, answers, strict=True) if v is settled])
    return RuleSheet(rule, UNKNOWN if applies is None else outcome, answers, deciding)


def _judged(rule: Rule, read: Callable[[list[Any]], Answers]) -> _Plan:
    def sheet(values: list[Any], applies: bool | None, facts: Facts, as_of: date) -> RuleSheet:
        answers = read(values)
        verdict = judge(rule, facts, as_of)
        if verdict.applies is False:
            return RuleSheet(rule, NOT_APPLICABLE, answers, ())
        if rule.requires is None:
            return RuleSheet(rule, verdict.outcome, answers, ())
        chosen = deciding_clauses(rule.requires, verdict.clauses)
        deciding = tuple(name for name in verdict.clauses if name in chosen)
        return RuleSheet(rule, verdict.outcome, answers, deciding)

    return sheet
