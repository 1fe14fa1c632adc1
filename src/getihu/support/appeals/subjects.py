"""Subjects of appeals, in groups, each with the clocks of its kind: one YAML file."""

from functools import lru_cache
from importlib import resources
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from getihu.kernel.errors import GetihuError, InvalidInput, Problem, nearest_name

FILE = "support/appeals/subjects.yaml"
Id = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$", max_length=40)]
Text = Annotated[str, Field(min_length=1)]


class UnknownSubject(GetihuError):
    """No subject has this id."""

    exit_code = 3


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Clocks(_Strict):
    """Statutory terms by id. ``accept``: runs from receipt until it is taken in hand, and only then
    does ``answer`` begin; without it ``answer`` runs from receipt."""

    answer: Text
    accept: str | None = None


class Group(_Strict):
    id: Id
    title: Text


class Subject(_Strict):
    """What an appeal can be about. ``words`` suggest it. ``about_office``: it complains of an office
    or somebody in it, and is kept from them."""

    id: Id
    group: Id
    title: Text
    kind: Literal["routine", "complaint", "lead", "late_payment"]
    words: Annotated[tuple[Text, ...], Field(min_length=5)]
    about_office: bool = False


class _File(_Strict):
    clocks: dict[str, Clocks]
    groups: tuple[Group, ...]
    subjects: tuple[Subject, ...]


def list_groups() -> tuple[Group, ...]:
    return _read().groups


def list_subjects() -> tuple[Subject, ...]:
    """Every subject, in the order of the file. Raises InvalidInput for a broken file."""
    return _read().subjects


def get_subject(subject_id: str) -> Subject:
    """One subject. Raises UnknownSubject."""
    for subject in list_subjects():
        if subject.id == subject_id:
            return subject
    near = nearest_name(subject_id, [s.id for s in list_subjects()])
    hint = f"是不是想写 {near}？" if near else f"类别见 {FILE}。"
    raise UnknownSubject(f"没有这一类诉求。处理办法：{hint}")


def clocks_of(subject_id: str) -> Clocks:
    """The terms an appeal of this subject runs by; those of a routine question while nobody has
    decided what it is about (empty id)."""
    kind = get_subject(subject_id).kind if subject_id else "routine"
    return _read().clocks[kind]


@lru_cache
def _read() -> _File:
    text = resources.files("getihu.support.appeals").joinpath("subjects.yaml").read_text("utf-8")
    return read_subjects(text, FILE)


def read_subjects(text: str, file: str) -> _File:
    """The subjects of a YAML text. Raises InvalidInput with every problem."""
    try:
        found = _File.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except ValidationError as error:
        raise InvalidInput(
            Problem(str(e["msg"]), file, field=".".join(map(str, e["loc"])), fix="对照别的类别改。")
            for e in error.errors()
        ) from None
    groups = {group.id for group in found.groups}
    ids = [subject.id for subject in found.subjects]
    problems = [
        Problem(f"{s.id} 的分组“{s.group}”没有列出", file, field="group", fix="改成列出的分组。")
        for s in found.subjects
        if s.group not in groups
    ]
    problems += [
        Problem(f"类别“{each}”写了两次", file, fix="删掉一个。")
        for each in sorted({i for i in ids if ids.count(i) > 1})
    ]
    problems += [
        Problem(f"{s.kind} 没有写期限", file, field="clocks", fix="在 clocks 里补上。")
        for s in found.subjects
        if s.kind not in found.clocks
    ]
    if problems:
        raise InvalidInput(problems)
    return found
