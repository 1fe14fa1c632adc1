"""What others may ask of supervision."""

from getihu.supervision.contracts import NotAllowed, NotNow, TooMany, UnknownPlan, UnknownVisit
from getihu.supervision.draws.rounds import CannotDraw
from getihu.supervision.draws.texts import NotCanonical
from getihu.supervision.services.drawing import commit_plan, draw_plan, enter_chance, publish_plan
from getihu.supervision.services.planning import (
    cancel_plan,
    declare_conflict,
    enrol_inspector,
    make_plan,
)
from getihu.supervision.services.visiting import cancel_visit, plan_visit, report_visit

__all__ = [
    "CannotDraw",
    "NotAllowed",
    "NotCanonical",
    "NotNow",
    "TooMany",
    "UnknownPlan",
    "UnknownVisit",
    "cancel_plan",
    "cancel_visit",
    "commit_plan",
    "declare_conflict",
    "draw_plan",
    "enrol_inspector",
    "enter_chance",
    "make_plan",
    "plan_visit",
    "publish_plan",
    "report_visit",
]
