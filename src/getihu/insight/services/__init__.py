"""Verbs of insight: measure, make again, report."""

from getihu.insight.reports.composing import BadQuarter
from getihu.insight.services.exchange import WRITERS, dcat, rows_of, sdmx_csv, sdmx_structure
from getihu.insight.services.exploring import STATISTICIANS, CannotExplore, choices, explore
from getihu.insight.services.measuring import (
    CannotMeasure,
    UnknownDigest,
    measure,
    measure_daily,
    rerun,
)
from getihu.insight.services.printing import as_pdf, as_word
from getihu.insight.services.reporting import check_report, write_due_report, write_report

__all__ = [
    "STATISTICIANS",
    "WRITERS",
    "BadQuarter",
    "CannotExplore",
    "CannotMeasure",
    "UnknownDigest",
    "as_pdf",
    "as_word",
    "check_report",
    "choices",
    "dcat",
    "explore",
    "measure",
    "measure_daily",
    "rerun",
    "rows_of",
    "sdmx_csv",
    "sdmx_structure",
    "write_due_report",
    "write_report",
]
