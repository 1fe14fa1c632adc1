"""Reads of policies being written: what is still in the way, what it would do to the city."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from getihu.accounts.contracts import Actor, Role
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactDeclaration, FactType
from getihu.kernel.errors import GetihuError
from getihu.policies.library.reading import Reading, read_policy
from getihu.policies.models import PolicyDraft
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import RuleNumbers

WRITERS = (Role.POLICY_WRITER, Role.SUPERVISOR)


class UnknownDraft(GetihuError):
    """No draft has this number, or this person may not see it."""


@dataclass(frozen=True)
class DraftView:
    """One draft as the desk shows it."""

    id: str
    rule_id: str
    title: str
    text: str
    cases_text: str
    state: str
    state_label: str
    note: str
    drift_key: str
    author_id: str
    author: str
    begun_at: datetime
    changed_at: datetime
    published_at: datetime | None
    published_by: str


@dataclass(frozen=True)
class Gate:
    """One thing that must be so before a policy is published; ``where`` leads to the place to
    mend it."""

    id: str
    label: str
    is_met: bool
    text: str


@dataclass(frozen=True)
class DraftCheck:
    """What a draft comes to today. ``reading`` None: it cannot be read yet, and ``problems`` say
    why; ``numbers`` None: the city is not decided, or the draft cannot be read."""

    problems: tuple[Any, ...]
    cases: tuple[Any, ...]
    reading: Reading | None
    rule: Any
    numbers: RuleNumbers | None
    gates: tuple[Gate, ...]

    @property
    def is_ready(self) -> bool:
        return all(gate.is_met for gate in self.gates)


def list_drafts(actor: Actor) -> list[DraftView]:
    """Drafts, the last changed first; empty for who neither writes nor reviews policies."""
    if not actor.roles & set(WRITERS):
        return []
    rows = PolicyDraft.objects.exclude(state=PolicyDraft.State.ABANDONED)
    return [
        view_of(row)
        for row in rows.select_related("author", "published_by").order_by("-changed_at")
    ]


def get_draft(draft_id: uuid.UUID | str, *, actor: Actor) -> DraftView:
    """One draft. Raises UnknownDraft."""
    rows = PolicyDraft.objects.select_related("author", "published_by").filter(pk=draft_id)
    row = rows.first() if actor.roles & set(WRITERS) else None
    if row is None:
        raise UnknownDraft("没有这份政策草稿，或者您的职务看不到。处理办法：从列表里选。")
    return view_of(row)


def view_of(row: PolicyDraft) -> DraftView:
    return DraftView(
        id=str(row.pk),
        rule_id=row.rule_id,
        title=row.title,
        text=row.text,
        cases_text=row.cases_text,
        state=row.state,
        state_label=PolicyDraft.State(row.state).label,
        note=row.note,
        drift_key=row.drift_key,
        author_id=str(row.author_id),
        author=row.author.name,
        begun_at=row.begun_at,
        changed_at=row.changed_at,
        published_at=row.published_at,
        published_by=row.published_by.name if row.published_by else "",
    )


def check_draft(text: str, cases_text: str, *, on: date) -> DraftCheck:
    """Read a draft and ask every gate but the review, which needs a look at the city. Cost: about
    a second, the rulebook is read with it."""
    checked = rulebook.check_text(text, cases_text)
    rule = checked.rule
    reading = read_policy(rule, on) if rule is not None else None
    return DraftCheck(
        checked.problems,
        checked.cases,
        reading,
        rule,
        _numbers(rule),
        tuple(_gates(checked, rule)),
    )


def _numbers(rule: Any) -> RuleNumbers | None:
    if rule is None:
        return None
    try:
        return rulebook.get_rule_numbers(rule)
    except (dataplane.NothingPublished, dataplane.FactsNotBuilt, dataplane.AsOfBeforeData):
        return None


def _gates(checked: rulebook.TextCheck, rule: Any) -> list[Gate]:
    failed = [each for each in checked.cases if not each.passed]
    gates = [
        Gate(
            "sound",
            "写法没有问题",
            not checked.problems,
            f"有 {len(checked.problems)} 处要改"
            if checked.problems
            else "和其他规则一起读，没有问题",
        ),
        Gate(
            "cases",
            "案例全部通过",
            bool(checked.cases) and not failed,
            f"{len(failed)} 个不对：{failed[0].name}，{failed[0].message}"
            if failed
            else f"{len(checked.cases)} 个案例"
            if checked.cases
            else "还没有案例",
        ),
    ]
    if rule is None:
        return gates
    stale = rulebook.stale_labels(rule)
    unbacked = rulebook.unbacked_numbers(rule)
    return [
        *gates,
        Gate(
            "labels",
            "说明和条件的数字一致",
            not stale,
            "；".join(f"“{label}”写着{text}，条件不是按它判断" for label, text in stale)
            or (f"另有{'、'.join(unbacked)}只是说明，不参与判定" if unbacked else "一致"),
        ),
        Gate(
            "basis",
            "写明法律依据",
            rule.legal_basis is not None,
            rule.legal_basis.text if rule.legal_basis else "加上 legal_basis：某法第几条",
        ),
        _term(rule),
    ]


def _term(rule: Any) -> Gate:
    """公平竞争审查条例 第十二条: what gives money to some needs an end. No answer stands for it."""
    endless = any(flag.id == "no_end" for flag in rulebook.review_flags(rule))
    said = "地方给钱的要写上失效日（valid_until）：公平竞争审查条例 第十二条"
    return Gate("term", "有实施期限", not endless, said if endless else "已写明，或者不需要")


@dataclass(frozen=True)
class FactChoice:
    """A fact one can write a condition about: with its unit and, for an enum, its values."""

    name: str
    label: str
    department: str
    type: str
    unit: str
    values: tuple[tuple[str, str], ...]
    operators: tuple[tuple[str, str], ...]


_NUMBER = ((">=", "不少于"), ("<=", "不超过"), (">", "多于"), ("<", "少于"), ("=", "等于"))
_DAY = ((">=", "不早于"), ("<=", "不晚于"), (">", "晚于"), ("<", "早于"))
OPERATORS = {
    FactType.BOOLEAN: (("true", "为是"), ("false", "为否")),
    FactType.INTEGER: _NUMBER,
    FactType.MONEY: _NUMBER,
    FactType.DECIMAL: _NUMBER,
    FactType.DATE: _DAY,
    FactType.ENUM: (("=", "为"), ("<>", "不为")),
    FactType.CODE: (("=", "为"), ("<>", "不为")),
}


def list_fact_choices() -> list[FactChoice]:
    """The facts of the catalogue a condition can be written about, by department."""
    found = [
        _choice(fact) for fact in dataplane.fact_catalogue().values() if fact.type in OPERATORS
    ]
    return sorted(found, key=lambda each: each.department)


def _choice(fact: FactDeclaration) -> FactChoice:
    return FactChoice(
        fact.name,
        fact.label,
        fact.department_name,
        fact.type.value,
        fact.unit or "",
        tuple(fact.values.items()),
        OPERATORS[fact.type],
    )
