"""What may be told and compared: small cells are kept back, a target is met or it cannot be said."""

from decimal import Decimal
from typing import Final

from getihu.insight.contracts import FigureView

CITY: Final = "330300"
FEWEST: Final = 10  # 本项目设定，非官方: a smaller cell would single people out


def without_small(views: list[FigureView]) -> list[FigureView]:
    """Counts under ten are not told; where just one is kept back, the next smallest is too."""
    small = {view.division for view in views if _is_small(view)}
    others = [view for view in views if view.division not in small]
    if len(small) == 1 and others:
        small.add(min(others, key=lambda view: view.whole or view.part).division)
    return [_hidden(view) if view.division in small else view for view in views]


def _is_small(view: FigureView) -> bool:
    size = view.whole if view.whole is not None else view.part
    return 0 < size < FEWEST


def _hidden(view: FigureView) -> FigureView:
    return FigureView(
        view.as_of, view.division, None, Decimal(0), None, None, None, None, view.digest
    )


def meets(target: Decimal, direction: str, figure: FigureView | None) -> bool | None:
    """Whether a figure reaches a target; None where the unknown leaves it open."""
    if figure is None or figure.value is None:
        return None
    ends = [figure.value] if figure.low is None else [figure.low, figure.high or figure.value]
    said = {_reaches(end, float(target), direction) for end in [*ends, figure.value]}
    return said.pop() if len(said) == 1 else None


def _reaches(value: float, target: float, direction: str) -> bool:
    if direction == "at_most":
        return value <= target
    return value > target if direction == "more_than" else value >= target
