"""Types and pools of the demo city: two reviews, pools filled, recognitions, one county's yearly
lists published with an objection running.

By the same services as a real one. All invented.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from getihu.accounts.contracts import Actor
from getihu.growth import selectors, services
from getihu.kernel.errors import GetihuError

COUNTY = "330302"  # 鹿城区: where the demo's window officers are
FIRST_REVIEW = date(2026, 8, 31)
LISTED = "safe_consumption"


def open_growth(settings: Any, *, at: datetime) -> int:
    """Make the demo's types, pools and lists once; returns how many traders are in pools. Without
    a cast, or in a city too small to decide, there are none."""
    cast = _cast(at)
    names = ("demo-case", "demo-chief", "demo-owner-1")
    if selectors.list_reviews(1) or not all(name in cast for name in names):
        return 0
    review_twice(at=at)
    services.update_pools(at=at - timedelta(days=6))
    officer, chief, owner = (cast[name] for name in names)
    publish_list("type_surviving", officer, chief, at)
    made = publish_list(LISTED, officer, chief, at)
    if made is not None and owner.own:
        object_to_list(made, owner, at)
    return sum(pool.members for pool in selectors.list_pools(at.date()))


def review_twice(*, at: datetime) -> None:
    """A review of the summer, published; and one of the last data, open to objection."""
    from getihu.dataplane import selectors as dataplane
    from getihu.dataplane import services as dataplane_services
    from getihu.rulebook import services as rulebook

    last = dataplane.get_published_snapshot().data_until
    for day, back in ((FIRST_REVIEW, 60), (last, 2)):
        dataplane_services.build_facts(as_of=day)
        rulebook.sweep(as_of=day)
        services.review_types(as_of=day, at=at - timedelta(days=back))
        services.publish_types(at=at - timedelta(days=back - 40))


def publish_list(pool_id: str, officer: Actor, chief: Actor, at: datetime) -> Any:
    """A county's list of this year, published for objection some days ago."""
    made = _quietly(
        lambda: services.list_refresh(
            pool_id, COUNTY, at.year, by=officer, at=at - timedelta(days=3)
        )
    )
    if made is not None:
        services.open_refresh(made.pk, by=chief, at=at - timedelta(days=2))
    return made


def object_to_list(made: Any, owner: Actor, at: datetime) -> None:
    from getihu.registry import selectors as registry

    code = sorted(owner.own)[0]
    trader = registry.get_trader(code)
    place = trader.town_code or trader.county_code or COUNTY
    _quietly(
        lambda: services.object_to(
            f"list:{made.pk}:{code}",
            code,
            "我店去年评上了放心消费单位，名单里没有。",
            place=place,
            by=owner,
            at=at - timedelta(days=1),
        )
    )


def _quietly(do: Callable[[], Any]) -> Any:
    """A part of the demo that a small city may not have."""
    try:
        return do()
    except GetihuError:
        return None


def _cast(at: datetime) -> dict[str, Actor]:
    from django.contrib.auth import get_user_model

    from getihu.accounts.selectors import actor_of

    rows = get_user_model().objects.filter(login__startswith="demo-")
    return {row.login: actor_of(row.pk, at) for row in rows}
