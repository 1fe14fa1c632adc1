"""Signing of checkpoints: a file key today, a signing machine (密码机) tomorrow."""

from typing import Protocol


class Verifier(Protocol):
    """Checks signatures of one key.

    ``name`` is the key's name in the signature line, ``key_id`` its four bytes there, ``vkey`` the
    one-line text by which it is published: ``name+hex(key_id)+base64(type || public key)``.
    """

    name: str
    key_id: bytes
    vkey: str

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether this key signed the message; False, never an error, for any other bytes."""
        ...


class Signer(Protocol):
    """Signs with one key. Two signatures of one message may differ."""

    @property
    def verifier(self) -> Verifier: ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature alone, without key id.

        Raises: SigningFailed when the key cannot be used; then nothing is published.
        """
        ...
