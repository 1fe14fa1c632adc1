"""Those who act on what is filed: licences, cards, datasets. Called in the filing's transaction."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True)
class Filed:
    """A filing that was just made, for those who act on it. ``before`` and ``after`` are states
    of the register on the day it counts from."""

    trader_code: str
    kind: str
    filing_id: uuid.UUID
    effective_on: date
    before: str
    after: str
    at: datetime


class FilingListener(Protocol):
    """What it raises (GetihuError) stops the filing."""

    def filed(self, filed: Filed) -> None: ...


_listeners: list[FilingListener] = []


def when_filed(listener: FilingListener) -> None:
    """Have somebody act on filings from now on; one of each class, in order of registration."""
    if not any(type(each) is type(listener) for each in _listeners):
        _listeners.append(listener)


def listeners() -> tuple[FilingListener, ...]:
    return tuple(_listeners)
