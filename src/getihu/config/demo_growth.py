"""Types and pools of the demo city: two reviews, pools filled, one recognition of each kind in all its
steps, one county's yearly lists published with an objection running, stalls linked.

By the same services as a real one. All invented.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from getihu.accounts.contracts import Actor
from getihu.cases import services as cases
from getihu.growth import selectors, services
from getihu.kernel.errors import GetihuError

COUNTY = "330302"  # 鹿城区: where the demo's window officers are
FIRST_REVIEW = date(2026, 8, 31)
LISTED = "safe_consumption"
STALLS = "市场摊位登记（演示）"
STALLS_WRITTEN = 60
JURORS = ("demo-tax", "demo-award", "demo-town")
FULL_MARKS = {"fits": 22, "quality": 22, "honesty": 23, "influence": 18}


@dataclass(frozen=True)
class Story:
    """One recognition: whose shop, of which kind, whether a department recommends it."""

    owner: str
    kind: str
    statement: str
    recommended: bool = False


# One of each kind, in the counties whose demo windows are open.
RECOGNISED = (
    Story("demo-owner-1", "special", "街坊的水管坏了，半夜也上门", recommended=True),
    Story("demo-owner-2", "emerging", "自己做的小电器，多半在网上卖"),
    Story("demo-owner-3", "famous", "给好几家汽车厂供货，牌子用了十二年"),
    Story("demo-owner-5", "fine", "用料实在，退货的一年不到三单", recommended=True),
)


def open_growth(settings: Any, *, at: datetime) -> int:
    """Make the demo's types, pools and lists once; returns how many traders are in pools. Without
    a cast, or in a city too small to decide, there are none."""
    cast = _cast(at)
    names = ("demo-case", "demo-chief", "demo-owner-1")
    if selectors.list_reviews(1) or not all(name in cast for name in names):
        return 0
    review_twice(at=at)
    services.update_pools(at=at - timedelta(days=3, hours=12))
    officer, chief, owner = (cast[name] for name in names)
    publish_list("type_surviving", officer, chief, at)
    made = publish_list(LISTED, officer, chief, at)
    if made is not None and owner.own:
        object_to_list(made, owner, at)
    for each in RECOGNISED:
        _quietly(lambda each=each: recognise(each, cast, at))  # type: ignore[misc]
    services.link_records(STALLS, stall_records(), at=at - timedelta(days=1))
    return sum(pool.members for pool in selectors.list_pools(at.date()))


def review_twice(*, at: datetime) -> None:
    """A review of the summer and one of the last data, each published after its days to object."""
    from getihu.dataplane import selectors as dataplane
    from getihu.dataplane import services as dataplane_services
    from getihu.rulebook import services as rulebook

    last = dataplane.get_published_snapshot().data_until
    for day, back in ((FIRST_REVIEW, 80), (last, 30)):
        dataplane_services.build_facts(as_of=day)
        rulebook.sweep(as_of=day)
        told_at = at - timedelta(days=back)
        review = services.review_types(as_of=day, at=told_at)
        # Ten working days are more days around a holiday: the law's own calendar says how many.
        over = review.object_until - told_at.date() + timedelta(days=1)
        services.publish_types(at=told_at + over)


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


def recognise(story: Story, cast: dict[str, Actor], at: datetime) -> None:
    """The seven steps of one recognition, each by who does it, at its own moment."""
    owner, officer, chief = (cast[n] for n in (story.owner, "demo-growth", "demo-growth-chief"))
    code = sorted(owner.own)[0]

    def on(days: int) -> datetime:
        return at - timedelta(days=50 - days)

    case = _handed_in(story, code, owner, officer, on(0))
    cases.accept(case, by=officer, at=on(1))
    for stage, day in (("recommend", 2), ("first_check", 3), ("visit", 4)):
        cases.finish_stage(case, stage, passed=True, by=officer, at=on(day))
    jurors = [cast[name] for name in JURORS]
    services.seat_jury(case, [juror.account_id for juror in jurors], by=chief, at=on(4))
    for juror in jurors:
        services.declare(case, has_conflict=False, by=juror, at=on(5))
        services.score(case, FULL_MARKS, by=juror, at=on(5))
    for stage, day in (("joint_review", 6), ("publicity", 20), ("objections", 21), ("result", 22)):
        cases.finish_stage(case, stage, passed=True, by=officer, at=on(day))


def _handed_in(story: Story, code: str, owner: Actor, officer: Actor, at: datetime) -> uuid.UUID:
    if story.recommended:
        made = services.recommend(code, story.kind, story.statement, by=officer, at=at)
        case = services.answer_recommendation(
            made.pk, consents=True, statement=story.statement, by=owner, at=at
        )
        assert case is not None
        return case
    case = services.open_recognition(code, by=owner, at=at)
    form = {
        "kind": story.kind,
        "level": "county",
        "way": "declared",
        "statement": story.statement,
    }
    cases.save_draft(case, form, by=owner)
    cases.submit(case, by=owner, at=at)
    return case


def stall_records() -> list[dict[str, Any]]:
    """Stalls as a market writes them: no code, a wrong character here and there, towns and areas left
    out; some belong to nobody on the register."""
    from getihu.dataplane import selectors as dataplane

    as_of = dataplane.get_published_snapshot().data_until
    rows = (
        dataplane.engine()
        .execute(
            "SELECT trade_name, county_code, town_code, industry_code, established_on,"
            " premises_m2::DOUBLE FROM read_parquet($path) WHERE trade_name IS NOT NULL"
            " AND established_on IS NOT NULL AND registration_status = 'active'"
            f" ORDER BY hash(trader_code) LIMIT {STALLS_WRITTEN}",
            {"path": str(dataplane.facts_path(as_of))},
        )
        .fetchall()
    )
    return [_as_written(number, *row) for number, row in enumerate(rows)]


def _as_written(
    number: int,
    name: str,
    county: str,
    town: str | None,
    industry: str | None,
    opened: date,
    area: float | None,
) -> dict[str, Any]:
    if number % 4 == 1:
        name = f"{name[:-2]}阿{name[-1:]}"
    if number % 7 == 3:  # a stall nobody on the register has
        name, opened = f"无名摊{number}", opened + timedelta(days=400)
    return {
        "id": f"摊位{number + 1:03}",
        "name": name,
        "county_code": county,
        "town_code": None if number % 5 == 2 else town,
        "industry_code": None if number % 3 == 1 else industry,
        "established_on": opened + timedelta(days=(number % 6) * 5 if number % 2 else 0),
        "premises_m2": None if number % 4 == 2 else area,
    }


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
