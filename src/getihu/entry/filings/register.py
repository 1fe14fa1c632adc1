"""The register of one trader, folded from its filings. Pure: dates come in, nothing is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from getihu.entry.filings.kinds import BASELINE, COMPANY_FORMS, FORMS, get_kind
from getihu.kernel.periods import add_months

NONE: Final = "none"
STATUS_LABELS: Final = {
    NONE: "没有登记",
    "active": "存续（在营）",
    "suspended": "歇业",
    "cancelled": "注销",
    "revoked": "吊销",
    "annulled": "撤销",
}
_ENDED: Final = ("cancelled", "revoked", "annulled")
LONGEST_MONTHS: Final = 36  # 市场主体登记管理条例 第三十条
EXTENSION_OPENS_DAYS: Final = 30  # 实施细则 第四十一条第三款
_SET: Final = ("name", "premises", "town_code", "county_code", "scope", "industry_code", "form")


@dataclass(frozen=True)
class FiledFact:
    """One filing: what was said, from which day it counts. ``sequence`` counts from 1 in order of
    filing."""

    sequence: int
    kind: str
    effective_on: date
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Suspension:
    """One 歇业. Both days count as suspended; ``until`` None: delivered without its end.
    ``resumed_on`` is the first day of trading again when that came before the end."""

    from_on: date
    until: date | None
    resumed_on: date | None = None
    service_address: str = ""
    replaces_premises: bool = False  # 登记条例 第三十条第五款

    @property
    def last_day(self) -> date | None:
        return self.resumed_on - timedelta(days=1) if self.resumed_on else self.until

    def covers(self, day: date) -> bool:
        last = self.last_day
        return self.from_on <= day and (last is None or day <= last)

    @property
    def days(self) -> int | None:
        return (self.last_day - self.from_on).days + 1 if self.last_day else None


@dataclass(frozen=True)
class RegisterEntry:
    """What the register says of a trader. None: not registered or not delivered.

    ``operator`` is the account of who runs it, never a name; None where only the department's
    register knows. ``years`` are those an annual report was filed for here. ``was_delivered``: it was on the
    department's register before anything was filed here. ``company_form`` and ``converted_on``: it
    became a company here (个转企 直接变更); code, founding date and history go on.
    ``succeeded_by``: it ended, and the company of this code goes on for it (个转企 注销＋设立).
    """

    trader_code: str
    status: str = NONE
    established_on: date | None = None
    ended_on: date | None = None
    name: str | None = None
    premises: str | None = None
    town_code: str | None = None
    county_code: str | None = None
    scope: str | None = None
    industry_code: str | None = None
    form: str | None = None
    operator: str | None = None
    suspensions: tuple[Suspension, ...] = ()
    years: tuple[int, ...] = ()
    premises_since: date | None = None
    filings: int = 0
    was_delivered: bool = False
    company_form: str | None = None
    converted_on: date | None = None
    succeeded_by: str | None = None

    def status_on(self, day: date) -> str:
        """The state on a day; a suspension that ran out has ended by itself (细则 第四十二条)."""
        if self.status == NONE or (self.established_on and day < self.established_on):
            return NONE
        if self.status in _ENDED and (self.ended_on is None or self.ended_on <= day):
            return self.status
        return "suspended" if self.suspension_on(day) else "active"

    def suspension_on(self, day: date) -> Suspension | None:
        return next((each for each in self.suspensions if each.covers(day)), None)

    def address_on(self, day: date) -> str | None:
        """Where papers reach it: the premises, or the service address that stands for them while
        it rests (登记条例 第三十条第五款). The registrar stays the same (细则 第四十三条)."""
        rest = self.suspension_on(day)
        return rest.service_address if rest and rest.replaces_premises else self.premises

    def owes_premises_on(self, day: date) -> bool:
        """Whether it trades again and still stands under the service address: the premises must be
        registered anew (细则 第四十二条第二款)."""
        over = [s for s in self.suspensions if s.last_day and s.last_day < day]
        last = max(over, key=lambda rest: rest.from_on, default=None)
        if last is None or not last.replaces_premises or self.suspension_on(day):
            return False
        return self.premises_since is None or self.premises_since <= (last.last_day or day)

    def latest_until(self, from_on: date) -> date | None:
        """The last day a suspension from a day may last: three years less what was used before
        (登记条例 第三十条；累计的算法为本项目设定，非官方). None: what was used is not known."""
        used = 0
        for each in self.suspensions:
            if each.from_on == from_on:
                continue
            if each.days is None:
                return None
            used += each.days
        return add_months(from_on, LONGEST_MONTHS) - timedelta(days=1 + used)

    def label_on(self, day: date) -> str:
        return STATUS_LABELS[self.status_on(day)]

    @property
    def form_label(self) -> str:
        return COMPANY_FORMS.get(self.company_form or "") or FORMS.get(self.form or "", "")


def in_order(filings: Iterable[FiledFact]) -> list[FiledFact]:
    """Filings that count, by the day they count from; what was annulled is left out."""
    every = list(filings)
    kinds = {each.sequence: each.kind for each in every}
    undone = [(f.sequence, int(f.content["of"])) for f in every if f.kind == "annulment"]
    # An opening annulled is not forgotten: the annulment itself ends the trader.
    gone = {of for _, of in undone if kinds[of] != "opening"}
    gone |= {number for number, of in undone if kinds[of] != "opening"}
    return sorted(
        (f for f in every if f.sequence not in gone), key=lambda f: (f.effective_on, f.sequence)
    )


def fold(
    trader_code: str, filings: Iterable[FiledFact], *, until: date | None = None
) -> RegisterEntry:
    """The entry that the filings make, up to those that count from ``until`` (None: all)."""
    every = list(filings)
    entry = RegisterEntry(trader_code)
    for filing in in_order(every):
        if until is None or filing.effective_on <= until:
            entry = _apply(entry, filing)
    return replace(entry, filings=len(every))


def _apply(entry: RegisterEntry, filing: FiledFact) -> RegisterEntry:
    said, on = filing.content, filing.effective_on
    found = replace(entry, **{name: said[name] for name in _SET if name in said})
    if "premises" in said:
        found = replace(found, premises_since=on)
    if "operator" in said:
        found = replace(found, operator=said["operator"])
    if filing.kind == BASELINE:
        return _baseline(found, said, on)
    if filing.kind == "opening":
        return replace(found, status="active", established_on=on)
    if filing.kind == "suspension":
        until = date.fromisoformat(said["until"])
        replaces = said.get("replaces_premises") is True
        rest = Suspension(on, until, None, said["service_address"], replaces)
        return replace(found, suspensions=(*found.suspensions, rest))
    if filing.kind == "suspension_extension":
        return _last(found, on, until=date.fromisoformat(said["until"]))
    if filing.kind == "resumption":
        return _last(found, on, resumed_on=on)
    if filing.kind == "conversion":
        return replace(found, company_form=said["company_form"], converted_on=on, form=None)
    if filing.kind == "annulment":
        return replace(found, status="annulled", ended_on=on)
    if filing.kind == "annual_report":
        return replace(found, years=tuple(sorted({*found.years, int(said["year"])})))
    if get_kind(filing.kind).ends:
        ended = replace(_last(found, on, resumed_on=on), status="cancelled", ended_on=on)
        return replace(ended, succeeded_by=said.get("succeeded_by"))
    return found


def _baseline(entry: RegisterEntry, said: Mapping[str, Any], on: date) -> RegisterEntry:
    status = said["status"]
    since = date.fromisoformat(said["status_on"])
    rests = (Suspension(since, None),) if status == "suspended" else ()
    ended = since if status in _ENDED else None
    status = "active" if status == "suspended" else status
    return replace(
        entry,
        status=status,
        established_on=on,
        ended_on=ended,
        suspensions=rests,
        was_delivered=True,
    )


def _last(entry: RegisterEntry, on: date, **changes: Any) -> RegisterEntry:
    """The suspension a day lies in, changed; nothing where it lies in none."""
    found = entry.suspension_on(on) or entry.suspension_on(on - timedelta(days=1))
    if found is None:
        return entry
    if changes.get("resumed_on") == found.from_on:
        return replace(entry, suspensions=tuple(s for s in entry.suspensions if s != found))
    changed = tuple(replace(s, **changes) if s == found else s for s in entry.suspensions)
    return replace(entry, suspensions=changed)
