"""The pages on hand-built answers: no data plane, no rules, only what is shown."""

from types import SimpleNamespace

import pytest

from getihu.dataplane import selectors as dataplane
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook
from tests.portal import fakes


@pytest.fixture
def city(monkeypatch):
    """The selectors below the portal answer with the hand-built city."""

    def patch(module, **answers):
        for name, answer in answers.items():
            assert callable(getattr(module, name)), f"{module.__name__} has no {name}"
            monkeypatch.setattr(module, name, answer)

    decisions = {d.rule_id: d for d in (fakes.TYPE, *fakes.EXPLANATION.policies)}
    patch(
        dataplane,
        get_published_snapshot=lambda: fakes.SNAPSHOT,
        list_snapshots=lambda: [fakes.SNAPSHOT],
        list_deliveries=lambda limit=200: [fakes.HELD, fakes.DELIVERY],
        list_feeds=lambda at: fakes.FEEDS,
        count_quarantine=lambda: [fakes.COUNT],
        list_quarantined_rows=lambda delivery_id, offset, limit: fakes.ROWS[
            offset : offset + limit
        ],
        fact_catalogue=lambda: {fakes.DECLARATION.name: fakes.DECLARATION},
        dataset_contracts=lambda: {fakes.CONTRACT.id: fakes.CONTRACT},
    )
    patch(
        registry,
        get_trader=lambda code, as_of=None: fakes.TRADER,
        search_traders=lambda text, *, limit=20, within=None: (
            [fakes.TRADER] if text in "阿华面馆" else []
        ),
        list_changes=lambda code, as_of=None: fakes.CHANGES,
    )
    patch(
        rulebook,
        explain_trader=lambda code, *, as_of=None, snapshot_id=None: fakes.EXPLANATION,
        governing_rules=lambda as_of: {},
        settle=lambda explanation, awards=(): (),
        explain_rule=lambda code, rule_id, *, as_of=None, snapshot_id=None: decisions[rule_id],
        advise_trader=lambda code, *, as_of=None, rule_ids=None: {
            rule_id: fakes.advice_on(rule_id) for rule_id in rule_ids
        },
        advise=lambda code, rule_id, *, as_of=None: fakes.advice_on(rule_id),
        get_rule=lambda rule_id, as_of=None: fakes.WHOLE_RULE,
    )
    return SimpleNamespace(patch=patch)
