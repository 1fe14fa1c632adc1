"""解读: a rule in plain words, made from the rule itself, so that neither can contradict the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from getihu.dataplane import selectors as dataplane
from getihu.policies.library.documents import Document, document_of
from getihu.reference import selectors as reference
from getihu.rulebook import selectors as rulebook

HERE: Final = ("CN", "330000", "3303")  # the country, the province, the city and its counties
STATES: Final = {
    "in_force": "有效",
    "incomplete": "有效，原文不全",
    "doubtful": "是否还有效，待核",
    "upcoming": "还没施行",
    "superseded": "已被后来的文件代替",
    "ended": "已经结束",
}
_GROUPS: Final = {
    "AllOf": "下面的都要满足",
    "AnyOf": "下面的满足一样就行",
    "NoneOf": "下面的一样也不能有",
}


@dataclass(frozen=True)
class Condition:
    """One condition, or several under a heading. ``means`` is the sentence the rule decides by."""

    text: str
    means: str = ""
    article: str = ""
    items: tuple["Condition", ...] = ()


@dataclass(frozen=True)
class Outcome:
    """One answer of a table. ``when`` None: everything else."""

    label: str
    reason: str
    when: Condition | None


@dataclass(frozen=True)
class Reading:
    """One version of one policy as people read it.

    ``state`` is a key of STATES as of the day asked about, ``state_note`` what says so. ``gives``
    is the document's text in short, the one part written by hand; ``not_decided`` names the numbers
    in it that the rule does not decide by. ``held`` names, by department, what nobody is asked for
    because departments deliver it; ``asked`` what only she can say; ``judged`` whether an officer
    fills in what happened. ``last_day`` None: no end was seen.
    """

    id: str
    version: str
    title: str
    state: str
    state_note: str
    is_here: bool
    region: str
    region_name: str
    for_whom: str
    document: Document
    document_title: str
    article: str
    url: str
    trust: str
    kind: str
    gives: str
    not_decided: tuple[str, ...]
    amount_label: str
    amount: str
    conditions: Condition | None
    outcomes: tuple[Outcome, ...]
    frame: tuple[tuple[str, str, str], ...]
    held: tuple[tuple[str, tuple[str, ...]], ...]
    asked: tuple[str, ...]
    judged: bool
    first_day: date
    last_day: date | None
    date_note: str
    incomplete: str
    replaces: tuple[str, ...]
    replaced_by: str

    @property
    def state_label(self) -> str:
        return STATES[self.state]

    @property
    def is_live(self) -> bool:
        """In force as far as anybody read, with its conditions whole or cut."""
        return self.state in ("in_force", "incomplete")

    @property
    def not_decided_note(self) -> str:
        """Which numbers of the document's text the rule leaves aside; empty when none."""
        if not self.not_decided:
            return ""
        return f"其中{'、'.join(self.not_decided)}只是文件里的说明，不参与判定。"

    @property
    def sheet(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The same on one page: headings with lines, for the picture."""
        return tuple((head, tuple(lines)) for head, lines in _sheet(self) if lines)


def read_policy(rule: Any, on: date) -> Reading:
    """The reading of one version of a rule, as things stand ``on`` a day."""
    sentences = rulebook.clause_sentences(rule)
    clauses = {clause.id: clause for clause in rule.clauses}

    def condition(tree: Any) -> Condition:
        if not hasattr(tree, "items"):
            clause = clauses[tree.id]
            return Condition(clause.label, sentences[tree.id], clause.article)
        heading = _GROUPS.get(type(tree).__name__) or f"下面的至少满足 {tree.n} 样"
        return Condition(heading, items=tuple(map(condition, tree.items)))

    state, note = _state(rule, on)
    held, asked, judged = _facts(rule)
    return Reading(
        id=rule.id,
        version=rule.version,
        title=rule.title,
        state=state,
        state_note=note,
        is_here=rule.region in HERE[:2] or rule.region.startswith(HERE[2]),
        region=rule.region,
        region_name="全国" if rule.region == "CN" else reference.division_name(rule.region),
        for_whom=rulebook.applies_to(rule),
        document=document_of(rule.source.document),
        document_title=rule.source.title,
        article=rule.source.article,
        url=rule.source.url,
        trust=rule.source.trust,
        kind=rule.benefit_kind,
        gives=rule.benefit,
        not_decided=rulebook.unbacked_numbers(rule),
        amount_label=rule.amount.label if rule.amount else "",
        amount=rulebook.amount_sentence(rule),
        conditions=condition(rule.requires) if rule.requires else None,
        outcomes=tuple(
            Outcome(row.label, row.reason, condition(row.when) if row.when else None)
            for row in rule.rows
        ),
        frame=tuple((line.label, line.text, line.source) for line in rulebook.frame_of(rule)),
        held=held,
        asked=asked,
        judged=judged,
        first_day=rule.valid_from,
        last_day=_last_day(rule),
        date_note=rule.date_note,
        incomplete=rule.incomplete,
        replaces=tuple(
            other.title
            for other in rulebook.get_rulebook().rules
            if other.ended_by and other.ended_by.rule_id == rule.id
        ),
        replaced_by=rule.ended_by.rule_id if rule.ended_by else "",
    )


def _state(rule: Any, on: date) -> tuple[str, str]:
    if on < rule.valid_from:
        return "upcoming", ""
    if rule.ended_by is not None and on >= rule.ended_by.from_:
        return "superseded", rule.ended_by.source
    if rule.valid_until is not None and on >= rule.valid_until:
        return "ended", ""
    if doubt := document_of(rule.source.document).doubt:
        return "doubtful", doubt
    return ("incomplete" if rule.incomplete else "in_force"), ""


def _last_day(rule: Any) -> date | None:
    after = rule.last_day_after
    return after - timedelta(days=1) if after is not None else None


def _facts(rule: Any) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], tuple[str, ...], bool]:
    catalogue = dataplane.fact_catalogue()
    asked = {each.name: each for each in rule.inputs}
    held: dict[str, list[str]] = {}
    for name in rule.facts:
        if name in catalogue and name not in asked:
            fact = catalogue[name]
            held.setdefault(fact.department_name, []).append(fact.label)
    questions = tuple(
        each.question or each.label for each in rule.inputs if each.asked_of == "applicant"
    )
    departments = tuple((name, tuple(labels)) for name, labels in held.items())
    return departments, questions, rule.is_about_event


def _sheet(reading: Reading) -> Iterable[tuple[str, list[str]]]:
    yield "给谁", [reading.for_whom]
    amount = f"{reading.amount_label}：{reading.amount}" if reading.amount else ""
    yield "给什么", [line for line in (reading.gives, amount, reading.not_decided_note) if line]
    if reading.conditions:
        yield "要满足", list(_lines(reading.conditions))
    for outcome in reading.outcomes:
        lines = list(_lines(outcome.when)) if outcome.when else ["其余的都是"]
        yield outcome.label, lines
    yield "什么时候", [_period(reading), *([reading.date_note] if reading.date_note else [])]
    if reading.judged:
        yield "谁来判断", ["办案人员按发生的事逐件填写，机器列出条款。"]
    elif reading.asked:
        yield "要您说的", list(reading.asked)
    yield "不用您交", [f"{name}：{'、'.join(labels)}" for name, labels in reading.held]
    yield "原文不全", [reading.incomplete] if reading.incomplete else []
    title = f"《{reading.document_title}》" if reading.document_title else ""
    yield (
        "依据",
        [f"{reading.document.document}{title}{reading.article}", reading.document.agencies],
    )


def _lines(condition: Condition, depth: int = 0) -> Iterable[str]:
    mark = "　" * depth
    if not condition.items:
        yield f"{mark}· {condition.text}"
        if condition.means:
            yield f"{mark}　即：{condition.means}（{condition.article}）"
        return
    yield f"{mark}{condition.text}："
    for item in condition.items:
        yield from _lines(item, depth + 1)


def _period(reading: Reading) -> str:
    until = f"到{_day(reading.last_day)}止" if reading.last_day else "未见终止日"
    return f"{_day(reading.first_day)}起，{until}。{reading.state_label}。"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
