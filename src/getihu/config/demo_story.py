"""Growth in the demo city: one trader through five years. All invented.

She opened in 2021, grew, found a figure wrong and had it put right, was named 优质 (demo_growth), and
becomes a company by her own step. Each step is made by the services real people use, at its own moment.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from getihu.accounts.contracts import Actor
from getihu.cases import services as cases
from getihu.dataplane import selectors as dataplane
from getihu.dataplane import services as ingest
from getihu.gateways.demo_city.corrections import write_staff_correction
from getihu.growth import services
from getihu.registry import selectors as registry
from getihu.registry import services as consents
from getihu.registry.contracts import Purpose
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as decisions

OWNER = "demo-owner-5"  # the planted trader one step from 成长型, open since 2021
FACT = "annual_employees"
CLAIMED = 5
FORM = {
    "own_will": True,
    "seen_both_sides": True,
    "company_form": "limited",
    "company_name": "温州示例拉链有限公司",
}


def open_story(
    settings: Any,
    *,
    at: datetime,
    seed: int | None = None,
    note: Callable[[], None] = lambda: None,
) -> bool:
    """Play the demo's story once; False where there is no cast. Again: no change. ``seed`` of the
    demo city, whose departments sign its deliveries (None: no correction is delivered)."""
    people = _people(at)
    owner, window = people.get(OWNER), people.get("demo-city")
    if owner is None or window is None or not owner.own:
        return False
    code = sorted(owner.own)[0]
    trader = registry.get_trader(code)
    place = trader.town_code or trader.county_code or ""
    _consent(code, owner, at - timedelta(days=55))
    _put_right(code, place, owner, window, at)
    if seed is not None:
        comes_right(settings, code, seed, note, at)
    _convert(code, place, owner, window, at)
    _others(at)
    return True


def _consent(code: str, owner: Actor, at: datetime) -> None:
    for article in sorted(set(rulebook.protected_facts().values())):
        consents.give_consent(code, Purpose.PROFILE, article, by=owner, at=at)


def _put_right(code: str, place: str, owner: Actor, window: Actor, at: datetime) -> None:
    """Her staff is written wrong; market regulation agrees and will send it right."""
    case = services.object_to_fact(
        code,
        FACT,
        claimed=str(CLAIMED),
        why="去年雇了两个人，年报写漏了",
        place=place,
        by=owner,
        at=at - timedelta(days=40),
    )
    cases.accept(case, by=window, at=at - timedelta(days=39))
    cases.finish_stage(case, "check", passed=True, by=window, at=at - timedelta(days=36))


def comes_right(
    settings: Any, code: str, seed: int, note: Callable[[], None], at: datetime
) -> None:
    """The department sends it right; the city is decided anew and she is told. ``note`` writes the
    delivery down as the demo's, so that it goes with it."""
    inbox = settings.DATA_DIR / "demo" / "inbox"
    on = dataplane.get_published_snapshot().data_until
    write_staff_correction(inbox, seed, code, CLAIMED, on=on, at=at)
    note()
    ingest.ingest_directory(inbox, at=at)
    ingest.build_facts(as_of=on)
    decisions.sweep(as_of=on)
    services.follow_corrections(at - timedelta(days=30))


def _convert(code: str, place: str, owner: Actor, window: Actor, at: datetime) -> None:
    """Her own case; then the city's first duties, one served."""
    began = at - timedelta(days=20)
    case = cases.open_draft("growth.conversion", code, place=place, by=owner, at=began)
    cases.save_draft(case, FORM, by=owner)
    cases.submit(case, by=owner, at=began)
    cases.accept(case, by=window, at=began + timedelta(days=1))
    cases.finish_stage(case, "registration", passed=True, by=window, at=began + timedelta(days=2))


def _others(at: datetime) -> None:
    """Conflicts of the sweep and neighbours of the quarter."""
    published = dataplane.get_published_snapshot()
    services.find_conflicts(published.data_until, published.snapshot_id, at=at)
    services.make_edition(at.date())


def _people(at: datetime) -> dict[str, Actor]:
    from django.contrib.auth import get_user_model

    from getihu.accounts.selectors import actor_of

    accounts = get_user_model().objects.filter(login__in=[OWNER, "demo-city"])
    return {row.login: actor_of(row.pk, at) for row in accounts}
