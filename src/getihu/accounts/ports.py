"""What signing in asks of the province: who is behind a ticket."""

from dataclasses import dataclass
from typing import Protocol

from getihu.kernel.errors import GetihuError


@dataclass(frozen=True)
class ProvincialIdentity:
    """Who the province says this is. ``subject`` is its own stable number, never an identity
    number; ``name`` is what it shows."""

    subject: str
    name: str


class TicketRefused(GetihuError):
    """The ticket is unknown, used or too old: the person signs in again."""


class ProvinceUnreachable(GetihuError):
    """No answer, or one that cannot be read: try later, or sign in another way."""


class ProvincialLogin(Protocol):
    """The provincial login: the browser brings a ticket, the platform asks who it stands for."""

    def redeem(self, ticket: str) -> ProvincialIdentity:
        """Return who a ticket stands for; a ticket is good once.

        Raises: TicketRefused, ProvinceUnreachable.
        """
        ...
