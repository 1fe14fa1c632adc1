"""Cases whose grant writes into the register: looked at before they are handed in, filed with the
grant itself."""

import uuid
from datetime import date, datetime
from typing import Any

from getihu.accounts.contracts import Actor
from getihu.accounts.selectors import list_operators
from getihu.cases import services as cases
from getihu.cases.ports import CaseFile
from getihu.cases.selectors import Matter, matter_of
from getihu.entry.contracts import is_provisional
from getihu.entry.filings.check import Objection, check
from getihu.entry.filings.kinds import get_kind, read_content
from getihu.entry.filings.register import FiledFact, fold
from getihu.entry.filings.strands import stranded_permits
from getihu.entry.selectors.register import known_facts
from getihu.entry.services.allotting import allot_code
from getihu.entry.services.filing import FilingRefused, day_of, file, filings_before
from getihu.entry.services.receiving import know_visitor_as
from getihu.entry.services.taking_over import find_taker, use_up
from getihu.reference.selectors import division_name, resolve_address
from getihu.rulebook import selectors as rulebook

# A matter whose filing a rule of the law decides first.
DECIDED_BY = {"simple_deregistration": "entry.simple_deregistration"}


class RegisterKeeper:
    """Acts on every case of a matter that says ``filing``."""

    def before_submission(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        matter = matter_of(case)
        if matter.filing is None:
            return
        kind = get_kind(matter.filing.kind)
        content, effective_on = _content(matter, case, at)
        said = read_content(kind, content)
        objections = []
        if not is_provisional(case.trader_code):
            before = filings_before(case.trader_code, at, kind)
            objections = check(case.trader_code, before, kind, said, effective_on, day_of(at))
            objections += _objections_of_place(case.trader_code, before, kind.id, said)
            objections += stranded_permits(kind.id, said, known_facts(case.trader_code))
        else:
            objections += _objections_of_jurisdiction(said)
        objections += _objections_of_rule(kind.id, case, day_of(at))
        refused = [each for each in objections if not each.by_person]
        if refused:
            raise FilingRefused(refused)

    def granted(self, case: CaseFile, *, by: Actor, at: datetime) -> None:
        matter = matter_of(case)
        if matter.filing is None:
            return
        content, effective_on = _content(matter, case, at)
        if refused := _objections_of_rule(matter.filing.kind, case, day_of(at)):
            raise FilingRefused(refused)
        code = case.trader_code
        if is_provisional(code):
            code = allot_code(str(content["county_code"]), at=at)
            content["operator"] = str(_applicant(case))
            cases.know_trader_as(case.trader_code, code, at=at)
            know_visitor_as(case.trader_code, code)
        file(
            code,
            matter.filing.kind,
            content,
            effective_on=effective_on,
            by=by,
            at=at,
            case=case.case_id,
            is_decided=True,
        )
        if "take_over_code" in case.form:
            use_up(str(case.form["take_over_code"]), at=at)


def _applicant(case: CaseFile) -> uuid.UUID:
    """Who will run the shop: whose the application is, whoever filled it in."""
    held = list_operators([case.trader_code]).get(case.trader_code, [])
    return held[0] if held else case.opened_by


def _content(matter: Matter, case: CaseFile, at: datetime) -> tuple[dict[str, Any], date]:
    """What the case writes into the register, and from which day it counts."""
    filing = matter.filing
    assert filing is not None
    content: dict[str, Any] = {
        item: case.form.get(field) for item, field in filing.items.items()
    } | dict(filing.given)
    if "operator" in filing.items:
        content["operator"] = str(find_taker(str(content["operator"]), at=at))
    content = {name: value for name, value in content.items() if value not in (None, "")}
    if filing.kind == "opening":
        content |= {"county_code": case.division[:6]}
    day = case.form.get(filing.effective_on) if filing.effective_on else None
    return content, date.fromisoformat(str(day)) if day else day_of(at)


def _objections_of_jurisdiction(said: dict[str, Any]) -> list[Objection]:
    """A shop is registered where it stands; an address that says nothing stands against nothing."""
    written = resolve_address(str(said.get("premises", ""))).county_code
    asked = said.get("county_code")
    if written is None or asked is None or written == asked:
        return []
    where, here = division_name(written), division_name(str(asked))
    return [
        Objection(
            f"写的地方在{where}，这份申请交给的是{here}的登记机关",
            "市场主体登记管理条例实施细则 第三条",
            f"核对地址；店真在{where}的，写那里的地址另开一份，这份草稿还在，填过的可以照抄。",
        )
    ]


def _objections_of_place(
    trader_code: str, before: list[FiledFact], kind: str, said: dict[str, Any]
) -> list[Objection]:
    """A change into another registrar's area is a relocation; a relocation names a place there."""
    if kind not in ("change", "relocation") or "premises" not in said:
        return []
    now = fold(trader_code, before).county_code
    wanted = said.get("county_code", now)
    written = resolve_address(str(said["premises"])).county_code
    if written is None or wanted is None or written == wanted:
        return []
    where, asked = division_name(written), division_name(wanted)
    if kind == "change":
        what, way = f"新的地方在{where}，不在现在的登记机关辖区", "办“迁到另一个县（市、区）”。"
        return [Objection(what, "市场主体登记管理条例 第二十七条", way)]
    what = f"写的地方在{where}，选的是迁到{asked}"
    return [Objection(what, "市场主体登记管理条例 第二十七条", "核对地址和县（市、区）。")]


def _objections_of_rule(kind: str, case: CaseFile, on: date) -> list[Objection]:
    """What a rule of the law says no to. What it does not know is an officer's to find out."""
    rule_id = DECIDED_BY.get(kind)
    if rule_id is None:
        return []
    inputs = {each.name for each in rulebook.get_rule(rule_id, on).inputs}
    told: dict[str, Any] = {k: v for k, v in case.form.items() if k in inputs}
    decision = rulebook.explain_rule(case.trader_code, rule_id, answers=told)
    if decision.outcome != "no":
        return []
    return [Objection(decision.reason, decision.source.article, "可以走普通注销。")]
