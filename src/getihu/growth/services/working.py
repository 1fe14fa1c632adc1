"""What the slice does by itself because a day came or data arrived; by level, safe to run again."""

from datetime import datetime

from getihu.dataplane.selectors import FactsNotBuilt, NothingPublished
from getihu.growth.services.pooling import end_exits, update_pools
from getihu.growth.services.reviewing import work_types
from getihu.rulebook.selectors import NotSwept


def work_growth(at: datetime) -> int:
    """Publish types whose days to object are over, bring the pools to the newest data, let go whose
    notice is over. Returns how many rows were written or moved. A review of the types itself is
    begun by people."""
    done = work_types(at)
    try:
        done += sum(report.written for report in update_pools(at=at))
    except (NothingPublished, NotSwept, FactsNotBuilt):
        return done
    return done + end_exits(at)
