"""What is unknown stays honest: filling it in settles answers, and never turns one around."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import pytest

from getihu.rulebook.evaluate.missing import missing_facts
from getihu.rulebook.evaluate.trees import deciding_clauses, tree_value
from getihu.rulebook.evaluate.verdicts import judge
from getihu.rulebook.model.rules import Rule
from tests.generative.compare import batches
from tests.generative.engines import Facts
from tests.generative.strategies import rule_file


@pytest.fixture(scope="module")
def drawn():
    return batches(8, 3)


def filled_in(drawn) -> Iterator[tuple[dict, Rule, Facts, Facts, date]]:
    """Each rule with facts, and the same facts with unknowns filled by another trader's: every
    unknown, and every second one."""
    for batch in drawn:
        for before, other in pairwise(batch.table):
            unknown = [name for name, value in before.items() if value is None]
            for chosen in {tuple(unknown), tuple(unknown[::2]), tuple(unknown[1::2])} - {()}:
                after = {**before, **{name: other[name] for name in chosen}}
                for made in batch.made:
                    yield made.document, made.rule, before, after, batch.as_of


def test_filling_an_unknown_never_turns_a_known_answer_into_another(drawn):
    turned = 0
    for document, rule, before, after, as_of in filled_in(drawn):
        old, new = judge(rule, before, as_of), judge(rule, after, as_of)
        told = (rule_file(document), before, after)
        assert all(new.clauses[k] is v for k, v in old.clauses.items() if v is not None), told
        assert old.applies is None or new.applies is old.applies, told
        assert old.visible == "unknown" or new.visible == old.visible, told
        assert old.outcome == "unknown" or new.outcome == old.outcome, told
        assert old.amount is None or new.amount == old.amount, told
        turned += old.outcome == "unknown" != new.outcome
    assert turned > 50  # unknowns did become known


def test_only_the_facts_named_as_missing_can_settle_an_unknown(drawn):
    asked = 0
    for document, rule, before, after, as_of in filled_in(drawn):
        old = judge(rule, before, as_of)
        if old.applies is False or "unknown" not in (old.outcome, old.visible):
            continue
        named = missing_facts(rule, old, before, as_of)
        others = {name: before[name] if name in named else v for name, v in after.items()}
        new = judge(rule, others, as_of)
        told = (rule_file(document), before, others, named)
        assert (new.outcome, new.visible) == (old.outcome, old.visible), told
        asked += others != before
    assert asked > 100


def test_the_deciding_clauses_alone_settle_an_answer(drawn):
    settled = 0
    for batch in drawn:
        for rule in (rule for rule in batch.rules if rule.requires is not None):
            for facts in batch.table:
                clauses = judge(rule, facts, batch.as_of).clauses
                value = tree_value(rule.requires, clauses)
                deciding = deciding_clauses(rule.requires, clauses)
                for other in (True, False, None) if value is not None else ():
                    held = {k: v if k in deciding else other for k, v in clauses.items()}
                    assert tree_value(rule.requires, held) is value, (rule.requires, clauses)
                    settled += 1
    assert settled > 100
