"""The treasury as the awards need it: orders in, answers out. ``gateways.treasury`` has the real
ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from getihu.kernel.errors import GetihuError


class TreasuryUnreachable(GetihuError):
    """No answer, or one nobody can read. Whether the orders arrived is unknown: ask again with the
    same numbers, which does no harm."""


class TreasuryRefused(GetihuError):
    """The treasury says the batch is wrong; nothing of it is paid."""


@dataclass(frozen=True)
class PaymentOrder:
    """One payment. ``order_id`` never changes for the same payment: the treasury pays it once."""

    order_id: str
    cents: int
    payee: str
    bank: str
    account: str
    remark: str


@dataclass(frozen=True)
class PaymentBatch:
    """Orders released together. ``sha256`` is of the payment file's bytes."""

    batch_id: str
    orders: tuple[PaymentOrder, ...]
    cents: int
    sha256: str


class PaymentResult(StrEnum):
    PAID = "paid"
    RETURNED = "returned"


@dataclass(frozen=True)
class StatementLine:
    """One line of the treasury's daily statement. ``line_id`` is the treasury's own, unique."""

    line_id: str
    order_id: str
    result: PaymentResult
    cents: int
    on: date
    why: str = ""


class Treasury(Protocol):
    """Every implementation passes ``tests/policies/test_treasury_contract.py``."""

    def submit(self, batch: PaymentBatch) -> None:
        """Hand a batch over; the same batch again changes nothing. Raises TreasuryUnreachable,
        TreasuryRefused (other orders under a known number, totals that do not add up)."""

    def statement(self, day: date) -> Sequence[StatementLine]:
        """What was paid or returned on a day; complete once the day is over. Lines may come twice
        and in any order. Raises TreasuryUnreachable."""
