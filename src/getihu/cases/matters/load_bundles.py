"""Reads and lints bundle files: every problem of every file, with its line and the way out."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import yaml
from django.conf import settings
from pydantic import ValidationError

from getihu.cases.matters.bundle import Bundle, Part, WholeBundle
from getihu.cases.matters.load import (
    Place,
    _line,
    _lines,
    _shape_problem,
    lint_answers,
    lint_department,
    matter_catalogue,
    never_reached,
)
from getihu.cases.matters.merge import MergedField, merge
from getihu.cases.matters.model import Matter
from getihu.kernel.errors import GetihuError, InvalidInput, Problem, nearest_name
from getihu.rulebook import selectors as rulebook

# Who may begin it, from the widest to the narrowest.
_STARTERS = ("anybody", "representative", "owner", "officer")
# What the bundle itself knows of the trader when it asks a rule.
KNOWN_TO_RULES = frozenset({"county_code", "subject_kind"})
Lint = tuple[Place, str, str]


class UnknownBundle(GetihuError):
    """No bundle has this id."""


def bundle_catalogue() -> dict[str, WholeBundle]:
    """Return every bundle of ``settings.BUNDLE_DIRS`` by id, with its matters. Raises
    InvalidInput."""
    files = [
        path for folder in settings.BUNDLE_DIRS for path in sorted(Path(folder).glob("*.yaml"))
    ]
    matters = matter_catalogue()
    stamps = tuple((path, path.stat().st_mtime_ns) for path in files)
    return _catalogue(stamps, _Matters(matters))


class _Matters(dict[str, Matter]):
    """A catalogue as part of a key: the same object, or another one."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(map(id, self.values())))


@lru_cache(maxsize=4)
def _catalogue(files: tuple[tuple[Path, int], ...], matters: _Matters) -> dict[str, WholeBundle]:
    found: dict[str, WholeBundle] = {}
    problems: list[Problem] = []
    for path, _ in files:
        whole, wrong = read_bundle(path.read_text("utf-8"), str(path), matters)
        problems += wrong
        if whole is None:
            continue
        bundle_id = whole.bundle.id
        if path.stem != bundle_id or bundle_id in found:
            fix = f"一个一类事一个文件，叫 {bundle_id}.yaml。"
            problems.append(Problem("文件名和编号不同", str(path), field="id", fix=fix))
        found[bundle_id] = whole
    if problems:
        raise InvalidInput(problems)
    return found


def get_bundle(bundle_id: str) -> WholeBundle:
    """Return one bundle with its matters. Raises UnknownBundle."""
    catalogue = bundle_catalogue()
    if bundle_id not in catalogue:
        near = nearest_name(bundle_id, catalogue)
        hint = f"是不是想找 {near}？" if near else ""
        raise UnknownBundle(f"没有编号为“{bundle_id}”的一类事。{hint}")
    return catalogue[bundle_id]


def read_bundle(
    text: str, file: str, matters: Mapping[str, Matter]
) -> tuple[WholeBundle | None, list[Problem]]:
    """Return one bundle, or None with its problems."""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        raw = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        return None, [Problem("不是有效的 YAML", file, line, fix="检查缩进、冒号和引号。")]
    lines = _lines(node)
    try:
        bundle = Bundle.model_validate(raw)
    except ValidationError as error:
        return None, [_shape_problem(one, file, lines, Bundle) for one in error.errors()]
    used = {part.matter: matters[part.matter] for part in bundle.parts if part.matter in matters}
    whole = WholeBundle(bundle=bundle, matters=used)
    problems = [
        Problem(message, file, _line(lines, where), field=".".join(map(str, where)), fix=fix)
        for where, message, fix in _lint(whole, matters)
    ]
    return (None if problems else whole), problems


def _lint(whole: WholeBundle, matters: Mapping[str, Matter]) -> Iterable[Lint]:
    bundle = whole.bundle
    yield from lint_department(("handler", "department"), bundle.handler.department)
    fields, _, unfit = merge(whole)
    for message, fix in unfit:
        yield ("parts",), message, fix
    ids = [part.id for part in bundle.parts]
    for number, part in enumerate(bundle.parts):
        place: Place = ("parts", number)
        if ids.index(part.id) != number:
            yield (*place, "id"), f"“{part.id}”写了两次", "换一个编号。"
        for before in part.after:
            if before not in ids:
                near = nearest_name(before, ids)
                fix = f"是不是想写 {near}？" if near else f"现有：{'、'.join(ids)}。"
                yield (*place, "after"), f"没有“{before}”这一项", fix
        yield from _lint_matter(bundle, place, part, matters)
        if part.when:
            yield from _lint_when(bundle, (*place, "when"), part, fields)
    for name in bundle.covers:
        if name not in matters:
            near = nearest_name(name, matters)
            fix = f"是不是想写 {near}？" if near else "写要由这个一类事代替的事项。"
            yield ("covers",), f"没有事项“{name}”", fix
    for part_id in never_reached({part.id: part.after for part in bundle.parts}):
        place = ("parts", ids.index(part_id), "after")
        yield place, f"“{part_id}”永远轮不到：前后互相等待", "去掉循环的 after。"


def _lint_matter(
    bundle: Bundle, place: Place, part: Part, matters: Mapping[str, Matter]
) -> Iterable[Lint]:
    if part.matter not in matters:
        near = nearest_name(part.matter, matters)
        fix = f"是不是想写 {near}？" if near else "先写这个事项；有毛病的事项也不算。"
        yield (*place, "matter"), f"没有事项“{part.matter}”", fix
        return
    matter = matters[part.matter]
    if missing := set(bundle.subjects) - set(matter.subjects):
        fix = f"从 subjects 里去掉 {'、'.join(sorted(missing))}。"
        yield (*place, "matter"), f"“{matter.title}”不是给它们办的", fix
    if matter.started_by == "officer" or (
        matter.started_by == "owner" and bundle.started_by == "representative"
    ):
        text = f"“{matter.title}”不能由开始这个一类事的人办"
        yield (*place, "matter"), text, "started_by 写得和最严的一项一样。"


def _lint_when(
    bundle: Bundle, place: Place, part: Part, fields: list[MergedField]
) -> Iterable[Lint]:
    """A condition rests on questions that are asked before anybody knows what is needed."""
    when = part.when
    assert when is not None
    always = {each.id for each in bundle.parts if each.when is None}
    asked = {
        each.field.id: each.field for each in fields if each.is_own or always & set(each.asked_by)
    }
    if when.answer is not None:
        if when.answer not in asked:
            yield (*place, "answer"), *_not_asked(when.answer, asked)
            return
        yield from lint_answers((*place, "is"), asked[when.answer], when.is_)
        return
    try:
        rule = rulebook.get_rule(str(when.rule))
    except rulebook.UnknownRule as error:
        yield (*place, "rule"), str(error), "规则见 docs/reference/rules.md。"
        return
    outcomes = dict(rule.values) or {"yes": "", "no": ""}
    for outcome in when.gives:
        if outcome not in outcomes:
            fix = f"可以写：{'、'.join(outcomes)}。"
            yield (*place, "gives"), f"规则不会给出“{outcome}”，这一项永远不用办", fix
    inputs = {each.name for each in rule.inputs}
    for name in [*when.facts, *when.given]:
        if name not in inputs | KNOWN_TO_RULES:
            near = nearest_name(name, inputs)
            fix = f"是不是想写 {near}？" if near else f"规则要的是：{'、'.join(sorted(inputs))}。"
            yield (*place, "facts"), f"规则不问“{name}”", fix
    for name in sorted(inputs - set(when.given)):
        question = when.facts.get(name, name)
        if question not in asked:
            yield (*place, "facts", name), *_not_asked(question, asked)


def _not_asked(name: str, asked: Mapping[str, object]) -> tuple[str, str]:
    near = nearest_name(name, asked)
    fix = f"是不是想写 {near}？" if near else "写进 questions，或者放进一定要办的那一项。"
    return f"办之前没有问“{name}”，条件永远不成立", fix
