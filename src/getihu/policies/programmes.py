"""Award programmes (免申即享兑付方案): how a rule's money reaches traders without an application.

A programme is a YAML file beside the rules. It names the rule and what the rule's document does
not settle: period, bounds, sample, breaker, limits, each with its source.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from getihu.accounts.selectors import is_demo
from getihu.kernel.errors import GetihuError, InvalidInput, Problem, nearest_name

Text = Annotated[str, Field(min_length=1)]
Share = Annotated[Decimal, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=1, le=366)]


class UnknownProgramme(GetihuError):
    """No programme has this id."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bounds(_Part):
    """The least and the most one award can be, in yuan: outside, a rule or a unit is wrong."""

    least_yuan: Annotated[Decimal, Field(gt=0)]
    most_yuan: Decimal
    source: Text

    @model_validator(mode="after")
    def _in_order(self) -> "Bounds":
        if self.most_yuan < self.least_yuan:
            raise ValueError("most_yuan 比 least_yuan 小")
        return self


class Sample(_Part):
    """How many confirmed awards a person looks at before any is paid."""

    share: Share
    least: Annotated[int, Field(ge=1)]
    source: Text


class Breaker(_Part):
    """How far count, sum and mean of a run may be from the approved dry run, as shares."""

    count: Share
    sum: Share
    mean: Share
    source: Text


class Limit(_Part):
    yuan: Annotated[Decimal, Field(gt=0)]
    source: Text


class Term(_Part):
    days: Days
    source: Text


class Programme(_Part):
    """One programme. ``period``: at most one award of a family per trader in each. ``by``: the
    whole city decided by its data, or what people grant on applications (快享快办)."""

    id: Text
    title: Text
    rule: Text
    department: Text
    period: Literal["year", "once"]
    by: Literal["data", "application"] = "data"
    pays: Bounds
    confirm_within: Term
    sample: Sample
    breaker: Breaker
    second_person_above: Limit  # claw-back of more needs a second person
    answer_within: Term  # a payment order without an answer is a finding after this
    is_demo: bool = False


def programmes() -> dict[str, Programme]:
    """Every programme of ``settings.PROGRAMME_DIRS``, and a demo's own, by id. Raises
    InvalidInput."""
    demo = [settings.DEMO_DIRS["awards"]] if is_demo() else []
    files = [
        path
        for folder in [*settings.PROGRAMME_DIRS, *demo]
        for path in sorted(Path(folder).glob("*.yaml"))
    ]
    return _catalogue(tuple((path, path.stat().st_mtime_ns) for path in files))


def get_programme(programme_id: str) -> Programme:
    """One programme. Raises UnknownProgramme, InvalidInput."""
    found = programmes()
    if programme_id not in found:
        near = nearest_name(programme_id, found)
        hint = f"是不是想找 {near}？" if near else "全部方案见 getihu awards list。"
        raise UnknownProgramme(f"没有编号为“{programme_id}”的兑付方案。{hint}")
    return found[programme_id]


@lru_cache(maxsize=4)
def _catalogue(files: tuple[tuple[Path, int], ...]) -> dict[str, Programme]:
    found, problems = read_programmes(path for path, _ in files)
    if problems:
        raise InvalidInput(problems)
    return found


def read_programmes(paths: Iterable[Path]) -> tuple[dict[str, Programme], list[Problem]]:
    """The sound programmes of some files, and every problem found."""
    found: dict[str, Programme] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            programme = Programme.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else None
            problems.append(Problem("YAML 写法不对", str(path), line, fix="核对缩进和冒号。"))
            continue
        except ValidationError as error:
            problems += [_problem(path, each) for each in error.errors()]
            continue
        if programme.id != path.stem:
            fix = f"把文件改名为 {programme.id}.yaml。"
            problems.append(Problem("文件名和方案编号不同", str(path), field="id", fix=fix))
        found[programme.id] = programme
    return found, problems


def _problem(path: Path, error: object) -> Problem:
    assert isinstance(error, dict)
    field = ".".join(str(part) for part in error["loc"])
    lines = path.read_text("utf-8").splitlines()
    named = str(error["loc"][-1]) if error["loc"] else ""
    line = next((n for n, text in enumerate(lines, 1) if f"{named}:" in text), None)
    words = {
        "missing": "缺这一栏",
        "extra_forbidden": "没有这一栏",
        "greater_than": "要大于零",
        "less_than_equal": "不能大于 1",
    }
    told = words.get(error["type"], str(error["msg"]).removeprefix("Value error, "))
    return Problem(told, str(path), line, field=field, fix="照 docs/how-to/pay-an-award.md 改。")
