"""A small line of months beside a number: its shape alone, without axes."""

from collections.abc import Sequence
from dataclasses import dataclass

from getihu.insight.contracts import FigureView

WIDTH, HEIGHT, EDGE = 120.0, 28.0, 3.0


@dataclass(frozen=True)
class Spark:
    """The line as an SVG path, and where it ends."""

    width: float
    height: float
    line: str
    x: float
    y: float


def draw_spark(figures: Sequence[FigureView]) -> Spark | None:
    """The line of the known values; None with fewer than two."""
    known = [(each.as_of.toordinal(), each.value) for each in figures if each.value is not None]
    if len(known) < 2:
        return None
    first, last = known[0][0], known[-1][0]
    low, high = min(value for _, value in known), max(value for _, value in known)
    spread = (high - low) or 1.0
    points = [
        (
            round(EDGE + (WIDTH - 2 * EDGE) * (day - first) / (last - first), 1),
            round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - low) / spread, 1),
        )
        for day, value in known
    ]
    line = "M" + "L".join(f"{x} {y}" for x, y in points)
    return Spark(WIDTH, HEIGHT, line, *points[-1])
