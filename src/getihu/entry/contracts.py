"""What leaves entry: the register's entry of a trader and its filings."""

from dataclasses import dataclass
from datetime import date, datetime

PROVISIONAL = "P"  # no credit code begins with it: a shop that asks to be registered


@dataclass(frozen=True)
class FilingView:
    """One filing as people read it. ``said``: item → what was written, both in Chinese.
    ``counts``: False once it was annulled."""

    sequence: int
    kind: str
    label: str
    law: str
    effective_on: date
    filed_at: datetime
    said: tuple[tuple[str, str], ...]
    is_late: bool
    counts: bool


def is_provisional(trader_code: str) -> bool:
    """Whether a code stands for a shop that has none yet."""
    return trader_code.startswith(PROVISIONAL)
