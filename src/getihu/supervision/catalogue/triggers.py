"""What brings an inspector to a door without a draw: one YAML file a trigger."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from getihu.kernel.errors import GetihuError, InvalidInput, Problem, nearest_name

HOW_TO: Final = "照 supervision/triggers 里的其他文件改。"
Text = Annotated[str, Field(min_length=1)]


class UnknownTrigger(GetihuError):
    """No trigger has this id."""

    exit_code = 3


class Trigger(BaseModel):
    """``rule``: the rule whose yes is the signal, of a data trigger. ``quiet_months``: how long the
    same trigger does not bring a second check of the same trader; 0: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: Text
    title: Text
    source: Literal["complaint", "transfer", "data"]
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    rule: str
    basis: Text
    quiet_months: Annotated[int, Field(ge=0)]
    quiet_source: Text


def list_triggers() -> list[Trigger]:
    """Every trigger, by id. Raises InvalidInput with every problem of every file."""
    return sorted(_triggers(_stamps()).values(), key=lambda trigger: trigger.id)


def get_trigger(trigger_id: str) -> Trigger:
    """Raises UnknownTrigger with the nearest id."""
    known = _triggers(_stamps())
    if trigger_id not in known:
        near = nearest_name(trigger_id, known)
        hint = f"最接近的是 {near}" if near else f"现有：{'、'.join(sorted(known))}"
        raise UnknownTrigger(f"没有触发规则 {trigger_id}。{hint}。")
    return known[trigger_id]


def _stamps() -> tuple[tuple[str, int], ...]:
    files = sorted(Path(settings.TRIGGER_DIR).glob("*.yaml"))
    return tuple((str(path), path.stat().st_mtime_ns) for path in files)


@lru_cache(maxsize=4)
def _triggers(stamps: tuple[tuple[str, int], ...]) -> dict[str, Trigger]:
    found: dict[str, Trigger] = {}
    problems: list[Problem] = []
    for name, _ in stamps:
        path = Path(name)
        try:
            read = Trigger.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else None
            problems.append(Problem("YAML 写法不对", name, line, fix="核对缩进和冒号。"))
            continue
        except ValidationError as error:
            for each in error.errors():
                where = ".".join(str(part) for part in each["loc"])
                problems.append(Problem(each["msg"], name, field=where, fix=HOW_TO))
            continue
        if read.id != path.stem:
            problems.append(Problem("文件名和编号不同", name, field="id", fix=HOW_TO))
        if (read.source == "data") is not bool(read.rule):
            problems.append(Problem("数据线索要写规则，别的不写", name, field="rule", fix=HOW_TO))
        found[read.id] = read
    if problems:
        raise InvalidInput(problems)
    return found
