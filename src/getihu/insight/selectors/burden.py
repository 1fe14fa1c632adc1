"""How much of a trader's time the offices took: questions, files, visits, in minutes."""

from datetime import date
from typing import Final

from getihu.cases import selectors as cases
from getihu.insight.contracts import BurdenMeter
from getihu.kernel.periods import add_months
from getihu.supervision import selectors as supervision

# Estimates, not measured with a clock (本项目设定，非官方); burden.minutes counts by the same.
MINUTES: Final = {"questions": 1, "documents": 5, "visits": 60}


def burden_of(trader_code: str, on: date) -> BurdenMeter:
    """A trader's quarter up to a day of it, with the quarter before beside it."""
    since = on.replace(month=3 * ((on.month - 1) // 3) + 1, day=1)
    now = _count(trader_code, since, add_months(since, 3))
    before = _count(trader_code, add_months(since, -3), since)
    return BurdenMeter(since, *now, _minutes(now), _minutes(before))


def _count(trader_code: str, since: date, until: date) -> tuple[int, int, int]:
    asked = cases.list_asked(since, until, trader_code=trader_code)
    visits = supervision.list_borne(since, until, trader_code=trader_code)
    return sum(a.questions for a in asked), sum(a.documents for a in asked), len(visits)


def _minutes(counted: tuple[int, int, int]) -> int:
    return sum(many * each for many, each in zip(counted, MINUTES.values(), strict=True))
