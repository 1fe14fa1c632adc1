"""Slips of many traders at once are those that one gets alone."""

import pytest

from getihu.dataplane import selectors as dataplane
from getihu.rulebook import services
from tests.real_city import made_city, real_city

__all__ = ["made_city", "real_city"]
pytestmark = pytest.mark.django_db
RULE = "policies.six_taxes_half"


def test_many_at_once_give_the_same_bytes_as_one_by_one(real_city):
    snapshot = dataplane.get_published_snapshot().snapshot_id
    codes = sorted(real_city.personas.values())
    many = list(
        services.issue_slips(RULE, [*codes, "none"], as_of=real_city.as_of, snapshot_id=snapshot)
    )
    assert [slip.trader_code for slip in many] == codes
    for slip in many:
        alone = services.issue_slip(
            slip.trader_code, RULE, as_of=real_city.as_of, snapshot_id=snapshot
        )
        assert slip == alone
        assert services.replay(slip.content).slip == slip
