"""What is done in entry: filings, the register made from them, opening a shop."""

from getihu.entry.services.allotting import BlockUsedUp, allot_code
from getihu.entry.services.filing import FilingRefused, annul, file, rebuild_register
from getihu.entry.services.keeping import RegisterKeeper
from getihu.entry.services.opening import begin_opening, begin_opening_bundle
from getihu.entry.services.taking_over import BadTakeOver, make_take_over_code

__all__ = [
    "BadTakeOver",
    "BlockUsedUp",
    "FilingRefused",
    "RegisterKeeper",
    "allot_code",
    "annul",
    "begin_opening",
    "begin_opening_bundle",
    "file",
    "make_take_over_code",
    "rebuild_register",
]
