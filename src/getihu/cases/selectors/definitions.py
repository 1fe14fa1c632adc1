"""Matters and bundles as they were when something began by them."""

import hashlib
import json
from functools import lru_cache
from typing import Protocol

from getihu.cases.clocks.terms import StatutoryTerm, get_term
from getihu.cases.matters.bundle import WholeBundle
from getihu.cases.matters.load import get_matter
from getihu.cases.matters.model import Matter
from getihu.cases.models import BundleRun, ClockRun, Definition, KeptTerms


class Pinned(Protocol):
    """A case, or what is told of one: its matter and the digest of how that was then."""

    @property
    def matter_id(self) -> str: ...

    @property
    def definition_id(self) -> str | None: ...


def matter_of(case: Pinned) -> Matter:
    """The matter a case runs by: as it was when the case began, whatever its file says now."""
    if case.definition_id is None:  # begun before definitions were kept
        return get_matter(case.matter_id)
    return _read_matter(case.definition_id)


def bundle_of(run: BundleRun) -> WholeBundle:
    """The bundle a run goes by, with the matters of its parts as they were when it began."""
    return _read_bundle(run.definition_id)


# The key is the digest of the text: what was read once is never another.
@lru_cache(maxsize=512)
def _read_matter(sha256: str) -> Matter:
    return Matter.model_validate_json(Definition.objects.get(pk=sha256).text)


@lru_cache(maxsize=64)
def _read_bundle(sha256: str) -> WholeBundle:
    return WholeBundle.model_validate_json(Definition.objects.get(pk=sha256).text)


def term_of(terms_id: str | None, term_id: str) -> StatutoryTerm:
    """A term as the case keeps it; as the law's text has it now where the case keeps none, or not
    this one. Raises UnknownTerm."""
    kept = _read_terms(terms_id) if terms_id else {}
    return kept.get(term_id) or get_term(term_id)


def term_of_clock(clock: ClockRun) -> StatutoryTerm:
    """The term a clock runs by."""
    return term_of(clock.case.terms_id, clock.term_id)


def terms_text(matter: Matter) -> tuple[str, str]:
    """Every term of a matter's clocks as it is kept, and the digest."""
    wanted = {matter.acceptance_clock, matter.clock, *(stage.clock for stage in matter.stages)}
    said = [
        get_term(term_id).model_dump(mode="json", exclude_defaults=True)
        for term_id in sorted(term_id for term_id in wanted if term_id)
    ]
    for each in said:
        if "pauses" in each:  # a set has no order, and the digest wants one
            each["pauses"] = sorted(each["pauses"])
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=512)
def _read_terms(sha256: str) -> dict[str, StatutoryTerm]:
    said = json.loads(KeptTerms.objects.get(pk=sha256).text)
    return {each["id"]: StatutoryTerm.model_validate(each) for each in said}


def text_of(thing: Matter | WholeBundle) -> tuple[str, str]:
    """A definition as it is kept, and its digest. What a file leaves out is left out here too, so
    that a later version of the program, with more to say, reads it the same."""
    said = thing.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()
