"""Flows between the types as a drawing: two columns of bars and the bands between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from getihu.growth.contracts import Flow

WIDTH, HEIGHT, BAR, GAP = 760.0, 360.0, 14.0, 12.0
LEFT, RIGHT = 210.0, 550.0  # where the bars stand; labels take the rest
LEAST = 3.0  # a band one can see
TONES = {"surviving": "waiting", "growing": "brand", "developing": "good"}


@dataclass(frozen=True)
class Node:
    """One type on one side. ``tone`` names a colour; the label says the same in words."""

    label: str
    count: int
    x: float
    y: float
    height: float
    text_x: float
    text_y: float
    anchor: str
    tone: str


@dataclass(frozen=True)
class Band:
    """One flow, as the path of an SVG."""

    title: str
    path: str
    tone: str
    stays: bool


@dataclass(frozen=True)
class Sankey:
    width: float
    height: float
    nodes: tuple[Node, ...]
    bands: tuple[Band, ...]


def draw(flows: Sequence[Flow]) -> Sankey | None:
    """The drawing of the flows that may be told; None when there are none. Heights are by root of
    the count, or the largest type would hide all others; the table beside says the numbers."""
    told = [flow for flow in flows if flow.count]
    if not told:
        return None
    sizes = {(f.before, f.after): max(LEAST, (f.count or 0) ** 0.5) for f in told}
    sides = [
        _column([(f.before, f.before_label) for f in told]),
        _column([(f.after, f.after_label) for f in told]),
    ]
    totals = [
        {t: sum(s for pair, s in sizes.items() if pair[side] == t) for t in names}
        for side, names in enumerate(sides)
    ]
    room = HEIGHT - GAP * (max(len(names) for names in sides) - 1)
    scale = room / max(sum(total.values()) for total in totals)
    tops: list[dict[str, float]] = []
    nodes = []
    for side, names in enumerate(sides):
        y, top = 0.0, {}
        for type_, label in names.items():
            height = totals[side][type_] * scale
            top[type_] = y
            count = sum(f.count or 0 for f in told if (f.before, f.after)[side] == type_)
            nodes.append(_node(side, type_, label, count, y, height))
            y += height + GAP
        tops.append(top)
    bands = []
    for flow in told:
        height = sizes[flow.before, flow.after] * scale
        y0, y1 = tops[0][flow.before], tops[1][flow.after]
        tops[0][flow.before] += height
        tops[1][flow.after] += height
        bands.append(
            Band(
                f"{flow.before_label} → {flow.after_label}：{flow.count:,} 户",
                _path(y0, y1, height),
                TONES.get(flow.after, "unknown"),
                flow.before == flow.after,
            )
        )
    return Sankey(WIDTH, HEIGHT, tuple(nodes), tuple(bands))


def _column(pairs: list[tuple[str, str]]) -> dict[str, str]:
    return dict(pairs)


def _node(side: int, type_: str, label: str, count: int, y: float, height: float) -> Node:
    x = RIGHT if side else LEFT - BAR
    return Node(
        label=label.removeprefix("未纳入："),
        count=count,
        x=x,
        y=round(y, 1),
        height=round(height, 1),
        text_x=x + BAR + 6 if side else x - 6,
        text_y=round(y + height / 2, 1),
        anchor="start" if side else "end",
        tone=TONES.get(type_, "unknown"),
    )


def _path(y0: float, y1: float, height: float) -> str:
    middle = (LEFT + RIGHT) / 2
    return (
        f"M{LEFT:g} {y0:.1f}C{middle:g} {y0:.1f} {middle:g} {y1:.1f} {RIGHT:g} {y1:.1f}"
        f"V{y1 + height:.1f}C{middle:g} {y1 + height:.1f} {middle:g} {y0 + height:.1f}"
        f" {LEFT:g} {y0 + height:.1f}Z"
    )
