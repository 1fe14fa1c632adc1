"""Verbs of insight: measure, make again."""

from getihu.insight.services.measuring import CannotMeasure, UnknownDigest, measure, rerun

__all__ = ["CannotMeasure", "UnknownDigest", "measure", "rerun"]
