"""Finds rule files, and checks what only several files together can get wrong."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from getihu.dataplane.contracts import FactDeclaration
from getihu.kernel.errors import InvalidInput, nearest_name
from getihu.rulebook.contracts import RuleProblem
from getihu.rulebook.load.document import Document
from getihu.rulebook.load.rule import read_rule
from getihu.rulebook.model.rules import Rule, Rulebook


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """Rule files among files and folders (searched flat), sorted, without the cases beside them."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        found.update(dict.fromkeys(p for p in inside if not p.name.endswith(".cases.yaml")))
    return list(found)


def cases_file(rule_file: Path) -> Path:
    return rule_file.with_name(rule_file.name.removesuffix(".yaml") + ".cases.yaml")


def read_folder(
    paths: Iterable[Path], facts: Mapping[str, FactDeclaration]
) -> tuple[tuple[Rule, ...], list[RuleProblem]]:
    """All valid rules, and every problem of the others."""
    rules: list[tuple[Rule, Document]] = []
    problems: list[RuleProblem] = []
    known_ids: set[str] = set()
    for path in rule_files(paths):
        rule, document = read_rule(path, facts)
        known_ids.add(document.rule_id)
        problems += document.problems
        if rule is not None:
            rules.append((rule, document))
    for _, document in rules:
        document.problems.clear()
    _check_overlap(rules)
    _check_endings(rules, known_ids)
    for _, document in rules:
        problems += document.problems
    return tuple(rule for rule, document in rules if not document.problems), problems


def load_rulebook(paths: Iterable[Path], facts: Mapping[str, FactDeclaration]) -> Rulebook:
    """The rulebook of some folders. Raises InvalidInput with every problem of every file."""
    rules, problems = read_folder(paths, facts)
    if problems:
        raise InvalidInput(problems)
    return Rulebook(rules)


def _check_overlap(rules: Sequence[tuple[Rule, Document]]) -> None:
    for number, (rule, document) in enumerate(rules):
        for other, _ in rules[:number]:
            if other.id == rule.id and _overlap(other, rule):
                root = document.root
                document.report(
                    f"和 {other.file} 里同一规则的有效期重叠"
                    f"（{other.valid_from} 至 {other.valid_until or '未见终止日'}）",
                    root.get("valid_from") if root else None,
                    "前一版的 valid_until 写成后一版的 valid_from。",
                    field="valid_from",
                )


def _overlap(a: Rule, b: Rule) -> bool:
    starts_before_b_ends = b.valid_until is None or a.valid_from < b.valid_until
    starts_before_a_ends = a.valid_until is None or b.valid_from < a.valid_until
    return starts_before_b_ends and starts_before_a_ends


def _check_endings(rules: Sequence[tuple[Rule, Document]], known_ids: set[str]) -> None:
    for rule, document in rules:
        if rule.ended_by is None or rule.ended_by.rule_id in known_ids or len(known_ids) == 1:
            continue
        near = nearest_name(rule.ended_by.rule_id, known_ids)
        root = document.root
        document.report(
            f"没有编号为“{rule.ended_by.rule_id}”的规则",
            root.get("ended_by", "rule") if root else None,
            f"是不是想写 {near}？" if near else "写终止它的那条规则的编号。",
            field="ended_by.rule",
            nearest=near,
        )
