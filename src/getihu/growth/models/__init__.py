"""Tables of the slice, by subject."""

from getihu.growth.models.pools import Exit, Membership, PoolPlaces, PoolRun, Refresh, RefreshHold
from getihu.growth.models.recognition import Juror, Jury, Recommendation
from getihu.growth.models.types import TypeMove, TypeReview

__all__ = [
    "Exit",
    "Juror",
    "Jury",
    "Membership",
    "PoolPlaces",
    "PoolRun",
    "Recommendation",
    "Refresh",
    "RefreshHold",
    "TypeMove",
    "TypeReview",
]
