"""Who a trader is, read from the published facts. Identity comes from the register's delivery;
where the shop stands comes from its premises, never from its credit code."""

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from getihu.access.services import over_the_wall
from getihu.dataplane import selectors as dataplane
from getihu.reference import selectors as reference
from getihu.registry.contracts import (
    PURPOSE_LABELS,
    ChangeRecord,
    ConsentView,
    Purpose,
    TraderIdentity,
)
from getihu.registry.models import Consent

CHANGES: Final = "registration_changes"
IDENTITY_FACTS: Final = (
    "trade_name",
    "subject_kind",
    "registration_status",
    "established_on",
    "industry_code",
    "county_code",
    "town_code",
)
IDENTITY_COLUMNS: Final = ("trader_code", *IDENTITY_FACTS)
IDENTITY_SQL: Final = f"""
    select {", ".join(IDENTITY_COLUMNS)} from read_parquet($path) where trader_code = $code
"""
# Shops still trading first, then the shortest name: what was typed is most of it.
SEARCH_SQL: Final = f"""
    select {", ".join(IDENTITY_COLUMNS)}
    from read_parquet($path)
    where (trader_code like $prefix or contains(lower(trade_name), $text))
      and ($within::text[] is null or list_bool_or(list_transform(
        $within::text[], lambda p: starts_with(coalesce(town_code, county_code, ''), p))))
    order by trader_code = $code desc, lower(trade_name) = $text desc,
             coalesce(registration_status, '') = 'active' desc, length(trade_name), trader_code
    limit $limit
"""


def search_traders(
    text: str, *, limit: int = 20, within: Sequence[str] | None = None
) -> list[TraderIdentity]:
    """Traders whose credit code begins with ``text`` or whose name contains it, as of the last
    day of the data. Letters match in either case and width. ``within``: beginnings of division
    codes, such as an officer's scope; a trader whose place is unknown lies in none. None: anywhere.

    Raises: NothingPublished, FactsNotBuilt.
    Cost: reads one text column of the facts table (1.1 million rows: below 0.1 s).
    """
    wanted = unicodedata.normalize("NFKC", text).strip()
    if not wanted:
        return []
    as_of = dataplane.get_published_snapshot().data_until
    found = dataplane.engine().execute(
        SEARCH_SQL,
        {
            "path": str(dataplane.facts_path(as_of)),
            "prefix": _like_prefix(wanted.upper()),
            "code": wanted.upper(),
            "text": wanted.lower(),
            "limit": limit,
            "within": None if within is None else list(within),
        },
    )
    rows = found.fetchall()
    return [_identity(dict(zip(IDENTITY_COLUMNS, row, strict=True)), as_of) for row in rows]


def get_trader(trader_code: str, as_of: date | None = None) -> TraderIdentity:
    """One trader's identity as of a date (default: the last day of the data).

    Raises: UnknownTrader, AsOfBeforeData, NothingPublished.
    Cost: seven columns of one row of the facts table; where that date is not built, all facts of
    one trader.
    """
    as_of = as_of or dataplane.get_published_snapshot().data_until
    try:
        path = dataplane.facts_path(as_of)
    except dataplane.FactsNotBuilt:
        facts = dataplane.get_trader_facts(trader_code, as_of).scalars()
        return _identity({"trader_code": trader_code, **facts}, as_of)
    found = dataplane.engine().execute(IDENTITY_SQL, {"path": str(path), "code": trader_code})
    row = found.fetchone()
    if row is None:
        raise dataplane.UnknownTrader(as_of)
    return _identity(dict(zip(IDENTITY_COLUMNS, row, strict=True)), as_of)


def list_names(trader_codes: Sequence[str]) -> dict[str, str]:
    """Trader code → trade name as of the last day of the data; who has none or is not on the
    register is left out. Raises: NothingPublished, FactsNotBuilt."""
    as_of = dataplane.get_published_snapshot().data_until
    found = dataplane.list_trader_facts(trader_codes, as_of, facts=["trade_name"])
    named = ((trader.trader_code, trader.values["trade_name"].value) for trader in found)
    return {code: str(name) for code, name in named if name}


def _like_prefix(text: str) -> str:
    # A pattern only for what can begin a credit code; other text must not match every code.
    return f"{text}%" if text.isascii() and text.isalnum() else "\x00"


def _identity(row: dict[str, Any], as_of: date) -> TraderIdentity:
    """An identity from facts. Where the register's delivery is late or held every fact of it is
    unknown; the page still opens, and says so."""
    statuses = dataplane.fact_catalogue()["registration_status"].values
    town_code = row["town_code"]
    town = reference.get_town(town_code) if town_code else None
    industry = reference.get_industry(row["industry_code"] or "")
    return TraderIdentity(
        trader_code=row["trader_code"],
        name=row["trade_name"] or "名称未知",
        subject_kind=row["subject_kind"],
        status=row["registration_status"] or "unknown",
        status_label=statuses.get(row["registration_status"], "登记状态未知"),
        established_on=row["established_on"],
        industry_code=row["industry_code"],
        industry_name=industry.name if industry else row["industry_code"] or "行业未知",
        county_code=row["county_code"],
        county_name=reference.division_name(row["county_code"] or "") or "县（市、区）未知",
        town_code=town_code,
        town_name=town.name if town else None,
        as_of=as_of,
    )


def list_changes(trader_code: str, as_of: date | None = None) -> list[ChangeRecord]:
    """The registered changes of a trader up to a date (default: the last day of the data),
    newest first. Raises: NothingPublished."""
    as_of = as_of or dataplane.get_published_snapshot().data_until
    kinds = dataplane.dataset_contracts()[CHANGES].column("kind").values
    return [
        ChangeRecord(record["kind"], kinds[record["kind"]], record["changed_on"])
        for record in dataplane.list_records(CHANGES, trader_code, as_of=as_of)
    ]


@over_the_wall()
def consents_given(trader_codes: Sequence[str], purpose: Purpose) -> dict[str, set[str]]:
    """Trader code → the articles under which its operator consents to one purpose, now."""
    rows = Consent.objects.filter(
        trader_code__in=trader_codes, purpose=purpose.value, ended_at=None
    )
    found: dict[str, set[str]] = {}
    for code, article in rows.values_list("trader_code", "article"):
        found.setdefault(code, set()).add(article)
    return found


@over_the_wall()
def consents_of_city(purpose: Purpose) -> dict[str, list[str]]:
    """Article → the codes of all who consent to one purpose, now. Cost: one read of the table."""
    rows = Consent.objects.filter(purpose=purpose.value, ended_at=None)
    found: dict[str, list[str]] = {}
    for article, code in rows.values_list("article", "trader_code").iterator(chunk_size=50_000):
        found.setdefault(article, []).append(code)
    return found


def consents_stamp(purpose: Purpose) -> str:
    """A word that changes whenever a consent to one purpose is given or ends. Rows are only added
    and ended, so the last of each tell. Cost: two looks into an index."""
    rows = Consent.objects.filter(purpose=purpose.value)
    last = rows.order_by("-pk").values_list("pk", "trader_code", "given_at").first()
    ended = rows.filter(ended_at__isnull=False)
    end = ended.order_by("-ended_at", "-pk").values_list("pk", "ended_at").first()
    return f"{purpose.value}:{last}:{end}:{ended.count()}"


def list_consents(trader_code: str) -> list[ConsentView]:
    """Every consent ever given for a trader, the latest first: its history."""
    rows = Consent.objects.filter(trader_code=trader_code).order_by("-given_at", "-id")
    return [
        ConsentView(
            Purpose(row.purpose),
            PURPOSE_LABELS[Purpose(row.purpose)],
            row.article,
            row.get_how_display(),
            row.given_at,
            row.expires_on,
            row.ended_at,
            row.get_ended_how_display() if row.ended_how else "",
        )
        for row in rows
    ]
