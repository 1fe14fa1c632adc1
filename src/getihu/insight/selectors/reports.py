"""Reads of published reports."""

from datetime import date
from decimal import Decimal

from getihu.insight.catalogue.words import said
from getihu.insight.contracts import FigureView
from getihu.insight.models import Report
from getihu.insight.selectors.figures import CITY
from getihu.insight.selectors.lines import LineChart, draw_lines
from getihu.kernel.errors import GetihuError


class UnknownReport(GetihuError):
    """No report of this quarter, or not this edition."""

    exit_code = 3


def list_reports() -> list[Report]:
    """The newest edition of each quarter, the newest quarter first."""
    found: dict[str, Report] = {}
    for report in Report.objects.order_by("-quarter", "-edition"):
        found.setdefault(report.quarter, report)
    return list(found.values())


def get_report(quarter: str, edition: int | None = None) -> Report:
    """One report, by default its newest edition. Raises UnknownReport."""
    rows = Report.objects.filter(quarter=quarter).order_by("-edition")
    found = (rows if edition is None else rows.filter(edition=edition)).first()
    if found is None:
        raise UnknownReport(
            f"没有 {quarter} 的季报{f'第 {edition} 版' if edition else ''}。"
            "处理办法：看 /insight/reports/ 里有哪些，或者运行 getihu report write 2026Q3。"
        )
    return found


def charts_of(report: Report) -> dict[int, LineChart]:
    """The drawings of a report by the number of their section, from what was kept with it."""
    units = {each["id"]: each["unit"] for each in report.content["methods"]}
    found = {}
    for number, section in enumerate(report.content["sections"]):
        if section["chart"] is None:
            continue
        points = [
            FigureView(
                date.fromisoformat(p["day"]), CITY, p["value"], Decimal(0), None, None, p["low"],
                p["high"], "",
            )
            for p in section["chart"]["points"]
        ]  # fmt: skip
        unit = units[section["chart"]["indicator"]]
        drawn = draw_lines(points, [said(unit, point) for point in points])
        if drawn:
            found[number] = drawn
    return found
