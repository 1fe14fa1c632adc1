"""A report's text: sentences with figures in braces, one YAML file a kind of report."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]
QUARTERLY: Final = Path(__file__).parent / "quarterly.yaml"
SLOT: Final = re.compile(r"\{([a-z_]+\.[a-z0-9_]+)(?::(change|year|range|unknown))?\}|\{day\}")


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Section(Part):
    """``chart``: indicator drawn below the sentences; empty: none."""

    title: Text
    sentences: tuple[Text, ...]
    chart: str = ""


class ReportText(Part):
    title: Text
    source: Text
    for_: Text = Field(alias="for")
    sections: tuple[Section, ...]

    @property
    def indicators(self) -> tuple[str, ...]:
        """Every indicator named, in the order of the text."""
        said = [
            match[1] for s in self.sections for each in s.sentences for match in SLOT.finditer(each)
        ]
        return tuple(dict.fromkeys(name for name in said if name))


@lru_cache(maxsize=1)
def quarterly() -> ReportText:
    """The text of the quarterly report."""
    return ReportText.model_validate(yaml.safe_load(QUARTERLY.read_text("utf-8")))
