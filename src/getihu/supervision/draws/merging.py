"""Several departments' drawn visits to one trader become one, and every plan's quota still holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class DrawnVisit:
    """One visit a draw made: ``window`` is its plan's (the end is exclusive)."""

    id: str
    trader_code: str
    plan: str
    field: str
    window: tuple[date, date]


@dataclass(frozen=True)
class Joint:
    """Visits made together: ``lead`` takes in the ``others``, within ``window``."""

    lead: str
    others: tuple[str, ...]
    window: tuple[date, date]


def merge(visits: Iterable[DrawnVisit]) -> list[Joint]:
    """The fewest visits per trader: taken by the end of their windows, each joins the visit whose
    window still meets its own, else opens one. (Windows on a line: this greedy is the best there
    is.) Two of one field are never put together: each would be a check of its own."""
    of: dict[str, list[DrawnVisit]] = {}
    for visit in visits:
        of.setdefault(visit.trader_code, []).append(visit)
    made = []
    for code in sorted(of):
        groups: list[list[DrawnVisit]] = []
        for visit in sorted(of[code], key=lambda v: (v.window[1], v.window[0], v.id)):
            home = next((group for group in groups if _fits(group, visit)), None)
            if home is None:
                groups.append([visit])
            else:
                home.append(visit)
        made += [_joint(group) for group in groups if len(group) > 1]
    return made


def check(
    drawn: Mapping[str, tuple[str, Sequence[str]]], held: Iterable[tuple[str, frozenset[str]]]
) -> list[str]:
    """Whatever a merge broke, found by counting alone; empty when every quota holds. ``drawn``: plan
    → its field and everybody its result names. ``held``: of each visit that stands, its trader and
    the fields checked. A trader drawn by so many plans of a field has so many visits with it."""
    owed: dict[tuple[str, str], int] = {}
    for field, codes in drawn.values():
        for code in codes:
            owed[code, field] = owed.get((code, field), 0) + 1
    for code, fields in held:
        for field in fields:
            owed[code, field] = owed.get((code, field), 0) - 1
    return [
        f"{code} 的 {field}：{'少' if count > 0 else '多'} {abs(count)} 次"
        for (code, field), count in sorted(owed.items())
        if count
    ]


def _fits(group: Sequence[DrawnVisit], visit: DrawnVisit) -> bool:
    start, end = _window([*group, visit])
    return start < end and visit.field not in {each.field for each in group}


def _window(group: Sequence[DrawnVisit]) -> tuple[date, date]:
    return max(v.window[0] for v in group), min(v.window[1] for v in group)


def _joint(group: Sequence[DrawnVisit]) -> Joint:
    lead, *others = group
    return Joint(lead.id, tuple(v.id for v in others), _window(group))
