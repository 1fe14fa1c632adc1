"""The two inner loops, compiled by Numba once and kept on disk: codes to bits, bits to bits.

Imported only where a city is swept: Numba takes a fifth of a second to load.
"""

from typing import Any

import numpy as np
from numba import njit, types

from getihu.rulebook.columns.circuit import AND, ANDNOT, OR

_STRETCH = 4096  # traders at a time: their codes, and every plane of theirs, stay in cache


_CODES = (types.uint8, types.uint16, types.uint32)


def _compile(*signatures: Any) -> Any:
    # Compiled for these types when first imported, never while a user waits for a sweep.
    return njit([*signatures], cache=True, nogil=True, boundscheck=False)


def _with_codes(kind: Any) -> Any:
    codes = types.Array(kind, 1, "C", readonly=True)  # files mapped into memory are
    return types.void(codes, types.uint8[::1], types.int64[::1], types.uint64[:, ::1])


@_compile(*map(_with_codes, _CODES))
def look_up(codes, table, registers, planes):
    """Eight answers per code from a table, eight traders at a time turned into eight planes.

    The eight bytes of eight traders are an 8 x 8 matrix of bits; transposed, each byte belongs to
    one plane. ``registers`` says where the planes lie (as many as answers are wanted).
    """
    octets = planes.view(np.uint8)
    answers = np.empty(_STRETCH, np.uint8)
    eights = answers.view(np.uint64)
    one = np.uint64(0x00AA00AA00AA00AA)
    two = np.uint64(0x0000CCCC0000CCCC)
    four = np.uint64(0x00000000F0F0F0F0)
    for start in range(0, codes.size, _STRETCH):
        many = min(_STRETCH, codes.size - start)
        some = codes[start : start + many]
        for j in range(many):
            answers[j] = table[some[j]]
        for j in range(many // 8):
            x = eights[j]
            t = (x ^ (x >> np.uint64(7))) & one
            x = x ^ t ^ (t << np.uint64(7))
            t = (x ^ (x >> np.uint64(14))) & two
            x = x ^ t ^ (t << np.uint64(14))
            t = (x ^ (x >> np.uint64(28))) & four
            eights[j] = x ^ t ^ (t << np.uint64(28))
        for k in range(registers.size):
            target = octets[registers[k], start // 8 : (start + many) // 8]
            for j in range(many // 8):
                target[j] = answers[j * 8 + k]


_uint32 = types.Array(types.uint32, 1, "C", readonly=True)


def _two_codes(left: Any, right: Any) -> Any:
    one, other = (types.Array(kind, 1, "C", readonly=True) for kind in (left, right))
    return types.void(one, _uint32, other, _uint32, types.uint64[::1])


@_compile(*(_two_codes(left, right) for left in _CODES for right in _CODES))
def reach(left, ranks, right, needed, plane):
    """Yes where a trader's left code (its rank, unless ``ranks`` is empty) has reached what her
    right code asks for."""
    octets = plane.view(np.uint8)
    answers = np.empty(_STRETCH, np.uint8)
    eights = answers.view(np.uint64)
    for start in range(0, left.size, _STRETCH):
        many = min(_STRETCH, left.size - start)
        one, other = left[start : start + many], right[start : start + many]
        if ranks.size:
            for j in range(many):
                answers[j] = ranks[one[j]] >= needed[other[j]]
        else:
            for j in range(many):
                answers[j] = one[j] >= needed[other[j]]
        for j in range(many // 8):
            # Eight bytes of 0 or 1 become eight bits.
            octets[start // 8 + j] = (eights[j] * np.uint64(0x0102040810204080)) >> np.uint64(56)


_int64 = types.Array(types.int64, 1, "C", readonly=True)


@_compile(types.void(_int64, _int64, types.int64, types.boolean, types.uint64[::1]))
def above(left, right, unknown, strictly, plane):
    """Yes where a trader's left number is above her right one, or at it; ``unknown`` stands for
    no number on either side."""
    octets = plane.view(np.uint8)
    answers = np.empty(_STRETCH, np.uint8)
    eights = answers.view(np.uint64)
    least = np.int64(strictly)
    for start in range(0, left.size, _STRETCH):
        many = min(_STRETCH, left.size - start)
        one, other = left[start : start + many], right[start : start + many]
        for j in range(many):
            # Unknown is the smallest number there is: on the left it reaches nothing.
            answers[j] = (one[j] >= other[j] + least) & (other[j] != unknown)
        for j in range(many // 8):
            octets[start // 8 + j] = (eights[j] * np.uint64(0x0102040810204080)) >> np.uint64(56)


@njit("uint64(uint64)", cache=True, nogil=True, inline="always")
def _ones(x):
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@_compile("void(int32[:, ::1], uint64[:, ::1], uint64[:, ::1], int64)")
def run(steps, kept, working, words):
    """Every instruction on one stretch of traders, then the next stretch."""
    size = _STRETCH // 64
    for start in range(0, words, size):
        end = min(words, start + size)
        for i in range(steps.shape[0]):
            operation, to, left, right = steps[i]
            target = kept[to, start:end] if to >= 0 else working[-1 - to, start:end]
            a = kept[left, start:end] if left >= 0 else working[-1 - left, start:end]
            b = kept[right, start:end] if right >= 0 else working[-1 - right, start:end]
            if operation == AND:
                for j in range(end - start):
                    target[j] = a[j] & b[j]
            elif operation == OR:
                for j in range(end - start):
                    target[j] = a[j] | b[j]
            elif operation == ANDNOT:
                for j in range(end - start):
                    target[j] = a[j] & ~b[j]
            else:
                for j in range(end - start):
                    target[j] = ~a[j]


@_compile("void(uint64[:, ::1], int64[::1], int64, uint64, int64[::1])")
def count(planes, registers, words, last, counts):
    """Add to ``counts`` how many bits each plane has; ``last`` masks the last word."""
    for i in range(registers.size):
        plane = planes[registers[i], :words]
        found = np.uint64(0)
        for j in range(words - 1):
            found += _ones(plane[j])
        counts[i] += np.int64(found + _ones(plane[words - 1] & last))
