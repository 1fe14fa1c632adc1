"""What can be done with appeals."""

from getihu.support.appeals.subjects import UnknownSubject
from getihu.support.contracts import AppealNotFound, BadAppeal, IllegalMove, NotAllowed
from getihu.support.services.filing import file_appeal
from getihu.support.services.handling import (
    accept,
    answer,
    ask_jointly,
    assign,
    dispute,
    extend,
    give_opinion,
    hand_over,
    pass_on,
    settle,
    take,
)
from getihu.support.services.hers import confirm, reopen, withdraw
from getihu.support.services.importing import import_appeals
from getihu.support.services.joining import join
from getihu.support.services.steps import NobodyInCharge
from getihu.support.services.sweeping import AppealsNotSwept, sweep_appeals
from getihu.support.services.ticketing import keep, mend, open_ticket

__all__ = [
    "AppealNotFound",
    "AppealsNotSwept",
    "BadAppeal",
    "IllegalMove",
    "NobodyInCharge",
    "NotAllowed",
    "UnknownSubject",
    "accept",
    "answer",
    "ask_jointly",
    "assign",
    "confirm",
    "dispute",
    "extend",
    "file_appeal",
    "give_opinion",
    "hand_over",
    "import_appeals",
    "join",
    "keep",
    "mend",
    "open_ticket",
    "pass_on",
    "reopen",
    "settle",
    "sweep_appeals",
    "take",
    "withdraw",
]
