"""Which trader a record without a usable code is about: scored, explained, never silently."""

from getihu.growth.linkage.compare import compare_records
from getihu.growth.linkage.estimate import Model, estimate
from getihu.growth.linkage.score import Scored, score

__all__ = ["Model", "Scored", "compare_records", "estimate", "score"]
