"""Errors people can act on: what is wrong, where, and the way out, in Chinese."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class GetihuError(Exception):
    """An anticipated error: shown without a traceback. ``exit_code`` is the command line's."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input file: where it is, what it is, and what to do.

    ``line`` and ``column`` count from 1; None where a problem belongs to the whole file.
    """

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    field: str | None = None
    fix: str = ""

    def __str__(self) -> str:
        position = ":".join(str(p) for p in (self.file, self.line, self.column) if p is not None)
        field = f"[{self.field}] " if self.field else ""
        fix = f" 处理办法：{self.fix}" if self.fix else ""
        return f"{position + ' ' if position else ''}{field}{self.message}{fix}"


class InvalidInput(GetihuError):
    """One or more problems of an input, all reported together."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest_name(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that looks most like ``name``; None when nothing is near."""
    found = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.6)
    return found[0] if found else None
