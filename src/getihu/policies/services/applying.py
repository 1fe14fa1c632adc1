"""快享快办: apply for a policy by answering only what departments do not know."""

import json
import uuid
from datetime import date, datetime

from getihu.accounts.contracts import Actor
from getihu.cases import services as cases
from getihu.policies.selectors.applications import (
    APPLICATION,
    Application,
    NotApplicable,
    can_apply,
    get_application,
    read_application,
)
from getihu.policies.selectors.library import get_reading
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook


def open_application(
    rule_id: str, trader_code: str, *, by: Actor, on: date, at: datetime
) -> uuid.UUID:
    """Open a draft for one policy and one shop; returns the case's number. Raises: UnknownRule,
    NotApplicable, NotAllowed (not hers to apply for)."""
    reading = get_reading(rule_id, on)
    if not can_apply(reading):
        raise NotApplicable(f"“{reading.title}”不在这里申请。处理办法：看政策页上的“怎么办”。")
    trader = registry.get_trader(trader_code)
    place = trader.town_code or trader.county_code
    if place is None:
        raise NotApplicable(
            "登记里没有经营场所在哪里，不知道交给哪个机关。处理办法：先到窗口更正经营场所。"
        )
    made = cases.open_draft(APPLICATION, trader_code, place=place, by=by, at=at)
    cases.save_draft(made, {"policy": rule_id, "version": reading.version, "answers": "{}"}, by=by)
    return made


def answer(case_id: uuid.UUID, fact: str, text: str, *, by: Actor, on: date) -> Application:
    """Note one answer; empty text: she does not know. What a department delivered cannot be
    answered. Raises: CaseNotFound, NotApplicable, InvalidInput, UnknownAnswer, IllegalMove."""
    now = get_application(case_id, actor=by, on=on)
    rule = rulebook.get_rule(now.reading.id)
    if fact not in {each.name for each in rule.inputs if each.asked_of == "applicant"}:
        raise NotApplicable("这个问题不问您。处理办法：刷新页面，按页面上的问题回答。")
    return _keep(now, {**now.written, fact: " ".join(text.split())}, by)


def take_back(case_id: uuid.UUID, fact: str, *, by: Actor, on: date) -> Application:
    """Take one answer back, to answer it again. Raises as ``answer``."""
    now = get_application(case_id, actor=by, on=on)
    return _keep(now, {name: text for name, text in now.written.items() if name != fact}, by)


def hand_in(case_id: uuid.UUID, *, by: Actor, on: date, at: datetime) -> None:
    """Submit the application with what it comes to today. Raises: NotApplicable while a question is
    open; as ``cases.submit``."""
    now = get_application(case_id, actor=by, on=on)
    if now.question is not None:
        raise NotApplicable("还有问题没有回答。处理办法：回答，或者选“不知道”。")
    _keep(now, now.written, by)
    cases.submit(case_id, by=by, at=at)


def _keep(now: Application, written: dict[str, str], by: Actor) -> Application:
    made = read_application(now.case, now.reading, written)
    form = {
        "answers": json.dumps(written, ensure_ascii=False, sort_keys=True),
        "summary": "；".join(f"{label}：{said}" for _, label, said in made.answers),
        "outcome": f"{made.decision.outcome_label}。{made.decision.reason}",
        "version": made.decision.rule_version,
    }
    cases.save_draft(uuid.UUID(now.case.id), form, by=by)
    return made
