"""Filings: made once, never changed; the register follows from them."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from getihu.access.services import over_the_wall
from getihu.accounts import services as accounts
from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import list_operators
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.dataplane import selectors as dataplane
from getihu.entry.filings.check import Objection, check, is_late
from getihu.entry.filings.kinds import BASELINE, FilingKind, get_kind, read_content
from getihu.entry.filings.register import NONE, FiledFact, RegisterEntry, fold
from getihu.entry.models import Filing, RegisterRow
from getihu.entry.ports import Filed, listeners
from getihu.entry.selectors.register import as_fact
from getihu.kernel.errors import GetihuError

CITY_TIME = ZoneInfo("Asia/Shanghai")


_MEANWHILE = Objection(
    "这一户刚刚有另一次登记", "市场主体登记管理条例 第八条", "刷新页面，看现在的登记，再办。"
)


class FilingRefused(GetihuError):
    """The register cannot take this; every objection with its article and the way out."""

    def __init__(self, objections: list[Objection]) -> None:
        self.objections = tuple(objections)
        super().__init__(
            "\n".join(f"{o.what}（{o.article}）。处理办法：{o.way}" for o in objections)
        )


@over_the_wall()
def file(
    trader_code: str,
    kind_id: str,
    content: Mapping[str, Any],
    *,
    effective_on: date,
    by: Actor,
    at: datetime,
    case: uuid.UUID | None = None,
    is_decided: bool = False,
) -> uuid.UUID:
    """Write one filing into the register and everything that follows, or nothing.

    ``content``: item of the register → answer; ``case``: the case that was granted, which files
    once; ``is_decided``: an officer has decided what law or data leave to a person. Raises: UnknownKind, InvalidInput (an answer), FilingRefused, UnknownTrader.
    """
    kind = get_kind(kind_id)
    said = read_content(kind, dict(content))
    try:
        with transaction.atomic():
            return _file(trader_code, kind, said, effective_on, by, at, case, is_decided)
    except IntegrityError as error:  # the number of the next filing was taken meanwhile
        raise FilingRefused([_MEANWHILE]) from error


def _file(
    trader_code: str,
    kind: FilingKind,
    said: dict[str, Any],
    effective_on: date,
    by: Actor,
    at: datetime,
    case: uuid.UUID | None,
    is_decided: bool,
) -> uuid.UUID:
    made_for = Filing.objects.filter(case=case).first() if case else None
    if made_for is not None:
        return made_for.pk
    row, before = _lock(trader_code, kind, at)
    objections = check(trader_code, before, kind, said, effective_on, day_of(at))
    if is_decided:
        objections = [each for each in objections if not each.by_person]
    if objections:
        raise FilingRefused(objections)
    filing = Filing.objects.create(
        trader_code=trader_code,
        sequence=row.through + 1,
        kind=kind.id,
        effective_on=effective_on,
        filed_at=at,
        content=said,
        case=case,
        by_id=by.account_id,
        is_late=is_late(kind, effective_on, day_of(at), said),
    )
    after = [*before, as_fact(filing)]
    _keep(row, fold(trader_code, after))
    _hand_over(trader_code, said, at)
    _tell(filing, before, after, by)
    return filing.pk


def annul(trader_code: str, sequence: int, *, reason: str, by: Actor, at: datetime) -> uuid.UUID:
    """Take one filing back (撤销登记): both stay on record, and the register is as if it had never
    been; an opening taken back ends the trader. Only a superior of the registrar. Raises:
    NotAllowed, FilingRefused."""
    if not any(g.role is Role.SUPERVISOR and g.agency == "amr" for g in by.grants):
        raise accounts.NotAllowed("撤销登记由登记机关负责人决定。")
    content = {"of": sequence, "reason": reason}
    return file(trader_code, "annulment", content, effective_on=day_of(at), by=by, at=at)


@over_the_wall()
@transaction.atomic
def rebuild_register() -> tuple[int, int]:
    """Throw the register away and make it again from its filings. Returns how many traders, and
    how many entries had been different (0 unless somebody wrote into the table by hand)."""
    kept = {row.trader_code: (row.through, row.entry) for row in RegisterRow.objects.all()}
    RegisterRow.objects.all().delete()
    filings: dict[str, list[FiledFact]] = {}
    for filing in Filing.objects.order_by("trader_code", "sequence").iterator():
        filings.setdefault(filing.trader_code, []).append(as_fact(filing))
    different = 0
    for code, each in filings.items():
        row = RegisterRow(trader_code=code, through=0)
        _keep(row, fold(code, each))
        different += kept.pop(code, None) != (row.through, row.entry)
    return len(filings), different + len(kept)


def day_of(at: datetime) -> date:
    return at.astimezone(CITY_TIME).date()


def filings_before(trader_code: str, at: datetime, kind: FilingKind) -> list[FiledFact]:
    """The filings of a trader so far; of one nobody filed for here, what the department's register
    says. Writes nothing. Raises UnknownTrader."""
    kept = [as_fact(f) for f in Filing.objects.filter(trader_code=trader_code).order_by("sequence")]
    if kept or "none" in kind.status:
        return kept
    return [_baseline(trader_code)]


def _lock(trader_code: str, kind: FilingKind, at: datetime) -> tuple[RegisterRow, list[FiledFact]]:
    """The trader's row, for this transaction alone, and her filings; the first time the baseline
    is written."""
    row = RegisterRow.objects.select_for_update().filter(trader_code=trader_code).first()
    before = filings_before(trader_code, at, kind)
    if row is not None:
        return row, before
    row = RegisterRow(trader_code=trader_code, through=0)
    for fact in before:  # the baseline alone: with any other filing there is a row
        Filing.objects.create(
            trader_code=trader_code,
            sequence=fact.sequence,
            kind=fact.kind,
            effective_on=fact.effective_on,
            filed_at=at,
            content=dict(fact.content),
        )
    _keep(row, fold(trader_code, before))
    return row, before


def _baseline(trader_code: str) -> FiledFact:
    snapshot = dataplane.get_published_snapshot()
    facts = dataplane.get_trader_facts(trader_code, snapshot.data_until).scalars()
    opened = facts["established_on"]
    if opened is None or facts["registration_status"] is None:
        raise FilingRefused(
            [
                Objection(
                    "登记库里这一户的登记信息还没有送到",
                    "市场主体登记管理条例 第八条",
                    "等登记库更新，或者由登记机关核对。",
                    by_person=True,
                )
            ]
        )
    accounts_ = list_operators([trader_code]).get(trader_code, [])
    content: dict[str, Any] = {
        "name": facts["trade_name"],
        "county_code": facts["county_code"],
        "town_code": facts["town_code"],
        "industry_code": facts["industry_code"],
        "status": facts["registration_status"],
        "status_on": str(facts["status_on"] or opened),
        "snapshot": snapshot.snapshot_id,
        "operator": str(accounts_[0]) if len(accounts_) == 1 else None,
    }
    said = {name: value for name, value in content.items() if value is not None}
    return FiledFact(1, BASELINE, opened, said)  # type: ignore[arg-type]


def _keep(row: RegisterRow, entry: RegisterEntry) -> None:
    row.through = entry.filings
    row.status = entry.status
    row.county_code, row.town_code = entry.county_code or "", entry.town_code or ""
    row.entry = {key: _plain(value) for key, value in asdict(entry).items() if key != "filings"}
    row.save()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _hand_over(trader_code: str, said: Mapping[str, Any], at: datetime) -> None:
    """Who runs the shop now may act for it, and nobody else may."""
    if "operator" not in said:
        return
    for account in list_operators([trader_code]).get(trader_code, []):
        if str(account) != said["operator"]:
            accounts.end_ownership(account, trader_code, at=at)
    accounts.record_ownership(uuid.UUID(said["operator"]), trader_code, evidence="登记", at=at)


def _tell(filing: Filing, before: list[FiledFact], after: list[FiledFact], by: Actor) -> None:
    on = filing.effective_on
    states = [fold(filing.trader_code, each, until=on).status_on(on) for each in (before, after)]
    audit.record(
        AuditEvent(
            f"filing.{filing.kind}",
            f"account:{by.account_id}",
            f"trader:{filing.trader_code}",
            filing.filed_at,
            {"sequence": filing.sequence, "effective_on": on.isoformat(), "after": states[1]},
        )
    )
    filed = Filed(
        filing.trader_code,
        filing.kind,
        filing.pk,
        on,
        states[0] if before else NONE,
        states[1],
        filing.filed_at,
    )
    for listener in listeners():
        listener.filed(filed)
