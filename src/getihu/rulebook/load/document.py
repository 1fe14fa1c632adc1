"""YAML read with the place of every value, so that each problem names file, line and column.

Only plain data is read: no tags, no YAML 1.1 surprises (``yes`` and ``no`` stay words, numbers
with a leading zero stay text, decimals become Decimal and never float).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from getihu.rulebook.contracts import RuleProblem

Scalar = str | int | Decimal | bool | date | None
_PLAIN_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_PLAIN_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+$")
_PLAIN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_DEEPEST = 60
_PLAIN_NULL = ("", "~", "null")


# libyaml's parser is ten times faster; both give the same places.
_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_FASTEST):
    """A safe loader that types nothing by itself."""


_Loader.yaml_implicit_resolvers = {}


@dataclass(frozen=True)
class Located:
    """A value with its place. ``value`` is a scalar, a dict of Located or a list of Located."""

    value: Any
    line: int
    column: int
    key_marks: dict[str, tuple[int, int]] = field(default_factory=dict)
    start: int = 0
    end: int = 0
    style: str | None = None
    written: str = ""  # the scalar's text as YAML reads it, before typing

    def get(self, *path: str) -> Located | None:
        """The value at a path of keys, or None when something on the way is absent."""
        here: Located | None = self
        for key in path:
            if here is None or not isinstance(here.value, dict):
                return None
            here = here.value.get(key)
        return here

    def items(self) -> list[tuple[str, Located]]:
        return list(self.value.items()) if isinstance(self.value, dict) else []

    def elements(self) -> list[Located]:
        return list(self.value) if isinstance(self.value, list) else []

    def plain(self) -> Any:
        """The value without places; dates as ISO text, as JSON Schema sees them."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value.isoformat() if isinstance(self.value, date) else self.value

    def key_place(self, key: str) -> tuple[int, int]:
        return self.key_marks.get(key, (self.line, self.column))


@dataclass
class Document:
    """One file being read: its text, and the problems found so far."""

    file: str
    text: str = ""
    root: Located | None = None
    rule_id: str = ""
    problems: list[RuleProblem] = field(default_factory=list)

    def report(
        self,
        message: str,
        at: Located | tuple[int, int] | None,
        fix: str,
        *,
        field: str | None = None,
        nearest: str | None = None,
    ) -> None:
        """Note one problem; ``at`` is the value or the (line, column) it concerns."""
        line, column = (at.line, at.column) if isinstance(at, Located) else at or (1, 1)
        self.problems.append(
            RuleProblem(
                message=message,
                file=self.file,
                line=line,
                column=column,
                field=field,
                fix=fix,
                rule_id=self.rule_id,
                nearest=nearest,
            )
        )

    def place_in(self, scalar: Located, offset: int) -> tuple[int, int]:
        """Line and column in the file of the character at ``offset`` of a scalar's text."""
        index = _raw_index(self.text, scalar, offset)
        line = self.text.count("\n", 0, index) + 1
        return line, index - (self.text.rfind("\n", 0, index) + 1) + 1


def read_document(path: Path) -> Document:
    """Read one YAML file. Problems of encoding and syntax are in ``problems`` (root None)."""
    document = Document(file=str(path))
    try:
        document.text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        document.report(f"文件不是 UTF-8 编码（第 {error.start} 字节）", None, "另存为 UTF-8。")
        return document
    except OSError as error:
        document.report(f"文件读不出来：{error.strerror}", None, "检查文件是否存在、能否读取。")
        return document
    try:
        parse_document(document)
    except RecursionError:
        document.root = None
        document.report("文件嵌套太深", None, "减少一层套一层的组合。")
    return document


def parse_document(document: Document) -> None:
    """Parse ``document.text`` into ``document.root``."""
    try:
        node = yaml.compose(document.text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else None
        document.report(
            f"不是合法的 YAML：{error.problem or error.context}", at, "检查缩进、冒号、引号和括号。"
        )
        return
    except yaml.YAMLError as error:
        document.report(f"不是合法的 YAML：{error}", None, "去掉文件里的控制字符。")
        return
    if not isinstance(node, yaml.MappingNode):
        document.report("文件必须是“键: 值”的形式", None, "第一行写 id: 规则编号。")
        return
    if not _shallow(node):
        document.report("文件嵌套太深", None, "减少一层套一层的组合。")
        return
    document.root = _locate(document, node)
    rule_id = document.root.get("id")
    if rule_id is not None and isinstance(rule_id.value, str):
        document.rule_id = rule_id.value


def _shallow(node: yaml.Node) -> bool:
    """At most ``_DEEPEST`` levels, counted without recursion; an anchor inside itself is not."""
    level, depth = [node], 0
    while level and depth <= _DEEPEST:
        depth += 1
        level = list({id(child): child for n in level for child in _inside(n)}.values())
    return depth <= _DEEPEST


def _inside(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _locate(document: Document, node: yaml.Node) -> Located:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if not node.tag.startswith("tag:yaml.org,2002:") and node.tag != "!":
        document.report(f"不能用标签 {node.tag}", (line, column), "去掉以 ! 开头的标签。")
    if isinstance(node, yaml.MappingNode):
        return _locate_mapping(document, node)
    if isinstance(node, yaml.SequenceNode):
        return Located([_locate(document, item) for item in node.value], line, column)
    # Plain text has the style None, or "" from libyaml.
    style = (node.style or None) if isinstance(node, yaml.ScalarNode) else None
    return Located(
        _typed(node.value) if style is None else node.value,
        line,
        column,
        start=node.start_mark.index,
        end=node.end_mark.index,
        style=style,
        written=node.value,
    )


def _locate_mapping(document: Document, node: yaml.MappingNode) -> Located:
    values: dict[str, Located] = {}
    marks: dict[str, tuple[int, int]] = {}
    for key_node, value_node in node.value:
        place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            document.report("键必须是一个词", place, "键不能是列表或映射。")
            continue
        key = key_node.value
        if key in values:
            document.report(f"键“{key}”写了两次", place, "删掉其中一个。", field=key)
        values[key] = _locate(document, value_node)
        marks[key] = place
    mark = node.start_mark
    return Located(values, mark.line + 1, mark.column + 1, key_marks=marks)


def _typed(text: str) -> Scalar:
    if text in _PLAIN_NULL:
        return None
    if text in ("true", "false"):
        return text == "true"
    if _PLAIN_INTEGER.match(text):
        return int(text)
    if _PLAIN_DECIMAL.match(text):
        return Decimal(text)
    if _PLAIN_DATE.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    return text


def _raw_index(text: str, scalar: Located, offset: int) -> int:
    """Index in the file of a character of a scalar that may be quoted or folded."""
    index = scalar.start
    if scalar.style in ("|", ">"):
        index = text.find("\n", index) + 1
    elif scalar.style in ("'", '"'):
        index += 1
    for place, wanted in enumerate(scalar.written[: offset + 1]):
        if wanted.isspace():
            continue
        while index < scalar.end and text[index] != wanted:
            index += 1
        if place < offset:
            index += 1
    return min(index, max(scalar.end - 1, scalar.start))
