"""Passages of a text that a fair-competition review must look at."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

PATTERNS_FILE: Final = Path(__file__).parent / "patterns.yaml"
REGULATION: Final = "公平竞争审查条例"
_SENTENCE = re.compile(r"[^。；！？\n]+[。；！？]?")
_BEFORE = 8  # characters in which a word that turns the meaning round must stand


@dataclass(frozen=True)
class Pattern:
    id: str
    article: str
    label: str
    words: tuple[re.Pattern[str], ...]
    not_after: tuple[str, ...]
    not_with: tuple[str, ...]


@dataclass(frozen=True)
class Passage:
    """One passage to look at: where it stands (``start`` and ``end`` count characters of the text,
    ``line`` from 1), which pattern found it, and the sentence around it."""

    pattern: str
    article: str
    label: str
    start: int
    end: int
    line: int
    quote: str
    sentence: str


@cache
def patterns() -> tuple[Pattern, ...]:
    """Every pattern of the file."""
    return tuple(
        Pattern(
            id=raw["id"],
            article=f"{REGULATION} {raw['article']}",
            label=raw["label"],
            words=tuple(re.compile(word) for word in raw["words"]),
            not_after=tuple(raw.get("not_after", ())),
            not_with=tuple(raw.get("not_with", ())),
        )
        for raw in yaml.safe_load(PATTERNS_FILE.read_text("utf-8"))
    )


def review_text(text: str) -> list[Passage]:
    """The passages of a text, in its order; one per pattern and place. What a word just before
    turns round (不得指定供应商) is left out, and so is what the sentence itself makes lawful.

    >>> [p.pattern for p in review_text("补助仅限本市企业。不得指定供应商。")]
    ['local_registration']
    """
    found = []
    for sentence in _SENTENCE.finditer(text):
        said = sentence.group()
        for pattern in patterns():
            if any(word in said for word in pattern.not_with):
                continue
            for match in _matches(pattern, said):
                if _is_turned_round(pattern, said, match.start()):
                    continue
                start = sentence.start() + match.start()
                found.append(
                    Passage(
                        pattern.id,
                        pattern.article,
                        pattern.label,
                        start,
                        start + len(match.group()),
                        text.count("\n", 0, start) + 1,
                        match.group(),
                        said.strip(),
                    )
                )
    return sorted(found, key=lambda p: (p.start, p.pattern))


def _matches(pattern: Pattern, sentence: str) -> list[re.Match[str]]:
    """One match per place: the longest of those that overlap."""
    every = [m for word in pattern.words for m in word.finditer(sentence)]
    every.sort(key=lambda m: (m.start(), -m.end()))
    kept: list[re.Match[str]] = []
    for match in every:
        if not kept or match.start() >= kept[-1].end():
            kept.append(match)
    return kept


def _is_turned_round(pattern: Pattern, sentence: str, at: int) -> bool:
    before = sentence[max(0, at - _BEFORE) : at]
    return any(word in before for word in pattern.not_after)
