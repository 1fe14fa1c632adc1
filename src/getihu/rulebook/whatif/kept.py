"""Answers written as JSON and read back; a cache of them beside the facts they rest on."""

import json
import os
import tempfile
import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from getihu.rulebook.explain.canonical import canonical_json

FORMAT: Final = "4"  # of the kept answers; another number makes them all anew
T = TypeVar("T")


def plain(value: object) -> Any:
    """An answer as JSON holds it."""
    return json.loads(canonical_json(value))


def restored(kind: Any, value: Any) -> Any:
    """An answer from its JSON, by the types its class declares."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return (
            None
            if value is None
            else restored(next(t for t in inside if t is not type(None)), value)
        )
    if origin is tuple:
        if len(inside) == 2 and inside[1] is Ellipsis:
            return tuple(restored(inside[0], item) for item in value)
        return tuple(restored(t, item) for t, item in zip(inside, value, strict=True))
    if origin is list:
        return [restored(inside[0], item) for item in value]
    if origin is dict:
        return {key: restored(inside[1], item) for key, item in value.items()}
    if is_dataclass(kind):
        types_of = typing.get_type_hints(kind)
        make: Any = kind
        return make(**{f.name: restored(types_of[f.name], value[f.name]) for f in fields(kind)})
    if kind is Decimal:
        return Decimal(value)
    if kind in (date, datetime):
        return kind.fromisoformat(value)
    return value


def cached(path: Path, kind: Any, make: Callable[[], T]) -> T:
    """The answer kept in ``path``, else made now and kept; a broken file is made again."""
    try:
        found: T = restored(kind, json.loads(path.read_text("utf-8")))
        return found
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        pass
    made = make()
    write_whole(path, canonical_json(made))
    return made


def write_whole(path: Path, content: bytes) -> None:
    """The file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".kept-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
