"""Rules by which old, unsolved appeals are found."""

from functools import lru_cache
from importlib import resources
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field


class UnsolvedRule(BaseModel):
    """One rule; ``count`` and ``days`` as its kind needs them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    title: Annotated[str, Field(min_length=1)]
    kind: Literal["reopened", "open_days", "gap_days", "repeated"]
    count: Annotated[int, Field(ge=1)] = 1
    days: Annotated[int, Field(ge=1)] = 1


@lru_cache
def list_rules() -> tuple[UnsolvedRule, ...]:
    text = resources.files("getihu.support.appeals").joinpath("unsolved.yaml").read_text("utf-8")
    found = yaml.load(text, Loader=yaml.CSafeLoader)
    return tuple(UnsolvedRule.model_validate(each) for each in found)
