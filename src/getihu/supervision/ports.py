"""The networks that stop publishing a record, as credit repair needs them: an application in, an
answer out. ``gateways.credit_repair`` has the real ones."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from getihu.kernel.errors import GetihuError


class NetworkUnreachable(GetihuError):
    """No answer, or one nobody can read. Whether the application arrived is unknown: send it again
    under the same number, which does no harm."""


class NetworkRefused(GetihuError):
    """The network does not take the application: another one under this number, a part missing."""


class Network(StrEnum):
    MARKET = "market"
    NATIONAL = "national"


class RepairState(StrEnum):
    RECEIVED = "received"
    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(frozen=True)
class Recognised:
    """The conclusion of the other network that this one is asked to recognise (结论互认)."""

    network: Network
    receipt: str
    on: date


@dataclass(frozen=True)
class RepairRequest:
    """One application to one network. ``number`` never changes for the same application.
    ``record``: the decision or mark by its own number."""

    number: str
    trader_code: str
    record: str
    kind: str
    document_on: date
    commitment_on: date
    recognises: Recognised | None = None


@dataclass(frozen=True)
class RepairAnswer:
    """What a network says. ``receipt`` is its own number for the application."""

    state: RepairState
    receipt: str
    on: date
    why: str = ""


class RepairNetwork(Protocol):
    """Every implementation passes ``tests/supervision/test_repair_contract.py``."""

    def apply(self, request: RepairRequest) -> None:
        """Hand an application over; the same again changes nothing. Raises NetworkUnreachable,
        NetworkRefused (another one under a known number)."""

    def answer(self, number: str) -> RepairAnswer | None:
        """How an application stands; None while the network does not know it. Raises
        NetworkUnreachable."""
