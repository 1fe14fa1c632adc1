"""Supervision in the demo city: one plan of a county from its commitment to published results, one
whose lists are frozen and wait for chance, a kitchen fined nothing and why, a record to repair.

By the same services as a real one. All invented.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from getihu.accounts.contracts import Actor
from getihu.config.demo_awards import read_cast
from getihu.kernel.errors import GetihuError
from getihu.supervision import selectors, services
from getihu.supervision.contracts import Chance, Finding, Outcome, VisitKind

COUNTY = "330302"  # 鹿城区: where the demo's office is
WHERE = "鹿城区市场监管局三楼会议室，当众掷骰子"
DICE = "3162545126341512635412364"
CAST = ("demo-chief", "demo-growth-chief", "demo-case", "demo-owner-1")
INSPECTORS = 8
FOUND = (
    *((Finding.NOTHING, ""),) * 4,
    (Finding.CORRECTED, "营业执照没有放在醒目位置，当场挂好"),
    (Finding.TO_CORRECT, "经营场所和登记的不一样"),
    (Finding.NOT_FOUND, ""),
)


@dataclass(frozen=True)
class Slip:
    """A first slip: what was found, of which item, and what the officer found out."""

    item: str
    field: str
    cause: str
    found: str
    facts: dict[str, str]
    education: str


KITCHEN = Slip(
    "farm_produce",
    "food",
    "投诉：冷柜里的菜没有进货凭证",
    "冷柜里有一箱蔬菜，抽检一项指标不合格；能说明进货来源，当场下架",
    {
        "ever_same_breach": "否",
        "had_intent": "否",
        "caused_nonconformity": "否",
        "states_source": "是",
        "caused_food_accident": "否",
    },
    "当场讲解进货查验要留什么凭证，留下一页图解",
)
HARDWARE = Slip(
    "licence_display",
    "general",
    "举报：看不到营业执照",
    "营业执照收在抽屉里，当场挂到收银台后面",
    {},
    "讲解营业执照要放在醒目的位置，也可以亮电子营业执照",
)


def open_supervision(settings: Any, *, at: datetime) -> int:
    """Make the demo's plans, visits, breach and repair once; returns how many were drawn. Without a
    cast, or in a city that is not decided, there are none."""
    cast = read_cast(at)
    if selectors.list_public_plans() or not all(name in cast for name in CAST):
        return 0
    chief, witness, officer, owner = (cast[name] for name in CAST)
    enrol(chief, at - timedelta(days=25))
    drawn = _quietly(lambda: one_whole_plan(chief, witness, officer, at)) or 0
    _quietly(lambda: one_waiting(chief, at))
    _quietly(lambda: fined_nothing(_kitchen(), KITCHEN, officer, at))
    _quietly(lambda: fined_nothing(_shop_of(owner, officer), HARDWARE, officer, at))
    _quietly(lambda: a_record_to_repair(officer, at))
    return int(drawn)


def enrol(chief: Actor, at: datetime) -> None:
    """Eight who check, all for the register, six for food."""
    for number in range(INSPECTORS):
        services.enrol_inspector(
            f"DEMO-{number + 1:03}",
            agency="amr",
            county_code=COUNTY,
            qualifications=["registration", "food"] if number < 6 else ["registration"],
            by=chief,
            at=at,
        )


def one_whole_plan(chief: Actor, witness: Actor, officer: Actor, at: datetime) -> int:
    """Committed, chance entered, drawn, published, and some of the visits told."""
    made_at = at - timedelta(days=20)
    opens = made_at + timedelta(days=1)
    plan = make(chief, "登记事项和公示信息年度抽查", "general", made_at, opens)
    services.commit_plan(plan, by=chief, at=made_at + timedelta(hours=1))
    dice_at = opens + timedelta(minutes=10)
    services.enter_chance(plan, DICE, witness=witness.account_id, by=chief, at=dice_at)
    drawn = services.draw_plan(plan, by=chief, at=opens + timedelta(minutes=20))
    services.publish_plan(plan, by=chief, at=opens + timedelta(hours=2))
    for number, (visit, (finding, found)) in enumerate(
        zip(selectors.list_visits(officer), FOUND, strict=False)
    ):
        done_at = opens + timedelta(days=3 + number)
        services.report_visit(
            visit.id,
            finding=finding,
            found=found,
            correct_until=_until(finding, done_at),
            by=officer,
            at=done_at,
        )
    return drawn


def one_waiting(chief: Actor, at: datetime) -> None:
    """Frozen yesterday; chance comes up the day after tomorrow."""
    made_at = at - timedelta(days=1)
    plan = make(chief, "食品经营年度抽查", "food", made_at, at + timedelta(days=2))
    services.commit_plan(plan, by=chief, at=made_at + timedelta(hours=1))


def make(chief: Actor, title: str, field: str, made_at: datetime, opens: datetime) -> str:
    first = opens.date()
    return services.make_plan(
        title=title,
        field_id=field,
        county_code=COUNTY,
        year=first.year,
        window=(first, first + timedelta(days=120)),
        chance=Chance.DICE,
        between=(opens, opens + timedelta(hours=9)),
        where=WHERE,
        by=chief,
        at=made_at,
    )


def fined_nothing(place_of: tuple[str, str], slip: Slip, officer: Actor, at: datetime) -> None:
    """A complaint brings a check; what is found is put right at once, is the first, and is not
    punished: the rule says why, and the owner reads it."""
    code, place = place_of
    came_at = at - timedelta(days=12)
    came_on = came_at.date()
    visit = services.plan_visit(
        code,
        place=place,
        kind=VisitKind.TARGETED,
        field_id=slip.field,
        cause=slip.cause,
        planned_on=came_on,
        trigger="complaint",
        by=officer,
        at=came_at,
    )
    done_at = came_at + timedelta(hours=1)
    services.report_visit(
        visit, finding=Finding.CORRECTED, found=slip.found, by=officer, at=done_at
    )
    breach = services.note_breach(
        code,
        slip.item,
        place=place,
        found_on=came_on,
        what=slip.found,
        facts=slip.facts,
        checked_where="开业以来的案卷，和各部门送来的处罚数据"
        if "ever_same_breach" in slip.facts
        else "",
        corrected_on=came_on,
        visit_id=visit,
        by=officer,
        at=done_at,
    )
    row = selectors.find_breach(breach, officer)
    answer, _ = selectors.answer_of(row)
    comparable = selectors.comparable_to(row.item, row.band)
    services.decide_breach(
        breach,
        outcome=Outcome.EDUCATION,
        education=slip.education,
        seen=selectors.seen_digest(answer, comparable),
        by=officer,
        at=came_at + timedelta(days=2),
    )


def a_record_to_repair(officer: Actor, at: datetime) -> None:
    """A fine of this county that nobody has repaired: the office notes when it was published and how
    grave it is, so that both clocks are known."""
    code, place, record = _unrepaired(at.date())
    services.note_record(
        code,
        record.key,
        place=place,
        facts={
            "is_ordinary_procedure": "是",
            "published_on": (record.document_on + timedelta(days=20)).isoformat(),
            "dishonesty_grade": "general",
            "obligations_met": "是",
            "same_breach_again": "否",
        },
        by=officer,
        at=at - timedelta(days=2),
    )


def _shop_of(owner: Actor, officer: Actor) -> tuple[str, str]:
    """Her shop and where it stands, when the officer's county has it."""
    from getihu.registry import selectors as registry

    for code in sorted(owner.own):
        trader = registry.get_trader(code)
        place = trader.town_code or trader.county_code or ""
        if any(grant.scope.covers(place) for grant in officer.grants):
            return code, place
    raise services.NotNow("演示店主的店不在这个县。")


def _kitchen() -> tuple[str, str]:
    """Some kitchen of the county, always the same."""
    found = _look_up("industry_division = '62' AND coalesce(penalties_24m, 0) = 0")
    if not found:
        raise services.NotNow("这个县没有餐饮店。")
    return found[0]


def _unrepaired(on: date) -> tuple[str, str, Any]:
    rows = _look_up("unrepaired_fines_24m > 0")
    for code, place in rows:
        for record in selectors.list_credit_records(code, on=on):
            if record.kind == "penalty" and record.is_open and record.clocks:
                return code, place, record
    raise services.NotNow("这个县没有等修复的处罚。")


def _look_up(what: str) -> list[tuple[str, str]]:
    """Code and place of some traders of the county on the register, by SQL of this file's own."""
    from getihu.dataplane import selectors as dataplane

    as_of = dataplane.get_published_snapshot().data_until
    rows = dataplane.engine().execute(
        "SELECT trader_code, coalesce(town_code, county_code) FROM read_parquet($path)"
        f" WHERE county_code = $county AND is_registered AND {what} ORDER BY trader_code LIMIT 20",
        {"path": str(dataplane.facts_path(as_of)), "county": COUNTY},
    )
    return [(str(code), str(place)) for code, place in rows.fetchall()]


def _until(finding: Finding, at: datetime) -> date | None:
    return (at + timedelta(days=15)).date() if finding is Finding.TO_CORRECT else None


def _quietly(do: Callable[[], Any]) -> Any:
    """A part of the demo that a small city may not have."""
    try:
        return do()
    except GetihuError:
        return None
