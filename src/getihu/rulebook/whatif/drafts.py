"""A what-if written down as a draft version of the rule, with its worked cases."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from getihu.dataplane.contracts import FactDeclaration
from getihu.kernel.errors import GetihuError
from getihu.rulebook.contracts import DraftVersion, RuleChange
from getihu.rulebook.evaluate.missing import missing_facts
from getihu.rulebook.evaluate.verdicts import OUTCOMES, judge
from getihu.rulebook.load.cases import read_cases
from getihu.rulebook.load.parameters import OURS
from getihu.rulebook.model.cases import NOT_APPLICABLE, Case
from getihu.rulebook.model.rules import Rule
from getihu.rulebook.whatif.changes import edits_for, parameter_path, read_text
from getihu.rulebook.whatif.edit import Edit, TextTree, apply


class DraftTooEarly(GetihuError):
    """A version cannot begin before the one it replaces."""


def draft_version(
    rule: Rule,
    text: str,
    changes: Sequence[RuleChange],
    facts: Mapping[str, FactDeclaration],
    *,
    valid_from: date,
) -> DraftVersion:
    """The rule file and case file of a version with the changes, in force from ``valid_from``.

    Changed numbers are marked 本项目设定，非官方 until somebody gives them a source. The text
    passes ``rules check``. Raises: DraftTooEarly; UnknownPart; InvalidInput.
    """
    if valid_from <= rule.valid_from:
        raise DraftTooEarly(
            f"新版本要晚于现行版本的生效日 {rule.valid_from}。处理办法：改一个更晚的日期。"
        )
    edits = edits_for(text, changes) + _marks(text, rule, changes) + _period(text, rule, valid_from)
    drafted = _headed(apply(text, edits), rule, valid_from)
    name = f"{rule.id}@{valid_from.isoformat()}"
    draft = read_text(f"{name}.yaml", drafted, facts)
    cases_text, changed = _cases(rule, draft, facts, valid_from)
    return DraftVersion(
        file_name=f"{name}.yaml",
        text=drafted,
        cases_name=f"{name}.cases.yaml",
        cases_text=cases_text,
        version=draft.version,
        changed_cases=changed,
        notes=_notes(rule, draft, valid_from),
    )


def _marks(text: str, rule: Rule, changes: Sequence[RuleChange]) -> list[Edit]:
    """Every changed number loses the source that set the old one."""
    tree = TextTree(text)
    edits: list[Edit] = []
    seen: set[str] = set()
    for change in changes:
        name = change.name.partition("#")[0]
        home = parameter_path(change.name)[:-1]
        if change.kind != "parameter" or name in seen or tree.pair(*parameter_path(name)) is None:
            continue
        seen.add(name)
        old = tree.pair(*parameter_path(change.name))
        was = old[1].value if old else ""
        source = f"{OURS}；草案待定，原为 {was}（{_old_source(rule, name)}）"
        edits += tree.set((*home, "source"), source)
        edits += tree.put(("parameters", name, "official"), False, after="source")
    return edits


def _old_source(rule: Rule, name: str) -> str:
    return rule.parameter_by_name[name].source.removeprefix(OURS).lstrip("；;，, ")


def _period(text: str, rule: Rule, valid_from: date) -> list[Edit]:
    """In force from the new date; an end that lies before it, or came early, is not kept."""
    tree = TextTree(text)
    edits = tree.set(("valid_from",), valid_from)
    if rule.valid_until and rule.valid_until <= valid_from:
        edits += tree.set(("valid_until",), None)
    return edits + tree.remove(("ended_by",))


def _headed(text: str, rule: Rule, valid_from: date) -> str:
    return (
        f"# 草案：由 {rule.id} 版本 {rule.version} 改出，拟自 {valid_from} 起施行。\n"
        f"# 改过的数没有出处，标为“{OURS}”；定下来以后写上文件和条款。\n"
        f"# 施行前先做漂移报告：getihu rules drift {rule.id}@{rule.version} 本文件\n{text}"
    )


def _notes(rule: Rule, draft: Rule, valid_from: date) -> tuple[str, ...]:
    notes = [
        f"把两个文件放到 {Path(rule.file).parent.name}/ 里现行版本旁边。",
        f"把现行版本 {Path(rule.file).name} 的 valid_until 写成 {valid_from}（不含当日）。",
        "给改过的数写上出处，去掉 official: false。",
        "逐个核对案例：标有“草案改变”的，是结果和现行版本不同的。",
        f"运行 getihu rules check，再运行 getihu rules drift {rule.id}@{rule.version} {rule.id}@{draft.version}。",
    ]
    if rule.incomplete:
        notes.insert(2, "原文不全：草案仍只能得出“还不能判断”，除非补上 incomplete 所说的条款。")
    return tuple(notes)


def _cases(
    rule: Rule, draft: Rule, facts: Mapping[str, FactDeclaration], valid_from: date
) -> tuple[str, tuple[str, ...]]:
    """The cases of the rule with the draft's answers, each change marked."""
    path = Path(rule.file).with_suffix("").with_name(Path(rule.file).stem + ".cases.yaml")
    cases, document = read_cases(path, rule, facts)
    if document.problems or not cases:
        return _first_case(draft, valid_from), ()
    tree = TextTree(document.text)
    edits: list[Edit] = []
    changed: list[str] = []
    for number, case in enumerate(cases):
        moved = replace(case, as_of=max(case.as_of, valid_from))
        answered, differs = _answer(tree, number, rule, draft, case, moved)
        edits += answered
        changed += [case.name] if differs else []
    head = "# 草案的案例：日期移到草案施行之后，结果按草案重算。标有“草案改变”的和现行版本不同，逐个核对。\n"
    return head + apply(document.text, edits), tuple(changed)


def _answer(
    tree: TextTree, number: int, rule: Rule, draft: Rule, case: Case, moved: Case
) -> tuple[list[Edit], bool]:
    """What to edit in one case, and whether the draft answers it otherwise."""
    home: tuple[str | int, ...] = ("cases", number)
    verdict = judge(draft, moved.facts, moved.as_of)
    outcome = NOT_APPLICABLE if verdict.applies is False else verdict.outcome
    differs = outcome != case.expect or (
        case.amount_given
        and verdict.amount != (None if case.amount is None else Fraction(case.amount))
    )
    edits = tree.set((*home, "as_of"), moved.as_of) if moved.as_of != case.as_of else []
    edits += tree.set((*home, "expect"), outcome)
    if case.amount_given:
        edits += tree.set((*home, "amount"), _amount(verdict.amount))
    if case.missing is not None:
        missing = list(missing_facts(draft, verdict, moved.facts, moved.as_of))
        edits += tree.set((*home, "missing"), missing)
    if case.clauses:
        kept = {
            name: OUTCOMES[verdict.clauses[name]]
            for name in case.clauses
            if name in verdict.clauses
        }
        edits += tree.set((*home, "clauses"), kept) if kept else tree.remove((*home, "clauses"))
    name = tree.pair(*home, "name")
    if differs and name:
        note = f"{case.name}（草案改变：现行为 {case.expect}）"
        edits += tree.set((*home, "name"), note)
    return edits, differs


def _amount(amount: Fraction | None) -> Any:
    if amount is None:
        return None
    shown = Decimal(amount.numerator) / Decimal(amount.denominator)
    return int(shown) if shown == shown.to_integral_value() else str(shown)


def _first_case(draft: Rule, valid_from: date) -> str:
    """One case to begin with, where the rule has none that can be read."""
    verdict = judge(draft, {"subject_kind": draft.subjects[0]}, valid_from)
    outcome = NOT_APPLICABLE if verdict.applies is False else verdict.outcome
    return f"cases:\n  - name: 什么都不知道\n    as_of: {valid_from}\n    facts: {{}}\n    expect: {outcome}\n"
