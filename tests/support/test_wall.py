"""On PostgreSQL the database itself holds back appeals, and what complains of a line from it."""

import pytest
from django.db import connection

from getihu.access.wall import walled
from getihu.accounts.contracts import ANONYMOUS, Actor, Duty, Grant, Role, Scope
from getihu.support import selectors, services
from getihu.support.models import Appeal, AppealEvent
from tests.support.conftest import AT, CITY, LUCHENG, SHOP, WUMA, YUEQING, Cast, assigned, told

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite has no row-level security"
    ),
]


def in_role(role: Role, agency: str, division: str) -> Actor:
    return Actor(
        "6d3c1f6e-0000-4000-8000-00000000000f",
        "z",
        Duty.BUSINESS,
        (Grant(role, agency, Scope(frozenset({division}))),),
    )


def test_both_walls_agree(cast: Cast):
    told(cast)
    assigned(cast)
    joint = assigned(cast)
    services.ask_jointly(joint.id, "urban_management", LUCHENG, by=cast.power, at=AT)
    told(cast, place_text="乐清市柳市镇", by=cast.stranger, trader_code="")
    for about in (("amr", LUCHENG), ("amr", WUMA), ("amr", CITY), ("urban_management", LUCHENG)):
        told(cast, "窗口态度恶劣还索要红包", about=about)
    people = [
        *vars(cast).values(),
        *(
            in_role(role, agency, place)
            for role in (Role.WINDOW_OFFICER, Role.SUPERVISOR, Role.COCKPIT_VIEWER)
            for agency in ("amr", "power", "urban_management", "discipline", "government")
            for place in (CITY, LUCHENG, WUMA, YUEQING)
        ),
    ]
    counts = set()
    for actor in people:
        seen = set(selectors.visible_appeals(actor).values_list("pk", flat=True))
        with walled(actor):
            assert set(Appeal.objects.values_list("pk", flat=True)) == seen, actor.grants
            assert set(AppealEvent.objects.values_list("appeal", flat=True)) == seen
        counts.add(len(seen))
    with walled(ANONYMOUS):
        assert not Appeal.objects.exists()
    assert len(counts) > 3 and Appeal.objects.filter(trader_code=SHOP).count() >= 3
