"""Tickets as in Rivest's consistent sampler: one number per name, of the seed and the name alone.

The ticket is the SHA-256 of the hashed seed and the name, written in decimal, read backwards behind
"0." (the last digits are the evenly spread ones). Who holds the lowest tickets is drawn. A name's
ticket does not depend on who else is in the list, so any part can be checked alone. No float and no
remainder takes part in what decides.
"""

import hashlib
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from typing import Final

DIGITS: Final = 64  # a shorter number is filled up to this
_SCREEN: Final = 10**6


def key_of(seed: str) -> str:
    """What every ticket of a round starts from: the hashed seed, in hex."""
    return hashlib.sha256(seed.encode()).hexdigest()


def ticket(key: str, name: str) -> str:
    """The ticket of a name: "0." and the decimal digits. Sorted as text they are in order.

    >>> ticket(key_of("01382438112797316654"), "AB-130")[:20]
    '0.262997141228380084'
    """
    number = int.from_bytes(hashlib.sha256((key + name).encode()).digest(), "big")
    return "0." + str(number).zfill(DIGITS)[::-1]


def lowest(key: str, names: Iterable[str], size: int) -> list[tuple[str, str]]:
    """The ``size`` lowest tickets with their names, lowest first; all where there are fewer."""
    listed = names if isinstance(names, list) else list(names)
    if size <= 0:
        return []
    found: list[tuple[str, str]] = []
    # Few are drawn of many: whoever's first digits are far too high is set aside unsorted.
    share = min(_SCREEN, (size + 1) * 2 * _SCREEN // max(len(listed), 1) + 2_000)
    while True:
        found = nsmallest(size, _screened(key, listed, share))
        if len(found) >= min(size, len(listed)) or share >= _SCREEN:
            return found
        share = _SCREEN


def _screened(key: str, names: Iterable[str], share: int) -> Iterator[tuple[str, str]]:
    """Tickets whose first six digits are below ``share`` millionths."""
    prefix, sha256, number_of = key.encode(), hashlib.sha256, int.from_bytes
    if share >= _SCREEN:
        for name in names:
            yield ticket(key, name), name
        return
    # The first digit of a ticket is the last of the number: even numbers begin with an even digit.
    first = share // (_SCREEN // 10)
    for name in names:
        number = number_of(sha256(prefix + name.encode()).digest(), "big")
        if number % 10 <= first:
            text = "0." + str(number).zfill(DIGITS)[::-1]
            if int(text[2:8]) < share:
                yield text, name
