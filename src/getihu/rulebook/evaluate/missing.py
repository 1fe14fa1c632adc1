"""Which unknown facts could still change an unknown answer."""

from collections.abc import Iterable
from datetime import date

from getihu.rulebook.evaluate.expressions import Facts, closure
from getihu.rulebook.evaluate.trees import deciding_clauses
from getihu.rulebook.evaluate.verdicts import Verdict, possible_rows
from getihu.rulebook.model.expressions import Case, Expression, Fact, children
from getihu.rulebook.model.rules import UNKNOWN, Rule


def missing_in(node: Expression, facts: Facts, as_of: date) -> list[str]:
    """The unknown facts an unknown expression waits for, in reading order; else nothing."""
    if closure(node)(facts, as_of) is not None:
        return []
    match node:
        case Fact(name):
            return [name]
        case Case(branches, otherwise, _):
            for when, then in branches:
                holds = closure(when)(facts, as_of)
                if holds is not False:
                    return missing_in(when if holds is None else then, facts, as_of)
            return [] if otherwise is None else missing_in(otherwise, facts, as_of)
    return _each_once(name for child in children(node) for name in missing_in(child, facts, as_of))


def open_clauses(rule: Rule, verdict: Verdict) -> set[str]:
    """Ids of the unknown clauses that an unknown answer still needs."""
    if verdict.visible != UNKNOWN:
        return set()
    if rule.requires is not None:
        return deciding_clauses(rule.requires, verdict.clauses)
    needed: set[str] = set()
    for number in possible_rows(verdict.rows):
        when = rule.rows[number].when
        if when is not None and verdict.rows[number] is None:
            needed |= deciding_clauses(when, verdict.clauses)
    return needed


def missing_facts(rule: Rule, verdict: Verdict, facts: Facts, as_of: date) -> tuple[str, ...]:
    """The unknown facts that, once filled, could change the unknown answer of a rule.

    Empty when the answer is known, or when no fact can settle it (the text itself is open).
    """
    if verdict.applies is False:
        return ()
    names: list[str] = []
    for part in rule.scope(as_of).parts.values():
        names += missing_in(part, facts, as_of)
    open_ids = open_clauses(rule, verdict)
    for clause in rule.clauses:
        if clause.id in open_ids:
            names += missing_in(clause.resolved, facts, as_of)
    return tuple(_each_once(names))


def _each_once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
