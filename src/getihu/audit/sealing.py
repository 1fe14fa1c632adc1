"""Personal content under a key that can be destroyed: SM4-GCM, the key bound by its digest."""

import base64
import hashlib
import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"getihu.audit/personal/v1"


def key_digest(key: bytes) -> str:
    return hashlib.sha256(b"getihu.audit/key\n" + key).hexdigest()


def seal(key: bytes, text: bytes) -> dict[str, str]:
    """Return what a record keeps of a personal text. Its digest binds the one key that opens it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(_PURPOSE)
    sealed = encryptor.update(text) + encryptor.finalize()
    return {
        "alg": "SM4-GCM",
        "key_digest": key_digest(key),
        "nonce": base64.b64encode(nonce).decode(),
        "sealed": base64.b64encode(sealed + encryptor.tag).decode(),
    }


def unseal(key: bytes, sealed: dict[str, str]) -> bytes:
    """Return the personal text. Raises cryptography's InvalidTag for another key or text."""
    raw = base64.b64decode(sealed["sealed"])
    mode = modes.GCM(base64.b64decode(sealed["nonce"]), raw[-16:])
    decryptor = Cipher(algorithms.SM4(key), mode).decryptor()
    decryptor.authenticate_additional_data(_PURPOSE)
    return decryptor.update(raw[:-16]) + decryptor.finalize()
