"""A conversion before it is begun: what happens to everything; and after: tasks and duties."""

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from getihu.access.services import over_the_wall
from getihu.accounts.contracts import Actor, Role
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactScalar, FactState, FactValue, TraderFacts
from getihu.growth import conversion
from getihu.growth.contracts.conversion import ConversionView, DutyView, TaskView, WhatHappens
from getihu.growth.conversion.forced import Forced, forced_by_law
from getihu.growth.conversion.happens import FATES, KINDS, Happens, of_everyone, of_records
from getihu.growth.models import AftercareDuty, Conversion, TransferTask
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import add_months
from getihu.reference import selectors as reference
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook

MATTER: Final = "growth.conversion"
DESK_ROLES: Final = (Role.WINDOW_OFFICER, Role.CASE_OFFICER, Role.SUPERVISOR)
STANDING: Final = {
    "served": "已经做了",
    "owed": "欠着",
    "to_come": "还没到日子",
    "denied": "您说没有做到",
}


@lru_cache
def aftercare() -> tuple[dict[str, Any], ...]:
    """What the city owes every converted company, as aftercare.yaml says it."""
    file = Path(conversion.__file__).parent / "aftercare.yaml"
    return tuple(yaml.safe_load(file.read_text("utf-8")))


def duties_after(converted_on: date) -> list[tuple[str, int, date, str, str]]:
    """Kind, number, due day, department, source of everything owed after a conversion."""
    return [
        (each["kind"], n, add_months(converted_on, each["every_months"] * n), each["department"],
         each["source"])
        for each in aftercare()
        for n in range(1, each["times"] + 1)
    ]  # fmt: skip


def rehearse(trader_code: str) -> tuple[WhatHappens, ...]:
    """What becomes of every right, permit, name, mark, honour, subsidy and record of hers, by what
    departments hold today; heaviest first. Raises: UnknownTrader, NothingPublished."""
    as_of = dataplane.get_published_snapshot().data_until
    trader = dataplane.get_trader_facts(trader_code, as_of)
    records = {name: dataplane.list_records(name, trader_code, as_of=as_of) for name in KINDS}
    lines = [
        *of_records(records, _record_label),
        *of_everyone(registry.get_trader(trader_code, as_of).name),
        *_credit(trader),
        *_subsidies(trader),
    ]
    order = list(FATES)
    return tuple(sorted((_shown(x) for x in lines), key=lambda x: order.index(x.fate)))


def forced_of(trader_code: str) -> Forced | None:
    """The law that wants a company in her trade; None: it leaves the form to her."""
    return forced_by_law(registry.get_trader(trader_code).industry_code)


def find_conversion(trader_code: str, *, on: date) -> ConversionView | None:
    """The conversion of a trader with every task and duty, read on a day; None: there was none."""
    row = Conversion.objects.filter(trader_code=trader_code).first()
    if row is None:
        return None
    return ConversionView(
        row.trader_code,
        row.company_name,
        row.company_form,
        row.converted_on,
        tuple(task_view(t) for t in row.tasks.select_related("conversion").order_by("id")),
        tuple(
            duty_view(d, on)
            for d in row.duties.select_related("conversion").order_by("due_on", "kind")
        ),
    )


@over_the_wall()
def list_open_tasks(actor: Actor) -> list[TaskView]:
    """The transfers an officer's department still has to end, in her region."""
    rows = TransferTask.objects.filter(
        state=TransferTask.State.OPEN, department__in=actor.agencies(*DESK_ROLES)
    ).select_related("conversion")
    return [task_view(row) for row in rows.order_by("id") if reaches(actor, row)]


@over_the_wall()
def list_due_duties(actor: Actor, *, by: date, on: date) -> list[DutyView]:
    """What an officer's department owes by a day, the longest owed first."""
    rows = AftercareDuty.objects.filter(
        served_at=None, due_on__lte=by, department__in=actor.agencies(*DESK_ROLES)
    ).select_related("conversion")
    return [duty_view(row, on) for row in rows.order_by("due_on", "id") if reaches(actor, row)]


def reaches(actor: Actor, row: TransferTask | AftercareDuty) -> bool:
    """Whether the company's place lies in an officer's region, in the row's department."""
    reach = [g for g in actor.grants if g.role in DESK_ROLES and g.agency == row.department]
    try:
        trader = registry.get_trader(row.conversion.trader_code)
    except GetihuError:
        return False
    place = trader.town_code or trader.county_code
    return any(g.scope.covers(place) for g in reach)


def task_view(row: TransferTask) -> TaskView:
    return TaskView(
        row.pk,
        row.conversion.trader_code,
        row.about,
        row.ref,
        reference.department_name(row.department),
        row.source,
        row.state,
        row.get_state_display(),
        row.result,
        row.ended_at,
    )


def duty_view(row: AftercareDuty, on: date) -> DutyView:
    titles = {each["kind"]: str(each["title"]) for each in aftercare()}
    standing = "to_come" if row.due_on >= on else "owed"
    if row.served_at is not None:
        standing = "denied" if row.denied_at else "served"
    return DutyView(
        row.pk,
        row.conversion.trader_code,
        titles[row.kind].format(n=row.number),
        row.due_on,
        reference.department_name(row.department),
        row.source,
        standing,
        STANDING[standing],
        row.served_at,
        row.note,
        row.confirmed_at is not None,
    )


def _credit(trader: TraderFacts) -> list[Happens]:
    marked = trader.scalars().get("is_marked_abnormal")
    if marked is False:
        return []
    text = "跟着信用代码，先申请恢复更好办" if marked else "市监的数据没有送到，还不知道有没有"
    fate = "stays" if marked else "unknown"
    source = "个体工商户年度报告暂行办法 第十八条"
    return [Happens("credit", "信用记录", "经营异常标记", "", fate, text, source, "amr")]


def _subsidies(trader: TraderFacts) -> list[Happens]:
    """Every policy whose answer is another one the day after, decided by the rules themselves."""
    after = as_company(trader)
    found = []
    for rule in rulebook.get_rulebook().governing(trader.as_of):
        if not rule.id.startswith("policies.") or rule.is_about_event:
            continue
        now, then = rulebook.outcome_of(rule, trader), rulebook.outcome_of(rule, after)
        if now == then or (now == "not_applicable" and then == "no"):
            continue
        words = f"现在：{_OUTCOMES[now]}；转企以后：{_OUTCOMES[then]}"
        fate = "unknown" if "unknown" in (now, then) else "changes"
        found.append(
            Happens(
                "subsidy", "扶持政策", rule.title, rule.id, fate, words, rule.source.document, ""
            )
        )
    return found


_OUTCOMES: Final = {
    "yes": "符合",
    "no": "不符合",
    "unknown": "还不能判定",
    "not_applicable": "不适用",
}


def as_company(trader: TraderFacts) -> TraderFacts:
    """The facts as they would be on the day after: a company, converted that day; the rest as it
    is."""
    changed: dict[str, FactScalar | None] = {
        "subject_kind": "enterprise",
        "converted_on": trader.as_of,
        "composition": None,
    }
    values = dict(trader.values)
    for name, value in changed.items():
        values[name] = FactValue(name, value, FactState.RECORDED, trader.as_of, trader.as_of, None)
    return TraderFacts(trader.trader_code, trader.as_of, trader.snapshot_id, values)


def _record_label(dataset: str, record: Any) -> str:
    contract = dataplane.dataset_contracts()[dataset]
    for column in ("kind", "field"):
        if column in record:
            values = contract.column(column).values
            return values.get(str(record[column]), str(record[column]))
    return contract.title


def _shown(each: Happens) -> WhatHappens:
    who = reference.department_name(each.department) if each.department else ""
    return WhatHappens(
        each.kind,
        each.kind_label,
        each.about,
        each.ref,
        each.fate,
        FATES[each.fate],
        each.text,
        each.source,
        each.department,
        who,
    )
