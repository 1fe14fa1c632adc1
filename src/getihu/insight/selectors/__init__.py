"""Reads of insight: definitions, figures, targets, the plan's measures."""

from getihu.insight.catalogue.comparing import CITY, FEWEST
from getihu.insight.catalogue.definitions import (
    UNOFFICIAL,
    Indicator,
    UnknownIndicator,
    get_indicator,
    list_indicators,
)
from getihu.insight.catalogue.measures import Measure, list_measures
from getihu.insight.catalogue.words import DIRECTIONS, said, said_value
from getihu.insight.selectors.burden import MINUTES, burden_of
from getihu.insight.selectors.cockpit import take_pulse
from getihu.insight.selectors.figures import (
    NotCompared,
    NotMeasuredYet,
    list_by_county,
    list_figures,
    list_latest,
    list_revisions,
    list_targets,
    newest,
)
from getihu.insight.selectors.lines import draw_lines
from getihu.insight.selectors.reports import UnknownReport, charts_of, get_report, list_reports
from getihu.insight.selectors.sparks import draw_spark

__all__ = [
    "CITY",
    "DIRECTIONS",
    "FEWEST",
    "MINUTES",
    "UNOFFICIAL",
    "Indicator",
    "Measure",
    "NotCompared",
    "NotMeasuredYet",
    "UnknownIndicator",
    "UnknownReport",
    "burden_of",
    "charts_of",
    "draw_lines",
    "draw_spark",
    "get_indicator",
    "get_report",
    "list_by_county",
    "list_figures",
    "list_indicators",
    "list_latest",
    "list_measures",
    "list_reports",
    "list_revisions",
    "list_targets",
    "newest",
    "said",
    "said_value",
    "take_pulse",
]
