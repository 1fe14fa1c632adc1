"""One matter, as its YAML file says it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Level(StrEnum):
    """Which level of an agency handles the matter; the division follows from where the shop is."""

    TOWN = "town"
    COUNTY = "county"
    CITY = "city"


class HeldBy(Strict):
    """What a department already holds: shown, never asked for."""

    department: Name
    dataset: Name


class Document(Strict):
    """Something to bring. With ``held_by`` the office fetches it itself."""

    id: Name
    title: Text
    article: Text
    required: bool = True
    held_by: HeldBy | None = None
    sample: str = ""


class FormField(Strict):
    """One question. ``fact`` names what is known already: it is filled in and can be contested."""

    id: Name
    label: Text
    type: Literal["text", "integer", "money", "decimal", "date", "boolean", "choice"]
    unit: str = ""
    required: bool = True
    choices: dict[str, str] = {}
    fact: Name | None = None
    help: str = ""


class Handler(Strict):
    """The agency that handles a matter or a stage: a department at the level where the shop is."""

    department: Name
    level: Level


class StageWhen(Strict):
    """The answer of the form that makes a stage needed."""

    answer: Name
    is_: Annotated[tuple[bool | str, ...], Field(alias="is", min_length=1)]


class Stage(Strict):
    """One department's part. Stages run side by side unless ``after`` names earlier ones; one with
    ``when`` is left out where the answers do not need it."""

    id: Name
    title: Text
    handler: Handler
    clock: Text
    after: tuple[Name, ...] = ()
    when: StageWhen | None = None


class Result(Strict):
    """What a granted case gives: a licence, a registration, a decision, a service.
    ``certificate``: the kind of certificate that comes into the trader's wallet with it."""

    kind: Literal["licence", "registration", "certificate", "decision", "service", "award"]
    title: Text
    valid_years: int | None = None
    article: Text
    certificate: Name | None = None


class Filing(Strict):
    """What a granted case writes into the register: a kind of filing, and which answer of the form
    gives which item of it. ``effective_on``: the answer with the day it counts from; None: the
    day of the grant. ``given`` are items every case of the matter says alike."""

    kind: Name
    effective_on: Name | None = None
    items: dict[Name, Name] = {}
    given: dict[Name, str | int | bool] = {}


class Matter(Strict):
    """Something a trader can ask for or be asked.

    ``measure`` is the plan's. ``acceptance_clock`` runs from submission to acceptance or the one
    notice of what is missing; ``clock``, where there is one, runs over all stages together.
    ``started_by``: owner alone, whoever acts for her, an officer, or anybody signed in (who has
    no shop yet). ``filing``: what the grant writes into the register.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z][a-z0-9_]*$")]
    title: Text
    measure: Annotated[int, Field(ge=1, le=26)]
    summary: Text
    handler: Handler
    legal_basis: Annotated[tuple[Text, ...], Field(min_length=1)]
    subjects: Annotated[tuple[Literal["individual", "enterprise"], ...], Field(min_length=1)]
    started_by: Literal["owner", "representative", "officer", "anybody"]
    documents: tuple[Document, ...] = ()
    form: tuple[FormField, ...] = ()
    acceptance_clock: Text
    clock: Text | None = None
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    result: Result
    filing: Filing | None = None
    is_rated: bool = True
    fee_yuan: Literal[0] = 0  # a fee needs its own law first

    def stage(self, stage_id: str) -> Stage:
        return next(stage for stage in self.stages if stage.id == stage_id)

    @property
    def to_bring(self) -> tuple[Document, ...]:
        """What the applicant must bring: nothing a department holds."""
        return tuple(d for d in self.documents if d.held_by is None)
