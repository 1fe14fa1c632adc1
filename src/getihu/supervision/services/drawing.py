"""A draw, step by step: frozen and committed, chance entered before a witness, drawn, published.

Each step is another request and another event of the public log. The database refuses any other
order, a second draw of a plan, and a change of what was fixed.
"""

import json
import uuid
from datetime import date, datetime
from fractions import Fraction

import pyarrow.compute as pc
from django.db import transaction

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import list_officers
from getihu.dataplane import selectors as dataplane
from getihu.rulebook import selectors as rulebook
from getihu.supervision.catalogue.fields import FieldOfSupervision, get_field
from getihu.supervision.contracts import PLAN_LABELS, Chance, NotNow, PlanState, VisitKind
from getihu.supervision.draws import rounds
from getihu.supervision.draws.texts import digest
from getihu.supervision.models import Conflict, Inspector, Plan, Visit
from getihu.supervision.selectors.burden import (
    RISK,
    count_planned,
    risk_class,
    superior_checked,
)
from getihu.supervision.selectors.dossiers import keep_text, program_sha256, read_text
from getihu.supervision.selectors.plans import source_at
from getihu.supervision.services.planning import chance_from, lock_plan
from getihu.supervision.services.rights import check_officer
from getihu.supervision.services.telling import tell
from getihu.supervision.services.visiting import fresh_code

PARTS = ("frame", "excluded", "inspectors", "conflicts")


def commit_plan(plan_id: uuid.UUID | str, *, by: Actor, at: datetime) -> str:
    """Freeze the lists as of the newest published data and put their digests into the log; returns
    the digest of the commitment. From here on nothing of the plan changes.

    Raises: UnknownPlan, NotAllowed, NotNow, CannotDraw, NotSwept.
    """
    with transaction.atomic(), over_the_wall():
        plan = lock_plan(plan_id)
        check_officer(by, plan.agency, plan.county_code, "冻结名录", Role.SUPERVISOR)
        _expect(plan, PlanState.DRAFT)
        if at >= chance_from(plan):
            raise NotNow("约定的随机数可能已经产生，名录不能再冻结。处理办法：取消，另编一份计划。")
        lists, about = _freeze(plan)
        text = rounds.commitment(
            lists,
            rates={name: Fraction(rate) for name, rate in plan.rates.items()},
            team=plan.team,
            qualification=get_field(plan.field_id).qualification,
            recipe=plan.recipe,
            about=about,
            program_sha256=program_sha256(),
        )
        for part in PARTS:
            keep_text(getattr(lists, part))
        keep_text(text)
        plan.commitment, plan.commitment_sha256 = text, digest(text)
        plan.state, plan.committed_at, plan.committed_by_id = (
            PlanState.COMMITTED,
            at,
            by.account_id,
        )
        plan.save()
        tell("draw.committed", _ref(plan), by, at, commitment=plan.commitment_sha256)
    return str(plan.commitment_sha256)


def enter_chance(
    plan_id: uuid.UUID | str, digits: str, *, witness: str, by: Actor, at: datetime
) -> None:
    """Write down the random digits that came up after the commitment: of the agreed source within
    its time, of the fallback afterwards; nobody chooses between them. ``witness`` is the account of
    the second person of the office who saw them come up.

    Raises: UnknownPlan, NotAllowed, NotNow (too early, no commitment, entered already), CannotDraw.
    """
    with transaction.atomic():
        plan = lock_plan(plan_id)
        check_officer(by, plan.agency, plan.county_code, "录入随机数", Role.SUPERVISOR)
        _expect(plan, PlanState.COMMITTED)
        if at < chance_from(plan):
            raise NotNow(f"随机数约定在 {plan.recipe['not_before']} 之后产生，现在录入太早。")
        _check_witness(plan, witness, by, at)
        source = source_at(plan.recipe, at)
        plan.is_fallback = source is not plan.recipe
        plan.chance_kind, plan.chance_digits = Chance(source["kind"]), digits
        plan.seed = rounds.seed_of(
            str(plan.commitment), plan.chance_kind, digits, is_fallback=plan.is_fallback
        )
        plan.state, plan.seeded_at, plan.seeded_by_id = PlanState.SEEDED, at, by.account_id
        plan.witness_id = uuid.UUID(witness)
        plan.save()
        tell("draw.seeded", _ref(plan), by, at, seed=plan.seed, kind=plan.chance_kind.value)


def _check_witness(plan: Plan, witness: str, by: Actor, at: datetime) -> None:
    officers = list_officers(Role.SUPERVISOR, plan.agency, plan.county_code, at)
    if witness == by.account_id or witness not in {str(each) for each in officers}:
        raise NotNow("见证人要是本机关另一位负责人。处理办法：请他到场，从列表里选他。")


def draw_plan(plan_id: uuid.UUID | str, *, by: Actor | str, at: datetime) -> int:
    """Draw, and make a visit of everybody drawn; returns how many. Asked again it is the same draw
    and nothing happens. Raises: UnknownPlan, NotAllowed, NotNow."""
    with transaction.atomic(), over_the_wall():
        plan = lock_plan(plan_id)
        if not isinstance(by, str):
            check_officer(by, plan.agency, plan.county_code, "抽取", Role.SUPERVISOR)
        if plan.state in (PlanState.DRAWN, PlanState.PUBLISHED):
            return int(plan.drawn_count or 0)
        _expect(plan, PlanState.SEEDED)
        lists, told = lists_of(plan), json.loads(str(plan.commitment))
        drawn = rounds.draw(
            lists,
            told["strata"],
            str(plan.seed),
            team=told["team"],
            qualification=told["qualification"],
        )
        text = rounds.result_text(drawn)
        keep_text(text)
        plan.result_sha256, plan.drawn_count = digest(text), len(drawn)
        plan.state, plan.drawn_at = PlanState.DRAWN, at
        plan.save()
        tell("draw.drawn", _ref(plan), by, at, result=plan.result_sha256, n=len(drawn))
        _make_visits(plan, drawn, at)
    return len(drawn)


def publish_plan(plan_id: uuid.UUID | str, *, by: Actor, at: datetime) -> None:
    """Open the draw to everybody: who was drawn and by whom she is visited. Until then the public
    sees the commitment and the digest of the result. Raises: UnknownPlan, NotAllowed, NotNow."""
    with transaction.atomic():
        plan = lock_plan(plan_id)
        check_officer(by, plan.agency, plan.county_code, "公布抽取结果", Role.SUPERVISOR)
        _expect(plan, PlanState.DRAWN)
        plan.state, plan.published_at = PlanState.PUBLISHED, at
        plan.save()
        tell("draw.published", _ref(plan), by, at, result=str(plan.result_sha256))


def lists_of(plan: Plan) -> rounds.Lists:
    """The frozen lists, checked against the commitment. Raises TextDamaged."""
    told = json.loads(str(plan.commitment))
    return rounds.Lists(**{part: read_text(told[part]["sha256"]) for part in PARTS})


def _freeze(plan: Plan) -> tuple[rounds.Lists, dict[str, object]]:
    field = get_field(plan.field_id)
    snapshot = dataplane.get_published_snapshot()
    as_of, snapshot_id = snapshot.data_until, snapshot.snapshot_id
    city = rulebook.city_outcomes(
        RISK, as_of, snapshot_id, facts=("county_code", "industry_code", "is_registered")
    )
    frame: dict[str, str] = {}
    excluded: dict[str, str] = {}
    borne = count_planned(field.id, plan.year)
    left_alone = _left_alone(field, as_of, snapshot_id)
    seen_above = superior_checked(field, plan.window_from)
    for row in city.filter(pc.equal(city["county_code"], plan.county_code)).to_pylist():
        code, stratum = row["trader_code"], risk_class(row["outcome"])
        if row["is_registered"] == "false":
            excluded[code] = "not_registered"
        elif not _is_of(field, row["industry_code"]):
            excluded[code] = "other_trade"
        elif borne[code] >= field.most_a_year[stratum].value:
            excluded[code] = "year_is_full"  # drawing her would break the legal maximum
        elif code in seen_above:
            excluded[code] = "superior_checked"
        elif code in left_alone and field.exempt and stratum in field.exempt.classes:
            excluded[code] = (
                "new_trade"  # 触发式: only a complaint, a hand-over or data bring a check
            )
        else:
            frame[code] = stratum
    people = Inspector.objects.filter(county_code=plan.county_code, agency=plan.agency)
    able = [
        p for p in people if p.certified_until is None or p.certified_until >= plan.window_until
    ]
    against = Conflict.objects.filter(inspector__in=able).select_related("inspector")
    lists = rounds.make_lists(
        frame,
        excluded,
        [(person.number, skill) for person in able for skill in person.qualifications],
        [(c.inspector.number, c.trader_code) for c in against],
    )
    versions = rulebook.swept_versions(as_of, snapshot_id)
    about: dict[str, object] = {
        "plan": str(plan.pk),
        "number": plan.number,
        "title": plan.title,
        "agency": plan.agency,
        "county": plan.county_code,
        "field": plan.field_id,
        "window": [plan.window_from.isoformat(), plan.window_until.isoformat()],
        "as_of": as_of.isoformat(),
        "snapshot": snapshot_id,
        "risk_rule": versions[RISK],
        **({"exempt_rule": versions[field.exempt.rule]} if field.exempt else {}),
        "basis": field.basis,
    }
    return lists, about


def _left_alone(field: FieldOfSupervision, as_of: date, snapshot_id: str) -> set[str]:
    """Traders for whom the exempting rule of a field says yes. Raises NotSwept."""
    if field.exempt is None:
        return set()
    city = rulebook.city_outcomes(field.exempt.rule, as_of, snapshot_id)
    return set(city.filter(pc.equal(city["outcome"], "yes"))["trader_code"].to_pylist())


def _is_of(field: FieldOfSupervision, industry: str | None) -> bool:
    if not field.industries:
        return True
    return industry is not None and industry.startswith(field.industries)


def _make_visits(plan: Plan, drawn: list[rounds.Drawn], at: datetime) -> None:
    field = get_field(plan.field_id)
    places = _places([d.trader_code for d in drawn], json.loads(str(plan.commitment))["about"])
    Visit.objects.bulk_create(
        [
            Visit(
                trader_code=d.trader_code,
                place=places.get(d.trader_code) or plan.county_code,
                kind=VisitKind.DRAWN,
                agency=plan.agency,
                items={field.id: list(field.checks)},
                basis=field.basis,
                plan=plan,
                team=list(d.team),
                year=plan.year,
                code=fresh_code(),
                level="county",
                made_at=at,
            )
            for d in drawn
        ],
        batch_size=500,
    )


def _places(codes: list[str], about: dict[str, str]) -> dict[str, str]:
    found = dataplane.list_trader_facts(
        codes, date.fromisoformat(about["as_of"]), about["snapshot"], facts=["town_code"]
    )
    return {trader.trader_code: str(trader.values["town_code"].value or "") for trader in found}


def _expect(plan: Plan, state: PlanState) -> None:
    if plan.state != state:
        now = PLAN_LABELS[PlanState(plan.state)]
        raise NotNow(f"这份计划现在“{now}”，不在这一步。处理办法：打开计划看下一步是什么。")


def _ref(plan: Plan) -> str:
    return f"draw:{plan.pk}"
