"""Breaches within an actor's reach, what the rule says of one, and how comparable cases ended."""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q, QuerySet

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.rulebook import selectors as rulebook
from getihu.supervision.catalogue.items import Item, get_item
from getihu.supervision.contracts import (
    LENIENT,
    OUTCOME_LABELS,
    SMALLEST_CELL,
    Answer,
    BreachView,
    ClauseLine,
    Comparable,
    Consistency,
    Memory,
    Outcome,
    UnknownBreach,
)
from getihu.supervision.models import Breach
from getihu.supervision.selectors.memory import REMEMBERED, memory_of

OFFICERS = (Role.CASE_OFFICER, Role.SUPERVISOR)
CORRECTED: Final = "corrected_in_time"
# Told by the memory or by the re-check, so not asked among the facts.
NOT_ASKED: Final = REMEMBERED | {CORRECTED}


def visible_breaches(actor: Actor) -> QuerySet[Breach]:
    """Hers, and those of the actor's own office in its places."""
    seen = Q(trader_code__in=[*actor.own, *(code for code, _ in actor.authorised)])
    for grant in actor.grants:
        if grant.role in OFFICERS:
            for prefix in grant.scope.prefixes:
                seen |= Q(agency=grant.agency, place__startswith=prefix)
    return Breach.objects.filter(seen)


def get_breach(breach_id: uuid.UUID | str, *, actor: Actor) -> BreachView:
    """Raises UnknownBreach."""
    return breach_view(find_breach(breach_id, actor))


def find_breach(breach_id: uuid.UUID | str, actor: Actor, *, lock: bool = False) -> Breach:
    """The row itself. Raises UnknownBreach."""
    found = visible_breaches(actor)
    try:
        rows = found.select_for_update(of=("self",)) if lock else found
        return rows.get(pk=uuid.UUID(str(breach_id)))
    except (Breach.DoesNotExist, ValueError):
        raise UnknownBreach("没有找到这件违法记录。") from None


def list_breaches(actor: Actor, *, is_decided: bool, limit: int = 100) -> list[BreachView]:
    """Those of the actor's own offices, newest first."""
    found = visible_breaches(actor).filter(agency__in={grant.agency for grant in actor.grants})
    rows = found.filter(outcome__isnull=not is_decided).order_by("-found_on", "-noted_at")
    return [breach_view(row) for row in rows[:limit]]


def list_breaches_of(trader_code: str, *, actor: Actor) -> list[BreachView]:
    """A trader's own record, newest first: also what was not punished."""
    rows = visible_breaches(actor).filter(trader_code=trader_code).order_by("-found_on")
    return [breach_view(row) for row in rows]


def asked_of(item: Item, breach: BreachView | None = None) -> list[dict[str, Any]]:
    """What the rule of an item asks an officer: fact, question, kind of answer, choices, and what
    has been answered."""
    return [each for each in _inputs(item, breach) if each["fact"] not in NOT_ASKED]


def looked_up(item: Item, memory: Memory, breach: BreachView | None = None) -> list[dict[str, Any]]:
    """The same of what the memory should tell and cannot: the officer may look it up herself."""
    return [
        each
        for each in _inputs(item, breach)
        if each["fact"] in REMEMBERED and each["fact"] not in memory.facts
    ]


def _inputs(item: Item, breach: BreachView | None) -> list[dict[str, Any]]:
    told = breach.facts if breach else {}
    return [
        {
            "fact": each.name,
            "question": each.question,
            "type": each.declaration.type.value,
            "choices": list(each.declaration.values.items()),
            "said": told.get(each.name, ""),
        }
        for each in rulebook.get_rule(item.rule).inputs
    ]


def remembers(item: Item) -> tuple[str, ...]:
    """Which of its rule's facts are for the memory to tell."""
    return tuple(i.name for i in rulebook.get_rule(item.rule).inputs if i.name in REMEMBERED)


def facts_of(breach: Breach, memory: Memory) -> dict[str, Any]:
    """Everything the rule may look at: answered, remembered, and seen at the re-check. What the
    memory tells is never overruled by an answer."""
    item = get_item(breach.item)
    rule = rulebook.get_rule(item.rule, breach.found_on)
    names = {each.name for each in rule.inputs}
    written = {name: text for name, text in breach.facts.items() if name in names}
    facts: dict[str, Any] = rulebook.read_answers(item.rule, written)
    facts |= {name: value for name, value in memory.facts.items() if name in names}
    if CORRECTED in names:
        facts[CORRECTED] = _is_corrected(breach)
    return facts | {"county_code": breach.place[:6], "subject_kind": "individual"}


def answer_of(breach: Breach) -> tuple[Answer, Memory]:
    """What the rule in force on the day it was found says, clause by clause, and the memory it
    rests on."""
    item = get_item(breach.item)
    memory = memory_of(breach.trader_code, item, breach.found_on)
    decision = rulebook.decide_facts(item.rule, facts_of(breach, memory), breach.found_on)
    lines = tuple(
        ClauseLine(
            clause.label,
            clause.result.value,
            clause.article,
            tuple(f"{fact.label}：{fact.shown}" for fact in clause.facts),
        )
        for clause in decision.clauses
    )
    is_yes = decision.outcome == "yes"
    benefit = rulebook.get_rule(item.rule, breach.found_on).benefit_kind
    return (
        Answer(
            decision.outcome,
            f"{decision.outcome_label}：{benefit}"
            if is_yes and benefit
            else decision.outcome_label,
            "条件都满足，没有排除的情形。" if is_yes else decision.reason,
            lines,
            decision.source.document,
            decision.source.article,
            decision.rule_id,
            decision.rule_version,
        ),
        memory,
    )


def comparable_to(item_id: str, band: str) -> Comparable:
    """How decided cases of the same item and band ended, over the whole city, nobody named."""
    with over_the_wall():
        rows = Breach.objects.filter(item=item_id, band=band, outcome__isnull=False)
        counted = Counter(str(ended) for ended in rows.values_list("outcome", flat=True))
    return compare(counted, band)


def compare(counted: Counter[str], band: str) -> Comparable:
    """Counts with every cell under ten left out; with one left out no total is told, so that
    nothing can be worked out."""
    shown = {o: counted[o] if counted[o] >= SMALLEST_CELL else None for o in Outcome}
    is_whole = None not in shown.values()
    cells = tuple((OUTCOME_LABELS[outcome], count) for outcome, count in shown.items())
    return Comparable(band, cells, sum(counted.values()) if is_whole else None)


def seen_digest(answer: Answer, comparable: Comparable) -> str:
    """What the officer had before her: sent back with the decision, so that nobody decides without
    it or on something that has changed since."""
    told = [answer.outcome, answer.rule_version, answer.reason, comparable.band, comparable.cells]
    return hashlib.sha256(json.dumps(told, ensure_ascii=True).encode()).hexdigest()


def follows(item: Item, answer: str, outcome: Outcome) -> bool | None:
    """Whether a decision is what the rule says; None where the rule leaves it to the authority, and
    for what turned out to be no breach. Deciding on an unknown answer follows nothing: False."""
    if outcome is Outcome.UNFOUNDED or answer in (*item.open, "not_applicable"):
        return None
    if answer in item.lenient:
        return outcome in LENIENT
    if answer == "unknown":
        return False
    return outcome not in LENIENT


def band_of(item: Item, facts: dict[str, Any]) -> str:
    """The band of comparable cases a breach lies in; empty where the item has none."""
    if item.bands is None:
        return ""
    quantity = facts.get(item.bands.fact)
    return item.bands.band_of(None if quantity is None else Decimal(quantity))


def consistency_of(actor: Actor) -> list[Consistency]:
    """For each office of the actor's: how many of its decisions follow the rule, and why the others
    do not. One office is never set beside another's."""
    rows: dict[tuple[str, str], list[Breach]] = {}
    found = visible_breaches(actor).filter(agency__in={grant.agency for grant in actor.grants})
    for row in found.filter(outcome__isnull=False).order_by("-decided_at"):
        rows.setdefault((row.agency, row.place[:6]), []).append(row)
    return [_consistency(*office, held) for office, held in sorted(rows.items())]


def _consistency(agency: str, place: str, rows: Iterable[Breach]) -> Consistency:
    settled = [row for row in rows if row.follows is not None and row.answer != "unknown"]
    unanswered = sum(1 for row in rows if row.answer == "unknown")
    departures = tuple(
        (get_item(row.item).title, row.found_on, row.departure)
        for row in settled
        if not row.follows
    )
    following = sum(1 for row in settled if row.follows)
    return Consistency(agency, place, len(settled), following, departures, unanswered)


def _is_corrected(breach: Breach) -> bool | None:
    if breach.not_corrected:
        return False
    if breach.corrected_on is None:
        return None
    return breach.correct_until is None or breach.corrected_on <= breach.correct_until


def breach_view(row: Breach) -> BreachView:
    outcome = Outcome(row.outcome) if row.outcome else None
    return BreachView(
        id=str(row.pk),
        trader_code=row.trader_code,
        item_id=row.item,
        title=get_item(row.item).title,
        agency=row.agency,
        place=row.place,
        found_on=row.found_on,
        what=row.what,
        facts=dict(row.facts),
        checked_where=row.checked_where,
        correct_until=row.correct_until,
        corrected_on=row.corrected_on,
        not_corrected=row.not_corrected,
        band=row.band,
        is_decided=outcome is not None,
        outcome=outcome,
        outcome_label=OUTCOME_LABELS[outcome] if outcome else "",
        follows=row.follows,
        departure=row.departure,
        education=row.education,
        reasons=tuple(row.reasons),
        decided_on=row.decided_at.date() if row.decided_at else None,
    )
