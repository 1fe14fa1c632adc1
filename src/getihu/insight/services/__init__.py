"""Verbs of insight: measure, make again."""

from getihu.insight.services.measuring import (
    CannotMeasure,
    UnknownDigest,
    measure,
    measure_daily,
    rerun,
)

__all__ = ["CannotMeasure", "UnknownDigest", "measure", "measure_daily", "rerun"]
