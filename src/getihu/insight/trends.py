"""A straight line through months, drawn on: ordinary least squares with a prediction band."""

import math
from collections.abc import Sequence
from datetime import date

from getihu.insight.contracts import Trend

FEWEST = 6  # months; fewer give no band worth showing (本项目设定，非官方)
# Student's t, 97.5 %, by degrees of freedom 4 … 22 (24 months).
_T = (2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
      2.110, 2.101, 2.093, 2.086, 2.080, 2.074)  # fmt: skip


def drawn_on(series: Sequence[tuple[date, float]], on: date) -> Trend | None:
    """The line of monthly values at a later day; None with fewer than six of them."""
    count = len(series)
    if count < FEWEST:
        return None
    first = series[0][0]
    xs = [_months(first, day) for day, _ in series]
    ys = [value for _, value in series]
    mean_x, mean_y = sum(xs) / count, sum(ys) / count
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    t = _T[min(count - 2, 22) - 4]
    away = _months(first, on) - mean_x
    band = t * math.sqrt(rest / (count - 2) * (1 + 1 / count + away**2 / spread))
    value = mean_y + slope * away
    # No figure of ours is below nothing.
    at, low, high = (max(0.0, each) for each in (value, value - band, value + band))
    return Trend(on, at, low, high, count)


def _months(first: date, on: date) -> float:
    return (on.year - first.year) * 12 + on.month - first.month + on.day / 31
