"""Reads of published figures: newest, month by month, by county where the law lets one compare."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import Max

from getihu.insight.catalogue.comparing import CITY, meets
from getihu.insight.catalogue.definitions import Indicator, get_indicator, list_indicators
from getihu.insight.contracts import FigureView, Revision, TargetView
from getihu.insight.models import Figure, Measurement
from getihu.insight.trends import drawn_on
from getihu.kernel.errors import GetihuError
from getihu.reference import selectors as reference


class NotCompared(GetihuError):
    """Counties may not be set side by side in this (促进个体工商户发展条例 第三十二条)."""


class NotMeasuredYet(GetihuError):
    """Nothing was measured yet."""

    exit_code = 3


def newest(indicator_id: str) -> Measurement | None:
    """The last measurement of an indicator."""
    found = Measurement.objects.filter(definition__indicator_id=indicator_id)
    return found.select_related("definition").order_by("-measured_at", "digest").first()


def list_figures(indicator_id: str, division: str = CITY) -> list[FigureView]:
    """The figures of the last measurement in one place, by day. Raises UnknownIndicator."""
    indicator = get_indicator(indicator_id)
    last = newest(indicator.id)
    if last is None:
        return []
    rows = Figure.objects.filter(measurement=last, division=division).order_by("as_of")
    return [view_of(row) for row in rows]


def list_by_county(indicator_id: str, as_of: date | None = None) -> list[FigureView]:
    """The counties beside each other on a day (by default the newest), in the order of their codes,
    never of their values; withheld ones without numbers. Raises NotCompared for what the law lets
    nobody rank by."""
    indicator = get_indicator(indicator_id)
    if indicator.watch_only:
        raise NotCompared(
            f"“{indicator.title}”不在县（市、区）之间比较：促进个体工商户发展条例 第三十二条不许按户数、"
            "年报率考核、排名。处理办法：只看全市，或者只看一个县自己的走势。"
        )
    last = newest(indicator.id)
    if last is None:
        return []
    counties = {county.code for county in reference.list_counties()}
    rows = Figure.objects.filter(measurement=last, division__in=counties)
    day = as_of or rows.aggregate(day=Max("as_of"))["day"]
    return [view_of(row) for row in rows.filter(as_of=day).order_by("division")]


def list_revisions(indicator_id: str, division: str = CITY) -> list[Revision]:
    """Days whose figure was published before as another number, newest change first."""
    rows = (
        Figure.objects.filter(
            measurement__definition__indicator_id=get_indicator(indicator_id).id,
            division=division,
            is_withheld=False,
        )
        .order_by("as_of", "measurement__measured_at")
        .values_list("as_of", "value", "measurement__measured_at")
    )
    found: list[Revision] = []
    before: tuple[date, float | None] | None = None
    for as_of, value, at in rows:
        if before is not None and before[0] == as_of and before[1] != value:
            found.append(Revision(as_of, before[1], value, at))
        before = (as_of, value)
    return sorted(found, key=lambda each: each.changed_at, reverse=True)


def list_targets() -> list[TargetView]:
    """Every number the plan names that has an indicator, with how far it is."""
    return [_target(indicator) for indicator in list_indicators() if indicator.target]


def _target(indicator: Indicator) -> TargetView:
    target = indicator.target
    assert target is not None
    figures = list_figures(indicator.id)
    now = figures[-1] if figures else None
    then = next((figure for figure in figures if figure.as_of == target.by), None)
    monthly = [(each.as_of, each.value) for each in figures[-13:] if each.value is not None]
    end = date(now.as_of.year, 12, 31) if now else None
    within_a_year = [(day, value) for day, value in monthly if end and day.year == end.year]
    yearly = "当年" in indicator.title
    return TargetView(
        indicator.id, target.number, indicator.title, indicator.unit, target.value,
        target.direction, target.by, target.source, then, now,
        meets(target.value, target.direction, then), meets(target.value, target.direction, now),
        drawn_on(within_a_year if yearly else monthly, end) if end else None,
    )  # fmt: skip


def list_latest() -> list[tuple[Indicator, FigureView | None]]:
    """Every indicator with its newest figure of the city."""
    found = []
    for indicator in list_indicators():
        figures: Iterable[FigureView] = list_figures(indicator.id)
        found.append((indicator, next(reversed(list(figures)), None)))
    return found


def view_of(row: Figure) -> FigureView:
    """A kept figure as it may be told: one that is withheld without its numbers."""
    if row.is_withheld:
        return FigureView(
            row.as_of, row.division, None, Decimal(0), None, None, None, None, row.measurement_id,
            is_withheld=True,
        )  # fmt: skip
    return FigureView(
        row.as_of, row.division, row.value, row.part, row.whole, row.unknown, row.low, row.high,
        row.measurement_id,
    )  # fmt: skip
