"""What people and jobs do in growth. Times are passed in."""

from getihu.growth.catalogue.windows import NoWindow
from getihu.growth.services.contesting import (
    NotContestable,
    ObjectionKeeper,
    end_human_profile,
    follow_corrections,
    object_to_fact,
)
from getihu.growth.services.converting import (
    AlreadyEnded,
    ConversionKeeper,
    NotVoluntary,
    NotYours,
    answer_duty,
    end_transfer,
    serve_duty,
)
from getihu.growth.services.linking import (
    CannotDecide,
    answer_conflict,
    decide_link,
    find_conflicts,
    link_records,
    take_conflict,
    undo_link,
)
from getihu.growth.services.neighbouring import make_edition
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
from getihu.growth.services.removing import remove, restore
from getihu.growth.services.reviewing import (
    publish_types,
    review_types,
    verify_types,
    work_types,
)
from getihu.growth.services.rights import NotAllowed, NotNow
from getihu.growth.services.working import work_growth

__all__ = [
    "AlreadyEnded",
    "CannotDecide",
    "ConversionKeeper",
    "NoWindow",
    "NotAllowed",
    "NotContestable",
    "NotEligible",
    "NotNow",
    "NotVoluntary",
    "NotYours",
    "ObjectionKeeper",
    "answer_conflict",
    "answer_duty",
    "answer_recommendation",
    "assess",
    "cancel_refresh",
    "conclude_refresh",
    "decide_exit",
    "decide_link",
    "declare",
    "end_exits",
    "end_human_profile",
    "end_transfer",
    "find_conflicts",
    "follow_corrections",
    "link_records",
    "list_refresh",
    "make_edition",
    "object_to",
    "object_to_fact",
    "open_recognition",
    "open_refresh",
    "publish_types",
    "put_in",
    "recommend",
    "remove",
    "restore",
    "review_types",
    "score",
    "seat_jury",
    "serve_duty",
    "strike",
    "take_conflict",
    "undo_link",
    "update_pool",
    "update_pools",
    "verify_lists",
    "verify_types",
    "work_growth",
    "work_types",
]
