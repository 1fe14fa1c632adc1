"""Two hundred bundles (一类事) of the demo city, in every state a bundle can be in. All invented.

Made by the same services as real ones, each step at its own moment of the last weeks. The gas
company and the tobacco office have no officer in the demo: what is their part shows what nobody in
charge looks like.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from getihu.accounts import services as accounts
from getihu.accounts.contracts import Actor
from getihu.cases import selectors, services
from getihu.cases.contracts import PartState
from getihu.kernel.errors import GetihuError

COUNT = 200
COUNTY = "330302"
OFFICES = (
    "tax",
    "hrss",
    "housing_fund",
    "urban_management",
    "planning",
    "power",
    "water",
    "telecom",
)
SHOPS_SQL = """
    select trader_code, town_code from read_parquet($path)
    where registration_status = 'active' and subject_kind = 'individual'
      and county_code = $county and town_code is not null
    order by trader_code limit $limit
"""
CATERING = {
    "has_licence": True,
    "use_area_m2": "36",
    "is_public_gathering": False,
    "drains_to_sewer": True,
    "grease_trap": True,
    "sells_tobacco": False,
    "hires_people": False,
}
# Bundle → the answers it is begun with, and how many of ten are of it.
KINDS: tuple[tuple[str, int, dict[str, object]], ...] = (
    ("entry.catering", 3, CATERING),
    (
        "entry.catering",
        1,
        CATERING
        | {
            "use_area_m2": "120",
            "food_kinds": "热食类制售",
            "is_public_gathering": True,
            "fire_promise": True,
        },
    ),
    (
        "entry.food_shop",
        2,
        {
            "has_licence": True,
            "only_prepackaged": True,
            "only_farm_produce": False,
            "sells_tobacco": True,
            "hires_people": False,
        },
    ),
    (
        "entry.utilities",
        2,
        {
            "supply_voltage": "low",
            "capacity_kw": "30",
            "line_m": "40",
            "digs_road": True,
            "takes_green": False,
            "road_kind": "old",
            "restore_promised": True,
            "wants_water": True,
            "wants_gas": False,
            "wants_network": True,
            "connects_to": "某街道某路2号",
        },
    ),
    (
        "entry.become_company",
        1,
        {
            "has_food_permit": False,
            "has_staff": True,
            "pays_fund": True,
            "own_will": True,
            "seen_both_sides": True,
            "company_form": "limited",
            "company_name": "示例商贸有限公司",
            "keeps_invoices": True,
        },
    ),
    (
        "entry.rest",
        1,
        {
            "has_staff": False,
            "cause": "other",
            "service_address": "某街道某路2号",
            "staff_agreed": True,
            "invoices_left": False,
        },
    ),
)


@dataclass(frozen=True)
class Cast:
    """Who plays: one account for two hundred owners, and the offices of one county."""

    operators: Actor
    officers: dict[str, Actor]


def open_bundles(settings: Any, *, at: datetime, count: int = COUNT) -> int:
    """Make the demo's bundles once; returns how many were made. Without a cast there are none."""
    cast, shops = _find_cast(at), _find_shops(count)
    if cast is None or not shops:
        return 0
    cast = replace(cast, operators=replace(cast.operators, own=frozenset(c for c, _ in shops)))
    if selectors.visible_bundles(cast.operators).exists():
        return 0
    with transaction.atomic():
        for number in range(count):
            code, place = shops[number % len(shops)]
            play = _Play(cast, code, place, number, at)
            if play.bundle_id == "entry.become_company":  # the database asks whose own step it is
                began = at - timedelta(days=60)
                accounts.record_ownership(
                    UUID(cast.operators.account_id), code, evidence="演示城市", at=began
                )
            play.run()
    return count


def _find_cast(at: datetime) -> Cast | None:
    from django.contrib.auth import get_user_model

    from getihu.accounts.selectors import actor_of

    began = at - timedelta(days=60)
    accounts.open_demo_offices(OFFICES, COUNTY, at=began)
    rows = get_user_model().objects.filter(login__startswith="demo-")
    people = {row.login: actor_of(row.pk, at) for row in rows}
    names = ("demo-operators", "demo-window", "demo-fire", "demo-offices")
    if not all(name in people for name in names):
        return None
    officers = dict.fromkeys(OFFICES, people["demo-offices"])
    officers |= {"amr": people["demo-window"], "fire": people["demo-fire"]}
    return Cast(people["demo-operators"], officers)


def _find_shops(count: int) -> list[tuple[str, str]]:
    from getihu.accounts.selectors import list_operators
    from getihu.dataplane import selectors as dataplane

    try:
        path = str(dataplane.facts_path(dataplane.get_published_snapshot().data_until))
    except GetihuError:
        return []
    asked = {"path": path, "county": COUNTY, "limit": count + 10}
    found = dataplane.engine().execute(SHOPS_SQL, asked).fetchall()
    taken = list_operators([code for code, _ in found])
    return [(code, town) for code, town in found if code not in taken][:count]


class _Play:
    """One bundle: begun so many days ago, brought to the state its number stands for."""

    def __init__(self, cast: Cast, code: str, place: str, number: int, at: datetime) -> None:
        self.cast, self.code, self.place, self.at = cast, code, place, at
        kinds = [kind for kind in KINDS for _ in range(kind[1])]
        self.bundle_id, _, answers = kinds[number % len(kinds)]
        self.scene = SCENES[number // len(kinds) % len(SCENES)]
        # A few are late; most offices keep their clocks.
        self.days = 20 if number % 19 == 0 else 3 + number % 5
        self.answers = answers | self._dates()
        self.run_id: UUID = UUID(int=0)

    def before(self, days: int) -> datetime:
        return self.at - timedelta(days=max(days, 0))

    def run(self) -> None:
        owner, began = self.cast.operators, self.before(self.days)
        self.run_id = services.open_bundle(
            self.bundle_id, self.code, place=self.place, by=owner, at=began
        )
        services.save_bundle(self.run_id, self.answers, by=owner)
        with suppress(GetihuError), transaction.atomic():  # what this shop cannot stays a draft
            self.scene(self)

    def _dates(self) -> dict[str, object]:
        day = self.at.date() + timedelta(days=20)
        if self.bundle_id == "entry.rest":
            until = day + timedelta(days=180)
            return {"from_on": day.isoformat(), "until": until.isoformat()}
        return {"visit_on": day.isoformat()} if self.bundle_id == "entry.utilities" else {}

    def submit(self) -> None:
        services.submit_bundle(self.run_id, by=self.cast.operators, at=self.before(self.days))

    def first(self) -> Any:
        view = selectors.get_bundle_run(self.run_id, actor=self.cast.operators, on=self.at.date())
        return next((p for p in view.needed if p.state is PartState.RUNNING), None)

    def officer(self, department: str) -> Actor:
        return self.cast.officers[department]

    def draft(self) -> None:
        """Left as it is."""

    def discarded(self) -> None:
        services.withdraw_bundle(self.run_id, by=self.cast.operators, at=self.before(1))

    def submitted(self) -> None:
        self.days = min(self.days, 3)
        self.submit()

    def correction(self) -> None:
        self.submit()
        part = self.first()
        case, by = part.case_id, self.officer(part.department)
        services.request_materials(case, ["场地的照片"], by=by, at=self.before(self.days - 2))

    def accepted(self) -> None:
        self.submit()
        part = self.first()
        by, at = self.officer(part.department), self.before(self.days - 1)
        services.accept(part.case_id, by=by, at=at)

    def one_granted(self) -> None:
        self.submit()
        self._pass(self.first(), self.days - 2)

    def refused(self) -> None:
        self.submit()
        part = self.first()
        by, at = self.officer(part.department), self.before(self.days - 2)
        services.refuse_to_accept(
            part.case_id,
            reason="地址在规划拆除的范围里，不属于可以补正的情形",
            article="行政许可法 第三十二条第一款第一项",
            by=by,
            at=at,
        )

    def part_withdrawn(self) -> None:
        self.submit()
        part = self.first().part_id
        at = self.before(self.days - 2)
        services.withdraw_part(self.run_id, part, by=self.cast.operators, at=at)

    def withdrawn(self) -> None:
        self.submit()
        at = self.before(self.days - 2)
        services.withdraw_bundle(self.run_id, by=self.cast.operators, at=at)

    def partly(self) -> None:
        """The first part is given; she takes back what runs after it."""
        self.one_granted()
        while (part := self.first()) is not None:
            at = self.before(self.days - 3)
            services.withdraw_part(self.run_id, part.part_id, by=self.cast.operators, at=at)

    def done(self) -> None:
        self.submit()
        for step in range(8):
            part = self.first()
            if part is None:
                return
            self._pass(part, self.days - 2 - step // 2)

    def nobody_in_charge(self) -> None:
        if self.bundle_id == "entry.utilities":
            services.save_bundle(self.run_id, {"wants_gas": True}, by=self.cast.operators)
        self.submit()

    def _pass(self, part: Any, days: int) -> None:
        at = self.before(days)
        services.accept(part.case_id, by=self.officer(part.department), at=at)
        for stage in part.stages:
            by = self.officer(stage.department)
            services.finish_stage(part.case_id, stage.stage_id, passed=True, by=by, at=at)


SCENES: tuple[Callable[[_Play], None], ...] = (
    _Play.submitted,
    _Play.accepted,
    _Play.one_granted,
    _Play.correction,
    _Play.accepted,
    _Play.draft,
    _Play.refused,
    _Play.one_granted,
    _Play.done,
    _Play.part_withdrawn,
    _Play.nobody_in_charge,
    _Play.accepted,
    _Play.withdrawn,
    _Play.submitted,
    _Play.discarded,
    _Play.correction,
    _Play.partly,
    _Play.accepted,
    _Play.done,
    _Play.submitted,
)
