"""Finding a policy: words of any length, a place, a state, a kind, an issuer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from getihu.policies.library.reading import Condition, Reading


@dataclass(frozen=True)
class LibraryFilter:
    """``text``: words that all occur somewhere; a Chinese word of two characters is one.
    ``region``: a division code or CN; a policy of a wider place holds there too. ``state``: a key
    of STATES, or ``open`` for what can be had now. ``kind``: 奖励, 补贴, …. ``agency``: part of
    an issuer's name. Empty: any."""

    text: str = ""
    region: str = ""
    state: str = ""
    kind: str = ""
    agency: str = ""


def find(readings: Sequence[Reading], wanted: LibraryFilter) -> list[Reading]:
    """The readings that fit, those that name the words in the title first, then as listed."""
    words = wanted.text.casefold().split()
    found = []
    for place, reading in enumerate(readings):
        score = _score(reading, words)
        if score and _fits(reading, wanted):
            found.append((-score, place, reading))
    return [reading for *_, reading in sorted(found, key=lambda each: each[:2])]


def _fits(reading: Reading, wanted: LibraryFilter) -> bool:
    if wanted.state == "open" and not reading.is_live:
        return False
    if wanted.state not in ("", "open") and reading.state != wanted.state:
        return False
    if wanted.kind and reading.kind != wanted.kind:
        return False
    if wanted.agency and wanted.agency not in reading.document.agencies:
        return False
    return not wanted.region or _holds_in(reading, wanted.region)


def _holds_in(reading: Reading, region: str) -> bool:
    if region == "CN" or reading.region == "CN":
        return reading.region == "CN"
    return region.startswith(reading.region.rstrip("0")) or reading.region == region


def _score(reading: Reading, words: Sequence[str]) -> int:
    """How well the words are met: 0 when one occurs nowhere; without words, 1."""
    if not words:
        return 1
    title, head, body = reading.title.casefold(), _head(reading), _body(reading)
    total = 0
    for word in words:
        if word in title:
            total += 100
        elif word in head:
            total += 10
        elif word in body:
            total += 1
        else:
            return 0
    return total


def _head(reading: Reading) -> str:
    document = reading.document
    parts = [reading.id, document.document, reading.document_title, reading.article]
    return " ".join([*parts, document.agencies, reading.gives, reading.region_name]).casefold()


def _body(reading: Reading) -> str:
    conditions = [*_texts(reading.conditions)]
    for outcome in reading.outcomes:
        conditions += [outcome.label, outcome.reason, *_texts(outcome.when)]
    frame = [f"{label} {text}" for label, text, _ in reading.frame]
    rest = [reading.amount_label, reading.amount, reading.date_note, *reading.asked]
    held = [label for _, labels in reading.held for label in labels]
    return " ".join([*conditions, *frame, *rest, *held]).casefold()


def _texts(condition: Condition | None) -> Iterator[str]:
    if condition is not None:
        yield f"{condition.text} {condition.means} {condition.article}"
        for item in condition.items:
            yield from _texts(item)
