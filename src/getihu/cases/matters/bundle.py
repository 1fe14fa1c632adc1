"""One bundle (一类事), as its YAML file says it: several matters on one form, handed in once."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from getihu.cases.matters.model import FormField, Handler, Matter, Name, Strict, Text

FieldRef = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*\.)?[a-z][a-z0-9_]*$")]


class When(Strict):
    """On what a part depends: an answer, or what a rule of the law decides of the answers.

    ``is_`` lists the answers that need the part; ``gives`` the outcomes. ``facts``: input of the
    rule → question it is answered by (left out: the one of the same name); ``given``: inputs the
    bundle itself answers.
    """

    answer: Name | None = None
    is_: Annotated[tuple[bool | str, ...], Field(alias="is")] = ()
    rule: str | None = None
    gives: tuple[str, ...] = ()
    facts: dict[Name, Name] = Field(default_factory=dict)
    given: dict[Name, bool | int | str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_of_two(self) -> "When":
        by_answer = self.answer is not None and bool(self.is_)
        by_rule = self.rule is not None and bool(self.gives)
        if by_answer == by_rule:
            raise ValueError("条件写 answer 和 is，或者写 rule 和 gives")
        return self


class Part(Strict):
    """One matter of a bundle. ``after``: parts that must be granted first, where they are needed.
    ``if_refused`` says in Chinese what it means for the rest when this one is not granted."""

    id: Name
    matter: str
    when: When | None = None
    after: tuple[Name, ...] = ()
    if_refused: Text


class Same(Strict):
    """Questions, or documents, of several parts that are the same thing: ``ask`` is asked, in its
    own words, and stands for the others. ``part.field``; without a part: the bundle's own."""

    ask: FieldRef
    stands_for: Annotated[tuple[FieldRef, ...], Field(min_length=1)]


class Bundle(Strict):
    """Several matters people think of as one. ``handler`` leads and answers for the whole course.

    ``questions`` are asked beside those of the parts, because conditions depend on them. ``clock``
    runs over all parts together, where the law sets one. ``covers``: matters that people begin only
    through this bundle; lists of what one may begin leave them out.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z][a-z0-9_]*$")]
    title: Text
    measure: Annotated[int, Field(ge=1, le=26)]
    summary: Text
    handler: Handler
    legal_basis: Annotated[tuple[Text, ...], Field(min_length=1)]
    subjects: Annotated[tuple[Literal["individual", "enterprise"], ...], Field(min_length=1)]
    started_by: Literal["owner", "representative", "anybody"]
    questions: tuple[FormField, ...] = ()
    parts: Annotated[tuple[Part, ...], Field(min_length=2)]
    same: tuple[Same, ...] = ()
    same_documents: tuple[Same, ...] = ()
    note: str = ""
    covers: tuple[str, ...] = ()

    def part(self, part_id: str) -> Part:
        return next(part for part in self.parts if part.id == part_id)


class WholeBundle(Strict):
    """A bundle with the matters of its parts: everything a running one depends on."""

    bundle: Bundle
    matters: dict[str, Matter]

    def matter(self, part_id: str) -> Matter:
        return self.matters[self.bundle.part(part_id).matter]
