"""Numbers as shapes: bars, shades and tiles, all computed here so that templates only print."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from getihu.rulebook.contracts import PartMove, PartNumbers

SHADES = 5
MARKS = {"yes": "✓", "no": "✗", "unknown": "？"}


@dataclass(frozen=True)
class Segment:
    """A stretch of a bar 100 wide. ``tone``: yes, no, unknown, other1 … other8, none."""

    tone: str
    label: str
    count: int
    start: float
    width: float
    mark: str

    @property
    def share(self) -> str:
        """Per cent as people read it; what is there is never rounded to nothing."""
        return "不到 0.1%" if self.count and self.width < 0.1 else f"{self.width:.1f}%"


@dataclass(frozen=True)
class Cell:
    """One county as a tile, or one trade or type as a bar. ``count`` None: held back.

    ``per_hundred`` is of those the rule applies to; ``width`` of the longest bar, 0–100;
    ``shade`` 0 (none) to 5. ``change`` is what a what-if adds or takes (None: no what-if).
    """

    code: str
    label: str
    traders: int
    count: int | None
    per_hundred: str
    width: float
    shade: int
    change: int | None = None


def segments(counts: Mapping[str, int], labels: Mapping[str, str]) -> tuple[Segment, ...]:
    """The outcomes of a rule side by side."""
    whole = sum(counts.get(name, 0) for name in labels) or 1
    found, start = [], 0.0
    for number, (name, label) in enumerate(labels.items()):
        count = counts.get(name, 0)
        width = 100 * count / whole
        tone = name if name in MARKS else f"other{number % 8 + 1}"
        found.append(
            Segment(tone, label, count, round(start, 3), round(width, 3), MARKS.get(name, "■"))
        )
        start += width
    return tuple(found)


def cells(parts: Sequence[PartNumbers], outcome: str) -> tuple[Cell, ...]:
    """The parts of one breakdown, in their own order: nobody is ranked."""
    counts = [part.counts[outcome] for part in parts]
    return _cells(
        [(p.code, p.label, p.traders, n, None) for p, n in zip(parts, counts, strict=True)]
    )


def moved_cells(moves: Sequence[PartMove]) -> tuple[Cell, ...]:
    """The same for a what-if: the count after, and the change."""
    return _cells(
        [
            (
                m.code,
                m.label,
                0,
                m.after,
                None if m.gained is None or m.lost is None else m.gained - m.lost,
            )
            for m in moves
        ]
    )


Row = tuple[str, str, int, int | None, int | None]


def _cells(rows: Iterable[Row]) -> tuple[Cell, ...]:
    listed = list(rows)
    longest = max((count or 0 for _, _, _, count, _ in listed), default=0) or 1
    densest = max((_rate(traders, count) for _, _, traders, count, _ in listed), default=0) or 1
    return tuple(
        Cell(
            code=code,
            label=label,
            traders=traders,
            count=count,
            per_hundred=f"{100 * _rate(traders, count):.1f}%"
            if traders and count is not None
            else "",
            width=round(100 * (count or 0) / longest, 2),
            shade=shade(_rate(traders, count) / densest if traders else (count or 0) / longest),
            change=change,
        )
        for code, label, traders, count, change in listed
    )


def _rate(traders: int, count: int | None) -> float:
    return (count or 0) / traders if traders else 0.0


def shade(share: float) -> int:
    """0 for nothing, else 1 to 4; the fifth is left for what a slider adds."""
    return 0 if share <= 0 else min(SHADES - 1, int(share * (SHADES - 1)) + 1)
