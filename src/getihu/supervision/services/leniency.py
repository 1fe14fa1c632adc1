"""A breach from what was found to what became of it: noted, looked at again, decided after seeing
what the rule says and how comparable cases ended."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from getihu.accounts.contracts import Actor
from getihu.kernel.errors import InvalidInput, Problem
from getihu.rulebook import selectors as rulebook
from getihu.supervision.catalogue.items import Item, get_item
from getihu.supervision.contracts import NotNow, Outcome
from getihu.supervision.models import Breach
from getihu.supervision.selectors import breaches as reads
from getihu.supervision.selectors.memory import memory_of
from getihu.supervision.selectors.visits import visible_visits
from getihu.supervision.services.rights import check_officer, day_of
from getihu.supervision.services.telling import tell

Written = Mapping[str, str]


def note_breach(
    trader_code: str,
    item_id: str,
    *,
    place: str,
    found_on: date,
    what: str,
    facts: Written,
    correct_until: date | None = None,
    corrected_on: date | None = None,
    checked_where: str = "",
    visit_id: uuid.UUID | str | None = None,
    by: Actor,
    at: datetime,
) -> str:
    """Write down what was found, of one item of the list; returns its id. ``facts``: answers as
    written; one left out is unknown.

    Raises: UnknownItem, NotAllowed, NotNow, InvalidInput (an answer that is none), UnknownAnswer,
    UnknownRule (no rule in force on the day).
    """
    item = get_item(item_id)
    check_officer(by, item.agency, place, "记录违法")
    day = day_of(at)
    if not what.strip():
        raise NotNow("要写明发现了什么：时间、地点、事实。")
    if found_on > day:
        raise NotNow("发现的日期还没有到。")
    if corrected_on is not None and not found_on <= corrected_on <= day:
        raise NotNow("改正的日期要在发现以后、今天以前。")
    if correct_until is not None and correct_until < found_on:
        raise NotNow("改正的期限要在发现以后。")
    with transaction.atomic():
        breach = Breach(
            trader_code=trader_code,
            place=place,
            agency=item.agency,
            item=item.id,
            kind=item.same_kind,
            found_on=found_on,
            visit_id=_visit(visit_id, trader_code, by),
            what=what.strip(),
            correct_until=correct_until,
            corrected_on=corrected_on,
            noted_at=at,
            noted_by_id=by.account_id,
        )
        _put_facts(breach, item, facts, checked_where)
        breach.save()
        tell("breach.noted", f"breach:{breach.pk}", by, at, item=item.id)
    return str(breach.pk)


def answer_breach(
    breach_id: uuid.UUID | str,
    *,
    facts: Written,
    checked_where: str = "",
    by: Actor,
    at: datetime,
) -> None:
    """Fill in what has been found out since, before it is decided.

    Raises: UnknownBreach, NotAllowed, NotNow, InvalidInput, UnknownAnswer.
    """
    with transaction.atomic():
        breach, item = _open(breach_id, by, "补充事实")
        _put_facts(breach, item, facts, checked_where)
        breach.save()
        tell("breach.answered", f"breach:{breach.pk}", by, at)


def record_correction(
    breach_id: uuid.UUID | str, *, corrected_on: date | None, by: Actor, at: datetime
) -> None:
    """What the re-check saw: corrected on a day, or (None) not corrected when the term was over.

    Raises: UnknownBreach, NotAllowed, NotNow (too early to say not corrected; noted already).
    """
    with transaction.atomic():
        breach, _ = _open(breach_id, by, "记录复查")
        if breach.corrected_on is not None or breach.not_corrected:
            raise NotNow("改正情况已经记过。")
        if corrected_on is None and (
            breach.correct_until is None or day_of(at) <= breach.correct_until
        ):
            raise NotNow("责令改正的期限还没有过，不能记“没有改正”。")
        if corrected_on is not None and not breach.found_on <= corrected_on <= day_of(at):
            raise NotNow("改正的日期要在发现以后、今天以前。")
        breach.corrected_on, breach.not_corrected = corrected_on, corrected_on is None
        breach.save()
        tell("breach.rechecked", f"breach:{breach.pk}", by, at, corrected=str(corrected_on or ""))


def decide_breach(
    breach_id: uuid.UUID | str,
    *,
    outcome: Outcome,
    education: str = "",
    departure: str = "",
    seen: str,
    by: Actor,
    at: datetime,
) -> None:
    """What becomes of a breach. ``seen`` is the digest of the rule's answer and of the comparable
    cases the officer had before her: without them, or after they changed, nothing is decided.
    Departing from the rule needs a written ``departure``; not punishing needs its ``education``
    (行政处罚法第三十三条：应当进行教育).

    Raises: UnknownBreach, NotAllowed, NotNow.
    """
    with transaction.atomic():
        breach, item = _open(breach_id, by, "作出决定")
        answer, _ = reads.answer_of(breach)
        comparable = reads.comparable_to(breach.item, breach.band)
        if seen != reads.seen_digest(answer, comparable):
            raise NotNow("规则的答案或者同类案件刚刚变了。处理办法：打开这一件，看过再决定。")
        is_followed = reads.follows(item, answer.outcome, outcome)
        if is_followed is False and not departure.strip():
            said = f"规则的答案是“{answer.label}”"
            raise NotNow(f"{said}，这样决定和它不一致，要写明理由。理由会留在本机关的一致性页上。")
        if outcome is Outcome.EDUCATION and not education.strip():
            raise NotNow("不予处罚的，应当教育：写明怎样教育的。依据：行政处罚法第三十三条第三款。")
        breach.outcome, breach.answer, breach.follows = outcome, answer.outcome, is_followed
        breach.rule_version = answer.rule_version
        breach.reasons = [
            answer.reason,
            *(f"{c.label}：{_TRUTHS[c.truth]}" for c in answer.clauses),
        ]
        breach.departure = departure.strip() if is_followed is False else ""
        breach.education = education.strip()
        breach.compared = {"band": comparable.band, "cells": [list(c) for c in comparable.cells]}
        breach.decided_at, breach.decided_by_id = at, by.account_id
        breach.save()
        tell("breach.decided", f"breach:{breach.pk}", by, at, outcome=outcome.value)


_TRUTHS = {"yes": "是", "no": "否", "unknown": "还不能判定"}


def _open(breach_id: uuid.UUID | str, by: Actor, what: str) -> tuple[Breach, Item]:
    breach = reads.find_breach(breach_id, by, lock=True)
    check_officer(by, breach.agency, breach.place, what)
    if breach.outcome is not None:
        raise NotNow("这一件已经决定了。要改，走复议、诉讼或者自行纠正的程序。")
    return breach, get_item(breach.item)


def _put_facts(breach: Breach, item: Item, facts: Written, checked_where: str) -> None:
    told = {name: text.strip() for name, text in facts.items() if text.strip()}
    memory = memory_of(breach.trader_code, item, breach.found_on)
    own = [name for name in reads.remembers(item) if name in told]
    for name in own:
        if name in memory.facts:
            raise InvalidInput(
                [
                    Problem(
                        f"各部门的记录已经能回答：{memory.words}", field=name, fix="这一项不用填。"
                    )
                ]
            )
    if own and not checked_where.strip():
        raise NotNow("是不是首次由您自己查的，要写明查了哪里（案卷、哪个系统、问了哪个部门）。")
    if reads.CORRECTED in told:
        raise NotNow("改没改正由复查记录，不在这里填。")
    rulebook.read_answers(item.rule, told)
    breach.facts, breach.checked_where = told, checked_where.strip() if own else ""
    breach.band = reads.band_of(item, reads.facts_of(breach, memory))


def _visit(visit_id: uuid.UUID | str | None, trader_code: str, by: Actor) -> uuid.UUID | None:
    if not visit_id:
        return None
    found = visible_visits(by).filter(pk=uuid.UUID(str(visit_id)), trader_code=trader_code).first()
    if found is None:
        raise NotNow("没有这户的这次检查。处理办法：从检查结果里打开。")
    return uuid.UUID(str(found.pk))
