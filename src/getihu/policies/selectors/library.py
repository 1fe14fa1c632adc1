"""Reads of the policy library: every policy as people read it, found by words and place."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

from getihu.policies.library import open_data
from getihu.policies.library.picture import picture
from getihu.policies.library.reading import Reading, read_policy
from getihu.policies.library.search import LibraryFilter, find
from getihu.rulebook import selectors as rulebook
from getihu.rulebook.contracts import SORTING_KINDS


def list_readings(on: date) -> tuple[Reading, ...]:
    """Every policy, one version each: the one that governs ``on``, over or not. What holds here
    and now comes first, then what is to come, what is over, and what other places have."""
    return _readings(rulebook.get_rulebook(), on)


@lru_cache(maxsize=4)
def _readings(book: Any, on: date) -> tuple[Reading, ...]:
    order = ("in_force", "incomplete", "doubtful", "upcoming", "superseded", "ended")
    found = [read_policy(rule, on) for rule in book.governing(on)]
    return tuple(
        sorted(found, key=lambda each: (not each.is_here, order.index(each.state), each.title))
    )


def get_reading(rule_id: str, on: date) -> Reading:
    """One policy. Raises UnknownRule."""
    rulebook.get_rule(rule_id)
    return next(each for each in list_readings(on) if each.id == rule_id)


def find_policies(wanted: LibraryFilter, on: date) -> list[Reading]:
    """The policies that fit a filter, the best match of the words first. Rules that only sort traders
    into pools are none."""
    return find([each for each in list_readings(on) if each.kind not in SORTING_KINDS], wanted)


def list_kinds(on: date) -> list[str]:
    """The kinds of benefit there are: 奖励, 补贴, 税收减免…"""
    return sorted({each.kind for each in list_readings(on) if each.kind} - SORTING_KINDS)


def list_agencies(on: date) -> list[str]:
    """Issuers of the documents, as they name themselves."""
    return sorted({name for each in list_readings(on) for name in each.document.issued_by})


def draw_picture(reading: Reading, *, address: str) -> bytes:
    """一图读懂 as an SVG file. ``address``: of the policy's page."""
    return picture(reading, address=address)


def describe(reading: Reading, *, page: str) -> dict[str, Any]:
    """One policy as JSON-LD in CPSV-AP. ``page``: the address of its page."""
    return open_data.describe(reading, page=page)


def describe_all(readings: Iterable[tuple[Reading, str]], *, page: str) -> dict[str, Any]:
    """The library as JSON-LD: a catalogue and each policy with the address of its page."""
    return open_data.describe_all(tuple(readings), page=page)
