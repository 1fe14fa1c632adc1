"""Small changes to the text of a rule file that leave everything else as its author wrote it.

Comments, layout and key order stay; only the characters of the changed value move.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = re.compile(r"[A-Za-z0-9_一-鿿][A-Za-z0-9_.一-鿿〔〕（）()《》、，。；：％%／/ -]*$")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


@dataclass(frozen=True)
class Edit:
    """The characters from ``start`` up to ``end`` become ``new``."""

    start: int
    end: int
    new: str


class TextTree:
    """A YAML text with the place of every node, for editing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root: Any = yaml.compose(text, Loader=_LOADER)

    def pair(self, *path: str | int) -> tuple[Any, Any] | None:
        """The key and value at a path of keys (and list numbers); None when absent.

        For a list item the "key" is the item itself.
        """
        key, here = self.root, self.root
        for step in path:
            found = None
            if isinstance(step, int):
                if isinstance(here, yaml.SequenceNode) and step < len(here.value):
                    found = (here.value[step], here.value[step])
            elif isinstance(here, yaml.MappingNode):
                found = next((p for p in here.value if p[0].value == step), None)
            if found is None:
                return None
            key, here = found
        return key, here

    def set(self, path: tuple[str | int, ...], value: Any) -> list[Edit]:
        """Put a value where one is; nothing where there is none."""
        pair = self.pair(*path)
        if pair is None:
            return []
        start, end = self._span(pair[1])
        new = written(value)
        if self.text[start:end].endswith("\n"):
            new += "\n"
        return [Edit(start, end, new)]

    def put(self, path: tuple[str | int, ...], value: Any, after: str) -> list[Edit]:
        """Put a value at a key; when the key is absent, write it after the sibling ``after``."""
        if self.pair(*path) is not None:
            return self.set(path, value)
        parent, name = path[:-1], path[-1]
        sibling, mapping = self.pair(*parent, after), self.pair(*parent)
        if sibling is None or mapping is None:
            return []
        _, end = self._span(sibling[1])
        if mapping[1].flow_style:
            return [Edit(end, end, f", {name}: {written(value)}")]
        indent = " " * sibling[0].start_mark.column
        broken = self.text[:end].endswith("\n")
        new = (
            f"{indent}{name}: {written(value)}\n"
            if broken
            else f"\n{indent}{name}: {written(value)}"
        )
        return [Edit(end, end, new)]

    def remove(self, path: tuple[str | int, ...]) -> list[Edit]:
        """Take a key of a mapping away, its value and its lines with it."""
        pair, mapping = self.pair(*path), self.pair(*path[:-1])
        if pair is None or mapping is None:
            return []
        keys = [key for key, _ in mapping[1].value]
        number = next(i for i, key in enumerate(keys) if key is pair[0])
        if mapping[1].flow_style:
            if number + 1 < len(keys):
                return [Edit(pair[0].start_mark.index, keys[number + 1].start_mark.index, "")]
            before = self.text.rfind(",", 0, pair[0].start_mark.index)
            _, end = self._span(pair[1])
            return [Edit(max(before, mapping[1].start_mark.index + 1), end, "")]
        start = self.text.rfind("\n", 0, pair[0].start_mark.index) + 1
        end = self._span(pair[1])[1]
        line_end = self.text.find("\n", end - 1)
        return [Edit(start, len(self.text) if line_end < 0 else line_end + 1, "")]

    def _span(self, node: Any) -> tuple[int, int]:
        """Start and end of a node's own characters, without blanks and comments after it."""
        start, end = node.start_mark.index, node.end_mark.index
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return start, start + len(self.text[start:end].rstrip()) + 1
        if isinstance(node, yaml.ScalarNode) or node.flow_style:
            return start, end
        return start, self._span(
            node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
        )[1]


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made. They must not overlap."""
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def written(value: Any) -> str:
    """A value as a rule file writes it on one line.

    >>> written(36), written("a >= b"), written("2026-01-01"), written(True)
    ('36', '"a >= b"', '"2026-01-01"', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str):
        risky = value in _WORDS or value[:1].isdigit() or ": " in value or " #" in value
        return value if _PLAIN.match(value) and not risky else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(item)}" for key, item in value.items()) + "}"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
