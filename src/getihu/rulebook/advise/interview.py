"""Which unknown facts to ask about next, so that few questions settle many rules."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from getihu.dataplane.contracts import FactDeclaration, FactScalar, FactType
from getihu.rulebook.advise import phrases
from getihu.rulebook.advise.knowledge import NO_KNOWLEDGE
from getihu.rulebook.advise.solver import Budget, Solver
from getihu.rulebook.contracts import Question
from getihu.rulebook.evaluate.expressions import Facts
from getihu.rulebook.evaluate.missing import missing_facts, missing_in
from getihu.rulebook.evaluate.verdicts import Verdict, judge
from getihu.rulebook.model.expressions import Compare, Expression, Fact, OneOf, walk
from getihu.rulebook.model.rules import UNKNOWN, Rule

MOST_QUESTIONS = 3
MOST_ANSWERS = 8  # possible answers weighed per question
_COMPARED = 200  # evaluations to find the values on either side of one comparison


def next_questions(
    rules: Iterable[Rule],
    facts: Facts,
    as_of: date,
    catalogue: Mapping[str, FactDeclaration],
    most: int = MOST_QUESTIONS,
    *,
    own: Mapping[str, Facts] | None = None,
    kept_back: Collection[str] = (),
) -> tuple[Question, ...]:
    """The questions worth asking, the best first; none when every rule is settled. ``own``: rule →
    its facts, where they are others than ``facts``. ``kept_back``: facts nobody is asked about.

    Ask the first, add the answer to ``facts`` and ask again: later ones may have become needless.
    """
    open_rules = []
    for rule in rules:
        mine = (own or {}).get(rule.id, facts)
        needed = tuple(n for n in _needed(rule, mine, as_of) if n not in kept_back)
        if needed:
            open_rules.append(_OpenRule(rule, needed, mine))
    names = dict.fromkeys(name for each in open_rules for name in each.needed)
    declared = {**catalogue, **_inputs(each.rule for each in open_rules)}
    weighed = [
        (_weight(name, open_rules, as_of, declared[name]), -place, name)
        for place, name in enumerate(names)
    ]
    weighed.sort(reverse=True)
    return tuple(_question(name, open_rules, declared) for _, _, name in weighed[:most])


@dataclass(frozen=True)
class _OpenRule:
    rule: Rule
    needed: tuple[str, ...]
    facts: Facts


def _needed(rule: Rule, facts: Facts, as_of: date) -> tuple[str, ...]:
    """The unknown facts that can still change what a rule says, its amount last."""
    verdict = judge(rule, facts, as_of)
    if not _is_settled(verdict):
        return missing_facts(rule, verdict, facts, as_of)
    if rule.amount is not None and verdict.outcome == "yes" and verdict.amount is None:
        return tuple(missing_in(rule.amount.resolved, facts, as_of))
    return ()


def _is_settled(verdict: Verdict) -> bool:
    if verdict.applies is not True:
        return verdict.applies is False
    return verdict.visible != UNKNOWN


def _inputs(rules: Iterable[Rule]) -> dict[str, FactDeclaration]:
    return {each.name: each.declaration for rule in rules for each in rule.inputs}


def _weight(
    name: str,
    open_rules: Sequence[_OpenRule],
    as_of: date,
    declared: FactDeclaration,
) -> tuple[float, int]:
    """How many rules an answer settles on average, then how many ask for it."""
    asking = [each for each in open_rules if name in each.needed]
    rules = [each.rule for each in asking]
    answers = list(_answers(name, rules, asking[0].facts, as_of, declared))
    settled = sum(
        not _needed(each.rule, {**each.facts, name: answer}, as_of)
        for answer in answers
        for each in asking
    )
    return settled / max(1, len(answers)), len(asking)


def _answers(
    name: str, rules: Iterable[Rule], facts: Facts, as_of: date, declared: FactDeclaration
) -> Iterator[FactScalar]:
    """Answers that rules tell apart: every choice, or a value on either side of each threshold."""
    if declared.type is FactType.BOOLEAN:
        yield from (True, False)
        return
    found: dict[FactScalar, None] = {}
    for node in _comparisons(name, rules):
        for want in (True, False):
            solver = Solver(facts, as_of, {name: declared}, NO_KNOWLEDGE, Budget(_COMPARED))
            for option in solver.solve([(node, want)], 1):
                value = option.facts.get(name)
                if value is not None:
                    found[value] = None
        if len(found) >= MOST_ANSWERS:
            break
    yield from list(found)[:MOST_ANSWERS]


def _comparisons(name: str, rules: Iterable[Rule]) -> Iterator[Expression]:
    for rule in rules:
        for clause in rule.clauses:
            if name in clause.facts:
                yield from (
                    node
                    for node in walk(clause.resolved)
                    if isinstance(node, Compare | OneOf)
                    and any(isinstance(n, Fact) and n.name == name for n in walk(node))
                )


def _question(
    name: str, open_rules: Sequence[_OpenRule], declared: Mapping[str, FactDeclaration]
) -> Question:
    fact = declared[name]
    asked = fact.description if fact.group == "inputs" else ""
    return Question(
        fact=name,
        label=fact.label,
        text=asked or phrases.question(fact),
        type=fact.type.value,
        unit=fact.unit or "",
        choices=tuple(fact.values.items()),
        who=(phrases.answers(fact),),
        rules=tuple(each.rule.id for each in open_rules if name in each.needed),
    )
