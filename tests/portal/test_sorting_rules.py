"""Rules that only sort traders into pools are no policies she misses by a step."""

import pytest

from getihu.policies import selectors as policies
from getihu.policies.library.search import LibraryFilter
from getihu.portal import selectors
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import SORTING_KINDS
from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]
pytestmark = pytest.mark.django_db


def test_pool_rules_stand_neither_on_her_shop_page_nor_in_the_library(real_city):
    rules = rulebook.governing_rules(real_city.as_of)
    sorting = {r.id for r in rules.values() if r.benefit_kind in SORTING_KINDS}
    for code in list(real_city.personas.values())[:4]:
        page = selectors.get_trader_page(code)
        parts = (page.granted, page.near, page.unknown, page.unread, page.refused, page.left_out)
        shown = {line.decision.rule_id for part in parts for line in part}
        assert not shown & sorting
    # The control: they are decided, and the library would have them.
    assert sorting & {d.rule_id for d in rulebook.explain_trader(code).policies}
    listed = {each.id for each in policies.find_policies(LibraryFilter(), real_city.as_of)}
    assert listed and not listed & sorting
