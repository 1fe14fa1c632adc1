"""Tables of the slice, by subject."""

from getihu.growth.models.conversion import AftercareDuty, Conversion, TransferTask
from getihu.growth.models.linkage import ConflictItem, RecordLink
from getihu.growth.models.pools import (
    Exit,
    Membership,
    PoolPlaces,
    PoolRun,
    Refresh,
    RefreshHold,
    Removal,
)
from getihu.growth.models.profile import HumanProfile, Objection
from getihu.growth.models.recognition import Juror, Jury, Recommendation
from getihu.growth.models.types import TypeMove, TypeReview

__all__ = [
    "AftercareDuty",
    "ConflictItem",
    "Conversion",
    "Exit",
    "HumanProfile",
    "Juror",
    "Jury",
    "Membership",
    "Objection",
    "PoolPlaces",
    "PoolRun",
    "Recommendation",
    "RecordLink",
    "Refresh",
    "RefreshHold",
    "Removal",
    "TransferTask",
    "TypeMove",
    "TypeReview",
]
