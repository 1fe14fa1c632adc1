"""Figures as people read them."""

from decimal import Decimal

from getihu.insight.contracts import FigureView


def said(unit: str, figure: FigureView | None) -> str:
    """A figure as people read it: 1,100,402 户, 78.9 %, 39.2 亿元; empty when there is none."""
    return "" if figure is None else said_value(unit, figure.value)


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
