"""Kinds of help: one YAML file each, found by a word. A new kind needs no Python."""

from pathlib import Path
from typing import Annotated

import yaml
from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from getihu.kernel.errors import GetihuError, InvalidInput, Problem

Id = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$", max_length=40)]
Text = Annotated[str, Field(min_length=1)]


class UnknownHelp(GetihuError):
    """No kind of help has this id."""

    exit_code = 3


class HelpKind(BaseModel):
    """What somebody can be helped with. ``rule`` says for whom, ``matter`` is how it is asked for;
    one of them at least, or there is nothing to do on its page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    title: Text
    measure: Annotated[int, Field(ge=15, le=23)]
    summary: Text
    provider: Text
    rule: str = ""
    matter: str = ""
    words: Annotated[tuple[Text, ...], Field(min_length=3)]

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "HelpKind":
        if not (self.rule or self.matter):
            raise ValueError("rule 和 matter 至少写一个")
        return self


def list_help(text: str = "") -> list[HelpKind]:
    """Every kind that speaks of ``text``, by measure. Raises InvalidInput for a broken file."""
    paths = sorted(path for each in settings.HELP_DIRS for path in Path(each).glob("*.yaml"))
    kinds = sorted((_read(path) for path in paths), key=lambda kind: (kind.measure, kind.id))
    wanted = text.strip()
    return [
        kind
        for kind in kinds
        if any(wanted in each for each in (kind.title, kind.summary, *kind.words))
    ]


def get_help(kind_id: str) -> HelpKind:
    """One kind. Raises UnknownHelp."""
    for kind in list_help():
        if kind.id == kind_id:
            return kind
    raise UnknownHelp("没有这一种帮助。处理办法：回到全部帮助里找。")


def _read(path: Path) -> HelpKind:
    try:
        kind = HelpKind.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise InvalidInput([Problem(str(error), path.name, fix="对照别的帮助改。")]) from error
    if kind.id != path.stem:
        raise InvalidInput(
            [Problem(f"id 是 {kind.id}", path.name, field="id", fix="和文件名写成一样。")]
        )
    return kind
