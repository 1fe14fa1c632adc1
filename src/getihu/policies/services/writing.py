"""Write a policy, have it reviewed, publish it, end it. A second person publishes."""

import os
import re
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.conf import settings
from django.db import transaction

from getihu.accounts.contracts import Actor, Role
from getihu.audit import services as audit
from getihu.audit.contracts import AuditEvent
from getihu.dataplane import selectors as dataplane
from getihu.dataplane.contracts import FactType
from getihu.kernel.errors import GetihuError
from getihu.policies.models import PolicyDraft
from getihu.policies.selectors.drafts import DraftCheck, Gate, UnknownDraft, check_draft
from getihu.policies.services.reviewing import Review, answer_review, review
from getihu.policies.services.rights import NotAllowed, NotNow, check_right
from getihu.rulebook import selectors as rulebook
from getihu.rulebook import services as rules

WRITERS = frozenset({Role.POLICY_WRITER})
PUBLISHERS = frozenset({Role.SUPERVISOR})
LONGEST_TEXT = 60_000
State = PolicyDraft.State
OPEN = (State.WRITING, State.RETURNED)


class BadCondition(GetihuError):
    """A condition that cannot be written down as asked."""


def begin_draft(rule_id: str, region: str, *, by: Actor, at: datetime) -> PolicyDraft:
    """Start a policy from a full example, or from the newest version of the one there is.

    Raises: NotAllowed, NotARuleName.
    """
    check_right(by, WRITERS, "写政策")
    try:
        text, cases = rulebook.texts_of(rule_id)
        title = rulebook.get_rule(rule_id).title
    except rulebook.UnknownRule:
        text, cases = rulebook.starting_texts(rule_id, region)
        title = rule_id
    return PolicyDraft.objects.create(
        rule_id=rule_id,
        title=title,
        text=text,
        cases_text=cases,
        author_id=by.account_id,
        begun_at=at,
        changed_at=at,
    )


@transaction.atomic
def save_draft(
    draft_id: uuid.UUID | str, text: str, cases_text: str, *, by: Actor, at: datetime
) -> PolicyDraft:
    """Keep what was written, right or wrong. Raises: NotAllowed, NotNow (handed in), BadCondition
    (too long)."""
    row = _own(draft_id, by)
    if len(text) + len(cases_text) > LONGEST_TEXT:
        raise BadCondition(f"文本超过 {LONGEST_TEXT:,} 个字。处理办法：拆成几条规则。")
    row.text, row.cases_text = text.replace("\r\n", "\n"), cases_text.replace("\r\n", "\n")
    row.title = _title(row.text) or row.title
    row.state, row.changed_at = State.WRITING, at
    row.save(update_fields=["text", "cases_text", "title", "state", "changed_at"])
    return row


def _title(text: str) -> str:
    found = re.search(r"^title:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip().strip('"')[:200] if found else ""


def add_condition(
    draft_id: uuid.UUID | str,
    asked: Mapping[str, str],
    *,
    by: Actor,
    at: datetime,
) -> PolicyDraft:
    """Add a condition put together from the fact catalogue: ``fact``, ``operator``, ``value``,
    ``article``, and ``label`` (empty: said as it is decided).

    A number or date becomes a standard of its own with its source. Raises: NotAllowed, NotNow,
    BadCondition, UnknownPart.
    """
    row = _own(draft_id, by)
    fact = dataplane.fact_catalogue().get(asked.get("fact", ""))
    article = asked.get("article", "").strip()
    if fact is None or not article:
        raise BadCondition("要选一个事实，并写明依据第几条。")
    operator, written = asked.get("operator", ""), asked.get("value", "").strip()
    name = _free_name(row.text, fact.name)
    parameter: dict[str, object] | None = None
    if fact.type is FactType.BOOLEAN:
        when = fact.name if operator == "true" else f"not {fact.name}"
        said = f"{fact.label}：{'是' if operator == 'true' else '否'}"
    elif fact.type in (FactType.ENUM, FactType.CODE):
        if fact.values and written not in fact.values:
            raise BadCondition(f"“{fact.label}”没有“{written}”这一种。处理办法：从列出的里选。")
        if not re.fullmatch(r"[A-Za-z0-9_]{1,20}", written):
            raise BadCondition(f"“{fact.label}”要写代码，字母和数字。")
        when = f"{fact.name} {'=' if operator == '=' else '<>'} '{written}'"
        said = (
            f"{fact.label}{'为' if operator == '=' else '不为'}{fact.values.get(written, written)}"
        )
    else:
        value, unit = _standard(written, fact.type), fact.unit or "count"
        if fact.type is FactType.DATE:
            unit = "date"
        if operator not in (">=", "<=", ">", "<", "="):
            raise BadCondition("要选比较的方法：不少于、不超过……")
        when = f"{fact.name} {operator} {name}_standard"
        said = f"{fact.label}{_WORDS[operator]}规定的标准"
        parameter = {
            "label": f"{fact.label}的标准",
            "value": value,
            "unit": unit,
            "source": article,
        }
    clause = {"label": asked.get("label", "").strip() or said, "when": when, "article": article}
    return save_draft(
        draft_id,
        rulebook.with_clause(row.text, name, clause, parameter),
        row.cases_text,
        by=by,
        at=at,
    )


_WORDS = {">=": "达到", "<=": "不超过", ">": "超过", "<": "低于", "=": "等于"}


def _standard(written: str, kind: FactType) -> object:
    try:
        if kind is FactType.DATE:
            return date.fromisoformat(written)
        if kind is FactType.INTEGER:
            return int(written)
        number = Decimal(written)
    except (ValueError, InvalidOperation):
        what = "日期，像 2026-12-31" if kind is FactType.DATE else "数字"
        raise BadCondition(f"标准要写成{what}，现在是“{written}”。") from None
    return int(number) if number == number.to_integral_value() else number


def _free_name(text: str, fact: str) -> str:
    """A name for a clause about a fact that is not taken."""
    names = [f"on_{fact}", *(f"on_{fact}_{n}" for n in range(2, 100))]
    return next(name for name in names if not re.search(rf"^\s+{name}:", text, re.MULTILINE))


def full_check(draft_id: uuid.UUID | str, *, on: date) -> tuple[DraftCheck, Review | None]:
    """Every gate with the review of fair competition, which looks at the city. Cost: some seconds
    the first time a text is reviewed. Raises UnknownDraft."""
    row = _row(draft_id)
    made = check_draft(row.text, row.cases_text, on=on)
    if made.rule is None:
        return made, None
    reviewed = review(made.rule, dataplane.get_published_snapshot().data_until)
    report = rulebook.drift_report_of(made.rule)
    open_ = [each for each in reviewed.findings if not each.answer]
    gates = (
        *made.gates,
        Gate(
            "drift",
            "漂移报告",
            bool(report),
            {"none": "首版，不需要", "": "先做报告：谁会变、变到哪里、差多少钱"}.get(
                report, "已做"
            ),
        ),
        Gate(
            "fairness",
            "公平竞争审查",
            not open_,
            f"{len(open_)} 个问题没有答复" if open_ else "没有要答复的，或者都已答复",
        ),
    )
    return replace(made, gates=gates), reviewed


def make_report(draft_id: uuid.UUID | str, *, by: Actor, on: date, at: datetime) -> str:
    """The drift report of a draft against the version that decides now; returns its key. Raises:
    NotAllowed, NotNow (it cannot be read)."""
    row = _own(draft_id, by)
    made = check_draft(row.text, row.cases_text, on=on)
    if made.rule is None:
        raise NotNow("草稿还读不出来，做不了漂移报告。处理办法：先改好列出的问题。")
    report = rules.report_drift(made.rule, at=at)
    PolicyDraft.objects.filter(pk=row.pk).update(drift_key=report.key)
    return report.key


def answer_draft(
    draft_id: uuid.UUID | str,
    finding: str,
    *,
    ground: str,
    article: str,
    by: Actor,
    on: date,
    at: datetime,
) -> None:
    """Answer one finding of a draft's review by its legal ground. Raises: NotAllowed, NotNow."""
    _, reviewed = full_check(draft_id, on=on)
    if reviewed is None:
        raise NotNow("草稿还读不出来，没有可答复的。")
    answer_review(reviewed, finding, ground=ground, article=article, by=by, at=at)


@transaction.atomic
def submit_draft(draft_id: uuid.UUID | str, *, by: Actor, on: date, at: datetime) -> PolicyDraft:
    """Hand a draft to a second person. What can be seen from the text alone must be right; the
    review may still be open. Raises: NotAllowed, NotNow naming what is in the way."""
    row = _own(draft_id, by)
    made = check_draft(row.text, row.cases_text, on=on)
    _refuse_open(made.gates)
    row.state, row.submitted_at, row.note = State.SUBMITTED, at, ""
    row.save(update_fields=["state", "submitted_at", "note"])
    return row


@transaction.atomic
def return_draft(draft_id: uuid.UUID | str, *, why: str, by: Actor, at: datetime) -> PolicyDraft:
    """A second person sends it back, saying why. Raises: NotAllowed, NotNow."""
    check_right(by, PUBLISHERS, "审核政策")
    row = _locked(draft_id)
    if row.state != State.SUBMITTED or not why.strip():
        raise NotNow("等审核的才能退回，并要写明为什么。")
    row.state, row.note, row.changed_at = State.RETURNED, why.strip()[:500], at
    row.save(update_fields=["state", "note", "changed_at"])
    return row


def publish_draft(draft_id: uuid.UUID | str, *, by: Actor, on: date, at: datetime) -> PolicyDraft:
    """A second person publishes: every gate is asked once more, the text is kept as the record and
    written where the rulebook reads it. It decides from its own first day on.

    Raises: NotAllowed (also: the author), NotNow naming the gates that are not met.
    """
    check_right(by, PUBLISHERS, "公布政策")
    made, _ = full_check(draft_id, on=on)
    with transaction.atomic():
        row = _locked(draft_id)
        if row.state != State.SUBMITTED:
            raise NotNow("等审核的才能公布。处理办法：请起草的人先提交。")
        if str(row.author_id) == by.account_id:
            raise NotAllowed("起草的人不能自己公布。处理办法：请另一位负责人。")
        _refuse_open(made.gates)
        row.file_name = rulebook.file_name_of(row.text)
        row.state, row.published_at, row.published_by_id = State.PUBLISHED, at, by.account_id
        row.save(update_fields=["state", "published_at", "published_by", "file_name"])
        audit.record(
            AuditEvent(
                "policy.published",
                f"account:{by.account_id}",
                f"rule:{row.rule_id}",
                at,
                {"version": made.rule.version, "author": str(row.author_id)},
            )
        )
        transaction.on_commit(write_published)
    return row


@transaction.atomic
def abandon_draft(draft_id: uuid.UUID | str, *, by: Actor, at: datetime) -> None:
    """The author gives it up; it stays in the record. Raises: NotAllowed, NotNow."""
    row = _own(draft_id, by)
    row.state, row.changed_at = State.ABANDONED, at
    row.save(update_fields=["state", "changed_at"])


def write_published() -> int:
    """Write the files of published policies that are not there or differ; returns how many. By
    level: after a crash between commit and writing the next call writes them."""
    folder = Path(settings.PUBLISHED_RULES_DIR)
    latest: dict[str, PolicyDraft] = {}
    for row in PolicyDraft.objects.filter(state=State.PUBLISHED).order_by("published_at"):
        latest[row.file_name] = row
    written = 0
    for name, row in latest.items():
        written += _write(folder / f"{name.removesuffix('.yaml')}.cases.yaml", row.cases_text)
        written += _write(folder / name, row.text)
    return written


def _write(path: Path, text: str) -> bool:
    """Whole or not at all; False when it is there already."""
    if path.exists() and path.read_text("utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".rule-", suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(0o644)
    Path(name).replace(path)
    return True


def _refuse_open(gates: tuple[Gate, ...]) -> None:
    open_ = [gate for gate in gates if not gate.is_met]
    if open_:
        raise NotNow("还不能往下走：" + "；".join(f"{g.label}（{g.text}）" for g in open_) + "。")


def _row(draft_id: uuid.UUID | str) -> PolicyDraft:
    row = PolicyDraft.objects.filter(pk=draft_id).first()
    if row is None:
        raise UnknownDraft("没有这份政策草稿。处理办法：从列表里选。")
    return row


def _locked(draft_id: uuid.UUID | str) -> PolicyDraft:
    row = PolicyDraft.objects.select_for_update().filter(pk=draft_id).first()
    if row is None:
        raise UnknownDraft("没有这份政策草稿。处理办法：从列表里选。")
    return row


def _own(draft_id: uuid.UUID | str, by: Actor) -> PolicyDraft:
    """The writer's own draft, while it may be changed."""
    check_right(by, WRITERS, "写政策")
    row = _row(draft_id)
    if str(row.author_id) != by.account_id:
        raise NotAllowed("这份草稿是别人的。处理办法：请起草的人改，或者另写一份。")
    if row.state not in OPEN:
        raise NotNow("已经提交或者公布，不能再改。处理办法：请审核的人退回，或者写新的一版。")
    return row
