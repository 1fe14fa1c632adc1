"""Reads of entry: which trade a description means, and which permits a business takes."""

from getihu.entry.contracts import FilingView, is_provisional
from getihu.entry.filings.effects import Effect, rehearsed
from getihu.entry.filings.kinds import get_kind
from getihu.entry.filings.register import RegisterEntry
from getihu.entry.opening.connection import ConnectionAnswer, answer_connection
from getihu.entry.opening.market_entry import MarketEntry, market_rows
from getihu.entry.opening.permits import (
    STEPS,
    OpeningAnswer,
    PermitAnswer,
    answer_opening,
    catalogue,
)
from getihu.entry.opening.trades import Guess, describe, guess_trades, words
from getihu.entry.opening.verdicts import LEVELS, VERDICTS, Verdict, join
from getihu.entry.selectors.register import (
    get_entry,
    list_filings,
    list_suspended_ever,
    rehearse,
)
from getihu.entry.selectors.window import (
    VisitNotFound,
    appointment_is,
    compare_windows,
    get_offer,
    get_visit,
    handover_is_open,
    heads,
    list_appointments,
    list_case_takers,
    list_closures,
    list_day,
    list_days,
    list_offers,
    list_own,
    list_slots,
    list_takers,
    list_visits_of,
    list_waiting,
    offers_of,
    offices_of,
    serves,
)
from getihu.entry.window.guides import ServiceGuide, guide_of, list_guides
from getihu.entry.window.limits import SOON_DAYS, Limit, limit_of
from getihu.entry.window.offices import (
    Office,
    UnknownOffice,
    get_office,
    list_offices,
    read_moment,
)

__all__ = [
    "LEVELS",
    "SOON_DAYS",
    "STEPS",
    "VERDICTS",
    "ConnectionAnswer",
    "Effect",
    "FilingView",
    "Guess",
    "Limit",
    "MarketEntry",
    "Office",
    "OpeningAnswer",
    "PermitAnswer",
    "RegisterEntry",
    "ServiceGuide",
    "UnknownOffice",
    "Verdict",
    "VisitNotFound",
    "answer_connection",
    "answer_opening",
    "appointment_is",
    "catalogue",
    "compare_windows",
    "describe",
    "get_entry",
    "get_kind",
    "get_offer",
    "get_office",
    "get_visit",
    "guess_trades",
    "guide_of",
    "handover_is_open",
    "heads",
    "is_provisional",
    "join",
    "limit_of",
    "list_appointments",
    "list_case_takers",
    "list_closures",
    "list_day",
    "list_days",
    "list_filings",
    "list_guides",
    "list_offers",
    "list_offices",
    "list_own",
    "list_slots",
    "list_suspended_ever",
    "list_takers",
    "list_visits_of",
    "list_waiting",
    "market_rows",
    "offers_of",
    "offices_of",
    "read_moment",
    "rehearse",
    "rehearsed",
    "serves",
    "words",
]
