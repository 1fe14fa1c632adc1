"""The register as it stands, as it stood on any day, and as it was known at any moment."""

from datetime import date, datetime
from typing import Any

from getihu.dataplane import selectors as dataplane
from getihu.entry.contracts import FilingView
from getihu.entry.filings.effects import Effect, effects_of
from getihu.entry.filings.kinds import BASELINE, ITEMS, filing_kinds, get_kind
from getihu.entry.filings.register import FiledFact, RegisterEntry, fold, in_order
from getihu.entry.models import Filing
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference


def as_fact(filing: Filing) -> FiledFact:
    return FiledFact(filing.sequence, filing.kind, filing.effective_on, filing.content)


def get_entry(
    trader_code: str, *, until: date | None = None, known_at: datetime | None = None
) -> RegisterEntry | None:
    """A trader's entry, made of the filings that count by ``until`` and were made by ``known_at``
    (None: all). None where nothing was ever filed here: then the department's register speaks."""
    filings = Filing.objects.filter(trader_code=trader_code).order_by("sequence")
    if known_at is not None:
        filings = filings.filter(filed_at__lte=known_at)
    facts = [as_fact(each) for each in filings]
    return fold(trader_code, facts, until=until) if facts else None


def list_filings(trader_code: str) -> list[FilingView]:
    """Every filing of a trader, newest first."""
    rows = list(Filing.objects.filter(trader_code=trader_code).order_by("sequence"))
    counting = {f.sequence for f in in_order(as_fact(row) for row in rows)}
    undone = {int(row.content["of"]) for row in rows if row.kind == "annulment"}
    return [_view(row, row.sequence in counting - undone) for row in reversed(rows)]


def list_suspended_ever() -> list[str]:
    """The traders with a 歇业 on record here: those whose state may change with the day alone."""
    found = Filing.objects.filter(kind="suspension")
    rested = Filing.objects.filter(kind=BASELINE, content__status="suspended")
    codes = {
        *found.values_list("trader_code", flat=True),
        *rested.values_list("trader_code", flat=True),
    }
    return sorted(codes)


def rehearse(kind: str, trader_code: str) -> tuple[Effect, ...]:
    """What a filing of a kind would do to a shop, by what departments know of it; empty where
    nothing is rehearsed for that kind. Nothing known: everything is told as not certain."""
    return effects_of(kind, known_facts(trader_code))


def known_facts(trader_code: str) -> dict[str, Any]:
    """What departments know of a shop today; empty where nothing was delivered."""
    try:
        as_of = dataplane.get_published_snapshot().data_until
        return dict(dataplane.get_trader_facts(trader_code, as_of).scalars())
    except GetihuError:
        return {}


def _view(row: Filing, counts: bool) -> FilingView:
    is_kind = row.kind in filing_kinds()
    label = get_kind(row.kind).label if is_kind else "登记库原有的登记"
    said = tuple(
        (ITEMS[name][0], item_text(name, value))
        for name, value in row.content.items()
        if name in ITEMS and name != "operator"
    )
    law = get_kind(row.kind).law if row.kind != BASELINE else "部门登记库"
    return FilingView(
        row.sequence,
        row.kind,
        label,
        law,
        row.effective_on,
        row.filed_at,
        said,
        row.is_late,
        counts,
    )


def item_text(name: str, value: Any) -> str:
    """An item of a filing as people read it."""
    _, kind, values = ITEMS[name]
    if kind is bool:
        return "是" if value else "否"
    if kind is date:
        on = date.fromisoformat(str(value))
        return f"{on.year}年{on.month}月{on.day}日"
    if name in ("county_code", "town_code"):
        town = reference.get_town(str(value))
        return town.name if town else reference.division_name(str(value)) or str(value)
    if name == "industry_code":
        industry = reference.get_industry(str(value))
        return industry.name if industry else str(value)
    return values.get(str(value), str(value))
