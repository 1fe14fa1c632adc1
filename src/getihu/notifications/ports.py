"""The port to whoever carries a message: a carrier per channel, tried in the order configured."""

from dataclasses import dataclass
from typing import Protocol


class TemporaryFailure(Exception):
    """The carrier could not take it now; try again."""


class PermanentFailure(Exception):
    """The carrier will never take it: no such number, refused content."""


@dataclass(frozen=True)
class Outgoing:
    """A message ready to go. ``key`` is the same at every attempt: a carrier that honours it
    delivers once. ``address`` is where to (a phone number, an account id): personal, never
    logged."""

    key: str
    address: str
    title: str
    text: str


class Carrier(Protocol):
    """One way to reach people."""

    name: str

    def send(self, message: Outgoing) -> str:
        """Hand over a message; returns the carrier's own number for it.

        Raises: TemporaryFailure, PermanentFailure. Must answer within seconds.
        """
