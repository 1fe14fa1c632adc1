"""Random numbers by name: every table draws from a stream of its own."""

import zlib

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one named table.

    The name, not the order of calls, selects the stream: a new table changes no other.
    """
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(zlib.crc32(name.encode()),))
    return np.random.Generator(np.random.PCG64(sequence))


def pick(bits: np.ndarray, field: int, below: int | np.ndarray) -> np.ndarray:
    """Return numbers in [0, below) that depend only on a trader's 64 bits and the field number.

    Serves wording: any chunk of traders can be written alone, with no drawn column in memory.
    """
    with np.errstate(over="ignore"):
        mixed = bits + np.uint64(field) * _GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
        mixed ^= mixed >> np.uint64(31)
    # The high 32 bits scaled: cheaper than a modulo, and even enough for wording.
    return ((mixed >> np.uint64(32)) * np.asarray(below, dtype=np.uint64)) >> np.uint64(32)


def share(bits: np.ndarray, field: int, part: float) -> np.ndarray:
    """Return a true value for about ``part`` (0–1) of the traders."""
    return pick(bits, field, 1_000_000) < np.uint64(round(part * 1_000_000))
