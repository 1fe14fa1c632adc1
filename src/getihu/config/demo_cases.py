"""Cases of the demo city: one in every state, one overdue, one paused. All invented.

They are made by the same services as real ones, each step at its own moment of the last weeks, so
that clocks, log and notices are what they would be.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from getihu.accounts.contracts import Actor
from getihu.cases import selectors, services
from getihu.cases.contracts import PauseKind

CATERING = "entry.catering_opening"
ANSWERS: dict[str, dict[str, object]] = {
    CATERING: {"use_area_m2": "36", "seats": 16, "has_signboard": True},
}
HISTORY_DAYS = 60
PLAN = b"%PDF-1.4\n% the demo's plan of a kitchen, drawn by nobody\n%%EOF\n"


@dataclass(frozen=True)
class People:
    """Who plays a part in the demo's cases: the trader and three offices' people of her county."""

    owner: Actor
    window: Actor
    fire: Actor
    trader_code: str
    place: str


def open_cases(settings: Any, *, at: datetime) -> int:
    """Make the demo's cases once; returns how many were made. Without a cast there are none.

    The cast must have held its roles for ``HISTORY_DAYS`` before ``at``.
    """
    people = _find_people(settings, at)
    return plant(people, at=at) if people else 0


def _find_people(settings: Any, at: datetime) -> People | None:
    from django.contrib.auth import get_user_model

    from getihu.accounts.selectors import actor_of
    from getihu.registry import selectors as registry

    personas = settings.DATA_DIR / "demo" / "inbox" / "personas.json"
    if not personas.exists():
        return None
    code = json.loads(personas.read_text("utf-8"))[0]["trader_code"]
    accounts = get_user_model().objects.filter(login__startswith="demo-")
    cast = {row.login: actor_of(row.pk, at) for row in accounts}
    names = ("demo-owner-1", "demo-window", "demo-fire")
    if not all(name in cast for name in names) or code not in cast[names[0]].own:
        return None
    trader = registry.get_trader(code)
    place = trader.town_code or trader.county_code or ""
    owner, window, fire = (cast[name] for name in names)
    return People(owner, window, fire, code, place)


def plant(people: People, *, at: datetime) -> int:
    """One case for each state of the table, and two more: overdue and paused. Again: no change."""
    if selectors.list_cases(people.owner, on=at.date(), limit=1):
        return 0
    stage = _Stage(people, at)
    makers = (
        stage.draft,
        stage.discarded,
        stage.withdrawn,
        stage.not_accepted,
        stage.refused,
        stage.granted,
        stage.overdue,
        stage.paused,
        stage.accepted,
        stage.correction,
        stage.submitted,
    )
    for make in makers:
        make()
    return len(makers)


class _Stage:
    """Plays each case on the days it would have happened, counted back from ``at``."""

    def __init__(self, people: People, at: datetime) -> None:
        self.people, self.at = people, at

    def before(self, days: int) -> datetime:
        return self.at - timedelta(days=days)

    def draft(self, days: int = 1, matter: str = CATERING) -> uuid.UUID:
        owner, at = self.people.owner, self.before(days)
        case = services.open_draft(
            matter, self.people.trader_code, place=self.people.place, by=owner, at=at
        )
        services.save_draft(case, ANSWERS[matter], by=owner)
        if matter == CATERING:
            services.attach(case, "layout", PLAN, by=owner, at=at)
        return case

    def submitted(self, days: int = 0, matter: str = CATERING) -> uuid.UUID:
        case = self.draft(days, matter)
        services.submit(case, by=self.people.owner, at=self.before(days))
        return case

    def correction(self) -> None:
        case = self.submitted(6)
        items = ["食品安全规章制度清单", "招牌的尺寸和位置"]
        services.request_materials(case, items, by=self.people.window, at=self.before(4))

    def accepted(self, days: int = 9, matter: str = CATERING) -> uuid.UUID:
        case = self.submitted(days, matter)
        services.accept(case, by=self.people.window, at=self.before(days - 1))
        return case

    def overdue(self) -> None:
        """The food office has passed; the fire office, with ten working days, is late."""
        case = self.accepted(45)
        services.finish_stage(case, "food", passed=True, by=self.people.window, at=self.before(30))

    def paused(self) -> None:
        case = self.accepted(20)
        services.finish_stage(case, "fire", passed=True, by=self.people.fire, at=self.before(13))
        services.pause_clock(
            case,
            "food",
            PauseKind.TESTING,
            reason="餐具送检，等检验报告",
            by=self.people.window,
            at=self.before(12),
        )

    def granted(self) -> None:
        case = self.accepted(50)
        for stage, by, days in (
            ("food", "window", 41),
            ("fire", "fire", 40),
            ("issue", "window", 38),
        ):
            services.finish_stage(
                case, stage, passed=True, by=getattr(self.people, by), at=self.before(days)
            )

    def refused(self) -> None:
        case = self.accepted(40)
        services.finish_stage(
            case,
            "fire",
            passed=False,
            reason="安全出口只有一个，宽度不到规定",
            article="消防法 第十五条",
            by=self.people.fire,
            at=self.before(33),
        )

    def not_accepted(self) -> None:
        services.refuse_to_accept(
            self.submitted(30),
            reason="申请的地址在规划拆除的范围里，不属于可以补正的情形",
            article="行政许可法 第三十二条第一款第一项",
            by=self.people.window,
            at=self.before(28),
        )

    def withdrawn(self) -> None:
        case = self.submitted(25)
        services.withdraw(case, by=self.people.owner, at=self.before(24), reason="暂时不开了")

    def discarded(self) -> None:
        services.withdraw(self.draft(35), by=self.people.owner, at=self.before(34))
