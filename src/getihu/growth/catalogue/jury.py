"""What jurors score and from where on it is enough."""

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from getihu.growth.catalogue.reading import Name, Part, Standard, Text


class Criterion(Part):
    id: Name
    label: Text
    most: Annotated[int, Field(gt=0)]


class Scoring(Part):
    pass_mark: Standard
    least_jurors: Standard
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]


@cache
def scoring() -> Scoring:
    text = (Path(__file__).parent / "jury.yaml").read_text("utf-8")
    return Scoring.model_validate(yaml.safe_load(text))
