"""Reads and lints matter files: every problem of every file, with its line and the way out."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from pydantic import BaseModel, ValidationError

from getihu.cases.clocks.terms import Direction, Silence, statutory_terms
from getihu.cases.matters.model import FormField, Matter, Stage
from getihu.kernel.errors import GetihuError, InvalidInput, Problem, nearest_name
from getihu.reference import selectors as reference


class UnknownMatter(GetihuError):
    """No matter has this id."""


def matter_catalogue() -> dict[str, Matter]:
    """Return every matter of ``settings.MATTER_DIRS`` by id. Raises InvalidInput."""
    files = [
        path for folder in settings.MATTER_DIRS for path in sorted(Path(folder).glob("*.yaml"))
    ]
    return _catalogue(tuple((path, path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=4)
def _catalogue(files: tuple[tuple[Path, int], ...]) -> dict[str, Matter]:
    matters, problems = read_matters(path for path, _ in files)
    if problems:
        raise InvalidInput(problems)
    return matters


def get_matter(matter_id: str) -> Matter:
    """Return one matter. Raises UnknownMatter."""
    catalogue = matter_catalogue()
    if matter_id not in catalogue:
        near = nearest_name(matter_id, catalogue)
        hint = f"是不是想找 {near}？" if near else "全部事项见 /matters/。"
        raise UnknownMatter(f"没有编号为“{matter_id}”的事项。{hint}")
    return catalogue[matter_id]


def read_matters(paths: Iterable[Path]) -> tuple[dict[str, Matter], list[Problem]]:
    """Return the sound matters of some files by id, and every problem found."""
    matters: dict[str, Matter] = {}
    problems: list[Problem] = []
    for path in paths:
        matter, found = read_matter(path.read_text("utf-8"), str(path))
        problems += found
        if matter is None:
            continue
        if matter.id in matters:
            problems.append(Problem(f"事项“{matter.id}”写了两次", str(path), fix="删掉一个文件。"))
        elif path.stem != matter.id:
            fix = f"把文件改名为 {matter.id}.yaml。"
            problems.append(Problem("文件名和事项编号不同", str(path), field="id", fix=fix))
        matters[matter.id] = matter
    return matters, problems


def read_matter(text: str, file: str) -> tuple[Matter | None, list[Problem]]:
    """Return one matter, or None with its problems."""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        raw = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        return None, [Problem("不是有效的 YAML", file, line, fix="检查缩进、冒号和引号。")]
    lines = _lines(node)
    try:
        matter = Matter.model_validate(raw)
    except ValidationError as error:
        return None, [_shape_problem(one, file, lines, Matter) for one in error.errors()]
    problems = [
        Problem(message, file, _line(lines, where), field=".".join(map(str, where)), fix=fix)
        for where, message, fix in _lint(matter)
    ]
    return (None if problems else matter), problems


Place = tuple[str | int, ...]


def _lines(node: Any, here: Place = ()) -> dict[Place, int]:
    """Path of keys and positions → line."""
    if node is None:
        return {}
    found = {here: node.start_mark.line + 1}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found |= _lines(value, (*here, key.value))
            found[(*here, key.value)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            found |= _lines(value, (*here, number))
    return found


def _line(lines: dict[Place, int], where: Place) -> int | None:
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where)


_WORDS = {
    "missing": "缺少这一项",
    "extra_forbidden": "没有这一项",
    "string_pattern_mismatch": "写法不对",
    "string_too_short": "不能空着",
    "too_short": "至少写一个",
    "literal_error": "不在可选的范围里",
    "enum": "不在可选的范围里",
}


def _shape_problem(one: Any, file: str, lines: dict[Place, int], model: type[BaseModel]) -> Problem:
    where = tuple(one["loc"])
    expected = one.get("ctx", {}).get("expected", "")
    near = nearest_name(str(where[-1]), model.model_fields) if where else None
    guide = "add-a-matter" if model is Matter else "add-a-bundle"
    fix = f"可以写：{expected}。" if expected else f"对照 docs/how-to/{guide}.md。"
    if one["type"] == "extra_forbidden" and near:
        fix = f"是不是想写 {near}？"
    message = _WORDS.get(one["type"], one["msg"])
    return Problem(message, file, _line(lines, where), field=".".join(map(str, where)), fix=fix)


def _lint(matter: Matter) -> Iterable[tuple[Place, str, str]]:
    """What the shape cannot say: clocks that exist, stages that are reached, nothing asked twice."""
    yield from _lint_clock(("acceptance_clock",), matter.acceptance_clock)
    if matter.clock:
        yield from _lint_clock(("clock",), matter.clock)
    yield from lint_department(("handler", "department"), matter.handler.department)
    ids = [stage.id for stage in matter.stages]
    for number, stage in enumerate(matter.stages):
        place: Place = ("stages", number)
        yield from lint_department((*place, "handler", "department"), stage.handler.department)
        yield from _lint_clock((*place, "clock"), stage.clock)
        yield from _lint_stage_when(matter, place, stage)
        if ids.index(stage.id) != number:
            yield (*place, "id"), f"阶段“{stage.id}”写了两次", "换一个编号。"
        for before in stage.after:
            if before not in ids:
                near = nearest_name(before, ids)
                fix = f"是不是想写 {near}？" if near else f"现有阶段：{'、'.join(ids)}。"
                yield (*place, "after"), f"没有阶段“{before}”", fix
    for stage_id in _never_reached(matter):
        place = ("stages", ids.index(stage_id), "after")
        yield place, f"阶段“{stage_id}”永远轮不到：前后互相等待", "去掉循环的 after。"
    for kind in ("documents", "form"):
        listed = [item.id for item in getattr(matter, kind)]
        for number, name in enumerate(listed):
            if listed.index(name) != number:
                yield (kind, number, "id"), f"“{name}”写了两次", "换一个编号或删掉。"
    asked = {field.id for field in matter.form}
    for item, field_id in (matter.filing.items if matter.filing else {}).items():
        if field_id not in asked:
            near = nearest_name(field_id, asked)
            fix = f"是不是想写 {near}？" if near else f"表单里有：{'、'.join(sorted(asked))}。"
            yield ("filing", "items", item), f"表单里没有“{field_id}”", fix
    for number, field in enumerate(matter.form):
        if (field.type == "choice") != bool(field.choices):
            fix = "choice 要写 choices，别的类型不写。"
            yield ("form", number, "choices"), "选项和类型不相配", fix


def lint_department(place: Place, code: str) -> Iterable[tuple[Place, str, str]]:
    """An agency nobody knows would leave what it handles without an owner."""
    known = {each.code for each in reference.list_departments()}
    if code not in known:
        near = nearest_name(code, known)
        fix = f"是不是想写 {near}？" if near else "部门见 reference/data/departments.csv。"
        yield place, f"没有部门“{code}”，这一件没有人承办", fix


def _lint_stage_when(
    matter: Matter, place: Place, stage: Stage
) -> Iterable[tuple[Place, str, str]]:
    if stage.when is None:
        return
    asked = {field.id: field for field in matter.form}
    name = stage.when.answer
    if name not in asked:
        near = nearest_name(name, asked)
        fix = f"是不是想写 {near}？" if near else f"表单里有：{'、'.join(sorted(asked))}。"
        yield (*place, "when", "answer"), f"表单里没有“{name}”", fix
        return
    yield from lint_answers((*place, "when", "is"), asked[name], stage.when.is_)


def lint_answers(
    place: Place, field: FormField, values: tuple[bool | str, ...]
) -> Iterable[tuple[Place, str, str]]:
    """A condition no answer can meet would never be met."""
    can: list[bool | str] = [True, False] if field.type == "boolean" else list(field.choices)
    for value in values:
        if value not in can or (field.type == "boolean") != isinstance(value, bool):
            shown = "、".join(str(each).lower() if isinstance(each, bool) else each for each in can)
            fix = f"可以写：{shown}。" if can else "条件只能看是否题和选择题。"
            yield place, f"“{field.label}”不会答“{value}”，条件永远不成立", fix


def _lint_clock(place: Place, term_id: str) -> Iterable[tuple[Place, str, str]]:
    terms = statutory_terms()
    if term_id not in terms:
        near = nearest_name(term_id, terms)
        fix = f"是不是想写 {near}？" if near else "期限见 cases/clocks/terms.yaml。"
        yield place, f"没有法定期限“{term_id}”", fix
        return
    term = terms[term_id]
    if term.direction is Direction.BEFORE:
        yield place, f"“{term.title}”是倒算的期限，不能当办理期限", "换一个从受理起算的期限。"
    if term.silence is not Silence.NONE and not term.silence_source:
        yield place, "默示后果没有条款", "在 terms.yaml 写上 silence_source。"


def _never_reached(matter: Matter) -> list[str]:
    return never_reached({stage.id: stage.after for stage in matter.stages})


def never_reached(after: Mapping[str, Iterable[str]]) -> list[str]:
    """What waits for each other, of things by what each comes after."""
    waiting = {name: set(before) & set(after) for name, before in after.items()}
    while free := [name for name, before in waiting.items() if not before]:
        for name in free:
            del waiting[name]
        for before in waiting.values():
            before.difference_update(free)
    return list(waiting)
