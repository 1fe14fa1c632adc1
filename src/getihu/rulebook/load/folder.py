"""Finds rule files, and checks what only several files together can get wrong."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from getihu.dataplane.contracts import FactDeclaration
from getihu.kernel.errors import InvalidInput, nearest_name
from getihu.rulebook.contracts import RuleProblem
from getihu.rulebook.load.document import Document
from getihu.rulebook.load.rule import read_rule
from getihu.rulebook.load.sense import check_sense
from getihu.rulebook.model.rules import Rule, Rulebook


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """Rule files among files and folders (searched flat), sorted, without the cases beside them.

    A file of a later folder takes the place of one with the same name in an earlier folder.
    """
    named: dict[Path | str, Path] = {}
    for path in paths:
        for each in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            if not each.name.endswith(".cases.yaml"):
                named[each.name if path.is_dir() else each] = each
    return list(dict.fromkeys(named.values()))


def cases_file(rule_file: Path) -> Path:
    return rule_file.with_name(rule_file.name.removesuffix(".yaml") + ".cases.yaml")


def read_folder(
    paths: Iterable[Path], facts: Mapping[str, FactDeclaration], proved: Path | None = None
) -> tuple[tuple[Rule, ...], list[RuleProblem]]:
    """All valid rules, and every problem of the others.

    ``proved`` is a folder that remembers which texts were found free of contradictions.
    """
    rules: list[tuple[Rule, Document]] = []
    problems: list[RuleProblem] = []
    known_ids: set[str] = set()
    for path in rule_files(paths):
        rule, document = read_rule(path, facts)
        known_ids.add(document.rule_id)
        problems += document.problems
        if rule is not None:
            rules.append((rule, document))
    for rule, document in rules:
        document.problems.clear()
        check_sense(rule, document, facts, proved)
    _check_overlap(rules)
    _check_endings(rules, known_ids)
    _check_overrides(rules, known_ids)
    _check_circles(rules)
    for _, document in rules:
        problems += document.problems
    return tuple(rule for rule, document in rules if not document.problems), problems


def load_rulebook(
    paths: Iterable[Path], facts: Mapping[str, FactDeclaration], proved: Path | None = None
) -> Rulebook:
    """The rulebook of some folders. Raises InvalidInput with every problem of every file."""
    rules, problems = read_folder(paths, facts, proved)
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
        if rule.ended_by is not None and len(known_ids) > 1:
            at = ("ended_by", "rule")
            _check_known(document, rule.ended_by.rule_id, known_ids, at, "写终止它的规则的编号。")


def _check_overrides(rules: Sequence[tuple[Rule, Document]], known_ids: set[str]) -> None:
    for rule, document in rules:
        for other in rule.overrides if len(known_ids) > 1 else ():
            _check_known(document, other, known_ids, ("overrides",), "写它代替的规则的编号。")


def _check_known(
    document: Document, rule_id: str, known_ids: set[str], path: tuple[str, ...], fix: str
) -> None:
    if rule_id in known_ids:
        return
    near = nearest_name(rule_id, known_ids)
    document.report(
        f"没有编号为“{rule_id}”的规则",
        document.root.get(*path) if document.root else None,
        f"是不是想写 {near}？" if near else fix,
        field=".".join(path),
        nearest=near,
    )


def _check_circles(rules: Sequence[tuple[Rule, Document]]) -> None:
    """Rules that end or take the place of each other in a circle would leave none in force."""
    after: dict[str, set[str]] = {}
    for rule, _ in rules:
        ended = {rule.ended_by.rule_id} if rule.ended_by else set()
        after.setdefault(rule.id, set()).update(ended)
        for other in rule.overrides:
            after.setdefault(other, set()).add(rule.id)
    for rule, document in rules:
        circle = _circle(rule.id, after)
        if circle:
            key = "ended_by" if rule.ended_by else "overrides"
            document.report(
                f"规则互相终止或代替，绕成一圈：{' → '.join(circle)}",
                document.root.get(key) if document.root else None,
                "后来的规则终止前面的，地方的代替全国的；去掉反过来的一条。",
                field=key,
            )


def _circle(start: str, after: Mapping[str, set[str]]) -> list[str]:
    """A way from a rule back to itself; empty when there is none."""
    ways = [[start, step] for step in sorted(after.get(start, ()))]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] == start:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, step] for step in sorted(after.get(way[-1], ()))]
    return []
