"""From a plain description of a business to classes of GB/T 4754, for the person to choose from."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from getihu.reference import selectors as reference
from getihu.reference.contracts import Industry

_WORDS: Final = Path(__file__).parent / "words.yaml"
_WORD_WEIGHT: Final = 100.0  # an everyday word decides; the text of the standard orders the rest
_NAME_WEIGHT: Final = 3
# What somebody does with a thing says more than the thing: making shoes is another class than
# selling them. Words of doing, the divisions they lead to, the longest word first.
_DOINGS: Final = (
    (("维修", "修理", "修"), ("43", "81")),
    (("加工", "制造", "生产", "作坊"), tuple(str(n) for n in range(13, 44))),
    (("批发",), ("51",)),
    (("零售", "专卖", "销售", "卖", "店"), ("52",)),
    (("种植", "种"), ("01", "02")),
    (("养殖", "养"), ("03", "04")),
)
_DOING_GRAMS: Final = {word for words_, _ in _DOINGS for word in words_ if len(word) == 2}
_DOING_FACTOR: Final = 3.0
_OTHER_FACTOR: Final = 0.05
_SELLING: Final = ("52",)
_NOTHING: Final = ("-",)


@dataclass(frozen=True)
class Guess:
    """A class of GB/T 4754 that a description may mean, likeliest first."""

    code: str
    name: str
    note: str
    section_name: str


def guess_trades(text: str, limit: int = 5) -> list[Guess]:
    """The classes a description may mean; empty when nothing of it is found in the standard."""
    scores = _by_words(text)
    grams = _grams(text) - _DOING_GRAMS
    for code, weights in _index().items():
        found = sum(weights.get(gram, 0.0) for gram in grams)
        if found:
            scores[code] += found
    doing = _doing(text)
    for code in list(scores):
        if code.startswith(doing):
            scores[code] *= _DOING_FACTOR
        elif doing not in (_NOTHING, _SELLING):  # a shop sells what it makes; a repairer does not
            scores[code] *= _OTHER_FACTOR
    best = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    return [_guess(code) for code, _ in best]


def _doing(text: str) -> tuple[str, ...]:
    """The divisions what somebody does leads to; those of no class when nothing is said."""
    for words_of_doing, divisions in _DOINGS:
        if any(word in text for word in words_of_doing):
            return divisions
    return _NOTHING


def is_class(code: str) -> bool:
    return reference.is_industry_code(code)


def describe(code: str) -> Guess | None:
    """One class by its code; None when there is none."""
    return _guess(code) if is_class(code) else None


def _guess(code: str) -> Guess:
    found = reference.get_industry(code)
    assert found is not None
    section = reference.get_industry(found.section)
    return Guess(code, found.name, _note(found), section.name if section else "")


def _note(industry: Industry) -> str:
    return "" if industry.note.startswith("group=") else industry.note


@lru_cache
def words() -> dict[str, tuple[str, ...]]:
    """Everyday words and the classes they usually mean."""
    raw: dict[str, list[str]] = yaml.safe_load(_WORDS.read_text("utf-8"))
    return {word: tuple(codes) for word, codes in raw.items()}


def _by_words(text: str) -> defaultdict[str, float]:
    """Longer words first: 小超市 says more than 超市."""
    scores: defaultdict[str, float] = defaultdict(float)
    for word, codes in words().items():
        if word in text:
            for place, code in enumerate(codes):
                scores[code] += _WORD_WEIGHT * len(word) / (place + 1)
    return scores


def _grams(text: str) -> set[str]:
    kept = "".join(c for c in text if c.isalnum())
    return {kept[n : n + 2] for n in range(len(kept) - 1)}


@lru_cache
def _index() -> dict[str, dict[str, float]]:
    """Class → pairs of characters with how much each tells: rare ones more, the name's more."""
    texts = {i.code: (i.name, _note(i)) for i in reference.list_industry_classes()}
    seen = Counter(gram for name, note in texts.values() for gram in _grams(name) | _grams(note))
    rarity = {gram: math.log(len(texts) / count) for gram, count in seen.items()}
    return {
        code: {
            gram: rarity[gram] * (_NAME_WEIGHT if gram in _grams(name) else 1)
            for gram in _grams(name) | _grams(note)
        }
        for code, (name, note) in texts.items()
    }
