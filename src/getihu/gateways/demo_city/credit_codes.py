"""Credit codes by the million: valid by GB 32100 and GB 11714, unique, spread over the city."""

import numpy as np
import pyarrow as pa

from getihu.kernel.codes import ALPHABET, WEIGHTS

_LETTERS = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_BODY_SPACE = 31**5


def _values() -> np.ndarray:
    table = np.zeros(256, dtype=np.int64)
    for value, letter in enumerate(ALPHABET):
        table[ord(letter)] = value
    return table


def _body_values() -> np.ndarray:
    """GB 11714 counts digits as themselves and letters from A = 10 without gaps."""
    table = np.zeros(256, dtype=np.int64)
    for letter in ALPHABET:
        table[ord(letter)] = int(letter) if letter.isdigit() else ord(letter) - 55
    return table


def make_codes(
    serials: np.ndarray, divisions: np.ndarray, years: np.ndarray, offset: int
) -> pa.StringArray:
    """Return one code per trader.

    ``divisions`` is the six-digit office of first registration; ``serials`` must differ, and
    ``offset`` (from the seed) moves them, so another seed gives other codes. Codes begin 92;
    the organisation body begins MA2 (Zhejiang), from 2021 on MA and a letter for the year.
    """
    n = len(serials)
    out = np.empty((n, 18), dtype=np.uint8)
    out[:, 0:2] = np.frombuffer(b"92", dtype=np.uint8)
    for position in range(6):
        out[:, 2 + position] = 48 + (divisions // 10 ** (5 - position)) % 10
    out[:, 8:10] = np.frombuffer(b"MA", dtype=np.uint8)
    out[:, 10] = np.frombuffer(b"2ABCDEFG", dtype=np.uint8)[np.clip(years - 2020, 0, 7)]
    # A factor without common divisor with 31 only shuffles the space: serials stay different.
    body = (serials.astype(np.int64) * 11_234_621 + offset) % _BODY_SPACE
    for position in range(5):
        out[:, 11 + position] = _LETTERS[(body // 31**position) % 31]
    of_body = _body_values()
    total = sum(of_body[out[:, 8 + i]] * w for i, w in enumerate(_BODY_WEIGHTS))
    out[:, 16] = np.frombuffer(b"0123456789X", dtype=np.uint8)[(11 - total % 11) % 11]
    values = _values()
    total = sum(values[out[:, i]] * w for i, w in enumerate(WEIGHTS))
    out[:, 17] = _LETTERS[-total % 31]
    offsets = np.arange(0, 18 * n + 1, 18, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(out.tobytes()))
