"""A disagreement made as small as it gets: shorter texts, fewer clauses, fewer known facts.

Works on the rule's document, not on random choices: a candidate is a document like any other,
and the loader says whether it is a rule. Greedy: a candidate that still fails is kept at once.
"""

import copy
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from getihu.rulebook.model.rules import Rule
from tests.generative.strategies import Made, read

Facts = dict[str, Any]
Fails = Callable[[Rule, Facts, date], bool]

_GROUPS = ("all_of", "any_of", "none_of")
_ATOMS = ("true", "false", "is_a", "1", "0", "count_a", "sales_yuan", "opened_on", "as_of", "null")
_SIMPLE = (False, 0, 1, Decimal("0.00"), Decimal("1.00"), date(2024, 1, 31), "red")


def shrink(made: Made, facts: Facts, as_of: date, fails: Fails) -> tuple[Made, Facts]:
    """The smallest rule and facts found that still fail."""
    best, known = made, dict(facts)
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for smaller in _smaller_facts(known):
            if fails(best.rule, smaller, as_of):
                known, is_smaller = smaller, True
                break
        else:
            for document in _smaller_documents(best.document):
                rule = _loaded(document)
                if rule is not None and fails(rule, known, as_of):
                    best, is_smaller = Made(document, rule), True
                    break
    return best, known


def _loaded(document: dict) -> Rule | None:
    try:
        rule, problems, _ = read(document)
    except (KeyError, IndexError):  # a clause a tree no longer names, or a tree without items
        return None
    return None if problems else rule


def _smaller_facts(facts: Facts) -> Iterator[Facts]:
    known = [name for name, value in facts.items() if value is not None]
    if len(known) > 3:  # halves first
        yield {name: None if name in known[::2] else value for name, value in facts.items()}
        yield {name: None if name in known[1::2] else value for name, value in facts.items()}
    for name in known:
        yield {**facts, name: None}
    for name in known:
        value = facts[name]
        for simple in _SIMPLE:
            if type(simple) is type(value):
                if simple == value:
                    break
                yield {**facts, name: simple}


def _smaller_documents(document: dict) -> Iterator[dict]:
    for change in (_plainer, _smaller_trees, _fewer_rows, _shorter_texts):
        for changed in change(document):
            yield _without_unused(changed)


def _plainer(document: dict) -> Iterator[dict]:
    """Whole parts left out, each at once."""
    for key in ("amount", "exclusions", "inputs", "parameters", "overrides", "budget", "group"):
        if key in document:
            yield {name: value for name, value in document.items() if name != key}
    plain = {
        "region": "CN",
        "incomplete": "",
        "subjects": ["individual", "enterprise"],
        "decides_on": "as_of",
    }
    for key, value in plain.items():
        if document.get(key) != value:
            yield {**document, key: value}


def _smaller_trees(document: dict) -> Iterator[dict]:
    if "requires" in document:
        for tree in _subtrees(document["requires"]):
            yield {**document, "requires": tree if isinstance(tree, dict) else {"all_of": [tree]}}
    for number, row in enumerate(document.get("rows", ())):
        for tree in _subtrees(row["when"]) if "when" in row else ():
            rows = list(document["rows"])
            rows[number] = {**row, "when": tree if isinstance(tree, dict) else {"all_of": [tree]}}
            if rows[number] != row:
                yield {**document, "rows": rows}


def _subtrees(tree: Any) -> Iterator[Any]:
    """The items of a tree instead of it, the tree with an item less, or with a smaller item."""
    if isinstance(tree, str):
        return
    ((kind, held),) = tree.items()
    items = held["of"] if kind == "at_least" else held

    def made(changed: list) -> dict:
        if kind != "at_least":
            return {kind: changed}
        return {kind: {"n": min(held["n"], len(changed)), "of": changed}}

    if not (len(items) == 1 and kind == "all_of" and isinstance(items[0], str)):
        yield from items
    if kind == "at_least":
        yield {"all_of": items}
        yield {"any_of": items}
    for number, item in enumerate(items):
        if len(items) > 1:
            yield made(items[:number] + items[number + 1 :])
        for smaller in _subtrees(item):
            yield made([*items[:number], smaller, *items[number + 1 :]])


def _fewer_rows(document: dict) -> Iterator[dict]:
    rows = document.get("rows", [])
    for number in range(len(rows) - 1):
        if len(rows) > 2:
            kept = rows[:number] + rows[number + 1 :]
            values = {row["value"] for row in kept}
            labels = {v: label for v, label in document["values"].items() if v in values}
            yield {**document, "rows": kept, "values": labels}


def _shorter_texts(document: dict) -> Iterator[dict]:
    for where in ("clauses", "exclusions"):
        for name, clause in document.get(where, {}).items():
            for text in shorter(clause["when"]):
                changed = {**document[where], name: {**clause, "when": text}}
                yield {**document, where: changed}
    amount = document.get("amount", {})
    for key in ("yuan", "cap", "floor"):
        for text in shorter(amount.get(key, "")):
            yield {**document, "amount": {**amount, key: text}}


def shorter(text: str) -> Iterator[str]:
    """The text with a bracketed part replaced by something simpler, the largest part first."""
    parts = sorted(_brackets(text), key=lambda span: span[0] - span[1])
    for start, end in parts:
        inside = [(a, b) for a, b in parts if start < a and b < end]
        simpler = [*_ATOMS, *(text[a:b] for a, b in inside), *_operands(text[start + 1 : end - 1])]
        for word in simpler:
            if len(word) < end - start:
                yield text[:start] + word + text[end:]
    if text and text[0] != "(" and len(text) > 5 and text not in _ATOMS:
        yield from (word for word in _ATOMS if len(word) < len(text))


def _brackets(text: str) -> list[tuple[int, int]]:
    spans, open_at = [], []
    for place, character in enumerate(text):
        if character == "(":
            open_at.append(place)
        elif character == ")" and open_at:
            spans.append((open_at.pop(), place + 1))
    return spans


def _operands(inside: str) -> list[str]:
    """The words of a group without groups: ``a`` and ``b`` of ``a + b``."""
    if "(" in inside:
        return []
    return [word for word in re.findall(r"[a-z_0-9.]+|DATE '[^']*'", inside) if word]


def _without_unused(document: dict) -> dict:
    """Clauses no tree names any longer go."""
    trees = repr([document.get("requires"), document.get("rows")])
    named = set(re.findall(r"'(\w+)'", trees))
    clauses = {name: clause for name, clause in document["clauses"].items() if name in named}
    return copy.deepcopy({**document, "clauses": clauses})
