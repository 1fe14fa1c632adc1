"""Matters and bundles as they were when something began by them."""

import hashlib
import json
from functools import lru_cache
from typing import Protocol

from getihu.cases.matters.bundle import WholeBundle
from getihu.cases.matters.load import get_matter
from getihu.cases.matters.model import Matter
from getihu.cases.models import BundleRun, Definition


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


def text_of(thing: Matter | WholeBundle) -> tuple[str, str]:
    """A definition as it is kept, and its digest. What a file leaves out is left out here too, so
    that a later version of the program, with more to say, reads it the same."""
    said = thing.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()
