"""What people and jobs do with types, pools and recognitions. Times are passed in."""

from getihu.growth.catalogue.windows import NoWindow
from getihu.growth.services.objecting import object_to
from getihu.growth.services.pooling import (
    decide_exit,
    end_exits,
    update_pool,
    update_pools,
)
from getihu.growth.services.recognising import (
    NotEligible,
    answer_recommendation,
    assess,
    declare,
    open_recognition,
    recommend,
    remove,
    score,
    seat_jury,
)
from getihu.growth.services.refreshing import (
    cancel_refresh,
    conclude_refresh,
    list_refresh,
    open_refresh,
    put_in,
    strike,
    verify_lists,
)
from getihu.growth.services.reviewing import (
    publish_types,
    review_types,
    verify_types,
    work_types,
)
from getihu.growth.services.rights import NotAllowed, NotNow
from getihu.growth.services.working import work_growth

__all__ = [
    "NoWindow",
    "NotAllowed",
    "NotEligible",
    "NotNow",
    "answer_recommendation",
    "assess",
    "cancel_refresh",
    "conclude_refresh",
    "decide_exit",
    "declare",
    "end_exits",
    "list_refresh",
    "object_to",
    "open_recognition",
    "open_refresh",
    "publish_types",
    "put_in",
    "recommend",
    "remove",
    "review_types",
    "score",
    "seat_jury",
    "strike",
    "update_pool",
    "update_pools",
    "verify_lists",
    "verify_types",
    "work_growth",
    "work_types",
]
