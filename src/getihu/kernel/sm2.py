"""SM2 with SM3 (GB/T 32918) over the standard's default identity; a signature is r || s, 64 bytes.

Pure Python and not constant in time: for keys in files. A 密码机 takes its place by the ports.
"""

import secrets
from typing import Any, Final

from gmssl import sm2

_N: Final = int(sm2.default_ecc_table["n"], 16)
_P: Final = int(sm2.default_ecc_table["p"], 16)
_A: Final = int(sm2.default_ecc_table["a"], 16)
_B: Final = int(sm2.default_ecc_table["b"], 16)


def new_private_key() -> bytes:
    return (secrets.randbelow(_N - 2) + 1).to_bytes(32, "big")


def public_key_of(private_key: bytes) -> bytes:
    """The point, x || y, 64 bytes."""
    base = str(sm2.default_ecc_table["g"])
    return bytes.fromhex(
        _keys(private_key.hex(), b"")._kg(int.from_bytes(private_key, "big"), base)
    )


def is_point(public_key: bytes) -> bool:
    """Whether 64 bytes are a point of the curve."""
    x, y = int.from_bytes(public_key[:32], "big"), int.from_bytes(public_key[32:], "big")
    on_curve = (y * y - (x * x * x + _A * x + _B)) % _P == 0
    return len(public_key) == 64 and x < _P and y < _P and on_curve


def sign(message: bytes, *, private_key: bytes, public_key: bytes) -> bytes | None:
    """The signature; None where it does not check, which a caller must not give away."""
    # The library's own random numbers are predictable, and one known number gives the key away.
    nonce = secrets.randbelow(_N - 1) + 1
    made = _keys(private_key.hex(), public_key).sign_with_sm3(message, f"{nonce:064x}")
    if made is None or not verify(message, bytes.fromhex(made), public_key):
        return None
    return bytes.fromhex(made)


def verify(message: bytes, signature: bytes, public_key: bytes) -> bool:
    # The library leaves out the range of r and s.
    numbers = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    if len(signature) != 64 or not all(0 < number < _N for number in numbers):
        return False
    return bool(_keys("", public_key).verify_with_sm3(signature.hex(), message))


def _keys(private_key: str, public_key: bytes) -> Any:
    made = sm2.CryptSM2(private_key=private_key, public_key="")
    # Set past the constructor, which strips leading digits 0 and 4 of some keys.
    made.public_key = public_key.hex()
    return made
