"""Figures as people read them."""

from decimal import Decimal
from typing import Final

from getihu.insight.contracts import FigureView

DIRECTIONS: Final = {"at_least": "不少于", "more_than": "超过", "at_most": "不超过"}


def said(unit: str, figure: FigureView | None) -> str:
    """A figure as people read it: 1,100,402 户, 78.9 %, 39.2 亿元; empty when there is none,
    不单列 where it is withheld."""
    if figure is None:
        return ""
    return "不单列" if figure.is_withheld else said_value(unit, figure.value)


def said_value(unit: str, value: float | Decimal | None) -> str:
    if value is None:
        return "没有"
    if unit == "%":
        return f"{value:.1f}%"
    if unit == "元":
        return _money(float(value))
    return f"{value:,.0f} {unit}"


def _money(value: float) -> str:
    for size, word in ((1e8, "亿元"), (1e4, "万元")):
        if abs(value) >= size:
            return f"{value / size:,.1f} {word}"
    return f"{value:,.0f} 元"


def said_change(unit: str, before: float, now: float) -> str:
    """What became of a figure: 增加 12 户, 下降 0.3 个百分点, 没有变化."""
    difference = now - before
    if unit == "%":
        words = f"{abs(difference):.1f} 个百分点"
        return (
            "没有变化" if abs(difference) < 0.05 else f"{_way(difference, '上升', '下降')} {words}"
        )
    words = said_value(unit, abs(difference))
    return "没有变化" if abs(difference) < 0.5 else f"{_way(difference, '增加', '减少')} {words}"


def _way(difference: float, more: str, less: str) -> str:
    return more if difference > 0 else less
