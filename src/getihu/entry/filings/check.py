"""What may not be written into the register, and why. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from getihu.entry.filings.kinds import FilingKind
from getihu.entry.filings.register import (
    EXTENSION_OPENS_DAYS,
    STATUS_LABELS,
    FiledFact,
    RegisterEntry,
    fold,
    in_order,
)

NOTICE_DAYS = 30  # 浙江省实施《消费者权益保护法》办法 第十条
DEREGISTRATION_DAYS = 30  # 实施细则 第四十四条


@dataclass(frozen=True)
class Objection:
    """Why a filing cannot be made: what is wrong, the article, the way out. ``by_person``: the law
    or the data leaves it open, so an officer decides."""

    what: str
    article: str
    way: str
    by_person: bool = False


def check(
    trader_code: str,
    filings: Iterable[FiledFact],
    kind: FilingKind,
    content: Mapping[str, Any],
    effective_on: date,
    today: date,
) -> list[Objection]:
    """Everything that stands against a filing; empty when it can be made."""
    every = list(filings)
    before: RegisterEntry = fold(trader_code, every, until=effective_on)
    status = before.status_on(effective_on)
    if kind.id == "annulment":
        return list(_annulment(every, content))
    if status not in kind.status:
        return [_status_objection(kind, status)]
    found = list(_dates(kind, before, effective_on, today))
    found += _KIND_CHECKS.get(kind.id, _nothing)(before, content, effective_on, today)
    later = [f for f in in_order(every) if f.effective_on > effective_on]
    found += _stranded(kind, later)
    return found


def is_late(
    kind: FilingKind, effective_on: date, today: date, said: Mapping[str, Any] | None = None
) -> bool:
    """Whether a filing comes after its term; it is taken all the same, and noted."""
    content = said or {}
    if kind.id == "annual_report" and "year" in content:
        return today > date(int(content["year"]) + 1, 6, 30)  # 细则 第六十三条第一款
    if "decided_on" in content:  # 细则 第四十四条: thirty days after it was decided
        decided = date.fromisoformat(content["decided_on"])
        return today > decided + timedelta(days=DEREGISTRATION_DAYS)
    return kind.within_days is not None and today > effective_on + timedelta(days=kind.within_days)


def _status_objection(kind: FilingKind, status: str) -> Objection:
    ways = {
        "none": "先办设立登记。",
        "active": "现在存续在营，不用办这一项。",
        "suspended": "正在歇业，先恢复经营再办。",
    }
    return Objection(
        f"登记状态是{STATUS_LABELS[status]}，不能办{kind.label}",
        kind.law,
        ways.get(status, "已经终止的不能再变更；要再经营的，重新办设立登记。"),
    )


def _dates(
    kind: FilingKind, entry: RegisterEntry, effective_on: date, today: date
) -> Iterable[Objection]:
    ahead = {"suspension": 90, "relocation": 90}.get(kind.id, 0)  # 本项目设定，非官方
    if effective_on > today + timedelta(days=ahead):
        way = f"最多提前 {ahead} 天办。" if ahead else "到了那一天再办。"
        yield Objection("生效的日子还没有到", kind.law, way)
    if kind.id == "opening" and effective_on < today - timedelta(days=1):
        yield Objection("设立登记不能倒填日子", kind.law, "写登记当天。")
    if entry.established_on and effective_on < entry.established_on:
        yield Objection("日子早于成立日期", kind.law, "核对日期。")


def _change(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    same = [name for name, value in said.items() if getattr(entry, name, None) == value]
    if said and len(same) == len(said):
        yield Objection("写的和登记的一样，没有变更", "登记条例 第二十四条", "写变更以后的内容。")


def _operator_change(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    if entry.operator is not None and entry.operator == said["operator"]:
        yield Objection("新的经营者就是现在的经营者", "条例 第十三条", "写接手的人。")


def _relocation(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    if entry.county_code == said["county_code"]:
        way = "在同一个县（市、区）里搬，办变更登记。"
        yield Objection("新的地方在同一个登记机关辖区", "登记条例 第二十七条", way)


def _suspension(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    if said["staff_agreed"] is not True:
        yield Objection(
            "还没有和职工协商", "登记条例 第三十条第二款", "歇业前先和职工协商劳动关系的处理。"
        )
    if on < today:
        yield Objection("歇业要在歇业前备案", "登记条例 第三十条第三款", "从今天或者以后写起。")
    yield from _length(entry, on, date.fromisoformat(said["until"]), on)


def _extension(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    now = entry.suspension_on(on)
    assert now is not None  # the state said so
    if now.until is None:
        yield _unknown_end()
        return
    until = date.fromisoformat(said["until"])
    if until <= now.until:
        yield Objection("延长以后的日子不比原来晚", "细则 第四十一条", f"写 {now.until} 以后。")
    opens = now.until - timedelta(days=EXTENSION_OPENS_DAYS)
    if today < opens:
        way = f"{opens} 起可以办，最晚 {now.until}。"
        yield Objection("还没有到延长的时候（届满前30日内）", "细则 第四十一条第三款", way)
    yield from _length(entry, now.from_on, until, on)


def _length(entry: RegisterEntry, from_on: date, until: date, on: date) -> Iterable[Objection]:
    if until < on:
        yield Objection("歇业结束早于开始", "登记条例 第三十条", "核对日期。")
        return
    latest = entry.latest_until(from_on)
    if latest is None:
        yield _unknown_end()
    elif until > latest:
        way = f"最晚到 {latest}。" if latest >= on else "已经满3年：恢复经营，或者办注销。"
        yield Objection("累计歇业超过3年", "登记条例 第三十条第四款；细则 第四十二条", way)


def _unknown_end() -> Objection:
    return Objection(
        "登记库没有给出以前歇业的期限",
        "登记条例 第三十条",
        "由登记机关查档案确认已经歇业多久。",
        by_person=True,
    )


def _annual_report(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    year = said["year"]
    if year >= today.year:
        way = f"{year + 1} 年1月1日起报。"
        yield Objection(f"{year} 年还没有过完", "细则 第六十三条", way)
    if entry.established_on and year < entry.established_on.year:
        yield Objection(f"{year} 年还没有成立", "细则 第六十三条", "核对年度。")
    if year in entry.years:
        yield Objection(
            f"{year} 年的年报已经报过", "细则 第六十三条", "写错的，拿材料到登记机关更正。"
        )


def _conversion(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    if entry.converted_on is not None:
        yield Objection("已经是企业，不能再转一次", "条例 第十三条", "看现在的登记。")
    if on < today:
        yield Objection("转企不能倒填日子", "登记条例 第二十四条", "写今天。")


def _annulment(every: list[FiledFact], said: Mapping[str, Any]) -> Iterable[Objection]:
    known = {f.sequence: f for f in every}
    wanted = known.get(said["of"])
    article = "登记条例 第四十条、第四十一条"
    if wanted is None or wanted.kind in ("baseline", "annulment"):
        yield Objection("没有这一次登记，或者它不能撤销", article, "核对是第几次登记。")
    elif any(f.kind == "annulment" and f.content["of"] == wanted.sequence for f in every):
        yield Objection("这一次登记已经撤销", article, "不用再办。")


def _nothing(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    return ()


def _deregistration(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    if said["tax_cleared"] is not True:
        yield Objection(
            "还没有清税证明", "细则 第四十六条第四项", "先到税务部门办清税；没有欠税的当场出。"
        )
    yield from _succession(entry, said)
    if date.fromisoformat(said.get("decided_on", today.isoformat())) > today:
        yield Objection("决定不再经营的日子还没有到", "细则 第四十四条", "核对日期。")
    yield from _notice(said, today)


def _simple(
    entry: RegisterEntry, said: Mapping[str, Any], on: date, today: date
) -> Iterable[Objection]:
    yield from _succession(entry, said)
    yield from _notice(said, today)


def _succession(entry: RegisterEntry, said: Mapping[str, Any]) -> Iterable[Objection]:
    """Who goes on under her own code does not end: that is the direct change."""
    if said.get("succeeded_by") == entry.trader_code:
        way = "沿用原代码的办直接变更，不用注销；注销后另外设立的，写新企业的代码。"
        yield Objection("延续的企业写的是自己的代码", "国市监注发〔2025〕58号", way)


def _notice(said: Mapping[str, Any], today: date) -> Iterable[Objection]:
    """Who sold prepaid cards gives notice thirty days before she ends."""
    if said.get("prepaid") != "noticed":
        return
    article = "浙江省实施《消费者权益保护法》办法 第十条第五款"
    noticed = said.get("noticed_on")
    if noticed is None:
        yield Objection("没有写哪一天公告的", article, "写公告终止经营的日期。")
        return
    earliest = date.fromisoformat(noticed) + timedelta(days=NOTICE_DAYS)
    if today < earliest:
        way = f"{earliest} 起可以办；消费者要求退余额的，5日内退。"
        yield Objection(f"预付卡的公告还不满{NOTICE_DAYS}日", article, way)


def _stranded(kind: FilingKind, later: list[FiledFact]) -> Iterable[Objection]:
    """A filing that counts from an earlier day must leave later ones standing."""
    clash = {"suspension", "suspension_extension", "resumption"}
    if kind.ends and later:
        yield Objection(
            f"{later[0].effective_on} 起还有一次登记，终止不能早于它", kind.law, "核对日期。"
        )
    elif kind.id in clash and any(f.kind in clash for f in later):
        yield Objection("和已经备案的另一段歇业重叠", kind.law, "核对日期，或者先恢复经营。")


_KIND_CHECKS = {
    "change": _change,
    "operator_change": _operator_change,
    "conversion": _conversion,
    "relocation": _relocation,
    "suspension": _suspension,
    "suspension_extension": _extension,
    "annual_report": _annual_report,
    "deregistration": _deregistration,
    "simple_deregistration": _simple,
}
