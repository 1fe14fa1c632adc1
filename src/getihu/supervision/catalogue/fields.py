"""What is checked, by whom, how much of each class and how often at most: one YAML file a field."""

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Final

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, field_validator

from getihu.kernel.errors import GetihuError, nearest_name
from getihu.supervision.catalogue.files import Stamps, read_files, stamps_of

# The values of the rule supervision.risk_class; "unknown" where the data do not say.
CLASSES: Final = ("class_a", "class_b", "class_c", "class_d", "unknown")
HOW_TO: Final = "照 docs/how-to/add-a-field-of-supervision.md 改。"
Text = Annotated[str, Field(min_length=1)]


class UnknownField(GetihuError):
    """No field has this id."""

    exit_code = 3


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rate(Part):
    """A share as an exact fraction (``3/100``) and the text that set it."""

    value: Fraction
    source: Text

    @field_validator("value", mode="before")
    @classmethod
    def _exact(cls, value: object) -> Fraction:
        if not isinstance(value, str):
            raise ValueError("比例写成分数，例如 3/100")
        rate = Fraction(value)
        if not 0 <= rate <= 1:
            raise ValueError("比例要在 0 和 1 之间")
        return rate


class Most(Part):
    """How many planned visits a year at most, and the text that set it."""

    value: Annotated[int, Field(ge=1)]
    source: Text


class Exempt(Part):
    """Who is not drawn: those of some classes for whom a rule says yes, and the text that says so."""

    rule: Text
    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    source: Text

    @field_validator("classes")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if set(value) - set(CLASSES):
            raise ValueError(f"只能写这些类：{'、'.join(CLASSES)}")
        return value


class Quiet(Part):
    """How long a superior's check keeps the same points from being checked again."""

    months: Annotated[int, Field(ge=1)]
    source: Text


class Coverage(Part):
    """Within how many years everybody is checked at least once on every point."""

    years: Annotated[int, Field(ge=1)]
    source: Text


class FieldOfSupervision(Part):
    """``industries``: beginnings of GB/T 4754 codes; empty: every trade. ``publish_term``: the
    statutory term within which results are published; empty: no general article is known."""

    id: Text
    title: Text
    agency: Text
    qualification: Text
    checks: Annotated[tuple[str, ...], Field(min_length=1)]
    basis: Text
    industries: tuple[str, ...]
    rates: dict[str, Rate]
    most_a_year: dict[str, Most]
    publish_term: str
    exempt: Exempt | None = None
    after_superior: Quiet | None = None
    coverage: Coverage | None = None

    @field_validator("rates", "most_a_year")
    @classmethod
    def _every_class(cls, value: dict[str, object]) -> dict[str, object]:
        if set(value) != set(CLASSES):
            raise ValueError(f"每一类都要写：{'、'.join(CLASSES)}")
        return value


def list_fields() -> list[FieldOfSupervision]:
    """Every field, by id. Raises InvalidInput with every problem of every file."""
    return sorted(_fields(_stamps()).values(), key=lambda field: field.id)


def get_field(field_id: str) -> FieldOfSupervision:
    """Raises UnknownField with the nearest id."""
    known = _fields(_stamps())
    if field_id not in known:
        near = nearest_name(field_id, known)
        hint = f"最接近的是 {near}" if near else f"现有：{'、'.join(sorted(known))}"
        raise UnknownField(f"没有监管领域 {field_id}。{hint}。")
    return known[field_id]


def agencies_of(field_ids: Iterable[str]) -> tuple[str, ...]:
    """Who checks in these fields, each once."""
    return tuple(sorted({get_field(each).agency for each in field_ids}))


def _stamps() -> Stamps:
    return stamps_of(settings.FIELD_DIRS)


@lru_cache(maxsize=4)
def _fields(stamps: Stamps) -> dict[str, FieldOfSupervision]:
    return read_files(FieldOfSupervision, stamps, HOW_TO)
