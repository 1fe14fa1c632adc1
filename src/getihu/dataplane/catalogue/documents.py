"""YAML files with the line of every value, so that a message can point at it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from getihu.kernel.errors import InvalidInput, Problem


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, and the line each value starts on.

    ``lines`` maps the path of a value, like ``("facts", 3, "value")``, to its line from 1.
    """

    path: Path
    content: Any
    lines: dict[tuple[str | int, ...], int]

    def line(self, *path: str | int) -> int:
        """Return the line of the value at ``path``, or of the nearest value around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, message: str, *path: str | int, fix: str = "") -> Problem:
        """Describe what is wrong with the value at ``path``."""
        field = ".".join(str(p) for p in path if isinstance(p, str)) or None
        return Problem(message, file=self.path.name, line=self.line(*path), field=field, fix=fix)


# libyaml's, where it is there: every start reads some thirty of these files.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_document(path: Path) -> Document:
    """Read one YAML file.

    Raises: InvalidInput when the text is not UTF-8, not YAML, or names a key twice.
    """
    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=_LOADER)
    except UnicodeDecodeError as error:
        problem = Problem(
            f"不是 UTF-8 文本（第 {error.start} 字节）", path.name, fix="另存为 UTF-8 编码"
        )
        raise InvalidInput([problem]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else None
        problem = Problem(
            f"不是合法的 YAML：{error.problem}", path.name, line, fix="检查缩进、冒号和引号"
        )
        raise InvalidInput([problem]) from None
    lines: dict[tuple[str | int, ...], int] = {}
    problems: list[Problem] = []
    content = _plain(node, (), lines, problems, path.name) if node is not None else None
    if problems:
        raise InvalidInput(problems)
    return Document(path, content, lines)


def _plain(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    problems: list[Problem],
    file: str,
) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_plain(n, (*path, i), lines, problems, file) for i, n in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return yaml.SafeLoader("").construct_object(node, deep=True)
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in found:
            problems.append(
                Problem(
                    f"“{key}”写了两次",
                    file,
                    key_node.start_mark.line + 1,
                    field=key,
                    fix="只保留一处",
                )
            )
        found[key] = _plain(value_node, (*path, key), lines, problems, file)
    return found
