"""One YAML file a thing: read and checked, every problem of every file at once."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from getihu.kernel.errors import InvalidInput, Problem

Stamps = tuple[tuple[str, int], ...]
Read = TypeVar("Read", bound=BaseModel)


def stamps_of(folders: Iterable[str | Path]) -> Stamps:
    """The YAML files of some folders with the time each was written: what changes when somebody
    edits one."""
    files = [path for folder in folders for path in sorted(Path(folder).glob("*.yaml"))]
    return tuple((str(path), path.stat().st_mtime_ns) for path in files)


def read_files(model: type[Read], stamps: Stamps, how_to: str) -> dict[str, Read]:
    """The things by their id, which is the file's name. ``how_to``: the way out said to whoever
    wrote one wrong. Raises InvalidInput with file, line or field of every problem."""
    found: dict[str, Read] = {}
    problems: list[Problem] = []
    for name, _ in stamps:
        path = Path(name)
        try:
            read = model.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else None
            problems.append(Problem("YAML 写法不对", name, line, fix="核对缩进和冒号。"))
            continue
        except ValidationError as error:
            for each in error.errors():
                where = ".".join(str(part) for part in each["loc"])
                problems.append(Problem(each["msg"], name, field=where, fix=how_to))
            continue
        if read.id != path.stem:  # type: ignore[attr-defined]
            problems.append(Problem("文件名和编号不同", name, field="id", fix=how_to))
        found[path.stem] = read
    if problems:
        raise InvalidInput(problems)
    return found
