"""Links and conflicts as an office sees them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LinkView:
    """A record and the trader it may be about. ``evidence``: what was compared, in words, with the
    bits it speaks for (above nought) or against; ``percent`` how likely it is."""

    id: str
    dataset: str
    record: str
    written: dict[str, str]
    trader_code: str
    trader_name: str
    percent: str
    weight: str
    evidence: tuple[tuple[str, str, str], ...]
    state: str
    state_label: str
    made_at: datetime
    why: str


@dataclass(frozen=True)
class ConflictView:
    """Departments contradict each other about a trader. ``owner_name`` empty: nobody took it."""

    id: int
    rule_id: str
    title: str
    trader_code: str
    trader_name: str
    department_name: str
    reason: str
    owner_name: str
    is_mine: bool
    answer: str
    found_at: datetime
