"""Reports: composed from published figures, kept as they were, made again to be checked."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import yaml
from django.db import IntegrityError, transaction

from getihu.dataplane import selectors as dataplane
from getihu.insight.catalogue.definitions import Indicator, list_indicators
from getihu.insight.contracts import FigureView, ReportCheck
from getihu.insight.models import Figure, Measurement, Report
from getihu.insight.reports.composing import BadQuarter, Source, compose, last_day, sha256_of
from getihu.insight.reports.texts import quarterly
from getihu.insight.selectors.figures import newest, view_of
from getihu.insight.selectors.reports import get_report
from getihu.insight.services.measuring import Made, make_again
from getihu.kernel.periods import add_months


def write_report(quarter: str, *, at: datetime) -> Report:
    """The report of a quarter (2026Q3) from the newest figures; the same figures give the edition
    that is there already. Raises BadQuarter: no quarter, or its last day is not in the data yet."""
    until = last_day(quarter)
    reach = dataplane.get_published_snapshot().data_until
    if until > reach:
        raise BadQuarter(
            f"{quarter} 的数据还没有送齐：数据到 {reach}。处理办法：等 {until} 以后的数据公布再写。"
        )
    content = _compose(quarter, _kept_sources())
    sha256 = sha256_of(content)
    for _ in range(3):
        last = Report.objects.filter(quarter=quarter).order_by("-edition").first()
        if last and last.sha256 == sha256:
            return last
        edition = last.edition + 1 if last else 1
        try:
            with transaction.atomic():
                return Report.objects.create(
                    quarter=quarter, edition=edition, content=content, sha256=sha256, made_at=at
                )
        except IntegrityError:  # another worker wrote one a moment ago
            continue
    raise BadQuarter(f"{quarter} 正有人在写。处理办法：过一会再写。")


def write_due_report(at: datetime) -> Report | None:
    """The report of the last quarter the data reach to the end of, once; None when it is there or
    nothing is measured."""
    try:
        reach = dataplane.get_published_snapshot().data_until
    except dataplane.NothingPublished:
        return None
    quarter = f"{reach.year}Q{(reach.month - 1) // 3 + 1}"
    if last_day(quarter) > reach:
        before = add_months(reach.replace(day=1), -3)
        quarter = f"{before.year}Q{(before.month - 1) // 3 + 1}"
    if Report.objects.filter(quarter=quarter).exists() or not Measurement.objects.exists():
        return None
    return write_report(quarter, at=at)


def check_report(quarter: str, edition: int | None = None) -> ReportCheck:
    """Make every figure of a report again from the data it was made from, and the report from them.
    Raises UnknownReport."""
    kept = get_report(quarter, edition)
    digests = {each["id"]: each["digest"] for each in kept.content["methods"]}
    sources = {}
    for indicator_id, digest in digests.items():
        indicator, made = make_again(
            Measurement.objects.select_related("definition").get(pk=digest)
        )
        # What decides no number (target, words) is not in the kept text's digest: it is in the text.
        sources[indicator_id] = Source(indicator, digest, _figures(digest, made))
    again = _compose(quarter, sources, list(digests))
    return ReportCheck(
        kept.quarter, kept.edition, len(digests), _count_numbers(kept.content),
        again == kept.content and sha256_of(kept.content) == kept.sha256,
        tuple(_differences(kept.content, again)),
    )  # fmt: skip


def _compose(
    quarter: str, sources: dict[str, Source], order: list[str] | None = None
) -> dict[str, Any]:
    named = order or [each.id for each in list_indicators()]
    return compose(quarterly(), quarter, sources, named)


def _kept_sources() -> dict[str, Source]:
    found = {}
    for indicator in list_indicators():
        last = newest(indicator.id)
        if last is None:
            continue
        rows = Figure.objects.filter(measurement=last)
        views = {(row.as_of, row.division): view_of(row) for row in rows}
        found[indicator.id] = Source(_as_kept(indicator, last), last.pk, views)
    return found


def _as_kept(indicator: Indicator, last: Measurement) -> Indicator:
    """The indicator in the words it measured with, so that a check years later says the same."""
    return Indicator.model_validate(yaml.safe_load(last.definition.text))


def _figures(digest: str, made: Iterable[Made]) -> dict[tuple[date, str], FigureView]:
    def exact(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    untold = set(
        Figure.objects.filter(measurement=digest, is_withheld=True).values_list("as_of", "division")
    )
    return {
        (each.as_of, each.division): FigureView(
            each.as_of, each.division, each.value, Decimal(each.part), exact(each.whole),
            exact(each.unknown), each.low, each.high, digest,
        )
        for each in made
        if (each.as_of, each.division) not in untold
    }  # fmt: skip


def _count_numbers(content: dict[str, Any]) -> int:
    """Figures in the sentences, each with a digest."""
    return sum(
        "digest" in piece
        for section in content["sections"]
        for sentence in section["sentences"]
        for piece in sentence
    )


def _differences(kept: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """Which sentences say something else now, as they were."""
    found = []
    for section, made in zip(kept["sections"], again["sections"], strict=False):
        for was, now in zip(section["sentences"], made["sentences"], strict=False):
            if was != now:
                found.append("".join(piece["text"] for piece in was))
    return found
