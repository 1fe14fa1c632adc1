"""What others may ask of supervision."""

from getihu.supervision.contracts import (
    NotAllowed,
    NotNow,
    NotRepairable,
    TooMany,
    UnknownBreach,
    UnknownPlan,
    UnknownRecord,
    UnknownVisit,
)
from getihu.supervision.draws.rounds import CannotDraw
from getihu.supervision.draws.texts import NotCanonical
from getihu.supervision.services.drawing import commit_plan, draw_plan, enter_chance, publish_plan
from getihu.supervision.services.joining import merge_visits
from getihu.supervision.services.leniency import (
    answer_breach,
    decide_breach,
    note_breach,
    record_correction,
)
from getihu.supervision.services.planning import (
    cancel_plan,
    declare_conflict,
    enrol_inspector,
    make_plan,
)
from getihu.supervision.services.repairing import (
    apply_for_repair,
    ask_restoration,
    note_record,
    object_to_record,
    work_repairs,
)
from getihu.supervision.services.visiting import cancel_visit, plan_visit, report_visit

__all__ = [
    "CannotDraw",
    "NotAllowed",
    "NotCanonical",
    "NotNow",
    "NotRepairable",
    "TooMany",
    "UnknownBreach",
    "UnknownPlan",
    "UnknownRecord",
    "UnknownVisit",
    "answer_breach",
    "apply_for_repair",
    "ask_restoration",
    "cancel_plan",
    "cancel_visit",
    "commit_plan",
    "decide_breach",
    "declare_conflict",
    "draw_plan",
    "enrol_inspector",
    "enter_chance",
    "make_plan",
    "merge_visits",
    "note_breach",
    "note_record",
    "object_to_record",
    "plan_visit",
    "publish_plan",
    "record_correction",
    "report_visit",
    "work_repairs",
]
