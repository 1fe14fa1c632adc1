"""A series of months as a drawing: a line, the band of what is not certain, a few labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from getihu.insight.contracts import FigureView

WIDTH, HEIGHT = 640.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 84.0, 616.0, 16.0, 190.0


@dataclass(frozen=True)
class Mark:
    """A label at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class LineChart:
    """The line as an SVG path (broken where a month has no value), the band as a closed one."""

    width: float
    height: float
    line: str
    band: str
    last: Mark
    values: tuple[Mark, ...]
    months: tuple[Mark, ...]
    left: float
    right: float


def draw_lines(figures: Sequence[FigureView], shown: Sequence[str]) -> LineChart | None:
    """The drawing of a place's figures by month; None with fewer than two values. ``shown`` are
    the figures in words, for the labels. The axis begins where the values do, and says so."""
    known = [each for each in figures if each.value is not None]
    if len(known) < 2:
        return None
    numbers = [n for each in known for n in (each.value, each.low, each.high) if n is not None]
    low, high = min(numbers), max(numbers)
    room = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room
    first, last = figures[0].as_of.toordinal(), figures[-1].as_of.toordinal()

    def x(each: FigureView) -> float:
        return round(LEFT + (RIGHT - LEFT) * (each.as_of.toordinal() - first) / (last - first), 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)

    step, line = "M", ""
    for each in figures:
        if each.value is None:
            step = "M"
            continue
        line += f"{step}{x(each)} {y(each.value)}"
        step = "L"
    upper = [f"{x(each)} {y(each.high)}" for each in known if each.high is not None]
    lower = [f"{x(each)} {y(each.low)}" for each in known if each.low is not None]
    band = f"M{'L'.join([*upper, *reversed(lower)])}Z" if len(upper) > 1 else ""
    ends = {min(known, key=_value).as_of: "min", max(known, key=_value).as_of: "max"}
    words = dict(zip((each.as_of for each in figures), shown, strict=True))
    marks = [
        Mark(LEFT - 8, y(_value(each)), words[each.as_of]) for each in known if each.as_of in ends
    ]
    every = max(1, len(figures) // 6)
    months = [
        Mark(x(each), HEIGHT - 8, f"{each.as_of:%y-%m}") for each in figures[::-1][::every][::-1]
    ]
    newest = known[-1]
    return LineChart(
        WIDTH, HEIGHT, line, band, Mark(x(newest), y(_value(newest)), words[newest.as_of]),
        tuple(marks), tuple(months), LEFT, RIGHT,
    )  # fmt: skip


def _value(each: FigureView) -> float:
    assert each.value is not None
    return each.value


def as_svg(chart: LineChart, title: str) -> str:
    """The drawing as a file of its own, in ink on paper: for print."""
    parts = [
        f'<line x1="{chart.left}" x2="{chart.right}" y1="{mark.y}" y2="{mark.y}" stroke="#dfe3e0"/>'
        f'<text x="{mark.x}" y="{mark.y}" text-anchor="end" dominant-baseline="middle">'
        f"{escape(mark.text)}</text>"
        for mark in chart.values
    ]
    if chart.band:
        parts.append(f'<path d="{chart.band}" fill="#0b5f73" fill-opacity="0.15"/>')
    parts.append(f'<path d="{chart.line}" fill="none" stroke="#0b5f73" stroke-width="2"/>')
    parts.append(f'<circle cx="{chart.last.x}" cy="{chart.last.y}" r="4" fill="#0b5f73"/>')
    parts += [
        f'<text x="{mark.x}" y="{mark.y}" text-anchor="middle">{escape(mark.text)}</text>'
        for mark in chart.months
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {chart.width} {chart.height}"'
        f' width="{chart.width}" height="{chart.height}" font-family="Noto Sans CJK SC"'
        f' font-size="11" fill="#1b2430"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )
