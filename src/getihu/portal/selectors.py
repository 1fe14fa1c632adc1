"""Pages put together from what the packages below offer. Reads only; never asks the clock."""

import csv
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import (
    DeliverySummary,
    FactDeclaration,
    FactType,
    PersonalClass,
)
from getihu.kernel.errors import GetihuError
from getihu.portal.contracts import (
    TRUST_NOTES,
    Balance,
    DataPage,
    DecisionPage,
    FactGroup,
    FactLine,
    NextStep,
    PolicyLine,
    QuarantinePage,
    TraderPage,
)
from getihu.registry import selectors as registry
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import (
    SORTING_KINDS,
    Advice,
    ClauseResult,
    Decision,
    Explanation,
    FactUsed,
    Remedy,
    Settled,
    Settlement,
    Truth,
)

QUARANTINE_PAGE_ROWS: Final = 100
# Five years of seventeen datasets by month: all of them, so that the balance is of everything.
DELIVERIES_SHOWN: Final = 2_000

TYPE_LABELS: Final = {
    FactType.BOOLEAN: "是否",
    FactType.INTEGER: "整数",
    FactType.MONEY: "金额",
    FactType.DECIMAL: "小数",
    FactType.DATE: "日期",
    FactType.TEXT: "文字",
    FactType.ENUM: "选项",
    FactType.CODE: "代码",
}
PERSONAL_LABELS: Final = {
    PersonalClass.NONE: "否",
    PersonalClass.BUSINESS: "经营信息",
    PersonalClass.PERSONAL: "个人信息",
    PersonalClass.SENSITIVE: "敏感个人信息",
}
UNIT_LABELS: Final = {
    "yuan": "元",
    "m2": "平方米",
    "m": "米",
    "kw": "千瓦",
    "month": "个月",
    "day": "天",
    "year": "年",
    "person": "人",
    "count": "次",
}
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
LABELS_NAMED: Final = 3


class UnknownDelivery(GetihuError):
    """No delivery has this number."""


def get_trader_page(
    trader_code: str, *, as_of: date | None = None, hidden: Collection[str] = ()
) -> TraderPage:
    """Everything one trader's page shows, as of ``as_of`` (default: the last day of the data).

    Answers that would tell a fact of a ``hidden`` class are masked.

    Raises: UnknownTrader, AsOfBeforeData, FactsNotBuilt, NothingPublished.
    Cost: one look-up of one code in the sorted facts table per call below.
    """
    data_until = dataplane.get_published_snapshot().data_until
    as_of = as_of or data_until
    trader = registry.get_trader(trader_code, as_of)
    explanation = rulebook.explain_trader(trader_code, as_of=as_of)
    if hidden:
        explanation = rulebook.mask_explanation(explanation, hidden)
    advice = rulebook.advise_trader(trader_code, as_of=as_of, rule_ids=_advised(explanation))
    by_outcome: dict[str, list[PolicyLine]] = {
        name: [] for name in ("yes", "near", "unknown", "unread", "no", "left_out")
    }
    rules, elsewhere = rulebook.governing_rules(as_of), 0
    for decision in explanation.policies:
        rule = rules.get(decision.rule_id)
        county = trader.county_code
        if rule is not None and rule.benefit_kind in SORTING_KINDS:
            continue  # it belongs to her pools
        if rule is not None and county and not county.startswith(rule.region_prefix):
            elsewhere += 1
        elif not decision.applies:
            by_outcome["left_out"].append(PolicyLine(decision, decision.not_applicable))
        elif rule is not None and decision.outcome == Truth.UNKNOWN and rule.is_over(as_of):
            by_outcome["left_out"].append(PolicyLine(decision, _over(rule, decision)))
        else:
            line = _policy_line(decision, advice.get(decision.rule_id))
            by_outcome["near" if line.gap else _place(decision)].append(line)
    granted = sorted(_settled(by_outcome["yes"], explanation), key=_by_worth)
    counted = [line.worth_yuan for line in granted if line.worth_yuan and not line.is_limit]
    return TraderPage(
        trader=trader,
        changes=tuple(registry.list_changes(trader_code, as_of)),
        as_of=as_of,
        data_until=data_until,
        snapshot_id=explanation.snapshot_id,
        type_decision=explanation.type_decision,
        type_hint=_type_hint(advice.get(explanation.type_decision.rule_id)),
        granted=tuple(granted),
        total_yuan=sum(counted, Decimal(0)) if counted else None,
        near=tuple(sorted(by_outcome["near"], key=lambda line: _by_day(advice, line))),
        unknown=tuple(by_outcome["unknown"]),
        unread=tuple(by_outcome["unread"]),
        refused=tuple(by_outcome["no"]),
        left_out=tuple(by_outcome["left_out"]),
        elsewhere=elsewhere,
    )


def get_decision_page(
    trader_code: str, rule_id: str, *, as_of: date | None = None, hidden: Collection[str] = ()
) -> DecisionPage:
    """One decision with all its reasons, in the order a refusal must give them; masked where it
    would tell a fact of a ``hidden`` class."""
    data_until = dataplane.get_published_snapshot().data_until
    as_of = as_of or data_until
    decision = rulebook.explain_rule(trader_code, rule_id, as_of=as_of)
    advice = rulebook.advise(trader_code, rule_id, as_of=as_of)
    if hidden and rulebook.is_masked(rule_id, as_of, hidden):
        decision = rulebook.mask_decision(decision, hidden)
        advice = replace(advice, remedies=(), next_questions=(), cured_on=None)
    return DecisionPage(
        trader=registry.get_trader(trader_code, as_of),
        decision=decision,
        tone=_tone(decision),
        worth=_granted_line(decision) if decision.outcome == Truth.YES else None,
        deciding=tuple(c for c in decision.clauses if c.id in decision.deciding),
        others=tuple(c for c in decision.clauses if c.id not in decision.deciding),
        steps=_steps(decision, advice),
        steps_title=_steps_title(advice),
        cured_on=advice.cured_on,
        cured_note=_cured_note(advice),
        questions=advice.next_questions,
        contacts=_contacts(decision),
        trust_note=TRUST_NOTES.get(decision.source.trust, ""),
        data_until=data_until,
    )


def get_data_page(at: datetime) -> DataPage:
    """The state of all deliveries as seen at the moment ``at`` (late feeds depend on it)."""
    deliveries = tuple(dataplane.list_deliveries(DELIVERIES_SHOWN))
    feeds = tuple(dataplane.list_feeds(at))
    snapshots = tuple(dataplane.list_snapshots())
    return DataPage(
        snapshot=max(snapshots, key=lambda s: s.number, default=None),
        snapshots=snapshots,
        feeds=tuple(sorted(feeds, key=lambda f: not f.is_late)),
        late_feeds=sum(f.is_late for f in feeds),
        deliveries=tuple(sorted(deliveries, key=lambda d: not _waits(d))),
        problem_deliveries=sum(map(_waits, deliveries)),
        quarantine=tuple(dataplane.count_quarantine()),
        balance=_balance(d for d in deliveries if d.status == "published"),
    )


def get_quarantine_page(delivery_id: str, *, number: int = 1) -> QuarantinePage:
    """One page of the rows a delivery could not bring in. Raises UnknownDelivery."""
    delivery = get_delivery(delivery_id)
    counts = tuple(c for c in dataplane.count_quarantine() if c.delivery_id == delivery_id)
    offset = (number - 1) * QUARANTINE_PAGE_ROWS
    # One more than is shown: a row may be listed once per wrong cell, so rows cannot tell pages.
    listed = dataplane.list_quarantined_rows(delivery_id, offset, QUARANTINE_PAGE_ROWS + 1)
    return QuarantinePage(
        delivery=delivery,
        counts=counts,
        rows=tuple(listed[:QUARANTINE_PAGE_ROWS]),
        number=number,
        has_next=len(listed) > QUARANTINE_PAGE_ROWS,
    )


def list_fact_groups() -> list[FactGroup]:
    """Every declared fact under the delivery it comes from, in the catalogue's order."""
    contracts = dataplane.dataset_contracts()
    by_dataset: dict[str, list[FactDeclaration]] = {}
    for fact in dataplane.fact_catalogue().values():
        by_dataset.setdefault(fact.dataset, []).append(fact)
    return [
        FactGroup(contracts[dataset], facts[0].department_name, tuple(map(_fact_line, facts)))
        for dataset, facts in by_dataset.items()
    ]


def list_quarantine_cells(delivery_id: str) -> Iterator[list[str]]:
    """The lines of the file a department gets back, header first, safe to open in a spreadsheet.

    A cell that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    with dataplane.quarantine_file(delivery_id).open(encoding="utf-8-sig", newline="") as lines:
        for cells in csv.reader(lines):
            yield [_inert(cell) for cell in cells]


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _fact_line(fact: FactDeclaration) -> FactLine:
    unit = UNIT_LABELS.get(fact.unit or "", fact.unit or "")
    label = TYPE_LABELS[fact.type]
    if fact.values:
        label = f"{label}：{'、'.join(fact.values.values())}"
    return FactLine(fact, f"{label}（{unit}）" if unit else label, PERSONAL_LABELS[fact.personal])


def _advised(explanation: Explanation) -> set[str]:
    """The type and every refusal: what advice is worth working out for."""
    refused = [d for d in explanation.policies if d.applies and d.outcome == Truth.NO]
    return {explanation.type_decision.rule_id, *(d.rule_id for d in refused)}


def _type_hint(advice: Advice | None) -> str:
    """What separates a trader from the next type, when it is one thing; empty otherwise."""
    if advice is None or not advice.is_near:
        return ""
    return f"离{advice.goal_label}差一步：{advice.remedies[0].text}"


def _place(decision: Decision) -> str:
    if decision.incomplete:
        return "unread"
    return decision.outcome if decision.outcome in ("yes", "no") else "unknown"


def _over(rule: Any, decision: Decision) -> str:
    """A rule whose period has passed and that turns on the date of an event nobody has told."""
    last = rule.last_day_after - timedelta(days=1)
    return f"有效期到 {last} 为止。那以前的所属期，还缺数判断：{_why_unknown(decision)}"


def _by_day(advice: dict[str, Advice], line: PolicyLine) -> date:
    """What comes by itself first, the earliest day first; then what takes a step."""
    return advice[line.decision.rule_id].cured_on or date.max


def _failing(decision: Decision) -> list[ClauseResult]:
    return [c for c in decision.clauses if c.id in decision.deciding]


def _policy_line(decision: Decision, advice: Advice | None) -> PolicyLine:
    if decision.outcome == Truth.YES:
        return _granted_line(decision)
    if decision.outcome != Truth.NO:
        return PolicyLine(decision, _why_unknown(decision))
    if advice is None or not advice.is_near:
        return PolicyLine(decision, decision.reason)
    remedy = advice.remedies[0]
    return PolicyLine(decision, remedy.text, gap=remedy.gap_text or "差一步")


def _granted_line(decision: Decision) -> PolicyLine:
    """A yes with what it is worth. The amount's label (its note before the article) tells a
    limit (限额、最高) and a tax still to be paid (应缴), which is no benefit, from money."""
    amount = decision.amount_yuan
    label = decision.amount_note.partition("（")[0]
    if amount is None:
        return PolicyLine(decision, _first_sentence(decision.benefit))
    if "应缴" in label:
        return PolicyLine(decision, f"{label} {amount:,.2f} 元。")
    return PolicyLine(decision, label, amount, is_limit="限额" in label or "最高" in label)


def _settled(lines: list[PolicyLine], explanation: Explanation) -> Iterator[PolicyLine]:
    """What is granted, each worth what it pays beside the others."""
    settled = {each.rule_id: each for each in rulebook.settle(explanation)}
    titles = {decision.rule_id: decision.title for decision in explanation.policies}
    for line in lines:
        each = settled.get(line.decision.rule_id)
        if each is None or each.how == Settlement.FULL or line.worth_yuan is None:
            yield line
        else:
            said = _beside(each, titles.get(each.other_rule_id, ""))
            yield replace(line, worth_yuan=each.payable_yuan, beside=said)


def _beside(settled: Settled, other: str) -> str:
    match settled.how:
        case Settlement.LOWER:
            return f"和《{other}》是同一项目，只给金额高的那一项，这里不再给。"
        case Settlement.ALREADY:
            again = f"，{settled.again_on}起可以再享" if settled.again_on else ""
            return f"同一项目已经给过{again}。"
        case Settlement.DIFFERENCE:
            return "以前给过一部分，这次补差额。"
        case Settlement.CEILING:
            return "全年合计有上限，只给到上限。"
    return "和别的政策怎样一起算，还缺数，要人工核定。"


def _first_sentence(text: str) -> str:
    head, stop, _ = text.partition("。")
    return head + stop


def _by_worth(line: PolicyLine) -> tuple[bool, Decimal]:
    return (line.worth_yuan is None, -(line.worth_yuan or Decimal(0)))


def _why_unknown(decision: Decision) -> str:
    """Which department lacks what, and how far its data reach; the page of reasons says more."""
    if decision.incomplete:
        return f"来源条款不全，要人工核实：{_first_sentence(decision.incomplete)}"
    lacking: dict[tuple[str, date | None], list[str]] = {}
    for fact in decision.missing:
        lacking.setdefault((fact.department_name, fact.covered_until), []).append(fact.label)
    return "".join(_lack(who, until, labels) for (who, until), labels in lacking.items()) or (
        decision.reason
    )


def _lack(who: str, until: date | None, labels: list[str]) -> str:
    named = "、".join(labels[:LABELS_NAMED])
    more = f"等{len(labels)}项" if len(labels) > LABELS_NAMED else ""
    since = f"数据到 {until}，其中没有这户可用的记录" if until else "从未送达"
    return f"缺{who}的{named}{more}：{since}。"


def _tone(decision: Decision) -> str:
    if not decision.applies:
        return "unknown"
    return {"yes": "good", "no": "late", "unknown": "unknown"}.get(decision.outcome, "brand")


def _steps(decision: Decision, advice: Advice) -> tuple[NextStep, ...]:
    """When, or how, the answer becomes yes or the next type."""
    if not decision.applies and not advice.is_possible:
        return ()
    if decision.incomplete:
        return (NextStep(f"原文不全，要等原文核实：{decision.incomplete}"),)
    if decision.outcome == Truth.UNKNOWN:
        return tuple(_found_out(fact) for fact in _in_order(decision.missing, advice))
    steps = _merged(_step(remedy) for remedy in advice.remedies)
    dead_ends = [step for step in steps if step.is_dead_end]
    return tuple(dead_ends or steps)


def _found_out(fact: FactUsed) -> NextStep:
    text = f"知道“{fact.label}”以后就能判断。{fact.why_unknown}"
    return NextStep(text, fact.department_name)


def _in_order(missing: tuple[FactUsed, ...], advice: Advice) -> list[FactUsed]:
    """Missing facts, those first that settle most."""
    asked = [question.fact for question in advice.next_questions]
    return sorted(missing, key=lambda f: asked.index(f.name) if f.name in asked else len(asked))


def _merged(steps: Iterable[NextStep]) -> list[NextStep]:
    """One line for a step that several conditions ask for."""
    found: dict[str, NextStep] = {}
    for step in steps:
        before = found.get(step.text)
        found[step.text] = (
            replace(before, label=f"{before.label}；{step.label}") if before else step
        )
    return list(found.values())


def _step(remedy: Remedy) -> NextStep:
    return NextStep(
        text=remedy.text,
        who="、".join(remedy.who),
        gap=remedy.gap_text,
        label=remedy.label,
        is_dead_end=remedy.kind == "fixed",
    )


def _steps_title(advice: Advice) -> str:
    """怎样就可以, or the type aimed at."""
    if advice.goal in ("", "yes"):
        return "怎样就可以"
    return f"怎样到{advice.goal_label}"


def _cured_note(advice: Advice) -> str:
    """The sentence beside the day on which it comes by itself."""
    if advice.cured_on is None:
        return ""
    latest = "最迟" if advice.at_latest else ""
    return f"{latest}{advice.cured_on} 起自动符合，不用办理。{advice.caveat}"


def _contacts(decision: Decision) -> tuple[str, ...]:
    """The departments whose records settled (or could settle) the answer."""
    if decision.missing and decision.outcome == Truth.UNKNOWN:
        facts = list(decision.missing)
    else:
        facts = [fact for clause in _failing(decision) for fact in clause.facts]
    return tuple(dict.fromkeys(fact.department_name for fact in facts))


def _waits(delivery: DeliverySummary) -> bool:
    """Whether a person must act on it; such deliveries come first."""
    return delivery.status in ("held", "rejected")


def _balance(deliveries: Iterable[DeliverySummary]) -> Balance:
    listed = list(deliveries)
    return Balance(
        rows_in=sum(d.rows_in for d in listed),
        accepted=sum(d.accepted for d in listed),
        quarantined=sum(d.quarantined for d in listed),
        duplicate=sum(d.duplicate for d in listed),
    )


def get_delivery(delivery_id: str) -> DeliverySummary:
    """One delivery by its number: the published attempt where there are several.

    Raises UnknownDelivery.
    """
    tried = [d for d in dataplane.list_deliveries(DELIVERIES_SHOWN) if d.delivery_id == delivery_id]
    if not tried:
        raise UnknownDelivery(f"没有编号为“{delivery_id}”的数据。")
    return next((d for d in tried if d.status == "published"), tried[0])
