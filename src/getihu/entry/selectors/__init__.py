"""Reads of entry: which trade a description means, and which permits a business takes."""

from getihu.entry.contracts import FilingView, is_provisional
from getihu.entry.filings.effects import Effect, rehearsed
from getihu.entry.filings.kinds import get_kind
from getihu.entry.filings.register import RegisterEntry
from getihu.entry.opening.connection import ConnectionAnswer, answer_connection
from getihu.entry.opening.permits import (
    VERDICTS,
    OpeningAnswer,
    PermitAnswer,
    answer_opening,
    catalogue,
)
from getihu.entry.opening.trades import Guess, describe, guess_trades, words
from getihu.entry.selectors.register import (
    get_entry,
    list_filings,
    list_suspended_ever,
    rehearse,
)

__all__ = [
    "VERDICTS",
    "ConnectionAnswer",
    "Effect",
    "FilingView",
    "Guess",
    "OpeningAnswer",
    "PermitAnswer",
    "RegisterEntry",
    "answer_connection",
    "answer_opening",
    "catalogue",
    "describe",
    "get_entry",
    "get_kind",
    "guess_trades",
    "is_provisional",
    "list_filings",
    "list_suspended_ever",
    "rehearse",
    "rehearsed",
    "words",
]
