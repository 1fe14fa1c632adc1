"""What leaves the slice: types, pools and recognitions as pages and programs read them."""

from getihu.growth.contracts.pools import (
    ExitView,
    HoldView,
    ListLine,
    MembershipView,
    PoolSummary,
    RefreshView,
    RunReport,
    TargetView,
)
from getihu.growth.contracts.recognition import (
    CriteriaView,
    JurorSeat,
    JuryView,
    RecommendationView,
    Term,
)
from getihu.growth.contracts.types import (
    Flow,
    MissingCount,
    MoveView,
    ReviewReport,
    ReviewView,
    TypeShare,
    TypesPage,
)

__all__ = [
    "CriteriaView",
    "ExitView",
    "Flow",
    "HoldView",
    "JurorSeat",
    "JuryView",
    "ListLine",
    "MembershipView",
    "MissingCount",
    "MoveView",
    "PoolSummary",
    "RecommendationView",
    "RefreshView",
    "ReviewReport",
    "ReviewView",
    "RunReport",
    "TargetView",
    "Term",
    "TypeShare",
    "TypesPage",
]
