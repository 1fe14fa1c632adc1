"""What may be told and compared: small cells are kept back, a target is met or it cannot be said."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from getihu.insight.contracts import FigureView

CITY: Final = "330300"
FEWEST: Final = 10  # 本项目设定，非官方: a smaller cell would single people out


def withheld(
    sizes: Mapping[str, Decimal], already: Iterable[str], fewest: int = FEWEST
) -> frozenset[str]:
    """Which counties of a day are not told, when the city is: those under ``fewest``, those kept
    back in an earlier edition of the same day, and as many of the next smallest as it takes that
    no single one, nor a handful of people, follows from the rest.

    ``sizes``: of how many each county's figure speaks. The same in every edition, so that two
    editions side by side tell no more than either.
    """
    kept = {place for place, size in sizes.items() if 0 < size < fewest} | {*already}
    others = sorted(
        (place for place, size in sizes.items() if size and place not in kept),
        key=lambda place: (sizes[place], place),
    )
    for place in others:
        hidden = [sizes.get(each, Decimal(0)) for each in kept]
        if not kept or (len([size for size in hidden if size]) > 1 and sum(hidden) >= fewest):
            break
        kept.add(place)
    return frozenset(kept)


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
