"""What signs licences (a key in a file today, a signing machine tomorrow); who knows what else is
shown with them: visits, grades."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Signer(Protocol):
    """One signing key. The private key need not be in this process."""

    @property
    def kid(self) -> str: ...

    @property
    def alg(self) -> str: ...

    def sign(self, signing_input: bytes) -> bytes:
        """The signature as JWS has it (64 bytes, R then S, for ES256 and for SM2 with SM3)."""

    def public_jwk(self) -> dict[str, Any]: ...


class KeyRing(Protocol):
    """The issuer's keys: one signs, those before it still verify until withdrawn."""

    def current(self) -> Signer:
        """The key that signs; made by the first use. Raises KeyUnavailable."""

    def public_keys(self) -> dict[str, dict[str, Any]]:
        """Key id → public key (JWK) of every key that still verifies."""

    def companion(self) -> Signer | None:
        """The key whose signature stands beside that of ``current`` (SM2 with SM3, for 密评);
        None where this installation has none. Made by the first use."""

    def companion_keys(self) -> dict[str, dict[str, Any]]:
        """Key id → public key of every companion that still verifies."""

    def rotate(self, *, withdraw: bool = False) -> str:
        """Sign with a new key from now on and return its id. ``withdraw``: the one before is
        stolen or lost, and nothing it signed holds any more."""


def key_ring() -> KeyRing:
    """The key ring this installation names (``PASSPORT_KEYS``)."""
    made: KeyRing = import_string(settings.PASSPORT_KEYS)()
    return made


@dataclass(frozen=True)
class Visit:
    """One visit of an office to a shop. ``result`` as the office writes it."""

    on: date
    agency: str
    subject: str
    result: str


@dataclass(frozen=True)
class Burden:
    """What a shop has had of visits: all since a day, newest first."""

    since: date
    visits: tuple[Visit, ...]


class VisitSource(Protocol):
    """Who keeps the visits of offices."""

    def burden(self, trader_code: str, *, at: datetime) -> Burden | None:
        """None: not known (never an empty burden for want of records)."""


@dataclass(frozen=True)
class Grade:
    """A published grade of a shop: 食品安全量化等级, 好差评. ``law`` empty: none demands it."""

    title: str
    label: str
    agency: str
    published_on: date
    law: str


class GradeSource(Protocol):
    """Who keeps the published grades of shops."""

    def grades(self, trader_code: str, *, at: datetime) -> tuple[Grade, ...] | None:
        """None: not known; empty: known to have none."""


_visits: list[VisitSource] = []
_grades: list[GradeSource] = []


def when_asked_for_visits(source: VisitSource) -> None:
    """Let somebody answer for visits from now on; the last one registered answers."""
    _visits[:] = [source]


def when_asked_for_grades(source: GradeSource) -> None:
    _grades[:] = [source]


def find_burden(trader_code: str, *, at: datetime) -> Burden | None:
    """None: nobody knows yet."""
    return _visits[0].burden(trader_code, at=at) if _visits else None


def find_grades(trader_code: str, *, at: datetime) -> tuple[Grade, ...] | None:
    """None: nobody knows yet."""
    return _grades[0].grades(trader_code, at=at) if _grades else None
