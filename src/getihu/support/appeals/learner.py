"""Which subjects a text may be about: complement naive Bayes over pairs and triples of characters
(Rennie et al. 2003). It only suggests; a person decides.

Small on purpose: some hundred texts and thirty subjects; one training takes milliseconds.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from getihu.kernel.text import half_width

SMOOTHING = 0.3  # chosen on the taxonomy's own words, not on any evaluation data
TOP = 3


def grams(text: str) -> Counter[str]:
    """Pairs and triples of the letters and characters of a text, blanks and signs left out."""
    plain = "".join(c for c in half_width(text).lower() if c.isalnum())
    found = Counter(plain[i : i + 2] for i in range(len(plain) - 1))
    found.update(plain[i : i + 3] for i in range(len(plain) - 2))
    return found


class Learner:
    """Trained once, asked often."""

    def __init__(self, samples: Iterable[tuple[str, str]]) -> None:
        """``samples``: text and label. A label needs one text at least."""
        counted = [(grams(text), label) for text, label in samples]
        self.labels: Sequence[str] = sorted({label for _, label in counted})
        seen = Counter(gram for counts, _ in counted for gram in counts)
        self._place = {gram: i for i, gram in enumerate(sorted(seen))}
        self._rarity = np.array([math.log(1 + len(counted) / seen[gram]) for gram in sorted(seen)])
        rows = {label: i for i, label in enumerate(self.labels)}
        weights = np.zeros((len(self.labels), len(self._place)))
        for counts, label in counted:
            place, value = self._vector(counts)
            weights[rows[label], place] += value
        others = weights.sum(axis=0) - weights + SMOOTHING
        self._score = -np.log(others / others.sum(axis=1, keepdims=True))

    def rank(self, text: str, top: int = TOP) -> list[tuple[str, float]]:
        """The likeliest labels with their shares among all, best first; nothing where the text has
        nothing in common with what was learned."""
        place, value = self._vector(grams(text))
        if not len(place):
            return []
        score = self._score[:, place] @ value
        score = (score - score.max()) * math.sqrt(len(place))
        share = np.exp(score) / np.exp(score).sum()
        best = np.argsort(-share, kind="stable")[:top]
        return [(self.labels[i], round(float(share[i]), 3)) for i in best]

    def _vector(self, counts: Counter[str]) -> tuple[np.ndarray, np.ndarray]:
        """Known grams as places and weights of length one."""
        known = [(self._place[gram], n) for gram, n in counts.items() if gram in self._place]
        if not known:
            return np.array([], dtype=int), np.array([])
        place = np.array([p for p, _ in known])
        value = np.log1p(np.array([n for _, n in known])) * self._rarity[place]
        return place, value / np.linalg.norm(value)


def macro_f1(wanted: Sequence[str], given: Sequence[str]) -> float:
    """The mean of F1 over the labels that occur."""
    scores = []
    for label in sorted(set(wanted)):
        hit = sum(w == g == label for w, g in zip(wanted, given, strict=True))
        all_ = wanted.count(label) + given.count(label)
        scores.append(2 * hit / all_ if all_ else 0.0)
    return sum(scores) / len(scores)
