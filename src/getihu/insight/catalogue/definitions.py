"""What is measured, how, for whom and what it must not be used for: one YAML file an indicator."""

import hashlib
import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from getihu.kernel.errors import GetihuError, InvalidInput, Problem, nearest_name

HOW_TO: Final = "照 docs/how-to/add-an-indicator.md 改。"
UNOFFICIAL: Final = "本项目设定，非官方"
# What the law lets nobody rank or assess by (促进个体工商户发展条例 第三十二条; plan 二（四）).
WATCH_ONLY: Final = "促进个体工商户发展条例 第三十二条：不得以户数、年报率等考核、排名"
_READING: Final = re.compile(r"^\s*(--[^\n]*\n\s*)*(with|select)\b", re.IGNORECASE)
_WRITING: Final = re.compile(
    r"\b(insert|update|delete|copy|attach|create|drop|alter|install|load|pragma|set|call)\b",
    re.IGNORECASE,
)
_FILES: Final = re.compile(r"\b(read_\w+|glob|parquet_\w+|getenv|sniff_csv)\s*\(", re.IGNORECASE)
Text = Annotated[str, Field(min_length=1)]


class UnknownIndicator(GetihuError):
    """No indicator has this id."""

    exit_code = 3


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Target(Part):
    """A number the plan names. ``direction``: at_least, more_than or at_most."""

    number: Text  # T1 … as docs/plan.md numbers them
    value: Decimal
    direction: Literal["at_least", "more_than", "at_most"]
    by: date
    source: Text


class Indicator(Part):
    """One indicator.

    ``path``: the two levels above it. ``kind``: a ``count``, a ``sum`` (of ``unit``), a ``share``
    (part of whole) or a ``survival`` (share still there after ``months``). ``reads``: the datasets
    and work tables its SQL may name. ``watch_only``: counties may not be set side by side in it.

    ``sql`` gives a row per ``as_of`` (of the relation ``months``) and ``county_code``: ``part``,
    ``whole`` (of a share; of a sum: how many households it is made of) and ``unknown`` (of whom it
    is not known; in the unit of ``part`` or households). Of a survival: ``as_of, county_code, time, ended, seen, entered`` in whole
    months, ``entered``: how many came under observation only after ``time``.
    """

    id: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]
    version: Annotated[int, Field(ge=1)]
    path: tuple[Text, Text]
    title: Text
    unit: Text
    kind: Literal["count", "sum", "share", "survival"]
    months: int = 0
    owner: Text
    definition: Text
    source: Text
    ground: Text
    not_for: Text
    watch_only: bool = False
    measures: tuple[int, ...] = ()
    reads: Annotated[tuple[str, ...], Field(min_length=1)]
    target: Target | None = None
    sql: Text

    @model_validator(mode="after")
    def _reads_and_nothing_else(self) -> "Indicator":
        if not _READING.match(self.sql) or _WRITING.search(self.sql) or ";" in self.sql:
            raise ValueError("sql 只能是一条 SELECT，不能写、不能带分号")
        if _FILES.search(self.sql):
            raise ValueError("sql 不能自己读文件，数据集写在 reads 里")
        if (self.kind == "survival") != (self.months > 0):
            raise ValueError("survival 要写 months，别的不写")
        if self.kind == "sum" and not re.search(r"\bwhole\b", self.sql):
            raise ValueError("sum 的 sql 要给出 whole：由多少户合成，不满 10 户的不单列")
        return self

    @property
    def text_sha256(self) -> str:
        """The digest of everything that decides its numbers."""
        deciding = (
            f"{self.id}\n{self.version}\n{self.kind}\n{self.months}\n{self.reads}\n{self.sql}"
        )
        return hashlib.sha256(deciding.encode("utf-8")).hexdigest()


def list_indicators() -> list[Indicator]:
    """Every indicator, by path and id. Raises InvalidInput with every problem of every file."""
    found = _indicators(_stamps()).values()
    return sorted(found, key=lambda each: (_LEVELS.get(each.path[0], 99), each.path, each.id))


_LEVELS: Final = {
    level: number for number, level in enumerate(("活力", "质量", "信用", "金融", "服务", "负担"))
}


def get_indicator(indicator_id: str) -> Indicator:
    """Raises UnknownIndicator with the nearest id."""
    known = _indicators(_stamps())
    if indicator_id not in known:
        near = nearest_name(indicator_id, known)
        hint = f"最接近的是 {near}" if near else f"现有：{'、'.join(sorted(known))}"
        raise UnknownIndicator(f"没有指标 {indicator_id}。{hint}。")
    return known[indicator_id]


def _stamps() -> tuple[tuple[str, int], ...]:
    folders = map(Path, settings.INDICATOR_DIRS)
    files = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    return tuple((str(path), path.stat().st_mtime_ns) for path in files)


@lru_cache(maxsize=4)
def _indicators(stamps: tuple[tuple[str, int], ...]) -> dict[str, Indicator]:
    found: dict[str, Indicator] = {}
    problems: list[Problem] = []
    for name, _ in stamps:
        path = Path(name)
        read = read_indicator(path.read_text("utf-8"), name, problems)
        if read is None:
            continue
        if read.id != path.stem:
            problems.append(Problem("文件名和编号不同", name, field="id", fix=HOW_TO))
        found[read.id] = read
    if problems:
        raise InvalidInput(problems)
    return found


def read_indicator(text: str, name: str, problems: list[Problem]) -> Indicator | None:
    """One definition out of its text; what is wrong goes to ``problems`` with file and field."""
    try:
        return Indicator.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        problems.append(Problem("YAML 写法不对", name, line, fix="核对缩进和冒号。"))
    except ValidationError as error:
        for each in error.errors():
            where = ".".join(str(part) for part in each["loc"])
            problems.append(Problem(each["msg"], name, field=where, fix=HOW_TO))
    return None
