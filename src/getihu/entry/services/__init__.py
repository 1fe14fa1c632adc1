"""What is done in entry: filings, the register made from them, opening a shop."""

from getihu.entry.services.allotting import BlockUsedUp, allot_code
from getihu.entry.services.booking import (
    NotAtThisWindow,
    NotBookable,
    book,
    cancel_appointment,
    close_day,
    move_appointment,
    sweep_window,
)
from getihu.entry.services.delivering import NoKey, deliver_register
from getihu.entry.services.filing import FilingRefused, annul, file, rebuild_register
from getihu.entry.services.handing_over import decline, offer_case, offer_visit, take
from getihu.entry.services.keeping import RegisterKeeper
from getihu.entry.services.opening import begin_opening, begin_opening_bundle
from getihu.entry.services.receiving import (
    BadVisit,
    answer,
    ask_also,
    at_the_counter,
    attach_for,
    call_next,
    check_in,
    claim_shop,
    continue_for,
    identify,
    keep,
    open_for,
    open_shop_for,
    print_claim,
    save_for,
    walk_in,
)
from getihu.entry.services.taking_over import BadTakeOver, make_take_over_code

__all__ = [
    "BadTakeOver",
    "BadVisit",
    "BlockUsedUp",
    "FilingRefused",
    "NoKey",
    "NotAtThisWindow",
    "NotBookable",
    "RegisterKeeper",
    "allot_code",
    "annul",
    "answer",
    "ask_also",
    "at_the_counter",
    "attach_for",
    "begin_opening",
    "begin_opening_bundle",
    "book",
    "call_next",
    "cancel_appointment",
    "check_in",
    "claim_shop",
    "close_day",
    "continue_for",
    "decline",
    "deliver_register",
    "file",
    "identify",
    "keep",
    "make_take_over_code",
    "move_appointment",
    "offer_case",
    "offer_visit",
    "open_for",
    "open_shop_for",
    "print_claim",
    "rebuild_register",
    "save_for",
    "sweep_window",
    "take",
    "walk_in",
]
