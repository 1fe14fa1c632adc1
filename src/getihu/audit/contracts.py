"""What crosses the border of the audit log: events in, receipts and reports out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Value = None | bool | int | str | Decimal | date | datetime | tuple[Any, ...] | list[Any]
"""What a body may hold, besides nested mappings. No float: two programs print it differently."""


@dataclass(frozen=True)
class AuditEvent:
    """One thing that happened, told in the transaction in which it happened.

    ``kind`` is dotted lower-case words (``case.accepted``). ``actor`` and ``object`` are references
    ``noun:id`` (``officer:17``, ``job:sweep``, ``case:2026-000123``); an id is one of ours, never a
    name, a telephone or an identity number. ``at`` is the moment, with its zone. ``body`` says what
    happened without personal content. Personal content goes into ``personal``, kept under a key of
    ``subject`` (a reference) that can be destroyed; both are given or neither.
    """

    kind: str
    actor: str
    object: str
    at: datetime
    body: Mapping[str, Any]
    subject: str | None = None
    personal: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Receipt:
    """Proof of acceptance: the event's number here, and the commitment the log will hold.

    ``log_index`` counts from 0; None until the sequencer has taken the event.
    """

    event_id: int
    commitment: str
    log_index: int | None = None


@dataclass(frozen=True)
class RecordedEvent:
    """One event as an auditor reads it.

    ``personal`` is None where there is none and where the key was destroyed (``is_erased``).
    """

    event_id: int
    log_index: int | None
    kind: str
    actor: str
    object: str
    at: datetime
    body: dict[str, Any]
    personal: dict[str, Any] | None
    is_erased: bool


@dataclass(frozen=True)
class Checkpoint:
    """A signed state of the log: its first ``size`` entries have this root. ``note`` is the text."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True)
class InclusionProof:
    """That ``commitment`` is entry ``log_index`` of the tree of ``checkpoint``."""

    log_index: int
    commitment: bytes
    path: tuple[bytes, ...]
    checkpoint: Checkpoint


@dataclass(frozen=True)
class SequenceReport:
    """What one run of the sequencer did."""

    taken: int
    size: int
    root: bytes


@dataclass(frozen=True)
class Activity:
    """How many different objects one actor's events of a kind were about in a time, and when its
    first and last ones were."""

    actor: str
    things: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class LogStatus:
    """How far the log has come. ``oldest_waiting_at`` is None when nothing waits."""

    signed: int
    waiting: int
    oldest_waiting_at: datetime | None


@dataclass(frozen=True)
class LogFinding:
    """One thing wrong with the log: where, and what. ``log_index`` is None for the whole log."""

    message: str
    log_index: int | None = None
