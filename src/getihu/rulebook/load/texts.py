"""A text that is not on file yet, read as if it lay among the rules in force."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from getihu.dataplane.contracts import FactDeclaration
from getihu.kernel.errors import Problem
from getihu.rulebook.contracts import CaseResult
from getihu.rulebook.evaluate.cases import run_case
from getihu.rulebook.load.cases import check_possible, read_cases
from getihu.rulebook.load.folder import cases_file, read_folder, rule_files
from getihu.rulebook.model.rules import Rule


@dataclass(frozen=True)
class TextCheck:
    """What becomes of a text read as a rule among the others. ``rule`` None: it cannot be read, and
    ``problems`` say why; ``cases`` are its worked cases, run."""

    rule: Rule | None
    problems: tuple[Problem, ...]
    cases: tuple[CaseResult, ...]

    @property
    def is_sound(self) -> bool:
        """No problem, and every case comes out as written; a rule without cases is not sound."""
        return not self.problems and bool(self.cases) and all(c.passed for c in self.cases)


def check_text(
    text: str,
    cases_text: str,
    folders: Sequence[Path],
    facts: Mapping[str, FactDeclaration],
    proved: Path | None = None,
) -> TextCheck:
    """Read a text among the rules of ``folders``; ``proved`` as in ``read_folder``."""
    with tempfile.TemporaryDirectory(prefix="getihu-draft-") as folder:
        path = Path(folder) / (file_name(text, folders) or "draft.yaml")
        path.write_text(text, "utf-8")
        cases_file(path).write_text(cases_text, "utf-8")
        rules, found = read_folder([*folders, Path(folder)], facts, proved)
        rule = next((each for each in rules if each.file == str(path)), None)
        problems: list[Problem] = list(found)
        results = []
        if rule is not None:
            cases, document = read_cases(cases_file(path), rule, facts)
            if not document.problems:
                check_possible(document, rule, facts)
            problems += document.problems
            results = [run_case(rule, case) for case in cases]
        return TextCheck(
            rule, tuple(_in_place(problem, folder) for problem in problems), tuple(results)
        )


def _in_place(problem: Problem, folder: str) -> Problem:
    """A problem under the name the file would have."""
    return replace(problem, file=problem.file.replace(f"{folder}/", "") if problem.file else None)


def file_name(text: str, folders: Sequence[Path]) -> str:
    head = _head(text)
    rule_id, begins = head.get("id"), head.get("valid_from")
    if not isinstance(rule_id, str) or not isinstance(begins, date):
        return ""
    others = [
        path
        for path in rule_files(folders)
        if path.name == f"{rule_id}.yaml" or path.name.startswith(f"{rule_id}@")
    ]
    for path in others:
        if _head(path.read_text("utf-8")).get("valid_from") == begins:
            return path.name
    return f"{rule_id}@{begins.isoformat()}.yaml" if others else f"{rule_id}.yaml"


def _head(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}
