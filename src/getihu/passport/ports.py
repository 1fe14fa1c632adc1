"""What signs licences: a key in a file today, a signing machine (密码机) tomorrow."""

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
        """The signature as JWS has it (ES256: 64 bytes, R then S)."""

    def public_jwk(self) -> dict[str, Any]: ...


class KeyRing(Protocol):
    """The issuer's keys: one signs, those before it still verify until withdrawn."""

    def current(self) -> Signer:
        """The key that signs; made by the first use. Raises KeyUnavailable."""

    def public_keys(self) -> dict[str, dict[str, Any]]:
        """Key id → public key (JWK) of every key that still verifies."""

    def rotate(self, *, withdraw: bool = False) -> str:
        """Sign with a new key from now on and return its id. ``withdraw``: the one before is
        stolen or lost, and nothing it signed holds any more."""


def key_ring() -> KeyRing:
    """The key ring this installation names (``PASSPORT_KEYS``)."""
    made: KeyRing = import_string(settings.PASSPORT_KEYS)()
    return made
