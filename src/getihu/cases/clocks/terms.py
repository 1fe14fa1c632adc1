"""The terms the law sets, each with its unit, its events and its article; nothing has a default
that the law does not give."""

from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from getihu.kernel.errors import InvalidInput, Problem, nearest_name
from getihu.kernel.periods import LegalUnit

TERMS_FILE = "terms.yaml"


class Direction(StrEnum):
    AFTER = "after"  # runs from the start event
    BEFORE = "before"  # counted back from the event: an application must come before it


class PauseKind(StrEnum):
    """What the law takes out of a term."""

    HEARING = "hearing"  # 听证
    BIDDING = "bidding"  # 招标、拍卖
    TESTING = "testing"  # 检验、检测、检疫、鉴定
    EXPERT_REVIEW = "expert_review"  # 专家评审
    APPLICANT = "applicant"  # 等待申请人补正


class Silence(StrEnum):
    """What happens when the term ends and nothing was done."""

    NONE = "none"  # the law says nothing: the authority is late, nothing is deemed
    DEEMED_ACCEPTED = "deemed_accepted"  # 视为受理
    DEEMED_GRANTED = "deemed_granted"  # 视为准予
    PROCEEDS = "proceeds"  # 期满即可办理下一步


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Extension(_Strict):
    """How much longer, in the unit of the term, once, with a written reason. ``approved_by`` is
    who may allow it."""

    amount: Annotated[int, Field(ge=1)]
    source: Annotated[str, Field(min_length=1)]
    approved_by: str = ""


class StatutoryTerm(_Strict):
    """One term of one article.

    ``pauses`` are the kinds of waiting the law takes out of the term; ``silence`` other than none
    needs ``silence_source``. ``region`` is CN or a division. ``official`` is False for what this
    project sets itself (本项目设定，非官方). ``trust`` as in rule files: L G M S D R X.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")]
    title: Annotated[str, Field(min_length=1)]
    amount: Annotated[int, Field(ge=1)]
    unit: LegalUnit
    direction: Direction = Direction.AFTER
    starts: Annotated[str, Field(min_length=1)]
    ends: Annotated[str, Field(min_length=1)]
    pauses: frozenset[PauseKind] = frozenset()
    extension: Extension | None = None
    silence: Silence = Silence.NONE
    silence_source: str = ""
    region: Annotated[str, Field(pattern=r"^(CN|[1-9][0-9]{5})$")] = "CN"
    source: Annotated[str, Field(min_length=1)]
    trust: Annotated[str, Field(pattern=r"^[LGMSDRX]$")]
    official: bool = True
    note: str = ""

    @model_validator(mode="after")
    def _law_behind_silence(self) -> "StatutoryTerm":
        if self.silence is not Silence.NONE and not self.silence_source:
            raise ValueError("默示后果没有写明条款（silence_source）")
        if self.direction is Direction.BEFORE and (self.pauses or self.extension):
            raise ValueError("倒算的期限不能暂停或延长")
        return self


@lru_cache
def statutory_terms() -> dict[str, StatutoryTerm]:
    """Return every term by id, in the order of the file. Raises InvalidInput."""
    text = resources.files("getihu.cases.clocks").joinpath(TERMS_FILE).read_text("utf-8")
    return read_terms(text, TERMS_FILE)


def read_terms(text: str, file: str) -> dict[str, StatutoryTerm]:
    """Return the terms of a YAML text. Raises InvalidInput with every problem and its line."""
    problems: list[Problem] = []
    terms: dict[str, StatutoryTerm] = {}
    for line, raw in _entries(text):
        try:
            term = StatutoryTerm.model_validate(raw)
        except ValidationError as error:
            problems += _problems(error, file, line)
            continue
        if term.id in terms:
            problems.append(Problem(f"期限“{term.id}”写了两次", file, line, fix="删掉一个。"))
        terms[term.id] = term
    if problems:
        raise InvalidInput(problems)
    return terms


def _entries(text: str) -> list[tuple[int, Any]]:
    """Line and plain value of every item of the list."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    values = yaml.load(text, Loader=yaml.CSafeLoader)
    lines = [item.start_mark.line + 1 for item in node.value] if node else []
    return list(zip(lines, values or [], strict=True))


def _problems(error: ValidationError, file: str, line: int) -> list[Problem]:
    found = []
    for one in error.errors():
        name = ".".join(map(str, one["loc"]))
        near = nearest_name(name, StatutoryTerm.model_fields)
        fix = f"是不是想写 {near}？" if near and near != name else "对照法条改正。"
        found.append(Problem(one["msg"], file, line, field=name, fix=fix))
    return found


class UnknownTerm(InvalidInput):
    """No term has this id."""

    def __init__(self, term_id: str) -> None:
        near = nearest_name(term_id, statutory_terms())
        hint = f"是不是想写 {near}？" if near else "期限见 cases/clocks/terms.yaml。"
        super().__init__([Problem(f"没有编号为“{term_id}”的法定期限", fix=hint)])


def get_term(term_id: str) -> StatutoryTerm:
    """Return one term. Raises UnknownTerm."""
    try:
        return statutory_terms()[term_id]
    except KeyError:
        raise UnknownTerm(term_id) from None
