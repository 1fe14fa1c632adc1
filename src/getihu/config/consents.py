"""Which consent a rule asks before it may use what the law protects.

Types, pools and conflicts look at everyone without being asked, so they use those facts only with
the operator's consent to be profiled. Policies look when somebody is told, paid or asks; there
consent is asked at that door (policies/services).
"""

from collections.abc import Collection, Mapping
from typing import Final

from getihu.registry import selectors as registry
from getihu.registry.contracts import Purpose

PURPOSES: Final = {"growth.": Purpose.PROFILE}


def purpose_of(rule_id: str) -> Purpose | None:
    return next((p for start, p in PURPOSES.items() if rule_id.startswith(start)), None)


class RegistryConsents:
    """The consents kept in the registry; read once for each purpose."""

    def __init__(self) -> None:
        self._city: dict[Purpose, Mapping[str, Collection[str]]] = {}
        self._given: dict[tuple[str, Purpose], Collection[str]] = {}
        self._stamps: dict[Purpose, str] = {}

    def of(self, trader_code: str, rule_id: str) -> Collection[str] | None:
        purpose = purpose_of(rule_id)
        if purpose is None:
            return None
        key = (trader_code, purpose)
        if key not in self._given:
            given = registry.consents_given([trader_code], purpose)
            self._given[key] = given.get(trader_code, set())
        return self._given[key]

    def of_city(self, rule_id: str) -> Mapping[str, Collection[str]] | None:
        purpose = purpose_of(rule_id)
        if purpose is None:
            return None
        if purpose not in self._city:
            self._city[purpose] = registry.consents_of_city(purpose)
        return self._city[purpose]

    def stamp(self, rule_id: str) -> str | None:
        purpose = purpose_of(rule_id)
        if purpose is None:
            return None
        if purpose not in self._stamps:
            self._stamps[purpose] = registry.consents_stamp(purpose)
        return self._stamps[purpose]
