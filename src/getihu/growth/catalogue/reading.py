"""Reading the slice's YAML files strictly, every problem with its file, line and way out."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from getihu.kernel.errors import InvalidInput, Problem

HOW_TO = "照 docs/how-to/add-a-pool.md 改。"
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


Shape = TypeVar("Shape", bound=BaseModel)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Standard(Part):
    """A number with the text that set it."""

    value: Annotated[int, Field(ge=0)]
    source: Text


class Share(Part):
    value: Annotated[float, Field(gt=0, le=1)]
    source: Text


class Source(Part):
    """Where it comes from; ``trust`` as in rule files."""

    document: Text
    article: Text
    url: str = ""
    trust: Text


def read_files(paths: Iterable[Path], shape: type[Shape]) -> dict[str, Shape]:
    """The files' contents by id. Raises InvalidInput with every problem of every file."""
    found: dict[str, Shape] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            read = shape.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else None
            problems.append(Problem("YAML 写法不对", str(path), line, fix="核对缩进和冒号。"))
            continue
        except ValidationError as error:
            problems += [_problem(path, each) for each in error.errors()]
            continue
        name = str(getattr(read, "id", path.stem))
        if name != path.stem:
            fix = f"把文件改名为 {name}.yaml。"
            problems.append(Problem("文件名和编号不同", str(path), field="id", fix=fix))
        found[name] = read
    if problems:
        raise InvalidInput(problems)
    return found


_WORDS = {
    "missing": "缺这一栏",
    "extra_forbidden": "没有这一栏",
    "greater_than": "要大于零",
    "less_than_equal": "不能大于 1",
    "literal_error": "不在可选的范围里",
}


def _problem(path: Path, error: Any) -> Problem:
    field = ".".join(str(part) for part in error["loc"])
    lines = path.read_text("utf-8").splitlines()
    named = str(error["loc"][-1]) if error["loc"] else ""
    line = next((n for n, text in enumerate(lines, 1) if f"{named}:" in text), None)
    told = _WORDS.get(error["type"], str(error["msg"]).removeprefix("Value error, "))
    return Problem(told, str(path), line, field=field, fix=HOW_TO)
