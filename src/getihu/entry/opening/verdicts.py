"""How far a trade is open to a sole trader: a small lattice. Pure.

open < filing < promise (notification-promise is enough) < permit < closed. Joining is taking the
stricter of two; what is not known yet leaves the verdict unsettled, except below closed, above
which there is nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Final

LEVELS: Final = {
    "open": "不用办",
    "filing": "备案或登记",
    "promise": "告知承诺",
    "permit": "要许可",
    "closed": "不能办",
}
UNKNOWN: Final = "unknown"
VERDICTS: Final = {**LEVELS, UNKNOWN: "还不能判断"}
_ORDER: Final = {level: place for place, level in enumerate(LEVELS)}


@dataclass(frozen=True)
class Verdict:
    """``at_least``: the strictest thing already sure, a key of LEVELS. ``is_settled``: nothing that
    is still unknown can make it stricter."""

    at_least: str = "open"
    is_settled: bool = True

    @property
    def label(self) -> str:
        if self.is_settled:
            return LEVELS[self.at_least]
        known = LEVELS[self.at_least] if self.at_least != "open" else ""
        return f"{known}，还有没判断的" if known else VERDICTS[UNKNOWN]

    def is_within(self, other: "Verdict") -> bool:
        """Whether ``other`` is at least as strict."""
        return _ORDER[self.at_least] <= _ORDER[other.at_least]


BOTTOM: Final = Verdict()


def verdict_of(level: str) -> Verdict:
    """The verdict of one answer; unknown says nothing yet."""
    return Verdict("open", False) if level == UNKNOWN else Verdict(level)


def join(verdicts: Iterable[Verdict]) -> Verdict:
    """The strictest of all: what several trades in one shop come to."""
    return reduce(_join, verdicts, BOTTOM)


def _join(one: Verdict, other: Verdict) -> Verdict:
    at_least = max(one.at_least, other.at_least, key=lambda level: _ORDER[level])
    return Verdict(at_least, at_least == "closed" or (one.is_settled and other.is_settled))
