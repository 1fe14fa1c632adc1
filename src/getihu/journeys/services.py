"""Flows over several slices: the licence and who is one subject follow the register, permits
come into the wallet."""

import uuid
from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from getihu.access import services as access
from getihu.accounts import selectors as people
from getihu.accounts import services as accounts
from getihu.accounts.contracts import Actor
from getihu.cases import selectors as cases
from getihu.cases.ports import CaseFile
from getihu.dataplane import selectors as dataplane
from getihu.entry import selectors as entry
from getihu.entry.ports import Filed
from getihu.kernel.errors import GetihuError
from getihu.kernel.periods import add_months
from getihu.notifications import services as notifications
from getihu.notifications.contracts import Channel, NoticeRequest
from getihu.passport import selectors as passport
from getihu.passport import services as certificates
from getihu.passport.contracts import HeldCertificate
from getihu.passport.services import Status
from getihu.policies import services as awards
from getihu.reference import selectors as reference
from getihu.registry import selectors as registry

CITY_TIME = ZoneInfo("Asia/Shanghai")
ENDED = {"cancelled": "注销", "revoked": "吊销", "annulled": "撤销"}
STATUS_SQL = """
    select trader_code, registration_status, status_on from read_parquet($path)
    where trader_code between $first and $last
"""
COUNT_SQL = """
    select count(*) from read_parquet($path)
    where registration_status = 'active' and subject_kind = 'individual'
"""


class NotTrading(GetihuError):
    """The register does not say that the shop trades, so there is no licence to give."""


class LicenceFollowsRegister:
    """Issues, suspends and takes back the licence with the filing itself, in its transaction."""

    def filed(self, filed: Filed) -> None:
        if filed.kind == "operator_change":
            certificates.change_hands(filed.trader_code, at=filed.at)
        follow_register(filed.trader_code, at=filed.at, filing=filed.filing_id)


class AwardsFollowSuccession:
    """A company that goes on for a trader who ended is the same subject for every award, noted
    with the filing that says so, in its transaction."""

    def filed(self, filed: Filed) -> None:
        found = entry.get_entry(filed.trader_code)
        if found is not None and found.succeeded_by and filed.after == "cancelled":
            awards.follow_succession(
                found.succeeded_by,
                filed.trader_code,
                evidence=f"{filed.effective_on} 的注销登记写明由该企业延续，登记机关准予",
                at=filed.at,
            )


class PermitIntoWallet:
    """Brings what a granted case gives into the trader's wallet, in the transaction of the grant,
    where the matter says which certificate that is."""

    def before_submission(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        """Nothing stands against it."""

    def granted(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        result = cases.matter_of(case).result
        if result.certificate is None:
            return
        today = _day(at)
        years = result.valid_years
        until = add_months(today, 12 * years) if years else None
        certificates.issue_certificate(
            case.trader_code,
            result.certificate,
            {"name": _shop_name(case.trader_code)},
            at=at,
            number=case.number,
            valid_until=until,
        )


@transaction.atomic
def follow_register(trader_code: str, *, at: datetime, filing: uuid.UUID | None = None) -> str:
    """Bring the licence to what the register says on the day of ``at``; returns the register's
    state. Again is no change. A shop that never took its licence is given one when it is
    opened here, and else only when it asks (``fetch_wallet``)."""
    found = entry.get_entry(trader_code)
    if found is None:
        return ""
    status = found.status_on(_day(at))
    held = [c for c in passport.list_certificates(trader_code, at=at) if c.kind == passport.LICENCE]
    if status in ("cancelled", "revoked", "annulled"):
        certificates.revoke_all(trader_code, found.label_on(_day(at)), at=at)
    elif status == "suspended":
        certificates.set_status(trader_code, passport.LICENCE, Status.SUSPENDED, "歇业备案", at=at)
    elif status == "active":
        certificates.set_status(trader_code, passport.LICENCE, Status.VALID, "恢复经营", at=at)
        opened_here = not found.was_delivered
        if held or opened_here:
            _issue_licence(trader_code, at, filing)
    return status


@transaction.atomic
def reset_second_factor(account_id: uuid.UUID, *, reason: str, by: Actor, at: datetime) -> None:
    """Take a lost second factor from an officer and tell her, everywhere she can be told; she sets
    a new one up when she signs in next. Raises as ``accounts.services.reset_second_factor``."""
    accounts.reset_second_factor(account_id, reason=reason, by=by, at=at)
    notifications.queue(
        NoticeRequest(
            obligation=f"account:{account_id}",
            stage=f"second-factor {at.astimezone(CITY_TIME):%Y-%m-%d %H:%M:%S}",
            recipient=account_id,
            template_id="account.second_factor_reset",
            values={"on": f"{_day(at):%Y年%-m月%-d日}", "reason": reason.strip()[:200]},
            channels=(Channel.IN_APP, Channel.SMS, Channel.EMAIL),
        ),
        at=at,
    )


@transaction.atomic
def watch_reading(at: datetime) -> int:
    """Raise the alarms on bulk looking that are due and tell the security administrators of the
    region; returns how many are new. Safe to run again and in several processes."""
    raised = access.raise_alarms(at)
    for alarm, account in raised:
        for administrator in people.list_security_administrators(account, at):
            notifications.queue(
                NoticeRequest(
                    obligation=f"alarm:{alarm}",
                    stage="raised",
                    recipient=administrator,
                    template_id="account.bulk_looking",
                    values={
                        "people": str(settings.BULK_READING["people"]),
                        "hours": str(settings.BULK_READING["hours"]),
                    },
                    channels=(Channel.IN_APP, Channel.SMS, Channel.EMAIL),
                    guard="alarm_is_open",
                    guard_argument=str(alarm),
                ),
                at=at,
            )
    return len(raised)


@transaction.atomic
def fetch_wallet(trader_code: str, *, at: datetime) -> int:
    """Take the licence and what departments delivered of permits into the wallet; returns how
    many are in force. Raises NotTrading, UnknownTrader."""
    filed = entry.get_entry(trader_code)
    if filed is not None:
        follow_register(trader_code, at=at)
        status = filed.status_on(_day(at))
    else:
        status = registry.get_trader(trader_code).status
    if status not in ("active", "suspended"):
        raise NotTrading("登记状态不是在营，没有可以领取的执照。处理办法：到窗口核对登记。")
    if status == "active":
        _issue_licence(trader_code, at)
    _fetch_permits(trader_code, at)
    return sum(c.is_valid for c in passport.list_certificates(trader_code, at=at))


def count_trading() -> int | None:
    """How many sole traders trade by the last published data; None before there is any."""
    try:
        as_of = dataplane.get_published_snapshot().data_until
        path = str(dataplane.facts_path(as_of))
    except GetihuError:
        return None
    row = dataplane.engine().execute(COUNT_SQL, {"path": path}).fetchone()
    return int(row[0]) if row else None


def sweep_licences(at: datetime) -> int:
    """Bring every licence of a shop with a 歇业 to its state of today: what ran out overnight
    ended by itself; and every wallet to what departments delivered (by level, safe to run again).
    Returns how many with a 歇业 were looked at."""
    codes = entry.list_suspended_ever()
    for code in codes:
        follow_register(code, at=at)
    follow_departments(at)
    certificates.wipe_expired(_day(at), at=at)
    return len(codes)


def _issue_licence(trader_code: str, at: datetime, filing: uuid.UUID | None = None) -> None:
    town = _town_code(trader_code)
    data = _licence_data(trader_code)
    certificates.issue_certificate(
        trader_code, passport.LICENCE, data, at=at, filing=filing, town_code=town
    )


def _town_code(trader_code: str) -> str | None:
    """Where the shop is; None where that was not delivered."""
    try:
        return registry.get_trader(trader_code).town_code
    except GetihuError:
        return None


def _shop_name(trader_code: str) -> str:
    """The name on the signboard; empty where neither the filings nor the department say one."""
    filed = entry.get_entry(trader_code)
    if filed and filed.name:
        return filed.name
    try:
        return registry.get_trader(trader_code).name
    except GetihuError:
        return ""


def _licence_data(trader_code: str) -> dict[str, Any]:
    """What the licence says: the register of filings first, the department's where it is silent.
    Never who runs the shop."""
    filed = entry.get_entry(trader_code)
    try:
        known = registry.get_trader(trader_code)
    except GetihuError:
        known = None
    code = (filed and filed.industry_code) or (known and known.industry_code) or ""
    industry = reference.get_industry(code)
    place = [known.county_name, known.town_name or ""] if known else []
    opened = (filed and filed.established_on) or (known and known.established_on)
    return {
        "name": (filed and filed.name) or (known and known.name) or "",
        "premises": (filed and filed.premises) or "".join(place),
        "scope": (filed and filed.scope) or (industry.name if industry else ""),
        "industry": industry.name if industry else "",
        "form": filed.form_label if filed else "",
        "established_on": opened.isoformat() if opened else "",
    }


def _fetch_permits(trader_code: str, at: datetime) -> None:
    until = _data_until()
    if until is None:
        return
    held = passport.list_certificates(trader_code, at=at)
    numbers = {(each.kind, each.number) for each in held if each.is_valid}
    for dataset, kinds in _delivered_kinds().items():
        records = dataplane.list_newest(dataset, trader_code, trader_code, as_of=until)
        _take_records(records, dataset, kinds, numbers, at)


def _delivered_kinds() -> dict[str, dict[str, str]]:
    """Dataset → its kind of record → the kind of certificate that is read from it."""
    found: dict[str, dict[str, str]] = {}
    for kind in passport.certificate_kinds().values():
        dataset, _, of = kind.source.partition("/")
        if of:
            found.setdefault(dataset, {})[of] = kind.id
    return found


def _take_records(
    records: list[dict[str, Any]],
    dataset: str,
    kinds: dict[str, str],
    held: Collection[tuple[str, str]],
    at: datetime,
) -> None:
    """Bring certificates to what a department's records of one trader say: one taken back, ended
    or run out is taken back here; one that holds is issued where it is not held."""
    key = dataplane.dataset_contracts()[dataset].key[0]
    for record in records:
        kind, number = kinds.get(str(record["kind"])), str(record[key])
        if kind is None:
            continue
        if why := _why_over(record, _day(at)):
            certificates.set_status(
                record["trader_code"], kind, Status.REVOKED, why, at=at, number=number
            )
        elif (kind, number) not in held:
            certificates.issue_certificate(
                record["trader_code"],
                kind,
                {"name": _shop_name(record["trader_code"])},
                at=at,
                number=number,
                valid_until=record.get("expires_on"),
            )


def _why_over(record: dict[str, Any], today: date) -> str:
    """Why a department's record gives no certificate any more; empty while it does."""
    if record["is_withdrawn"]:
        return "部门撤回了这条记录"
    if record.get("ended_on") or record.get("withdrawn_on"):
        return "部门送来已终止"
    until = record.get("expires_on")
    return "有效期已满" if until and until < today else ""


def follow_departments(at: datetime, *, chunk: int = 1000) -> int:
    """Bring every wallet to what departments delivered: a licence of a shop the register ended, a
    permit its office took back. Once for each snapshot and day; returns how many wallets were
    looked at. Cost: for each thousand wallets one read of the facts and of each dataset."""
    try:
        snapshot = dataplane.get_published_snapshot()
        path = str(dataplane.facts_path(snapshot.data_until))
    except GetihuError:  # nothing published, or its facts are not built yet: the next pass
        return 0
    if passport.was_followed(snapshot.snapshot_id, _day(at)):
        return 0
    after, looked = "", 0
    while wallets := passport.list_held(after, chunk):
        _follow_chunk(wallets, path, snapshot.data_until, at)
        after, looked = max(wallets), looked + len(wallets)
    certificates.note_followed(snapshot.snapshot_id, _day(at), at=at)
    return looked


@transaction.atomic
def _follow_chunk(
    wallets: dict[str, list[HeldCertificate]], path: str, until: date, at: datetime
) -> None:
    codes = {"path": path, "first": min(wallets), "last": max(wallets)}
    told = dataplane.engine().execute(STATUS_SQL, codes).fetchall()
    statuses = {code: status for code, status, _ in told}
    for code, status, on in told:
        if code in wallets:
            _follow_delivered(code, status, on, at)
    trading = {c: held for c, held in wallets.items() if statuses.get(c) not in ENDED}
    for dataset, kinds in _delivered_kinds().items():
        records: dict[str, list[dict[str, Any]]] = {}
        for record in dataplane.list_newest(dataset, min(wallets), max(wallets), as_of=until):
            records.setdefault(record["trader_code"], []).append(record)
        for code in trading.keys() & records.keys():
            valid = {(each.kind, each.number) for each in trading[code] if each.is_valid}
            _take_records(records[code], dataset, kinds, valid, at)


def _follow_delivered(trader_code: str, status: str, on: date | None, at: datetime) -> None:
    """What the department's register says of a shop, where nothing newer was filed here."""
    filings = entry.list_filings(trader_code)
    if filings and (on is None or filings[0].filed_at.astimezone(CITY_TIME).date() > on):
        return
    if status in ENDED:
        certificates.revoke_all(trader_code, f"登记库：已{ENDED[status]}", at=at)
    elif not filings and status == "suspended":
        why = "登记库：歇业"
        certificates.set_status(trader_code, passport.LICENCE, Status.SUSPENDED, why, at=at)
    elif not filings and status == "active":
        why = "登记库：恢复经营"
        certificates.set_status(trader_code, passport.LICENCE, Status.VALID, why, at=at)


def _data_until() -> date | None:
    try:
        return dataplane.get_published_snapshot().data_until
    except GetihuError:
        return None


def _day(at: datetime) -> date:
    return at.astimezone(CITY_TIME).date()
