"""The plan's 26 measures in five systems, with the agencies it names."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter


class Measure(BaseModel):
    """One measure (举措). The first of ``agencies`` leads (牵头), the others join (配合)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    system: str
    title: str
    agencies: tuple[str, ...]


@cache
def list_measures() -> tuple[Measure, ...]:
    """All 26, in the plan's order."""
    text = Path(__file__).with_name("measures.yaml").read_text("utf-8")
    return tuple(TypeAdapter(list[Measure]).validate_python(yaml.safe_load(text)))
