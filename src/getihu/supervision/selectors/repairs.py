"""A trader's penalties and marks, when each can be repaired on which network, and what is in the way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Q

from getihu.accounts.contracts import Actor, Role
from getihu.accounts.selectors import within
from getihu.dataplane import selectors as dataplane
from getihu.kernel.periods import add_months
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import Decision
from getihu.supervision.contracts import (
    NETWORK_LABELS,
    SEND_LABELS,
    NetworkClock,
    RecordView,
    SendState,
    SendView,
    UnknownRecord,
)
from getihu.supervision.models import RecordNote, RepairSend
from getihu.supervision.ports import Network

MARKET_RULE: Final = "supervision.publication_early_end"
NATIONAL_RULE: Final = "supervision.credit_repair"
TERM_RULE: Final = "supervision.publication_term"
MARK_RULE: Final = "supervision.report_mark_restored"
RULES: Final = (TERM_RULE, MARKET_RULE, NATIONAL_RULE, MARK_RULE)
CLOCK: Final = "long_enough"
EXCLUDING: Final = frozenset({"never_early", "abnormal", "dishonest"})
NEVER: Final = "never_early"
# Told by the delivered record itself, so not asked.
DELIVERED: Final = frozenset({"penalty_kind", "penalty_field", "document_on", "mark_is_for_report"})
PENALTY_KINDS: Final = {
    "warning": "warning",
    "criticism": "criticism",
    "fine": "fine",
    "confiscation": "fine",
    "suspension": "closure",
    "licence_revoked": "revocation",
}
FIELDS: Final = {"food": "food", "drug": "drug", "equipment": "special_equipment"}
STRICT: Final = frozenset(FIELDS.values())
SERIOUS_NOTE: Final = (
    "浙江省公共信用信息管理条例第三十二条：列入严重失信名单的不适用信用修复；"
    "市监办法第七条：列入满一年可以申请移出。哪一条适用，由列入机关核定。"
)


@dataclass(frozen=True)
class Delivered:
    """One record as departments delivered it, whatever data set it is of."""

    key: str
    kind: str
    title: str
    document_on: date
    ended_on: date | None
    row: dict[str, Any]


def list_credit_records(trader_code: str, *, on: date) -> list[RecordView]:
    """Every penalty and mark of a trader with both clocks, open ones first, newest first."""
    delivered = list_delivered(trader_code, on)
    notes = {n.record: n for n in RecordNote.objects.filter(trader_code=trader_code)}
    sends: dict[str, list[RepairSend]] = {}
    for send in RepairSend.objects.filter(trader_code=trader_code).order_by("network"):
        sends.setdefault(send.record, []).append(send)
    shown = [
        view_of_record(each, notes.get(each.key), delivered, sends.get(each.key, []), on)
        for each in delivered
    ]
    return sorted(shown, key=lambda r: (not r.is_open, -r.document_on.toordinal(), r.key))


def get_credit_record(trader_code: str, key: str, *, on: date) -> RecordView:
    """Raises UnknownRecord."""
    found = next((r for r in list_credit_records(trader_code, on=on) if r.key == key), None)
    if found is None:
        raise UnknownRecord("没有这条记录。处理办法：从“我的信用记录”里点。")
    return found


def list_delivered(trader_code: str, on: date) -> list[Delivered]:
    """Penalties and marks as delivered; none while nothing is published."""
    try:
        penalties = dataplane.list_records("penalties", trader_code, as_of=on)
        marks = dataplane.list_records("abnormal_marks", trader_code, as_of=on)
    except dataplane.NothingPublished:
        return []
    kinds = _labels("penalties", "kind")
    fields = _labels("penalties", "field")
    reasons = _labels("abnormal_marks", "reason")
    return [
        *(
            Delivered(
                f"penalties:{row['decision_no']}",
                "penalty",
                f"{fields[row['field']]}：{kinds[row['kind']]}（{row['decision_no']}）",
                row["decided_on"],
                row["repaired_on"],
                row,
            )
            for row in penalties
        ),
        *(
            Delivered(
                f"abnormal_marks:{row['mark_no']}",
                "serious" if row["list"] == "serious" else "abnormal",
                f"{reasons[row['reason']]}（{row['mark_no']}）",
                row["listed_on"],
                row["removed_on"],
                row,
            )
            for row in marks
        ),
    ]


def _labels(dataset: str, column: str) -> dict[str, str]:
    """Value → label of a delivered column."""
    columns = dataplane.dataset_contracts()[dataset].columns
    found = next(each for each in columns if each.name == column)
    return dict(found.values)


def asked_of_record(record: RecordView, note: RecordNote | None) -> list[dict[str, Any]]:
    """What is asked of an officer about a record, in the words of the rules, each once, with what
    has been answered."""
    told = note.facts if note else {}
    asked: dict[str, dict[str, Any]] = {}
    for rule_id in _rules_for(record.kind):
        for each in rulebook.get_rule(rule_id).inputs:
            if each.name in DELIVERED:
                continue
            asked.setdefault(
                each.name,
                {
                    "fact": each.name,
                    "question": each.question,
                    "type": each.declaration.type.value,
                    "choices": list(each.declaration.values.items()),
                    "said": told.get(each.name, ""),
                },
            )
    return list(asked.values())


def find_note(key: str) -> RecordNote | None:
    """What the office knows of a record beyond the delivery, within the actor's reach."""
    return RecordNote.objects.filter(record=key).first()


def list_noted_records(actor: Actor, *, limit: int = 100) -> list[RecordNote]:
    """Records the actor's office has noted something of, those that can be repaired soonest
    first."""
    rows = RecordNote.objects.filter(
        within(actor.scope(Role.CASE_OFFICER, Role.SUPERVISOR), "place")
    )
    return list(rows.order_by("next_on", "record")[:limit])


def record_is_open(argument: str) -> bool:
    """Whether a notice that a record can be repaired still has its reason. ``argument``: trader
    code, a bar, the record's key."""
    code, _, key = argument.partition("|")
    delivered = {each.key: each for each in list_delivered(code, date.max)}
    is_asked = RepairSend.objects.filter(record=key).exists()
    return key in delivered and delivered[key].ended_on is None and not is_asked


def view_of_record(
    record: Delivered,
    note: RecordNote | None,
    delivered: Iterable[Delivered],
    sends: Iterable[RepairSend],
    on: date,
    claims: dict[str, str] | None = None,
) -> RecordView:
    """A record with its clocks on a day. ``claims``: what an application says beyond what is
    noted."""
    written = {**(note.facts if note else {}), **(claims or {})}
    clocks, publication = _clocks(record, written, delivered, on)
    dates = [clock.earliest for clock in clocks if not clock.is_never]
    is_whole = bool(clocks) and all(dates) and not any(clock.is_never for clock in clocks)
    is_open = record.ended_on is None or record.ended_on > on
    shown_sends = tuple(map(_send_view, sends))
    is_under_way = any(s.state in (SendState.WAITING, SendState.SENT) for s in shown_sends)
    return RecordView(
        key=record.key,
        kind=record.kind,
        title=record.title,
        document_on=record.document_on,
        is_open=is_open,
        ended_on=record.ended_on,
        publication=publication,
        clocks=clocks,
        both_on=max(d for d in dates if d) if is_whole else None,
        is_contested=note is not None
        and note.contested_at is not None
        and note.contested_ended_at is None,
        sends=shown_sends,
        can_apply=is_open and not is_under_way and any(may_apply(clock) for clock in clocks),
    )


def may_apply(clock: NetworkClock) -> bool:
    """Whether an application on a network is worth handing in: nothing known is in the way but what
    the application itself says; its clock is over, or nobody knows when it began."""
    return not clock.is_never and not clock.blocks and (clock.is_over or clock.earliest is None)


def next_day(view: RecordView) -> date | None:
    """The first day some network's clock allows it, for the notice; None: not known, or never."""
    if view.kind == "abnormal":
        return None  # nothing to wait for
    return min((c.earliest for c in view.clocks if c.earliest and not c.is_never), default=None)


def _clocks(
    record: Delivered, written: dict[str, str], delivered: Iterable[Delivered], on: date
) -> tuple[tuple[NetworkClock, ...], str]:
    if record.kind == "abnormal":
        return (_mark_clock(record, written, on),), ""
    if record.kind == "serious":
        return _serious_clocks(record, written, on), ""
    facts = {
        "penalty_kind": PENALTY_KINDS[record.row["kind"]],
        "penalty_field": FIELDS.get(record.row["field"], "other"),
        "document_on": record.document_on,
        "is_marked_abnormal": any(d.kind == "abnormal" and _holds(d, on) for d in delivered),
        "is_seriously_dishonest": any(d.kind == "serious" and _holds(d, on) for d in delivered),
    }
    term = _decide(TERM_RULE, facts, written, on)
    if term.outcome == "not_published":
        return (), term.outcome_label
    return (_market_clock(facts, written, on), _national_clock(facts, written, on)), (
        term.outcome_label
    )


def _holds(record: Delivered, on: date) -> bool:
    return record.ended_on is None or record.ended_on > on


def _market_clock(facts: dict[str, Any], written: dict[str, str], on: date) -> NetworkClock:
    decision = _decide(MARKET_RULE, facts, written, on)
    name = "strict_months" if facts["penalty_field"] in STRICT else "usual_months"
    months = _months(MARKET_RULE, name, on)
    began = _date(written.get("published_on", ""))
    return _clock(
        Network.MARKET, decision, f"公示满 {months} 个月", began and add_months(began, months), on
    )


def _national_clock(facts: dict[str, Any], written: dict[str, str], on: date) -> NetworkClock:
    """From the document. An unknown grade leaves the date unknown; a grave one waits a year."""
    decision = _decide(NATIONAL_RULE, facts, written, on)
    grade, began = written.get("dishonesty_grade", ""), facts["document_on"]
    if grade == "minor":
        return _clock(Network.NATIONAL, decision, "轻微：履行完就可以", began, on)
    if grade not in ("general", "serious"):
        words = "一般 3 个月、严重 1 年，从文书作出起；还没有认定类别"
        return _clock(Network.NATIONAL, decision, words, None, on)
    months = _months(NATIONAL_RULE, f"{grade}_months", on)
    words = f"{'一般' if grade == 'general' else '严重'}：文书作出满 {months} 个月"
    return _clock(Network.NATIONAL, decision, words, add_months(began, months), on)


def _serious_clocks(
    record: Delivered, written: dict[str, str], on: date
) -> tuple[NetworkClock, ...]:
    """The list of serious breaches: a year on either network, and a province's law that says never;
    which holds is for the authority, so the outcome stays unknown."""
    told = written | {"dishonesty_grade": "serious"}
    national = _national_clock({"document_on": record.document_on}, told, on)
    first = add_months(record.document_on, 12)
    market = NetworkClock(
        network=Network.MARKET,
        label=NETWORK_LABELS[Network.MARKET],
        clock="列入名单满 12 个月",
        earliest=first,
        is_over=on >= first,
        is_never=False,
        outcome="unknown",
        blocks=(),
        unknown=("信用修复管理办法第七条的三个条件",),
        article="市场监督管理信用修复管理办法 第七条",
        note=SERIOUS_NOTE,
    )
    return market, national


def _mark_clock(record: Delivered, written: dict[str, str], on: date) -> NetworkClock:
    """A mark of abnormality: no waiting, restored within five working days of asking. One that is
    not for the yearly report is restored by correcting or being reached again (办法第五条)."""
    facts = {
        "is_marked_abnormal": _holds(record, on),
        "mark_is_for_report": record.row["reason"] == "no_report",
    }
    if record.row["reason"] == "no_report":
        return _clock(
            Network.MARKET,
            _decide(MARK_RULE, facts, written, on),
            "不用等；申请后 5 个工作日内恢复",
            record.document_on,
            on,
        )
    return NetworkClock(
        network=Network.MARKET,
        label=NETWORK_LABELS[Network.MARKET],
        clock="不用等；改正或者重新联系上，申请后 5 个工作日内恢复",
        earliest=record.document_on,
        is_over=True,
        is_never=False,
        outcome="unknown",
        blocks=(),
        unknown=("改正或者重新取得联系",),
        article="市场监督管理信用修复管理办法 第五条；个体工商户年度报告暂行办法 第十八条",
    )


def _clock(
    network: Network, decision: Decision, words: str, earliest: date | None, on: date
) -> NetworkClock:
    states = {clause.id: clause.result.value for clause in decision.clauses}
    labels = {clause.id: clause.label for clause in decision.clauses}
    rest = [name for name in states if name != CLOCK]
    blocks = [n for n in rest if states[n] == ("yes" if n in EXCLUDING else "no")]
    is_never = states.get(NEVER) == "yes"
    return NetworkClock(
        network=network,
        label=NETWORK_LABELS[network],
        clock=words,
        earliest=None if is_never else earliest,
        is_over=earliest is not None and on >= earliest,
        is_never=is_never,
        outcome=decision.outcome,
        blocks=tuple(labels[n] for n in blocks),
        unknown=tuple(labels[n] for n in rest if states[n] == "unknown"),
        article=f"{decision.source.document} {decision.source.article}",
        note=decision.not_applicable,
    )


def _decide(rule_id: str, facts: dict[str, Any], written: dict[str, str], on: date) -> Decision:
    """One rule on what was delivered and what was answered."""
    rule = rulebook.get_rule(rule_id, on)
    names = {each.name for each in rule.inputs}
    own = {n: v for n, v in facts.items() if n in names or n in rule.facts}
    answered = {n: text for n, text in written.items() if n in names and n not in DELIVERED}
    told = rulebook.read_answers(rule_id, answered) | own
    return rulebook.decide_facts(rule_id, told | {"subject_kind": "individual"}, on)


def _months(rule_id: str, name: str, on: date) -> int:
    value: Any = rulebook.get_rule(rule_id, on).parameter_by_name[name].value
    return int(value)


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _rules_for(kind: str) -> tuple[str, ...]:
    if kind == "abnormal":
        return (MARK_RULE,)
    return (NATIONAL_RULE,) if kind == "serious" else (TERM_RULE, MARKET_RULE, NATIONAL_RULE)


def _send_view(send: RepairSend) -> SendView:
    state = SendState(send.state)
    return SendView(
        network_label=NETWORK_LABELS[Network(send.network)],
        state=state,
        state_label=SEND_LABELS[state],
        not_before=send.not_before,
        receipt=send.receipt,
        answered_on=send.answered_on,
        why=send.why,
        is_recognition=send.recognises is not None,
    )


def within_reach(actor: Actor) -> Q:
    """Rows of notes and sends an actor may see: her own, and those of her office's places."""
    hers = Q(trader_code__in=[*actor.own, *(code for code, _ in actor.authorised)])
    return hers | within(actor.scope(Role.CASE_OFFICER, Role.SUPERVISOR), "place")
