"""Reads of insight: definitions, figures, targets, the plan's measures."""

from getihu.insight.catalogue.definitions import (
    UNOFFICIAL,
    Indicator,
    UnknownIndicator,
    get_indicator,
    list_indicators,
)
from getihu.insight.catalogue.measures import Measure, list_measures
from getihu.insight.selectors.cockpit import take_pulse
from getihu.insight.selectors.figures import (
    CITY,
    FEWEST,
    NotCompared,
    NotMeasuredYet,
    list_by_county,
    list_figures,
    list_latest,
    list_revisions,
    list_targets,
    newest,
)
from getihu.insight.selectors.words import said, said_value

__all__ = [
    "CITY",
    "FEWEST",
    "UNOFFICIAL",
    "Indicator",
    "Measure",
    "NotCompared",
    "NotMeasuredYet",
    "UnknownIndicator",
    "get_indicator",
    "list_by_county",
    "list_figures",
    "list_indicators",
    "list_latest",
    "list_measures",
    "list_revisions",
    "list_targets",
    "newest",
    "said",
    "said_value",
    "take_pulse",
]
